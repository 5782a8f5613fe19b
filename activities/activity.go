package activities

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
)

// beatInterval is well below the workflows' heartbeat timeout; cancellation arrives with a heartbeat's answer.
const beatInterval = time.Second

// beating runs work with a heartbeat in the background, so that a call that blocks (a pull, a stop) is neither taken for
// dead nor deaf to cancellation. The latest progress line is the heartbeat's detail: it shows in the Web UI and in what a
// timeout quotes.
func beating[Out any](ctx context.Context, work func(context.Context, engine.Progress) (Out, error)) (Out, error) {
	var latest atomic.Value
	latest.Store("started")
	done := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(beatInterval)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				activity.RecordHeartbeat(ctx, latest.Load())
			}
		}
	}()
	out, err := work(ctx, func(format string, args ...any) { latest.Store(fmt.Sprintf(format, args...)) })
	close(done)
	<-stopped
	return out, classified(ctx, err)
}

// classified turns a failure into a typed application error that carries it, and keeps a cancellation a cancellation.
func classified(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctxErr := ctx.Err(); errors.Is(ctxErr, context.Canceled) {
		return ctxErr
	}
	failure := contract.AsFailure(err)
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
