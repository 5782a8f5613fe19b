package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/proto"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// outcome turns the error of a finished wait into one that says what happened.
func (c *Client) outcome(ctx context.Context, run Run, err error) error {
	var execution *temporal.WorkflowExecutionError
	var gone *serviceerror.NotFound
	switch {
	case err == nil:
		return nil
	case errors.As(err, &execution):
		return c.endOf(ctx, run, execution)
	case errors.As(err, &gone):
		return &LostError{Endpoint: c.endpoint(), Run: run}
	case unreadable(err):
		return &ResultError{Run: run, Cause: err}
	case permanent(err) && reasonOf(err) != Unavailable:
		return c.unreachable(err)
	default:
		return fmt.Errorf("wait for workflow %s, run %s: %w", run.WorkflowID, run.RunID, err)
	}
}

// endOf tells how a run ended that did not succeed.
func (c *Client) endOf(ctx context.Context, run Run, execution *temporal.WorkflowExecutionError) error {
	failure, err := stepFailure(execution)
	if failure != nil {
		return &StepError{Failure: failure, Run: run}
	}
	closing := c.closeEvent(ctx, run)
	if err == nil {
		err = c.undecryptable(closing.GetWorkflowExecutionFailedEventAttributes().GetFailure())
	}
	if err != nil {
		return &ResultError{Run: run, Cause: err}
	}
	e := &EndedError{Endpoint: c.endpoint(), Run: run, How: Failed}
	var terminated *temporal.TerminatedError
	var cancelled *temporal.CanceledError
	var timeout *temporal.TimeoutError
	cause := errors.Unwrap(execution)
	switch {
	case errors.As(cause, &terminated):
		e.How = Terminated
		a := closing.GetWorkflowExecutionTerminatedEventAttributes()
		e.Cause, e.By = a.GetReason(), a.GetIdentity()
	case errors.As(cause, &cancelled):
		e.How = Cancelled
	// An activity's timeout is wrapped in its error; the run's own stands alone.
	case errors.As(cause, &timeout) && !isWrapped(cause):
		e.How = TimedOutRun
	default:
		e.Cause, e.Activity = plainCause(cause)
	}
	return e
}

func isWrapped(err error) bool {
	var activity *temporal.ActivityError
	var app *temporal.ApplicationError
	return errors.As(err, &activity) || errors.As(err, &app)
}

// cancelled reports that a run ended because somebody cancelled it.
func cancelled(err error) bool {
	var end *EndedError
	var step *StepError
	return errors.As(err, &end) && end.How == Cancelled || errors.As(err, &step) && step.Failure.Class == contract.Cancelled
}

// stepFailure finds the step failure in the details of an application error, or of the cancellation that a rolled back run
// ends with. The outermost application error need not be the one: a workflow that returns fmt.Errorf("…%w") puts one of type
// wrapError around it.
func stepFailure(err error) (*contract.StepFailure, error) {
	for {
		var app *temporal.ApplicationError
		var cancelled *temporal.CanceledError
		switch {
		case errors.As(err, &app):
			if failure, decodeErr := decodeFailure(app); failure != nil || decodeErr != nil {
				return failure, decodeErr
			}
			err = errors.Unwrap(app)
		case errors.As(err, &cancelled):
			return decodeFailure(cancelled)
		default:
			return nil, nil
		}
	}
}

// decodeFailure reads a step failure from the details of an error, where there is one.
func decodeFailure(err interface {
	HasDetails() bool
	Details(values ...any) error
}) (*contract.StepFailure, error) {
	if !err.HasDetails() {
		return nil, nil
	}
	var failure contract.StepFailure
	decodeErr := err.Details(&failure)
	switch {
	case decodeErr == nil && failure.Cause != "":
		return &failure, nil
	// The details of a foreign workflow may be anything; what cannot be decrypted may be ours.
	case decodeErr != nil && isUndecryptable(decodeErr):
		return nil, decodeErr
	default:
		return nil, nil
	}
}

// plainCause is the innermost message of a failure that is not ours, and the activity that it came from.
func plainCause(err error) (cause, activity string) {
	var failed *temporal.ActivityError
	if errors.As(err, &failed) {
		activity = failed.ActivityType().GetName()
	}
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		cause = inner.Error()
	}
	// Error of an application error adds its type and whether it is retryable.
	var app *temporal.ApplicationError
	for inner := err; errors.As(inner, &app); inner = errors.Unwrap(app) {
		cause = app.Message()
	}
	return cause, activity
}

// closeEvent reads the last event of a run that has ended, for what the SDK's errors leave out; nil when it cannot.
func (c *Client) closeEvent(ctx context.Context, run Run) *historypb.HistoryEvent {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commandTimeout)
	defer cancel()
	var last *historypb.HistoryEvent
	events := c.sdk.GetWorkflowHistory(ctx, run.WorkflowID, run.RunID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			c.cfg.Logger.Debug("cannot read the end of the run", "workflow_id", run.WorkflowID, "error", err)
			return nil
		}
		last = event
	}
	return last
}

// undecryptable says why a failure's text cannot be read here. The SDK does not: it shows "Encoded failure" instead.
func (c *Client) undecryptable(failure *failurepb.Failure) error {
	if failure.GetEncodedAttributes() == nil {
		return nil
	}
	var text any
	if err := c.data.FromPayload(failure.GetEncodedAttributes(), &text); isUndecryptable(err) {
		return err
	}
	return nil
}

// pending lists what a run is waiting for.
func (c *Client) pending(d *workflowservice.DescribeWorkflowExecutionResponse) []Pending {
	var list []Pending
	for _, a := range d.GetPendingActivities() {
		list = append(list, Pending{
			Activity:    a.GetActivityType().GetName(),
			Attempt:     a.GetAttempt(),
			MaxAttempts: a.GetMaximumAttempts(),
			LastFailure: firstLine(c.failureText(a.GetLastFailure())),
			Progress:    c.text(a.GetHeartbeatDetails()),
		})
	}
	return list
}

// failureText is one sentence about a failure in Temporal's form.
func (c *Client) failureText(failure *failurepb.Failure) string {
	if failure == nil {
		return ""
	}
	if err := c.undecryptable(failure); err != nil {
		return err.Error()
	}
	err := c.failures.FailureToError(proto.CloneOf(failure)) // which decodes in place
	if step, decodeErr := stepFailure(err); decodeErr == nil && step != nil {
		return step.Error()
	}
	cause, _ := plainCause(err)
	return cause
}

// text shows the first value of a heartbeat's details.
func (c *Client) text(details *commonpb.Payloads) string {
	if len(details.GetPayloads()) == 0 {
		return ""
	}
	var value any
	if err := c.data.FromPayload(details.GetPayloads()[0], &value); err != nil {
		return ""
	}
	if s, ok := value.(string); ok {
		return s
	}
	data, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(data)
}
