package runner

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// workerHasIt waits until the first task of a run was done.
func workerHasIt(t *testing.T, c *Client, run Run) {
	t.Helper()
	eventually(t, "a worker takes the run", func() bool {
		d, err := c.sdk.DescribeWorkflowExecution(t.Context(), run.WorkflowID, run.RunID)
		return err == nil && d.GetPendingWorkflowTask() == nil && d.GetWorkflowExecutionInfo().GetHistoryLength() > 3
	})
}

func TestInterruptCancelsAndWaitsForTheRollback(t *testing.T) {
	t.Parallel()
	s := running(t)
	c := newClient(t, s)
	call := newCall(t, wfHold)
	serve(t, s, call.TaskQueue)
	ctx, cancel := context.WithCancel(t.Context())
	run, done := begin(ctx, t, c, call)
	workerHasIt(t, c, run)
	cancel()
	err := await(t, done).err
	var interrupted *InterruptedError
	require.ErrorAs(t, err, &interrupted)
	require.True(t, interrupted.Clean)
	require.False(t, interrupted.Detached)
	require.Equal(t, []string{"removed container x"}, interrupted.Failure.RolledBack)
	require.Contains(t, Detail(err), "removed container x")
	require.Contains(t, Detail(err), "Next: apply again.")
	require.NotEqual(t, enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, statusOf(t, c, run))
}

func TestInterruptTerminatesWhatHasNotBegun(t *testing.T) {
	t.Parallel()
	s := running(t)
	c := newClient(t, s, func(cfg *Config) { cfg.WorkerGrace = time.Minute })
	ctx, cancel := context.WithCancel(t.Context())
	run, done := begin(ctx, t, c, newCall(t, wfHold))
	cancel()
	var interrupted *InterruptedError
	require.ErrorAs(t, await(t, done).err, &interrupted)
	require.True(t, interrupted.NeverStarted)
	require.True(t, interrupted.Clean)
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED, statusOf(t, c, run))
}

func TestInterruptAfterSuccessIsNoError(t *testing.T) {
	t.Parallel()
	s := running(t)
	c := newClient(t, s)
	call := newCall(t, wfEcho)
	serve(t, s, call.TaskQueue)
	run, err := c.Run(t.Context(), call, nil, nil)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var got contract.Result
	require.NoError(t, c.interrupted(ctx, call, run, &got))
	require.NotEmpty(t, got.Message, "what exists is to be kept")
}

func TestDetachLeavesTheRunAndTheNextCallAttaches(t *testing.T) {
	t.Parallel()
	s := running(t)
	c := newClient(t, s)
	call := newCall(t, wfHold)
	call.OnInterrupt = contract.OnInterruptDetach
	serve(t, s, call.TaskQueue)
	ctx, cancel := context.WithCancel(t.Context())
	run, done := begin(ctx, t, c, call)
	workerHasIt(t, c, run)
	cancel()
	var interrupted *InterruptedError
	require.ErrorAs(t, await(t, done).err, &interrupted)
	require.True(t, interrupted.Detached)
	require.Equal(t, run.RunID, interrupted.Run.RunID)
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, statusOf(t, c, run))

	again, done := begin(t.Context(), t, c, call)
	require.True(t, again.Attached)
	require.Equal(t, run.RunID, again.RunID)
	require.NoError(t, c.sdk.SignalWorkflow(t.Context(), run.WorkflowID, "", signalGo, nil))
	require.NoError(t, await(t, done).err)
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	s := running(t)
	c := newClient(t, s)
	t.Run("tells what the run was doing and cancels it", func(t *testing.T) {
		t.Parallel()
		call := newCall(t, wfStuck)
		call.Timeout = 6 * time.Second // enough for two attempts on a machine that is busy
		serve(t, s, call.TaskQueue)
		run, err := c.Run(t.Context(), call, nil, nil)
		var late *TimeoutError
		require.ErrorAs(t, err, &late)
		require.Len(t, late.Pending, 1)
		p := late.Pending[0]
		require.Equal(t, "Flaky", p.Activity)
		require.Greater(t, p.Attempt, int32(1))
		require.Equal(t, "step start_loki: registry does not answer", p.LastFailure)
		require.Equal(t, "pulling image", p.Progress)
		require.Contains(t, err.Error(), "has not ended within 6s; it was waiting for Flaky, attempt")
		require.Contains(t, Detail(err), "timeouts block")
		require.False(t, late.Clean, "the run told nothing of a rollback")
		require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED, statusOf(t, c, run))
	})
	t.Run("rolls back", func(t *testing.T) {
		t.Parallel()
		call := newCall(t, wfHold)
		call.Timeout = 2 * time.Second
		serve(t, s, call.TaskQueue)
		_, err := c.Run(t.Context(), call, nil, nil)
		var late *TimeoutError
		require.ErrorAs(t, err, &late)
		require.True(t, late.Clean)
	})
	t.Run("detaches", func(t *testing.T) {
		t.Parallel()
		call := newCall(t, wfHold)
		call.Timeout, call.OnInterrupt = 2*time.Second, contract.OnInterruptDetach
		serve(t, s, call.TaskQueue)
		run, err := c.Run(t.Context(), call, nil, nil)
		var late *TimeoutError
		require.ErrorAs(t, err, &late)
		require.True(t, late.Detached)
		require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, statusOf(t, c, run))
		require.NoError(t, c.sdk.SignalWorkflow(t.Context(), run.WorkflowID, "", signalGo, nil))
	})
	t.Run("of the caller's context", func(t *testing.T) {
		t.Parallel()
		call := newCall(t, wfHold)
		serve(t, s, call.TaskQueue)
		ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second) // it must not end before the start is answered
		defer cancel()
		_, err := c.Run(ctx, call, nil, nil)
		var late *TimeoutError
		require.ErrorAs(t, err, &late)
		require.True(t, late.Clean)
	})
}

func TestWaitSurvivesAServerThatIsKilled(t *testing.T) {
	t.Parallel()
	running(t) // built and able to start
	s, err := newServer(t.TempDir())
	require.NoError(t, err)
	require.NoError(t, s.start())
	t.Cleanup(func() { s.kill() })
	c := newClient(t, s)
	call := newCall(t, wfHold)
	serve(t, s, call.TaskQueue)
	run, done := begin(t.Context(), t, c, call)
	workerHasIt(t, c, run)

	s.kill()
	select {
	case r := <-done:
		t.Fatalf("the wait ended with the server: %v", r.err)
	case <-time.After(3 * time.Second):
	}
	require.NoError(t, s.start())
	eventually(t, "the run can be signalled", func() bool {
		return c.sdk.SignalWorkflow(t.Context(), run.WorkflowID, run.RunID, signalGo, nil) == nil
	})
	r := await(t, done)
	require.NoError(t, r.err)
	require.Equal(t, run.RunID, r.run.RunID)
	require.Equal(t, "released "+call.Request.ServiceName, r.result.Message)
}

func TestStatusIsEndedAtOnceWhenInterrupted(t *testing.T) {
	t.Parallel()
	s := running(t)
	c := newClient(t, s)
	call := newCall(t, wfHold)
	serve(t, s, call.TaskQueue)
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second) // it must not end before the start is answered
	defer cancel()
	run, err := c.Status(ctx, call, nil)
	var late *TimeoutError
	require.ErrorAs(t, err, &late)
	require.True(t, late.Clean)
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED, statusOf(t, c, run))
}
