package activities

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
)

const (
	// beatInterval is how fresh a heartbeat's detail is; the SDK sends one as often as the worker lets it.
	beatInterval = time.Second
	// askInterval is how often a step asks for itself, once the SDK's heartbeats can no longer bring a cancellation.
	askInterval = 4 * time.Second
	// stopGrace is how long a step may go on after its worker was told to stop. It leaves time to hand the step back before the
	// worker ends, and a client that starts something meanwhile the time to be told that no worker polls.
	stopGrace = 20 * time.Second
)

// beating runs work with a heartbeat in the background, so that a call that blocks (a pull, a stop) is neither taken for
// dead nor deaf to cancellation. The latest progress line is the heartbeat's detail: it shows in the Web UI and in what a
// timeout quotes.
//
// Work gets a context of its own: the SDK cancels the activity's when a heartbeat was not delivered, and nobody has asked for
// that. What does end the step is a pulse's to decide.
func beating[Out any](ctx context.Context, work func(context.Context, engine.Progress) (Out, error)) (Out, error) {
	working, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer end(nil)
	if deadline, limited := ctx.Deadline(); limited {
		var done context.CancelFunc
		working, done = context.WithDeadline(working, deadline)
		defer done()
	}
	var latest atomic.Value
	latest.Store("started")
	p := pulse{
		ctx: ctx, end: end, stopping: activity.GetWorkerStopChannel(ctx), beatEvery: beatInterval, askEvery: askInterval, grace: stopGrace,
		beat: func(ctx context.Context) { activity.RecordHeartbeat(ctx, latest.Load()) },
		ask: func(ctx context.Context) error {
			return activity.GetClient(ctx).RecordActivityHeartbeat(ctx, activity.GetInfo(ctx).TaskToken, latest.Load())
		},
	}
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		p.run(done)
	}()
	out, err := work(working, func(format string, args ...any) { latest.Store(fmt.Sprintf(format, args...)) })
	close(done)
	<-stopped
	return out, classified(working, err)
}

// pulse sends the heartbeats of a step and ends it when Temporal, or the worker's stop, says so.
type pulse struct {
	// ctx is the activity's. The SDK cancels it once, with the cause.
	ctx  context.Context
	end  context.CancelCauseFunc
	beat func(context.Context)
	// ask sends a heartbeat too, and returns what was answered.
	ask      func(context.Context) error
	stopping <-chan struct{}

	beatEvery, askEvery, grace time.Duration
}

// run returns when done is closed. It goes on after the step was told to end: to clean up takes time, too.
func (p pulse) run(done <-chan struct{}) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(p.ctx))
	defer cancel()
	go func() {
		select {
		case <-done:
			cancel() // a heartbeat on its way must not keep the result
		case <-ctx.Done():
		}
	}()
	beats, asks := time.NewTicker(p.beatEvery), time.NewTicker(p.askEvery)
	defer beats.Stop()
	defer asks.Stop()
	lost, stopping := p.ctx.Done(), p.stopping
	var grace <-chan time.Time
	for {
		select {
		case <-done:
			return
		case <-lost:
			lost = nil
			if reason := p.ending(context.Cause(p.ctx)); reason != nil {
				p.end(reason)
			}
		case <-stopping:
			stopping, grace = nil, time.After(p.grace)
		case <-grace:
			p.end(workerStopped())
		case <-beats.C:
			if lost != nil {
				p.beat(ctx)
			}
		case <-asks.C:
			if lost != nil {
				continue
			}
			err := p.ask(ctx)
			reason := p.ending(err)
			if temporal.IsCanceledError(reason) {
				// The SDK does not know of it, so the answer must be an ordinary failure.
				reason = contract.Fail(contract.Cancelled, "the run was cancelled")
			}
			if reason != nil {
				p.end(reason)
			}
		}
	}
}

// ending is why a step has to end after what a heartbeat met; nil for what passes.
func (p pulse) ending(cause error) error {
	var unknown *serviceerror.NotFound
	var noNamespace *serviceerror.NamespaceNotFound
	switch {
	case cause == nil:
		return nil
	case cancellation(cause):
		return cause
	case errors.As(cause, &unknown), errors.As(cause, &noNamespace):
		// Another attempt may be running.
		return contract.Fail(contract.Unavailable, "Temporal no longer waits for this attempt: it was away for too long, or the run has ended")
	case errors.Is(cause, activity.ErrActivityPaused), errors.Is(cause, activity.ErrActivityReset):
		return contract.Fail(contract.Unavailable, "the attempt was ended in Temporal: %v", cause)
	}
	select {
	case <-p.stopping:
		if p.ctx.Err() != nil {
			return workerStopped()
		}
	default:
	}
	return nil
}

func workerStopped() *contract.StepFailure {
	return contract.Fail(contract.Unavailable, "the worker was stopped").Next("start it again, then apply again")
}

// cancellation reports whether a context's cause is that somebody has cancelled the run, and not a heartbeat that was lost.
func cancellation(cause error) bool {
	return temporal.IsCanceledError(cause) || cause == context.Canceled //nolint:errorlint // a lost call wraps it
}

// Ended is what an activity returns whose context has ended before it could begin.
func Ended(ctx context.Context) error { return classified(ctx, ctx.Err()) }

// classified turns a failure into a typed application error that carries it, and keeps a cancellation a cancellation.
func classified(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	failure := contract.AsFailure(err)
	if ctxErr := ctx.Err(); errors.Is(ctxErr, context.Canceled) {
		cause := context.Cause(ctx)
		if cancellation(cause) {
			return ctxErr
		}
		if failure = contract.AsFailure(cause); failure == nil {
			failure = contract.Fail(contract.Unavailable, "the worker lost Temporal: %v", cause)
		}
	}
	if failure == nil {
		failure = contract.Fail(contract.Internal, "%v", err)
		if errors.Is(err, context.DeadlineExceeded) {
			failure = contract.Fail(contract.Unavailable, "no answer in time: %v", err)
		}
	}
	failure.Attempts = activity.GetInfo(ctx).Attempt
	return temporal.NewApplicationErrorWithOptions(failure.Cause, string(failure.Class), temporal.ApplicationErrorOptions{
		NonRetryable: !failure.Class.Retryable(),
		Details:      []any{*failure},
	})
}
