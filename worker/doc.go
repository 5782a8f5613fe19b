// Package worker is orch's Temporal worker as a library: options, queues, registration of the bundled workflows and
// activities, health, metrics and an orderly stop. The orch-worker binary is made of it, and so is a worker of your own
// that serves your workflows next to the bundled ones:
//
//	err := worker.Run(ctx, worker.Options{
//		ServiceNames: []string{"app"},
//		Register: func(r worker.Registry) {
//			r.RegisterWorkflow(MyWorkflow)
//			r.RegisterActivity(&MyActivities{})
//		},
//	})
//
// It may import workflows, activities, runner, engine and secret; no Terraform module.
package worker
