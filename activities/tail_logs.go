package activities

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/ingest"
)

// tailBeatInterval is longer than for activities that are waited for: a tail goes on for months, and each heartbeat costs the
// server a write. It is also how long a tail may take to notice that it is cancelled.
const tailBeatInterval = 3 * time.Second

// errTurnOver ends a tail whose time is up.
var errTurnOver = errors.New("the turn is over")

// TailLogs follows and ships until it is cancelled, the worker stops, or its turn is over, which alone is a success. Every
// failure may pass, so that no retry policy may end it. The heartbeats carry a summary only: what was shipped stands in the
// checkpoint.
func (t *LogTails) TailLogs(ctx context.Context, call contract.TailCall) error {
	tell, beat := time.NewTicker(beatInterval), time.NewTicker(tailBeatInterval)
	defer tell.Stop()
	defer beat.Stop()
	ended := make(chan error, 1)
	working, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	tails := make(chan *ingest.Tail, 1)
	go func() { ended <- t.tail(working, call.Ingest, tails) }()
	turn := time.NewTimer(t.turn())
	defer turn.Stop()
	var tail *ingest.Tail
	summary := "waits for the tail before it to end"
	stopping := activity.GetWorkerStopChannel(ctx)
	for {
		select {
		case tail = <-tails:
		case <-tell.C:
			if tail != nil {
				status := tail.Status()
				summary = ingest.Summary(status)
				t.say(call.Ingest, status)
			}
		case <-beat.C:
			activity.RecordHeartbeat(ctx, summary)
		case <-turn.C:
			stop(errTurnOver)
		case <-stopping:
			stop(errWorkerStops)
			stopping = nil
		case err := <-ended:
			why := context.Cause(working)
			switch {
			case ctx.Err() != nil:
			case errors.Is(why, errTurnOver):
				return nil
			case errors.Is(why, errWorkerStops):
				err = contract.Fail(contract.Unavailable, "the worker was stopped")
			default:
				t.cannot(call.Ingest, passing(err))
			}
			return classified(ctx, passing(err))
		}
	}
}

// errWorkerStops ends a tail because its worker is about to.
var errWorkerStops = errors.New("the worker stops")

// passing makes every failure one that is tried again.
func passing(err error) *contract.StepFailure {
	failure := contract.AsFailure(err)
	if failure != nil {
		if !failure.Class.Retryable() {
			failure.Class = contract.Unavailable
		}
		return failure
	}
	return contract.Fail(contract.Unavailable, "%v", err)
}

func (t *LogTails) turn() time.Duration {
	if t.Turn == 0 {
		return DefaultTurn
	}
	return t.Turn
}

func (t *LogTails) logger() *slog.Logger {
	if t.Logger == nil {
		return slog.Default()
	}
	return t.Logger
}

// tail runs the tail alone on this host.
func (t *LogTails) tail(ctx context.Context, i contract.Ingest, started chan<- *ingest.Tail) error {
	if i.EngineID != "" {
		if err := t.Engine.CheckEngine(ctx, i.EngineID); err != nil {
			return err
		}
	}
	store := t.store(i)
	release, err := store.Lock(ctx)
	if err != nil {
		return err
	}
	if err := store.Make(); err != nil {
		return errors.Join(err, release())
	}
	tail, err := ingest.NewTail(i, store.Dir(), t.Engine, t.secrets(), t.logger())
	if err != nil {
		return errors.Join(err, release())
	}
	t.say(i, tail.Status())
	started <- tail
	err = tail.Run(ctx)
	return errors.Join(err, release())
}

// say leaves what the tail says of itself for inspections. When that fails they find it stale, which is what they should.
func (t *LogTails) say(i contract.Ingest, status contract.TailStatus) {
	if err := t.store(i).SetStatus(status); err != nil {
		t.logger().Debug("the status of a tail was not written", "ingest", i.Ref.ID(), "error", err)
	}
}

// cannot says instead of the tail why it does not work, next to the figures of the last one that did.
func (t *LogTails) cannot(i contract.Ingest, why *contract.StepFailure) {
	status := contract.TailStatus{}
	if last, err := t.store(i).Status(); err == nil && last != nil {
		status = *last
	}
	now := time.Now().UTC()
	status.At, status.Digest, status.Failing, status.LastError, status.LastErrorAt = now, "", true, why.Cause, &now
	t.say(i, status)
}
