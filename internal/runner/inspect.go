package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// inspectTimeout bounds a question to Temporal that needs no worker. A long history takes many pages.
const inspectTimeout = time.Minute

// ask puts a question to Temporal that changes nothing, again while the server is away. What no other attempt can better is
// answered at once.
func ask[T any](ctx context.Context, c *Client, what string, question func(context.Context) (T, error)) (T, error) {
	var none T
	if err := c.contact(ctx); err != nil {
		return none, err
	}
	askCtx, cancel := context.WithTimeout(ctx, inspectTimeout)
	defer cancel()
	begin := time.Now()
	for delay := retryDelay; ; delay = min(2*delay, maxDelay) {
		answer, err := question(askCtx)
		if err == nil {
			return answer, nil
		}
		if ctx.Err() != nil {
			return none, fmt.Errorf("%s: interrupted: %w", what, ctx.Err())
		}
		if explained(err) {
			return none, err
		}
		if permanent(err) || code(err) == codes.FailedPrecondition || time.Since(begin) >= c.cfg.DialTimeout || !pause(askCtx, delay) {
			return none, c.describeCall(what, err)
		}
		c.cfg.Logger.Debug("no answer yet", "question", what, "error", err)
	}
}

// explained reports that the error says already what it means.
func explained(err error) bool {
	var unknown *UnknownWorkflowError
	var query *QueryError
	return errors.As(err, &unknown) || errors.As(err, &query)
}

// withheld reports that this server does not tell such things, or not to this account: Temporal Cloud keeps its cluster to
// itself, and an account may know its own namespace only.
func withheld(err error) bool {
	return err != nil && (code(err) == codes.PermissionDenied || code(err) == codes.Unimplemented)
}

// moment is the time of a timestamp; zero when there is none.
func moment(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}

// UnknownWorkflowError says that there is no run of that ID.
type UnknownWorkflowError struct {
	Endpoint
	WorkflowID, RunID string
	Cause             error
}

// Error implements error.
func (e *UnknownWorkflowError) Error() string {
	if e.RunID != "" {
		return fmt.Sprintf("there is no run %s of workflow %q in namespace %q of %s", e.RunID, e.WorkflowID, e.Namespace, e.Address)
	}
	return fmt.Sprintf("there is no workflow %q in namespace %q of %s", e.WorkflowID, e.Namespace, e.Address)
}

// Detail implements Detailed.
func (e *UnknownWorkflowError) Detail() string {
	return detail(e.Error()+".",
		"It may never have been started, be in another namespace, or have ended longer ago than the namespace's retention.",
		"Next: look for it with:\n  temporal workflow list --query \"WorkflowId STARTS_WITH '"+e.WorkflowID+"'\" "+e.flags())
}

// Unwrap returns the server's answer.
func (e *UnknownWorkflowError) Unwrap() error { return e.Cause }

// QueryError says that Temporal does not understand a visibility query.
type QueryError struct {
	Endpoint
	Query string
	Cause error
}

// Error implements error.
func (e *QueryError) Error() string {
	return fmt.Sprintf("the query %q is not valid: %s", e.Query, e.Cause)
}

// Detail implements Detailed.
func (e *QueryError) Detail() string {
	return detail(e.Error()+".",
		"A query compares search attributes, for example:\n"+
			"  WorkflowType = 'LogsPipelineWorkflow' AND ExecutionStatus = 'Running'\n"+
			"  WorkflowId STARTS_WITH 'orch/' AND StartTime > '2026-11-01T00:00:00Z'",
		"Next: see which search attributes the namespace has with:\n  temporal operator search-attribute list "+e.flags())
}

// Unwrap returns the server's answer.
func (e *QueryError) Unwrap() error { return e.Cause }
