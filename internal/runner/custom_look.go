package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// CustomState is what Temporal says of the latest run of a workflow ID.
type CustomState struct {
	Run             Run
	Type, TaskQueue string
	// Status is "running", "completed", "failed", "canceled", "terminated" or "timed_out".
	Status string
	// Operation is empty for a run that was not started by orch.
	Operation contract.Operation
	Since     time.Time
}

// Statuses of a CustomState.
const (
	CustomRunning   = "running"
	CustomCompleted = "completed"
	CustomFailed    = "failed"
)

var customStatuses = map[enumspb.WorkflowExecutionStatus]string{
	enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING: CustomRunning, enumspb.WORKFLOW_EXECUTION_STATUS_PAUSED: CustomRunning,
	enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED: CustomCompleted, enumspb.WORKFLOW_EXECUTION_STATUS_FAILED: CustomFailed,
	enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED: "canceled", enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED: "terminated",
	enumspb.WORKFLOW_EXECUTION_STATUS_TIMED_OUT: "timed_out", enumspb.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW: CustomRunning,
}

// LookAtCustom looks at the latest run of a workflow ID; found is false when Temporal knows none.
func (c *Client) LookAtCustom(ctx context.Context, id string) (_ CustomState, found bool, err error) {
	if err := c.contact(ctx); err != nil {
		return CustomState{}, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.DialTimeout)
	defer cancel()
	d, err := c.sdk.DescribeWorkflowExecution(ctx, id, "")
	var notFound *serviceerror.NotFound
	if errors.As(err, &notFound) {
		return CustomState{}, false, nil
	}
	if err != nil {
		return CustomState{}, false, c.describeCall("look at workflow "+id, err)
	}
	info := d.GetWorkflowExecutionInfo()
	state := CustomState{
		Run: c.run(id, info.GetExecution().GetRunId()), Type: info.GetType().GetName(), TaskQueue: info.GetTaskQueue(),
		Status: customStatuses[info.GetStatus()], Since: info.GetStartTime().AsTime(),
	}
	operation, err := c.memo(d, contract.MemoOperation)
	state.Operation = contract.Operation(operation)
	return state, true, err
}

// CustomResult is the result of a run that has ended, or how it ended without success.
func (c *Client) CustomResult(ctx context.Context, run Run) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.DialTimeout)
	defer cancel()
	var raw converter.RawValue
	if err := c.outcome(ctx, run, c.result(ctx, run, &raw)); err != nil {
		return nil, customEnd(err)
	}
	return jsonOf(run, raw)
}

// CustomInput is the argument that a run was started with, as JSON; nil when it had none.
func (c *Client) CustomInput(ctx context.Context, run Run) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.DialTimeout)
	defer cancel()
	history := c.sdk.GetWorkflowHistory(ctx, run.WorkflowID, run.RunID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	event, err := history.Next()
	if err != nil {
		return nil, c.describeCall("read the first event of workflow "+run.WorkflowID, err)
	}
	payloads := event.GetWorkflowExecutionStartedEventAttributes().GetInput().GetPayloads()
	switch len(payloads) {
	case 0:
		return nil, nil
	case 1:
		var raw converter.RawValue
		if err := c.data.FromPayloads(&commonpb.Payloads{Payloads: payloads}, &raw); err != nil {
			return nil, &ResultError{Run: run, Cause: err}
		}
		return jsonOf(run, raw)
	default:
		return nil, fmt.Errorf("workflow %s was started with %d arguments, and orch_workflow gives one", run.WorkflowID, len(payloads))
	}
}

// StopCustom cancels or terminates the open run of a workflow ID and waits until it has ended. No open run is success.
func (c *Client) StopCustom(ctx context.Context, id string, terminate bool, reason string, wait time.Duration) error {
	state, found, err := c.LookAtCustom(ctx, id)
	if err != nil || !found || state.Status != CustomRunning {
		return err
	}
	begin := time.Now()
	err = c.stopCustom(ctx, id, terminate, reason)
	var gone *serviceerror.NotFound // it has ended by itself
	if err != nil && !errors.As(err, &gone) {
		return c.describeCall("stop workflow "+id, err)
	}
	waitCtx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for delay := retryDelay; ; delay = min(2*delay, maxDelay) {
		now, found, err := c.LookAtCustom(ctx, id)
		if err == nil && (!found || now.Status != CustomRunning) {
			return nil
		}
		if pause(waitCtx, delay) {
			continue
		}
		if ctx.Err() != nil {
			return &InterruptedError{Endpoint: c.endpoint(), Run: state.Run, Ending: Ending{StillRunning: true, Problem: "its end was not waited for"}}
		}
		return &NotStoppedError{Endpoint: c.endpoint(), Run: state.Run, Waited: time.Since(begin).Round(time.Second), Queue: state.TaskQueue}
	}
}

func (c *Client) stopCustom(ctx context.Context, id string, terminate bool, reason string) error {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	if terminate {
		return c.sdk.TerminateWorkflow(ctx, id, "", reason)
	}
	// CancelWorkflow of the SDK takes no reason.
	_, err := c.sdk.WorkflowService().RequestCancelWorkflowExecution(ctx, &workflowservice.RequestCancelWorkflowExecutionRequest{
		Namespace: c.resolved.Namespace, WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: id},
		Reason: reason, Identity: "terraform-provider-orch",
	})
	return err
}

// NotStoppedError says that a workflow that was to end has not.
type NotStoppedError struct {
	Endpoint
	Run    Run
	Queue  string
	Waited time.Duration
}

// Error implements error.
func (e *NotStoppedError) Error() string {
	return fmt.Sprintf("workflow %s has not ended within %s of being cancelled", e.Run.WorkflowID, e.Waited)
}

// Detail implements Detailed.
func (e *NotStoppedError) Detail() string {
	return detail(e.Error()+": it ignores cancellation, is still cleaning up, or no worker polls task queue "+e.Queue+". It is still in state.", e.Run.ids(),
		"Next: destroy again, give on_destroy a longer timeout or action = \"terminate\" and apply that first, or end it with:\n"+
			"  temporal workflow terminate --workflow-id "+e.Run.WorkflowID+" "+e.flags())
}
