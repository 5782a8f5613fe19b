package runner

import (
	"context"
	"errors"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

const (
	// commandTimeout bounds a call that must be made although the caller's context has ended.
	commandTimeout = 10 * time.Second
	// rollbackWait is how long a cancelled run may take to roll back while somebody waits.
	rollbackWait = 90 * time.Second
)

// interrupted deals with a run whose caller has been cancelled. It returns nil when the run had succeeded by then: what it
// made exists, and the caller is to keep it.
func (c *Client) interrupted(ctx context.Context, call Call, run Run, result any) error {
	ending := c.giveUp(ctx, call, run, result)
	if ending.Completed {
		return nil
	}
	return &InterruptedError{Endpoint: c.endpoint(), Run: run, Ending: ending}
}

// timedOut is interrupted for a wait that took too long; what the run was doing is asked before it is cancelled.
func (c *Client) timedOut(ctx context.Context, call Call, run Run, result any, waited time.Duration) error {
	e := &TimeoutError{Endpoint: c.endpoint(), Run: run, Waited: waited.Round(time.Second)}
	askCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commandTimeout)
	defer cancel()
	d, err := c.sdk.DescribeWorkflowExecution(askCtx, run.WorkflowID, run.RunID)
	if err != nil {
		c.cfg.Logger.Warn("cannot look at the run", "workflow_id", run.WorkflowID, "error", err)
	} else {
		e.Pending = c.pending(d)
	}
	e.Ending = c.giveUp(ctx, call, run, result)
	if e.Completed {
		return nil
	}
	return e
}

// giveUp leaves the run alone or ends it, as the call wants it, and tells what became of it.
func (c *Client) giveUp(ctx context.Context, call Call, run Run, result any) Ending {
	switch {
	case call.readOnly && c.terminate(ctx, run, "orch: nobody waits for it any more") == nil:
		return Ending{Clean: true}
	case call.readOnly:
		return Ending{StillRunning: true, Clean: true, Problem: "it could not be terminated"}
	case call.OnInterrupt == contract.OnInterruptDetach:
		return Ending{Detached: true}
	}
	stopped, err := c.terminateUnstarted(ctx, run, "orch: nobody waits for it any more, and it had not started")
	if stopped {
		return Ending{NeverStarted: true, Clean: true}
	}
	cancelCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commandTimeout)
	defer cancel()
	err = errors.Join(err, c.sdk.CancelWorkflow(cancelCtx, run.WorkflowID, call.latest(run)))
	var gone *serviceerror.NotFound // it has ended by itself; result tells how
	if err != nil && !errors.As(err, &gone) {
		return Ending{StillRunning: true, Problem: "it could not be cancelled: " + err.Error()}
	}
	c.cfg.Logger.Info("cancelled the run; waiting for its rollback", "workflow_id", run.WorkflowID, "run_id", run.RunID)
	return c.awaitRollback(ctx, run, result)
}

func (c *Client) awaitRollback(ctx context.Context, run Run, result any) Ending {
	waitCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackWait)
	defer cancel()
	err := c.outcome(waitCtx, run, c.result(waitCtx, run, result))
	var step *StepError
	var end *EndedError
	switch {
	case err == nil:
		return Ending{Completed: true}
	case errors.As(err, &step):
		return Ending{Failure: step.Failure, Clean: step.Failure.Clean}
	case errors.As(err, &end):
		return Ending{Problem: "it ended as " + string(end.How) + " and told nothing about a rollback"}
	case waitCtx.Err() != nil:
		return Ending{StillRunning: true, Problem: "its rollback has not ended within " + rollbackWait.String()}
	default:
		return Ending{Problem: err.Error()}
	}
}

// terminateUnstarted terminates a run that no worker has ever touched: it has made nothing, and a cancel would lie on the
// queue next to its first task. It reports false when the run has started, or ended, after all.
func (c *Client) terminateUnstarted(ctx context.Context, run Run, reason string) (terminated bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commandTimeout)
	defer cancel()
	d, err := c.sdk.DescribeWorkflowExecution(ctx, run.WorkflowID, run.RunID)
	if err != nil {
		return false, err
	}
	if d.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING || !neverStarted(d) {
		return false, nil
	}
	err = c.terminate(ctx, run, reason)
	return err == nil, err
}

func (c *Client) terminate(ctx context.Context, run Run, reason string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commandTimeout)
	defer cancel()
	err := c.sdk.TerminateWorkflow(ctx, run.WorkflowID, run.RunID, reason)
	if err != nil {
		c.cfg.Logger.Warn("cannot terminate the run", "workflow_id", run.WorkflowID, "run_id", run.RunID, "error", err)
	}
	return err
}
