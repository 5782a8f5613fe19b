// Package resources holds the Terraform resources. resource.go is the only code that creates, reads, updates, deletes and
// imports, plan.go the only code that plans; both are generic over the kind. base.go and schema.go hold what all kinds have
// in common, components.go what all components have, and a file for each component, such as loki.go, its block.
//
// It may import the catalog, the runner and the contract, and never workflows or activities: what a resource wants done, it
// asks for by starting a workflow.
//
// orch_workflow stands apart in the files workflow*.go: it runs workflows that are not orch's, so nothing of the catalog is in
// it. workflow.go creates, updates, deletes and imports, workflow_plan.go plans and reads, workflow_call.go makes the runs,
// workflow_value.go translates between Terraform's values and JSON.
//
// A new pipeline is one file here (its model, its blocks, toInput, fromInput and secrets; see logs_pipeline.go) and one line in All.
package resources
