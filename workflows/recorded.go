package workflows

import (
	"encoding/json"
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// recorded calls expand once and keeps what it returns in the history, as the member of that name: a worker with another
// catalog that takes over in the middle must go on with the same.
func recorded[T any](ctx workflow.Context, req contract.Request, name string, expand func() (T, error)) (T, error) {
	var spec T
	var kept map[string]json.RawMessage
	err := workflow.SideEffect(ctx, func(workflow.Context) any {
		made, err := expand()
		if err != nil {
			return map[string]any{"Failure": fromClient(req, asFailure(err))}
		}
		return map[string]any{name: made}
	}).Get(&kept)
	if err != nil {
		return spec, err
	}
	if refused := contract.WithoutNulls(kept["Failure"]); refused != nil {
		failure := &contract.StepFailure{}
		if err := json.Unmarshal(refused, failure); err != nil {
			return spec, fmt.Errorf("read the recorded failure: %w", err)
		}
		return spec, failure
	}
	if err := json.Unmarshal(kept[name], &spec); err != nil {
		return spec, fmt.Errorf("read the recorded %s: %w", name, err)
	}
	return spec, nil
}

// fromClient says which version of the worker an attribute needs that this one does not know: the client's.
func fromClient(req contract.Request, failure *contract.StepFailure) *contract.StepFailure {
	if failure.Hint == catalog.UpgradeWorker && req.Client != "" {
		return failure.Next("the request comes from %s: run an orch-worker of that version or a newer one on this task queue", req.Client)
	}
	return failure
}
