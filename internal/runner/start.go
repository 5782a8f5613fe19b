package runner

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/secret"
)

const (
	defaultWait = 20 * time.Minute
	// maxRestarts bounds how often an operation is started again after the run it attached to was cancelled.
	maxRestarts = 2
)

// errUnencodable marks an argument that cannot be sent at all.
var errUnencodable = errors.New("cannot encode the request")

// Run does a setup, update or cleanup: it starts the workflow, or attaches to the run that is doing the same already, and
// waits. onStarted, which may be nil, is called before the wait, so that the caller can keep the IDs. result must be a
// pointer, or nil.
func (c *Client) Run(ctx context.Context, call Call, result any, onStarted func(Run)) (Run, error) {
	for restarts := 0; ; restarts++ {
		run, err := c.startOrAttach(ctx, call, call.ref().ID())
		if err != nil {
			return Run{}, err
		}
		if onStarted != nil {
			onStarted(run)
		}
		err = c.wait(ctx, call, run, result)
		// What was cancelled by somebody else, for example by an earlier apply's Ctrl-C, was not this caller's wish.
		if !run.Attached || restarts == maxRestarts || ctx.Err() != nil || !cancelled(err) {
			return run, err
		}
		c.cfg.Logger.Info("the run that this operation attached to was cancelled; starting it again", "workflow_id", run.WorkflowID, "run_id", run.RunID)
	}
}

// Status looks at a service. It runs under an ID of its own, next to whatever else is running.
func (c *Client) Status(ctx context.Context, call Call, result any) (Run, error) {
	var suffix [4]byte
	_, _ = rand.Read(suffix[:]) // never fails
	run, err := c.startOrAttach(ctx, call, call.ref().ID()+"/status/"+hex.EncodeToString(suffix[:]))
	if err != nil {
		return Run{}, err
	}
	call.readOnly = true
	return run, c.wait(ctx, call, run, result)
}

func (c Call) timeout() time.Duration {
	if c.Timeout > 0 {
		return c.Timeout
	}
	return defaultWait
}

func (c *Client) startOptions(call Call, id string) client.StartWorkflowOptions {
	if call.custom != nil {
		return call.custom.startOptions()
	}
	r := call.Request
	return client.StartWorkflowOptions{
		ID:        id,
		TaskQueue: call.TaskQueue,
		// The server enforces it by terminating, without any rollback: it is only there to end what everybody has forgotten.
		WorkflowExecutionTimeout:                 2*call.timeout() + 10*time.Minute,
		WorkflowIDConflictPolicy:                 enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowIDReusePolicy:                    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		Memo: map[string]any{
			contract.MemoOperation: string(r.Operation),
			contract.MemoDigest:    r.Digest(),
		},
		StaticSummary: fmt.Sprintf("%s %s %q", operationName(r.Operation), call.Kind.Name, r.ServiceName),
	}
}

// startOrAttach starts the workflow. Each attempt has a context of its own: a start that is cut off midway may have
// happened, and its run would be nobody's.
func (c *Client) startOrAttach(ctx context.Context, call Call, id string) (Run, error) {
	if err := c.contact(ctx); err != nil {
		return Run{}, err
	}
	call.Request.Client = c.cfg.Identity
	// Checked before the SDK sees it, because there it looks like any failed call.
	if _, err := c.data.ToPayloads(call.arguments()...); err != nil {
		return Run{}, fmt.Errorf("%w of %s: %w", errUnencodable, id, err)
	}
	begun, lost := time.Now(), false
	startCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.cfg.DialTimeout)
	defer cancel()
	for delay := retryDelay; ; delay = min(2*delay, maxDelay) {
		run, err := c.tryStart(startCtx, call, id)
		if err == nil || permanent(err) || isInFlight(err) {
			return run, c.describeCall("start workflow "+id, err)
		}
		lost = lost || answerLost(err)
		c.cfg.Logger.Debug("start not accepted yet", "workflow_id", id, "error", err)
		if !pause(startCtx, delay) {
			if lost {
				return c.afterLostStart(ctx, call, id, begun, err)
			}
			return Run{}, c.describeCall("start workflow "+id, err)
		}
		if ctx.Err() != nil {
			return c.afterInterruptedStart(startCtx, call, id)
		}
	}
}

// errClosedMeanwhile says that the run that blocked a start has ended since.
var errClosedMeanwhile = errors.New("the run in flight has ended meanwhile")

