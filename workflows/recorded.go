package workflows

import (
	"cmp"

	"go.temporal.io/sdk/workflow"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// expanded is what a history holds of an expansion: what came of the input, in the member of its family, or why nothing did.
type expanded[T any] struct {
	Stack, Deployment, Ingest *T
	Failure                   *contract.StepFailure
}

// recorded calls expand once and keeps what it returns in the history, where in says: a worker with another catalog that takes
// over in the middle must go on with the same.
func recorded[T any](ctx workflow.Context, req contract.Request, in func(*T) expanded[T], expand func() (T, error)) (T, error) {
	var kept expanded[T]
	err := workflow.SideEffect(ctx, func(workflow.Context) any {
		made, err := expand()
		if err != nil {
			return expanded[T]{Failure: fromClient(req, asFailure(err))}
		}
		return in(&made)
	}).Get(&kept)
	var none T
	switch {
	case err != nil:
		return none, err
	case kept.Failure != nil:
		return none, kept.Failure
	default:
		return *cmp.Or(kept.Stack, kept.Deployment, kept.Ingest, &none), nil
	}
}

// fromClient says which version of the worker an attribute needs that this one does not know: the client's.
func fromClient(req contract.Request, failure *contract.StepFailure) *contract.StepFailure {
	if failure.Hint == catalog.UpgradeWorker && req.Client != "" {
		return failure.Next("the request comes from %s: run an orch-worker of that version or a newer one on this task queue", req.Client)
	}
	return failure
}
