package workflows

import (
	"encoding/json"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// stack holds the workflows of one pipeline of the catalog.
type stack struct{ entry catalog.Entry }

// family gives a workflow's context the retry policy of its kind; stackOptions takes it from there.
func (s stack) family(ctx workflow.Context) workflow.Context {
	retry := s.entry.Retry
	if retry == (catalog.Retry{}) {
		retry = catalog.PipelineRetry
	}
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: retry.Timeout,
		HeartbeatTimeout:    30 * time.Second,
		// A rollback must not race the step that it undoes.
		WaitForCancellation: true,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: retry.Initial, MaximumInterval: retry.Max, MaximumAttempts: retry.Attempts},
	})
}

// stackOptions are the kind's options for an activity that the Web UI shows by its summary.
func stackOptions(ctx workflow.Context, summary string) workflow.Context {
	options := workflow.GetActivityOptions(ctx)
	options.Summary = summary
	return workflow.WithActivityOptions(ctx, options)
}

// withTime lets an attempt take longer by what the user has allowed the components to take.
func withTime(ctx workflow.Context, more time.Duration) workflow.Context {
	options := workflow.GetActivityOptions(ctx)
	options.StartToCloseTimeout += more
	return workflow.WithActivityOptions(ctx, options)
}

// buildOptions are stackOptions with the time that a build may take. It is long: heartbeats tell of a worker that died, and how long
// the whole may take is the user's to say.
func buildOptions(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithStartToCloseTimeout(stackOptions(ctx, summary), time.Hour)
}

// Setup makes the service what the input says: everything is checked, then the components are started, those that do not
// depend on each other at the same time, and what they replace is removed once all of them are ready. When a step fails,
// what this run made is undone, or kept with on_failure = "keep".
func (s stack) Setup(ctx workflow.Context, req contract.Request) (contract.Result, error) {
	ctx = s.family(ctx)
	spec, err := s.expand(ctx, req)
	if err != nil {
		return contract.Result{}, failed(err)
	}
	undo := &rollback{keep: req.OnFailure == contract.OnFailureKeep}
	result, err := s.setup(ctx, req, spec, undo)
	if err != nil {
		return contract.Result{}, failed(undo.run(ctx, err))
	}
	return result, nil
}

func (s stack) setup(ctx workflow.Context, req contract.Request, spec contract.Stack, undo *rollback) (contract.Result, error) {
	call := contract.StackCall{Stack: spec, Operation: req.Operation, RunID: workflow.GetInfo(ctx).WorkflowExecution.RunID}
	undo.add("network and volumes", func(ctx workflow.Context) (contract.Undone, error) {
		return run(stackOptions(ctx, "rollback"), contract.RollbackStack, call)
	})
	prepared, err := run(stackOptions(ctx, "prepare"), contract.PrepareStack, call)
	if err != nil {
		return contract.Result{}, stepFailed(stepPrepare, err)
	}
	undo.owns = prepared.Adopted == nil
	if prepared.Continues {
		// What the killed run made carries its ID, so this run's rollback leaves it.
		undo.leftover = "containers of an earlier run that was interrupted"
	}
	// From here on the run belongs to this engine: a worker of the same queue on another host must not take a step.
	call.Stack.EngineID = prepared.EngineID
	if err := s.leave(ctx, req, call); err != nil {
		return contract.Result{}, err
	}
	components, err := start(ctx, call, req, undo)
	if err != nil {
		return contract.Result{}, err
	}
	if err := provision(ctx, call, undo, prepared.Adopted == nil); err != nil {
		return contract.Result{}, err
	}
	proofs, err := verify(ctx, call, req.Verify == nil || *req.Verify)
	if err != nil {
		return contract.Result{}, err
	}
	if err := do(stackOptions(ctx, "commit"), contract.CommitStack, call); err != nil {
		return contract.Result{}, stepFailed("commit", err)
	}
	return contract.Result{
		Message: s.entry.Message, EngineID: prepared.EngineID, Components: components, Verification: proofs, Adopted: prepared.Adopted,
	}, nil
}

// leave takes the service's objects out of the Grafana that it showed itself in before, when it now shows itself elsewhere. It
// comes before the components change: the login to that Grafana may be kept with one that no longer needs it.
func (s stack) leave(ctx workflow.Context, req contract.Request, call contract.StackCall) error {
	if len(req.Prior) == 0 {
		return nil
	}
	before := s.known(ctx, req, req.Prior).Grafana
	if before == nil {
		return nil
	}
	if now := call.Stack.Grafana; now != nil && now.URL == before.URL && now.FolderUID == before.FolderUID {
		return nil
	}
	_, err := run(stackOptions(ctx, "remove from grafana"), contract.RemoveGrafana, contract.GrafanaCall{EngineID: call.Stack.EngineID, Objects: *before})
	if err != nil {
		return stepFailed("leave_grafana", err)
	}
	return nil
}

// known is the stack of an input that something was made from. It is empty for an input of an older version that is not valid
// any more: it must not stand in the way of a removal.
func (s stack) known(ctx workflow.Context, req contract.Request, input json.RawMessage) contract.Stack {
	req.Input = input
	spec, err := s.expand(ctx, req)
	if err != nil {
		return contract.Stack{}
	}
	return spec
}

