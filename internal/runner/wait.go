package runner

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.temporal.io/sdk/temporal"
)

// errWaitedTooLong is the cause of a wait that has used up its time.
var errWaitedTooLong = errors.New("the wait has taken as long as it may")

// wait returns when the run has ended, or when waiting for it is over: nil and result, or an error of this package.
func (c *Client) wait(ctx context.Context, call Call, run Run, result any) error {
	begin := time.Now()
	deadline := begin.Add(call.timeout())
	for {
		err := c.waitWatched(ctx, call, run, result, deadline)
		var noWorker *NoWorkerError
		var task *WorkflowTaskError
		switch {
		case errors.As(err, &noWorker):
			ended, stopErr := c.terminateUnstarted(ctx, run, "orch: no worker polls task queue "+call.TaskQueue)
			if !ended && stopErr == nil {
				continue // a worker took it at the last moment
			}
			noWorker.Terminated = ended
			return noWorker
		case errors.As(err, &task) && !task.Progressed:
			task.Terminated = c.terminate(ctx, run, "orch: no worker of task queue "+call.TaskQueue+" can run the workflow: "+task.Message) == nil
			return task
		case errors.Is(err, errWaitedTooLong), errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil:
			return c.timedOut(ctx, call, run, result, time.Since(begin))
		case ctx.Err() != nil && errors.Is(err, ctx.Err()):
			return c.interrupted(ctx, call, run, result)
		default:
			return err
		}
	}
}

// waitWatched waits for the result while a watcher looks whether there is hope. The error is the watcher's verdict,
// errWaitedTooLong, ctx's own error, or how the run ended.
func (c *Client) waitWatched(ctx context.Context, call Call, run Run, result any, deadline time.Time) error {
	// The SDK lengthens its retry intervals to a tenth of a context's deadline, so the wait has none; the timer and ctx
	// end it by cancelling.
	waitCtx, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer context.AfterFunc(ctx, func() { stop(ctx.Err()) })()
	defer time.AfterFunc(time.Until(deadline), func() { stop(errWaitedTooLong) }).Stop()

	var watching sync.WaitGroup
	defer watching.Wait()
	defer stop(nil)
	watching.Go(func() {
		if verdict := c.watch(waitCtx, call, run); verdict != nil {
			stop(verdict)
		}
	})
	err := c.await(waitCtx, call, run, result)
	if cause := context.Cause(waitCtx); cause != nil && !ended(err) {
		return cause
	}
	return c.outcome(ctx, run, err)
}

// result waits for the end of the run through any outage of the server.
func (c *Client) result(ctx context.Context, run Run, result any) error {
	for delay := retryDelay; ; delay = min(2*delay, maxDelay) {
		begin := time.Now()
		err := c.sdk.GetWorkflow(ctx, run.WorkflowID, run.RunID).Get(ctx, result)
		if err == nil || ended(err) || permanent(err) || ctx.Err() != nil {
			return err
		}
		if time.Since(begin) > maxDelay {
			delay = retryDelay
		}
		c.cfg.Logger.Warn("lost the connection to Temporal; the run goes on, waiting for the server to come back",
			"address", c.resolved.Address, "workflow_id", run.WorkflowID, "error", err)
		if !pause(ctx, delay) {
			return ctx.Err()
		}
	}
}

// ended reports that err is the end of the run itself, or that the run succeeded.
func ended(err error) bool {
	var execution *temporal.WorkflowExecutionError
	return err == nil || errors.As(err, &execution)
}
