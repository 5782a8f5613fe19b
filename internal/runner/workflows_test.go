package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// Workflow types of the tests. None is bundled with orch-worker, so the embedded server does not serve them by itself.
const (
	wfEcho  = "TestEchoWorkflow"
	wfHold  = "TestHoldWorkflow"
	wfFail  = "TestFailWorkflow"
	wfPlain = "TestPlainFailureWorkflow"
	wfStuck = "TestStuckWorkflow"
	wfPanic = "TestPanicAfterActivityWorkflow"
)

// signalGo lets a held workflow end.
const signalGo = "go"

func register(w worker.Registry) {
	for name, f := range map[string]any{
		wfEcho: echo, wfHold: hold, wfFail: fail, wfPlain: plain, wfStuck: stuck, wfPanic: panics,
	} {
		w.RegisterWorkflowWithOptions(f, workflow.RegisterOptions{Name: name})
	}
	w.RegisterActivityWithOptions(flaky, activity.RegisterOptions{Name: "Flaky"})
	w.RegisterActivityWithOptions(quick, activity.RegisterOptions{Name: "Quick"})
}

func echo(_ workflow.Context, r contract.Request) (contract.Result, error) {
	return contract.Result{Message: "hello " + r.ServiceName + r.Secrets["a/b"]}, nil
}

// hold waits for a signal; cancelled, it takes its time to roll back and says so.
func hold(ctx workflow.Context, r contract.Request) (contract.Result, error) {
	selector := workflow.NewSelector(ctx)
	selector.AddReceive(workflow.GetSignalChannel(ctx, signalGo), func(ch workflow.ReceiveChannel, _ bool) { ch.Receive(ctx, nil) })
	selector.AddReceive(ctx.Done(), func(workflow.ReceiveChannel, bool) {})
	selector.Select(ctx)
	if ctx.Err() == nil {
		return contract.Result{Message: "released " + r.ServiceName}, nil
	}
	rollback, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	if err := workflow.Sleep(rollback, time.Second); err != nil {
		return contract.Result{}, err
	}
	return contract.Result{}, stepError(&contract.StepFailure{
		Step: "start_loki", Class: contract.Cancelled, Cause: "cancelled", RolledBack: []string{"removed container x"}, Clean: true,
	})
}

// fail returns its failure behind a wrapError, as workflow code easily does.
func fail(workflow.Context, contract.Request) (contract.Result, error) {
	return contract.Result{}, fmt.Errorf("setup: %w", stepError(&contract.StepFailure{
		Step: "start_loki", Class: contract.Conflict, Cause: "port 3100 is taken by container x", Attribute: "loki.port",
		Hint: "set loki.port", Attempts: 1, Clean: true, RolledBack: []string{"removed network y"},
		Evidence: &contract.Evidence{Container: "orch-logs-app-loki", State: "exited", ExitCode: 1, Logs: []string{"bind: address in use"}},
	}))
}

func stepError(f *contract.StepFailure) error {
	return temporal.NewApplicationErrorWithOptions(f.Error(), string(f.Class), temporal.ApplicationErrorOptions{NonRetryable: true, Details: []any{f}})
}

// plain fails as a workflow that knows nothing of step failures.
func plain(ctx workflow.Context, _ contract.Request) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1}})
	return workflow.ExecuteActivity(ctx, "Flaky").Get(ctx, nil)
}

// stuck retries an activity that always fails, and ends when it is cancelled without a word about a rollback.
func stuck(ctx workflow.Context, _ contract.Request) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Minute, HeartbeatTimeout: 10 * time.Second,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: 200 * time.Millisecond, BackoffCoefficient: 1, MaximumAttempts: 1000},
	})
	return workflow.ExecuteActivity(ctx, "Flaky").Get(ctx, nil)
}

// panics makes something and then has a defect.
func panics(ctx workflow.Context, _ contract.Request) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	if err := workflow.ExecuteActivity(ctx, "Quick").Get(ctx, nil); err != nil {
		return err
	}
	panic("a defect in the workflow")
}

func flaky(ctx context.Context) error {
	activity.RecordHeartbeat(ctx, "pulling image")
	return temporal.NewApplicationErrorWithOptions("registry does not answer", string(contract.Unavailable), temporal.ApplicationErrorOptions{
		Cause:   errors.New("dial tcp: i/o timeout"),
		Details: []any{contract.StepFailure{Step: "start_loki", Class: contract.Unavailable, Cause: "registry does not answer"}},
	})
}

func quick(context.Context) error { return nil }