// provision adds the stack's objects to a Grafana that is not its own. A rollback takes them back where they are fresh: an
// update's and an adopted service's were there before.
func provision(ctx workflow.Context, call contract.StackCall, undo *rollback, fresh bool) error {
	if call.Stack.Grafana == nil {
		return nil
	}
	objects := contract.GrafanaCall{EngineID: call.Stack.EngineID, Objects: *call.Stack.Grafana}
	if fresh && call.Operation == contract.OpCreate {
		undo.add("objects in Grafana", func(ctx workflow.Context) (contract.Undone, error) {
			return run(stackOptions(ctx, "remove from grafana"), contract.RemoveGrafana, objects)
		})
	}
	err := do(stackOptions(ctx, contract.StepGrafana), contract.EnsureGrafana, objects)
	if err != nil {
		return stepFailed(contract.StepGrafana, err)
	}
	return nil
}

// verify writes the canaries and reads them back, when that is wanted: up is not the same as working.
func verify(ctx workflow.Context, call contract.StackCall, wanted bool) ([]contract.Proof, error) {
	if !wanted || len(call.Stack.Canaries) == 0 {
		return nil, nil
	}
	proofs, err := run(stackOptions(ctx, contract.StepVerify), contract.VerifyStack, call)
	if err != nil {
		return nil, stepFailed(contract.StepVerify, err)
	}
	return proofs, nil
}

// start brings the components up. Each waits for those that it depends on; the first failure cancels the others, so that
// the rollback begins at once.
func start(ctx workflow.Context, call contract.StackCall, req contract.Request, undo *rollback) ([]contract.ComponentState, error) {
	ctx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	components := call.Stack.Components
	states := make([]contract.ComponentState, len(components))
	ready := make(map[string]workflow.Future, len(components))
	settle := make([]workflow.Settable, len(components))
	for i, c := range components {
		ready[c.Name], settle[i] = workflow.NewFuture(ctx)
	}
	var first error
	fail := func(err error) {
		if err != nil && first == nil {
			first = err
			cancel()
		}
	}
	checked := checkCloudflare(ctx, call, req, fail)
	for i, c := range components {
		var before []workflow.Future
		for _, name := range c.DependsOn {
			before = append(before, ready[name])
		}
		if call.Stack.AwaitsCloudflare(c) {
			before = append(before, checked)
		}
		workflow.Go(ctx, func(ctx workflow.Context) {
			state, err := startOne(ctx, call, c, req, before, undo)
			fail(err)
			states[i] = state
			settle[i].SetError(err)
		})
	}
	for _, c := range components {
		// Every component is waited for, also after a failure: the rollback must not begin while one is still being made.
		_ = ready[c.Name].Get(ctx, nil)
	}
	if checked != nil {
		_ = checked.Get(ctx, nil) // its failure is the first one already
	}
	return states, first
}

// checkCloudflare looks whether Cloudflare has what the service needs, while the components that others depend on are started.
// It is nil when there is nothing to check.
func checkCloudflare(ctx workflow.Context, call contract.StackCall, req contract.Request, fail func(error)) workflow.Future {
	if call.Stack.Cloudflare == nil {
		return nil
	}
	checked, settle := workflow.NewFuture(ctx)
	workflow.Go(ctx, func(ctx workflow.Context) {
		err := do(stackOptions(ctx, contract.StepCloudflare), contract.VerifyCloudflare, contract.CloudflareCall{
			EngineID: call.Stack.EngineID, Check: *call.Stack.Cloudflare, Secret: req.Secrets[contract.CloudflareToken],
		})
		if err != nil {
			err = stepFailed(contract.StepCloudflare, err)
		}
		fail(err)
		settle.SetError(err)
	})
	return checked
}

// startOne makes one component run, once what comes before it is done. An image that is built is part of it: one compensation
// takes back both.
func startOne(ctx workflow.Context, call contract.StackCall, c contract.Component, req contract.Request, before []workflow.Future, undo *rollback) (contract.ComponentState, error) {
	for _, done := range before {
		if err := done.Get(ctx, nil); err != nil {
			return contract.ComponentState{}, err
		}
	}
	one := contract.ComponentCall{
		Ref: call.Stack.Ref, EngineID: call.Stack.EngineID, PullPolicy: call.Stack.PullPolicy,
		Component: c, RunID: call.RunID, Secrets: req.SecretsOf(c),
	}
	if err := ctx.Err(); err != nil {
		return contract.ComponentState{}, stepFailed(c.StartStep(), err)
	}
	// Registered before the step: a step that timed out may have made something all the same.
	undo.add(c.Name, func(ctx workflow.Context) (contract.Undone, error) {
		return run(withTime(stackOptions(ctx, "restore "+c.Name), c.Changeover()), contract.RestoreComponent, one)
	})
	if c.Build != nil {
		if err := do(buildOptions(ctx, c.Build.Step), contract.BuildImage, one); err != nil {
			return contract.ComponentState{}, stepFailed(c.Build.Step, err)
		}
	}
	state, err := run(withTime(stackOptions(ctx, c.StartStep()), c.Changeover()), contract.EnsureComponent, one)
	if err != nil {
		return contract.ComponentState{}, stepFailed(c.StartStep(), err)
	}
	return state, nil
}

