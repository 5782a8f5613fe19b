// Package render stands in for Render's REST API: workspaces, web services, their variables and deploys, logs, and the
// check of Blueprints.
//
//	GET    /v1/owners
//	GET    /v1/services                    POST the same
//	GET    /v1/services/{id}               PATCH, DELETE the same
//	GET    /v1/services/{id}/env-vars      PUT the same
//	POST   /v1/services/{id}/scale, /resume, /suspend
//	GET    /v1/services/{id}/deploys       POST the same
//	GET    /v1/services/{id}/deploys/{deploy}, POST …/cancel
//	POST   /v1/services/{id}/rollback
//	GET    /v1/logs
//	POST   /v1/blueprints/validate
//	GET    /double/apps/{slug}/…           the deployed application
//	GET    /double/unknown
//
// A deploy goes one state further each time somebody asks for it, and ends as the service's variables tell: DOUBLE_OUTCOME is
// a failure state, or "stuck"; DOUBLE_HEALTH the status that the application answers with. Repositories are really asked for
// their branch, with git.
//
// It imports the standard library and the strict double's parts, and needs git where a service is built from a repository.
package render