// tryStart starts once. Two kinds of failure are worth another attempt: a server that is away, and one that refuses
// because the ID was used within the last second (ResourceExhausted, "Too many starts").
func (c *Client) tryStart(ctx context.Context, call Call, id string) (Run, error) {
	started, err := c.sdk.ExecuteWorkflow(ctx, c.startOptions(call, id), call.WorkflowType, call.arguments()...)
	if err == nil {
		return c.run(id, started.GetRunID()), nil
	}
	if !temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return Run{}, err
	}
	open, running, err := c.describeOpen(ctx, id)
	switch {
	case err != nil:
		return Run{}, err
	case !running:
		return Run{}, errClosedMeanwhile
	case !open.same(call):
		return Run{}, &InFlightError{
			Endpoint: c.endpoint(), Run: open.run, Operation: open.operation, Since: open.since, Wanted: call.operation(),
		}
	}
	open.run.Attached = true
	c.cfg.Logger.Info("attached to the run that is doing this already", "workflow_id", id, "run_id", open.run.RunID)
	return open.run, nil
}

// same reports whether the open run does what the call asks for.
func (o openRun) same(call Call) bool {
	return o.operation == call.operation() && o.digest == call.digest()
}

// answerLost reports that a request may have reached Temporal although it was not answered.
func answerLost(err error) bool {
	var late *serviceerror.DeadlineExceeded
	var away *serviceerror.Unavailable
	if errors.As(err, &late) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	// gRPC has no other sign that nothing was sent than its text.
	return errors.As(err, &away) && !strings.Contains(err.Error(), "while dialing")
}

// clockSkew is how far the clocks of Temporal and of this host may differ.
const clockSkew = time.Minute

// afterLostStart finds out what became of a start that Temporal did not answer in time. A run that does what the call asks for,
// and began with it or runs still, is the one that was started. Where Temporal does not answer this question either, the run
// may be under way: it must not be in nobody's state.
func (c *Client) afterLostStart(ctx context.Context, call Call, id string, begun time.Time, cause error) (Run, error) {
	askCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.cfg.DialTimeout)
	defer cancel()
	for delay := retryDelay; ; delay = min(2*delay, maxDelay) {
		latest, exists, err := c.describeLatest(askCtx, id)
		switch {
		case err == nil && exists && latest.same(call) && (latest.running || latest.since.After(begun.Add(-clockSkew))):
			c.cfg.Logger.Info("the start had happened, although its answer was lost", "workflow_id", id, "run_id", latest.run.RunID)
			return latest.run, nil
		case err == nil:
			return Run{}, c.describeCall("start workflow "+id, cause)
		case permanent(err) || unreadable(err) || !pause(askCtx, delay):
			return Run{}, &UnknownStartError{Endpoint: c.endpoint(), WorkflowID: id}
		}
	}
}

// afterInterruptedStart finds out whether a start whose answer was lost has happened. If so the wait goes on from there,
// and deals with the interrupt.
func (c *Client) afterInterruptedStart(ctx context.Context, call Call, id string) (Run, error) {
	open, running, err := c.describeOpen(ctx, id)
	if err == nil && running && open.same(call) {
		open.run.Attached = true
		return open.run, nil
	}
	return Run{}, &InterruptedError{Endpoint: c.endpoint(), Ending: Ending{NeverStarted: true, Clean: true}}
}

// describeCall turns the error of a call to Temporal into one for people; what says what was to be done.
func (c *Client) describeCall(what string, err error) error {
	switch {
	case err == nil, isInFlight(err):
		return err
	case !unreadable(err) && reasonOf(err) != Unavailable:
		return c.unreachable(err)
	default:
		return fmt.Errorf("%s at %s: %w", what, c.endpoint(), err)
	}
}

func isInFlight(err error) bool {
	var inFlight *InFlightError
	return errors.As(err, &inFlight)
}

// unreadable reports that Temporal answered with a payload that cannot be read here.
func unreadable(err error) bool {
	var undecryptable *secret.DecryptError
	return errors.As(err, &undecryptable) || errors.Is(err, converter.ErrUnableToDecode) ||
		errors.Is(err, converter.ErrEncodingIsNotSupported) || errors.Is(err, converter.ErrEncodingIsNotSet) ||
		errors.Is(err, converter.ErrMetadataIsNotSet)
}
