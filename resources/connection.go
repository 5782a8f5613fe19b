package resources

import (
	"context"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
)

// Runner runs workflows and waits for them; *runner.Client is the real one. Every method blocks until its answer is there
// or ctx ends, and may be called from several goroutines at once.
type Runner interface {
	// Run starts a setup or cleanup workflow, or attaches to one that does the same already, and waits until it ends.
	// onStarted is called once the workflow is known to exist.
	Run(ctx context.Context, call runner.Call, result any, onStarted func(runner.Run)) (runner.Run, error)
	// Status runs a status workflow.
	Status(ctx context.Context, call runner.Call, result any) (runner.Run, error)
	// InFlight tells which operation is being carried out on a service, if any.
	InFlight(ctx context.Context, ref contract.Ref) (contract.Operation, runner.Run, bool, error)
	// Queue decides which task queue a service's workflows are started on.
	Queue(resourceQueue, service string) string
}

// Connection is what the provider hands to every resource. Runner is nil while the provider's configuration is not known.
type Connection struct {
	Runner Runner
	Scope  string
}
