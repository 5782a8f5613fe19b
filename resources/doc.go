// Package resources holds the Terraform resources. resource.go is the only code that creates, updates and deletes,
// read.go the only code that reads and imports, and plan.go begins every plan; all are generic over the kind. What a family of
// kinds adds to that is the interface family: pipeline.go and pipeline_plan.go for stacks of containers, deployment*.go for
// cloud platforms, stdout_ingest.go for the ingest. base.go and schema.go hold what all kinds have in common, components.go what
// all components have, and a file for each component, such as loki.go, its block.
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
