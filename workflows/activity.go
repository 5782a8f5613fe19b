package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// run runs an activity of the contract and waits for its result.
func run[In, Out any](ctx workflow.Context, a contract.Activity[In, Out], arg In) (Out, error) {
	return begin(ctx, a, arg).get(ctx)
}

// do runs an activity that has no result and waits for its end.
func do[In any](ctx workflow.Context, a contract.Effect[In], arg In) error {
	return workflow.ExecuteActivity(ctx, a.Name, arg).Get(ctx, nil)
}

// future is the result of an activity that has been started.
type future[Out any] struct{ workflow.Future }

// begin starts an activity without waiting for it, so that several can run at the same time.
func begin[In, Out any](ctx workflow.Context, a contract.Activity[In, Out], arg In) future[Out] {
	return future[Out]{workflow.ExecuteActivity(ctx, a.Name, arg)}
}

func (f future[Out]) get(ctx workflow.Context) (Out, error) {
	var out Out
	err := f.Get(ctx, &out)
	return out, err
}
