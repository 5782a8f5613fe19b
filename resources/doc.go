// Package resources holds the Terraform resources. resource.go is the only code that creates, reads, updates, deletes and
// imports, plan.go the only code that plans; both are generic over the kind. base.go and settings.go hold what all kinds
// have in common, components.go the blocks of components that several kinds use.
//
// It may import the catalog, the runner and the contract, and never workflows or activities: what a resource wants done, it
// asks for by starting a workflow.
//
// A new pipeline is one file here (its model, its blocks, toInput and fromInput; see logs_pipeline.go) and one line in All.
package resources
