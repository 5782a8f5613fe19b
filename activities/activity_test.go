package activities

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
)

// heart is a pulse whose heartbeats are answered by the test. That the SDK cancels an activity's context with the error of a heartbeat
// that it could not deliver, with a CanceledError when that was asked for, and with NotFound, is in temporalInvoker.internalHeartBeat
// of go.temporal.io/sdk v1.50.0.
type heart struct {
	pulse
	temporal context.CancelCauseFunc
	stop     chan struct{}
	working  context.Context
	beats    chan error // the state of the context that each is sent with
	answers  chan error
}

func newHeart(t *testing.T) *heart {
	t.Helper()
	h := &heart{stop: make(chan struct{}), beats: make(chan error, 1000), answers: make(chan error)}
	ctx, cancel := context.WithCancelCause(t.Context())
	working, end := context.WithCancelCause(context.WithoutCancel(ctx))
	h.temporal, h.working = cancel, working
	h.pulse = pulse{
		ctx: ctx, end: end, stopping: h.stop, beatEvery: time.Millisecond, askEvery: time.Millisecond, grace: time.Millisecond,
		beat: func(ctx context.Context) { h.beats <- ctx.Err() },
		ask: func(ctx context.Context) error {
			select {
			case err := <-h.answers:
				return err
			case <-ctx.Done():
				return ctx.Err()
			}
		},
	}
	done := make(chan struct{})
	var ran sync.WaitGroup
	ran.Go(func() { h.run(done) })
	t.Cleanup(func() {
		close(done)
		ran.Wait()
	})
	return h
}

// cause is what the step was ended with.
func (h *heart) cause(t *testing.T) error {
	t.Helper()
	select {
	case <-h.working.Done():
	case <-time.After(10 * time.Second):
		require.Fail(t, "the step goes on")
	}
	return context.Cause(h.working)
}

func TestALostHeartbeatDoesNotEndAStep(t *testing.T) {
	h := newHeart(t)
	require.NoError(t, <-h.beats)
	h.temporal(serviceerror.NewUnavailable("no connection"))
	// From now on the step asks for itself, however often that fails.
	h.answers <- serviceerror.NewUnavailable("no connection")
	h.answers <- context.DeadlineExceeded
	h.answers <- nil
	require.NoError(t, h.working.Err())
	h.answers <- temporal.NewCanceledError()
	failure := contract.AsFailure(h.cause(t))
	require.NotNil(t, failure)
	require.Equal(t, contract.Cancelled, failure.Class, "the SDK was not told, and would report another answer as a failure")
}

func TestWhatTemporalSaysEndsAStep(t *testing.T) {
	for name, c := range map[string]struct {
		cause error
		class contract.ErrorClass
	}{
		"cancelled":             {temporal.NewCanceledError(), ""},
		"another attempt":       {serviceerror.NewNotFound("activity not found"), contract.Unavailable},
		"the namespace is gone": {serviceerror.NewNamespaceNotFound("default"), contract.Unavailable},
		"paused":                {activity.ErrActivityPaused, contract.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHeart(t)
			h.temporal(c.cause)
			cause := h.cause(t)
			if c.class == "" {
				require.True(t, cancellation(cause))
				return
			}
			failure := contract.AsFailure(cause)
			require.NotNil(t, failure)
			require.Equal(t, c.class, failure.Class)
			require.True(t, failure.Class.Retryable())
		})
	}
}

func TestAWorkerThatStopsHandsTheStepBack(t *testing.T) {
	for name, ended := range map[string]bool{"in time": false, "after its time": true} {
		t.Run(name, func(t *testing.T) {
			h := newHeart(t)
			close(h.stop)
			if ended {
				h.temporal(errors.New("worker is now shutdown"))
			}
			failure := contract.AsFailure(h.cause(t))
			require.NotNil(t, failure)
			require.Equal(t, contract.Unavailable, failure.Class)
			require.Equal(t, "the worker was stopped", failure.Cause)
		})
	}
}

// step runs work as an activity whose context ends with cause while it works, and returns what the activity returns.
func step(t *testing.T, cause error, work func(context.Context) error) error {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	var returned error
	step := func(ctx context.Context) error {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		_, returned = beating(ctx, func(ctx context.Context, _ engine.Progress) (struct{}, error) {
			cancel(cause)
			return struct{}{}, work(ctx)
		})
		return nil
	}
	env.RegisterActivityWithOptions(step, activity.RegisterOptions{Name: "step"})
	_, err := env.ExecuteActivity("step")
	require.NoError(t, err)
	return returned
}

func untilEnded(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestACancelledStepIsNoDefect(t *testing.T) {
	err := step(t, temporal.NewCanceledError(), untilEnded)
	require.ErrorIs(t, err, context.Canceled, "the SDK reports it as a cancellation when Temporal has asked for one")

	err = step(t, serviceerror.NewNotFound("activity not found"), untilEnded)
	var application *temporal.ApplicationError
	require.ErrorAs(t, err, &application)
	require.Equal(t, string(contract.Unavailable), application.Type())
	require.False(t, application.NonRetryable())

	// It was "context canceled (Internal)", and the step had failed.
	require.NoError(t, step(t, serviceerror.NewUnavailable("no connection"), func(ctx context.Context) error { return ctx.Err() }))
}
