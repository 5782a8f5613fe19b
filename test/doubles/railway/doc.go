// Package railway is a strict double of Railway's public GraphQL API, for places where there is no account: it parses each
// query and executes the operations that orch uses on projects, environments, services, variables, deployments and domains
// that it keeps in memory.
//
// It behaves like Railway where a client can get hurt: project names may be taken twice, a service's may not; a service that
// is created with a source, a variable that is set without skipDeploys and a repository that is connected all start a
// deployment; a newer deployment turns the older one into REMOVED; nearly every failure is HTTP 200 with
// INTERNAL_SERVER_ERROR; the edge refuses requests without a query string. It is stricter than Railway in that unknown
// operations, fields, arguments, variables and inputs fail and are kept at /double/unknown.
//
// It imports gqlparser's parser and its sibling packages. An operation goes into schema.go with a resolver next to its
// kin, its rules into store.go, what becomes of a deployment into deploy.go.
package railway
