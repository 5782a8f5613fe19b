package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// Registry is the part of a Temporal worker that takes workflows.
type Registry interface {
	RegisterWorkflowWithOptions(w any, options workflow.RegisterOptions)
}

// Register makes every bundled workflow known to a worker under its wire name.
func Register(registry Registry) {
	for name, function := range bundled() {
		registry.RegisterWorkflowWithOptions(function, workflow.RegisterOptions{Name: name})
	}
}

// Types returns the wire names of the bundled workflows.
func Types() map[string]bool {
	types := map[string]bool{}
	for name := range bundled() {
		types[name] = true
	}
	return types
}

func bundled() map[string]any {
	all := map[string]any{}
	for _, entry := range catalog.All() {
		s := stack{entry}
		all[entry.Kind.SetupWorkflow()] = s.Setup
		all[entry.Kind.CleanupWorkflow()] = s.Cleanup
		all[entry.Kind.StatusWorkflow()] = s.Status
	}
	for _, entry := range catalog.Deployments() {
		d := deployment{entry}
		all[entry.Kind.SetupWorkflow()] = d.Setup
		all[entry.Kind.CleanupWorkflow()] = d.Cleanup
		all[entry.Kind.StatusWorkflow()] = d.Status
	}
	ingest, kind := stdoutIngest{}, contract.StdoutIngest
	all[kind.SetupWorkflow()] = ingest.Setup
	all[kind.CleanupWorkflow()] = ingest.Cleanup
	all[kind.StatusWorkflow()] = ingest.Status
	all[kind.TailWorkflow()] = ingest.Tail
	all[kind.DiscoverWorkflow()] = ingest.Discover
	return all
}
