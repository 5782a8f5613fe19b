package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
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
	return all
}
