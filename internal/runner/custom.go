package runner

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// CustomCall is one run of a workflow that is not orch's, of a worker in any SDK language: everything that it is sent is
// plain JSON.
type CustomCall struct {
	// ID is the workflow ID. It is the lock: a start that meets an open run attaches to it or is refused.
	ID, Type, TaskQueue string
	Operation           contract.Operation
	// Input is the one argument, as JSON; nil starts the workflow without an argument.
	Input json.RawMessage
	// Triggers tell starts with the same input apart.
	Triggers map[string]string
	// Memo is shown next to orch's own memo. SearchAttributes must be registered in the namespace.
	Memo             map[string]json.RawMessage
	SearchAttributes temporal.SearchAttributes
	// ExecutionTimeout, RunTimeout and TaskTimeout are the server's; zero leaves them to it.
	ExecutionTimeout, RunTimeout, TaskTimeout time.Duration
	Retry                                     *temporal.RetryPolicy
	// Timeout bounds the wait, not the run; zero means defaultWait.
	Timeout     time.Duration
	OnInterrupt string
}

// call is the form in which start and wait deal with every workflow.
func (c *CustomCall) call() Call {
	return Call{WorkflowType: c.Type, TaskQueue: c.TaskQueue, Timeout: c.Timeout, OnInterrupt: c.OnInterrupt, custom: c}
}