// Cleanup removes everything that carries the service's labels, volumes only when asked, and proves that nothing is left.
// It never rolls back: running it again continues.
func (s stack) Cleanup(ctx workflow.Context, req contract.Request) (contract.Removed, error) {
	ctx = s.family(ctx)
	ref := req.Ref(s.entry.Kind)
	if err := ref.Validate(); err != nil {
		return contract.Removed{}, failed(stepFailed("remove", contract.Fail(contract.InvalidInput, "%v", err)))
	}
	call := contract.StackCall{
		Stack: contract.Stack{Ref: ref, EngineID: req.EngineID}, Operation: contract.OpDelete,
		RunID: workflow.GetInfo(ctx).WorkflowExecution.RunID, DeleteVolumes: req.DeleteVolumes,
	}
	spec, err := s.withdraw(ctx, req, call)
	if err != nil {
		return contract.Removed{}, failed(stepFailed("remove_from_grafana", err))
	}
	var stopping time.Duration
	for _, c := range spec.Components {
		// What depends on others is removed before them; the labels tell the rest.
		call.Stack.Components = append(call.Stack.Components, contract.Component{Name: c.Name, DependsOn: c.DependsOn})
		stopping += c.Stopping()
	}
	removed, err := run(withTime(stackOptions(ctx, "remove"), stopping), contract.RemoveStack, call)
	if err != nil {
		return contract.Removed{}, failed(stepFailed("remove", err))
	}
	if removed.Message = s.entry.CleanupMessage; removed.Message == "" {
		removed.Message = fmt.Sprintf("%s removed", ref.ID())
	}
	return removed, nil
}

// withdraw takes the service's objects out of a Grafana that is not its own, and returns what the service consists of. A start
// that names the service alone is helped out by the labels. It comes first, because the login is kept with the service.
func (s stack) withdraw(ctx workflow.Context, req contract.Request, call contract.StackCall) (contract.Stack, error) {
	if len(req.Input) == 0 {
		observed, err := run(stackOptions(ctx, "inspect"), contract.InspectStack, call)
		if err != nil {
			return contract.Stack{}, stepFailed("inspect", err)
		}
		if !observed.Found {
			return contract.Stack{}, nil
		}
		req.Input = observed.Input
	}
	spec := s.known(ctx, req, req.Input)
	if spec.Grafana == nil {
		return spec, nil
	}
	_, err := run(stackOptions(ctx, "remove from grafana"), contract.RemoveGrafana, contract.GrafanaCall{EngineID: req.EngineID, Objects: *spec.Grafana})
	return spec, err
}

// Status looks at what is there and compares it with the input; without an input it goes by the labels alone, which is
// what an import needs.
func (s stack) Status(ctx workflow.Context, req contract.Request) (contract.Observed, error) {
	ctx = s.family(ctx)
	spec := contract.Stack{Ref: req.Ref(s.entry.Kind), EngineID: req.EngineID}
	if len(req.Input) > 0 {
		var err error
		if spec, err = s.expand(ctx, req); err != nil {
			return contract.Observed{}, failed(err)
		}
	} else if err := spec.Ref.Validate(); err != nil {
		return contract.Observed{}, failed(stepFailed("inspect", contract.Fail(contract.InvalidInput, "%v", err)))
	}
	call := contract.StackCall{
		Stack: spec, Operation: contract.OpStatus, RunID: workflow.GetInfo(ctx).WorkflowExecution.RunID, DeleteVolumes: req.DeleteVolumes,
	}
	observed, err := run(stackOptions(ctx, "inspect"), contract.InspectStack, call)
	if err != nil {
		return contract.Observed{}, failed(stepFailed("inspect", err))
	}
	if spec.Grafana != nil && observed.Found {
		state, err := run(stackOptions(ctx, "inspect grafana"), contract.InspectGrafana, contract.GrafanaCall{EngineID: req.EngineID, Objects: *spec.Grafana})
		if err != nil {
			return contract.Observed{}, failed(stepFailed("inspect_grafana", err))
		}
		observed.Grafana = state.Drift
	}
	observed.Verification, err = verify(ctx, call, req.Verify != nil && *req.Verify && observed.Found)
	if err != nil {
		return contract.Observed{}, failed(err)
	}
	return observed, nil
}

// expand builds the stack once and records it.
func (s stack) expand(ctx workflow.Context, req contract.Request) (contract.Stack, error) {
	spec, err := recorded(ctx, req,
		func(made *contract.Stack) expanded[contract.Stack] { return expanded[contract.Stack]{Stack: made} },
		func() (contract.Stack, error) { return s.entry.Expand(req.Ref(s.entry.Kind), req.Input) })
	if err != nil {
		return contract.Stack{}, stepFailed("validate", err)
	}
	spec.EngineID = req.EngineID
	return spec, nil
}