// digest identifies the wish: two starts with the same one are the same.
func (c *CustomCall) digest() string {
	var input any
	if err := json.Unmarshal(c.Input, &input); err != nil {
		input = string(c.Input)
	}
	// A map of JSON values and strings always marshals.
	data, _ := json.Marshal(map[string]any{"type": c.Type, "operation": c.Operation, "input": input, "triggers": c.Triggers})
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func (c *CustomCall) startOptions() client.StartWorkflowOptions {
	memo := map[string]any{contract.MemoOperation: string(c.Operation), contract.MemoDigest: c.digest()}
	for name, value := range c.Memo {
		memo[name] = value
	}
	return client.StartWorkflowOptions{
		ID: c.ID, TaskQueue: c.TaskQueue,
		WorkflowExecutionTimeout: c.ExecutionTimeout, WorkflowRunTimeout: c.RunTimeout, WorkflowTaskTimeout: c.TaskTimeout,
		WorkflowIDConflictPolicy:                 enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowIDReusePolicy:                    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		RetryPolicy:                              c.Retry,
		Memo:                                     maps.Clone(memo),
		TypedSearchAttributes:                    c.SearchAttributes,
		StaticSummary:                            "orch_workflow: " + operationName(c.Operation),
	}
}

// arguments are what the workflow is started with.
func (c Call) arguments() []any {
	switch {
	case c.custom == nil:
		return []any{c.Request}
	case c.custom.Input == nil:
		return nil
	default:
		return []any{c.custom.Input}
	}
}

func (c Call) operation() contract.Operation {
	if c.custom != nil {
		return c.custom.Operation
	}
	return c.Request.Operation
}

func (c Call) digest() string {
	if c.custom != nil {
		return c.custom.digest()
	}
	return c.Request.Digest()
}

// latest is the run to cancel. A workflow that is not orch's may have continued as new, or have been retried: an empty run ID
// means whatever run of its ID is open.
func (c Call) latest(run Run) string {
	if c.custom != nil {
		return ""
	}
	return run.RunID
}

func (c Call) customType() string {
	if c.custom != nil {
		return c.custom.Type
	}
	return ""
}

// RunCustom starts the workflow, or attaches to the open run that has the same digest, and waits for its result, which is
// JSON; nil stands for no result.
func (c *Client) RunCustom(ctx context.Context, custom CustomCall, onStarted func(Run)) (Run, json.RawMessage, error) {
	for restarts := 0; ; restarts++ {
		run, err := c.startOrAttach(ctx, custom.call(), custom.ID)
		if err != nil {
			return Run{}, nil, err
		}
		if onStarted != nil {
			onStarted(run)
		}
		result, err := c.waitCustom(ctx, custom.call(), run)
		if !run.Attached || restarts == maxRestarts || ctx.Err() != nil || !cancelled(err) {
			return run, result, err
		}
	}
}

// StatusCustom is RunCustom for a workflow that only looks: under an ID of its own, and ended when nobody waits for it.
func (c *Client) StatusCustom(ctx context.Context, custom CustomCall) (json.RawMessage, error) {
	var suffix [4]byte
	_, _ = rand.Read(suffix[:]) // never fails
	custom.ID += "/" + hex.EncodeToString(suffix[:])
	run, err := c.startOrAttach(ctx, custom.call(), custom.ID)
	if err != nil {
		return nil, err
	}
	call := custom.call()
	call.readOnly = true
	return c.waitCustom(ctx, call, run)
}

func (c *Client) waitCustom(ctx context.Context, call Call, run Run) (json.RawMessage, error) {
	var raw converter.RawValue
	if err := c.wait(ctx, call, run, &raw); err != nil {
		return nil, customEnd(err)
	}
	return jsonOf(run, raw)
}

// customEnd marks the end of a workflow that is not orch's.
func customEnd(err error) error {
	var end *EndedError
	if errors.As(err, &end) {
		end.Custom = true
	}
	return err
}

// LaunchCustom starts the workflow, or attaches to it, and returns once a worker has run its first task. The run may have
// ended by then: LookAtCustom tells.
func (c *Client) LaunchCustom(ctx context.Context, custom CustomCall, onStarted func(Run)) (Run, error) {
	call := custom.call()
	call.untilBegun = true
	run, err := c.startOrAttach(ctx, call, custom.ID)
	if err != nil {
		return Run{}, err
	}
	if onStarted != nil {
		onStarted(run)
	}
	return run, c.wait(ctx, call, run, nil)
}

// await waits for what the call wants to see of the run: its result, or that it has begun.
func (c *Client) await(ctx context.Context, call Call, run Run, result any) error {
	if !call.untilBegun {
		return c.result(ctx, run, result)
	}
	for delay := retryDelay / 4; pause(ctx, delay); delay = min(2*delay, time.Second) {
		d, err := c.sdk.DescribeWorkflowExecution(ctx, run.WorkflowID, run.RunID)
		if err != nil && permanent(err) {
			return err
		}
		info := d.GetWorkflowExecutionInfo()
		// Scheduled, started and completed follow the first event; a task that has failed is at its second attempt.
		if err == nil && (info.GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING ||
			info.GetHistoryLength() >= 4 && d.GetPendingWorkflowTask().GetAttempt() <= 1) {
			return nil
		}
	}
	return ctx.Err()
}

// NotJSONError says that a workflow has succeeded with a result that is no JSON.
type NotJSONError struct {
	Run      Run
	Encoding string
	Size     int
}

// Error implements error.
func (e *NotJSONError) Error() string {
	return fmt.Sprintf("the workflow succeeded, but its result is no JSON: %d bytes of encoding %q", e.Size, e.Encoding)
}

// Detail implements Detailed.
func (e *NotJSONError) Detail() string {
	return detail(e.Error()+".", e.Run.ids(), "Next: let the workflow return a value that its SDK encodes as json/plain, such as a map, a list, a string or a number.")
}

// jsonOf is a result as JSON; nil when there is none.
func jsonOf(run Run, raw converter.RawValue) (json.RawMessage, error) {
	payload := raw.Payload()
	if payload == nil {
		return nil, nil
	}
	encoding := string(payload.GetMetadata()[converter.MetadataEncoding])
	switch encoding {
	case converter.MetadataEncodingNil:
		return nil, nil
	case converter.MetadataEncodingJSON, converter.MetadataEncodingProtoJSON:
		if json.Valid(payload.GetData()) {
			return payload.GetData(), nil
		}
	}
	return nil, &NotJSONError{Run: run, Encoding: encoding, Size: len(payload.GetData())}
}
