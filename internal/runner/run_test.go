package runner

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

func statusOf(t *testing.T, c *Client, run Run) enumspb.WorkflowExecutionStatus {
	t.Helper()
	d, err := c.sdk.DescribeWorkflowExecution(t.Context(), run.WorkflowID, run.RunID)
	require.NoError(t, err)
	return d.GetWorkflowExecutionInfo().GetStatus()
}

func TestRunReturnsTheResult(t *testing.T) {
	t.Parallel()
	s := running(t)
	c := newClient(t, s)
	call := newCall(t, wfEcho)
	serve(t, s, call.TaskQueue)

	var seen []Run
	var got contract.Result
	run, err := c.Run(t.Context(), call, &got, func(r Run) { seen = append(seen, r) })
	require.NoError(t, err)
	require.Equal(t, "hello "+call.Request.ServiceName, got.Message)
	require.Equal(t, []Run{run}, seen, "the caller gets the IDs once, before the end")
	require.Equal(t, "orch/orch/logs/"+call.Request.ServiceName, run.WorkflowID)
	require.False(t, run.Attached)
	require.Equal(t, fmt.Sprintf("http://127.0.0.1:%d/namespaces/default/workflows/orch%%2Forch%%2Flogs%%2F%s/%s", s.port+1000, call.Request.ServiceName, run.RunID), run.WebUIURL)

	d, err := c.sdk.DescribeWorkflow(t.Context(), run.WorkflowID, run.RunID)
	require.NoError(t, err)
	summary, err := d.GetStaticSummary()
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("create logs_pipeline %q", call.Request.ServiceName), summary)

	_, _, busy, err := c.InFlight(t.Context(), call.ref())
	require.NoError(t, err)
	require.False(t, busy)
}

func TestSameOperationAttaches(t *testing.T) {
	t.Parallel()
	s := running(t)
	c := newClient(t, s)
	call := newCall(t, wfHold)
	serve(t, s, call.TaskQueue)

	first, firstDone := begin(t.Context(), t, c, call)
	call.Request.Input = []byte(`{ "loki": { "port": 3100 } }`) // the same, with other white space
	second, secondDone := begin(t.Context(), t, c, call)
	require.True(t, second.Attached)
	require.Equal(t, first.RunID, second.RunID)
	op, run, busy, err := c.InFlight(t.Context(), call.ref())
	require.NoError(t, err)
	require.True(t, busy)
	require.Equal(t, contract.OpCreate, op)
	require.Equal(t, first.RunID, run.RunID)

	require.NoError(t, c.sdk.SignalWorkflow(t.Context(), first.WorkflowID, "", signalGo, nil))
	for _, done := range []<-chan result{firstDone, secondDone} {
		r := await(t, done)
		require.NoError(t, r.err)
		require.Equal(t, "released "+call.Request.ServiceName, r.result.Message)
	}
}

func TestAnotherOperationIsRefused(t *testing.T) {
	t.Parallel()
	s := running(t)
	c := newClient(t, s)
	held := newCall(t, wfHold)
	serve(t, s, held.TaskQueue)
	run, done := begin(t.Context(), t, c, held)

	other := held
	other.Request.Operation = contract.OpDelete
	_, err := c.Run(t.Context(), other, nil, nil)
	var inFlight *InFlightError
	require.ErrorAs(t, err, &inFlight)
	require.Equal(t, contract.OpCreate, inFlight.Operation)
	require.Equal(t, run.RunID, inFlight.Run.RunID)
	require.WithinDuration(t, time.Now(), inFlight.Since, time.Minute)
	require.Contains(t, err.Error(), "cannot delete: create is in flight")
	require.Contains(t, Detail(err), "temporal workflow cancel --workflow-id "+run.WorkflowID+" --address "+s.address)
	require.Contains(t, Detail(err), run.WebUIURL)

	other = held
	other.Request.Input = []byte(`{"loki":{"port":3200}}`)
	_, err = c.Run(t.Context(), other, nil, nil)
	require.ErrorAs(t, err, &inFlight)
	require.Contains(t, err.Error(), "another create, with different input, is in flight")

	require.NoError(t, c.sdk.SignalWorkflow(t.Context(), run.WorkflowID, "", signalGo, nil))
	require.NoError(t, await(t, done).err)
}

// A start by a plain Temporal client has no memo.
func TestRunFromOutsideTerraformIsInFlight(t *testing.T) {
	t.Parallel()
	s := running(t)
	c := newClient(t, s)
	call := newCall(t, wfHold)
	serve(t, s, call.TaskQueue)
	_, err := c.sdk.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: call.ref().ID(), TaskQueue: call.TaskQueue}, wfHold, map[string]string{"service_name": "x"})
	require.NoError(t, err)
	op, _, busy, err := c.InFlight(t.Context(), call.ref())
	require.NoError(t, err)
	require.True(t, busy)
	require.Equal(t, contract.OpConverge, op)
	_, err = c.Run(t.Context(), call, nil, nil)
	require.ErrorContains(t, err, "cannot create: converge is in flight")
	require.NoError(t, c.sdk.SignalWorkflow(t.Context(), call.ref().ID(), "", signalGo, nil))
}

func TestRunThatSomebodyElseCancelledIsStartedAgain(t *testing.T) {
	t.Parallel()
	s := running(t)
	c := newClient(t, s)
	call := newCall(t, wfHold)
	serve(t, s, call.TaskQueue)
	first, firstDone := begin(t.Context(), t, c, call)
	_, secondDone := begin(t.Context(), t, c, call)
	require.NoError(t, c.sdk.CancelWorkflow(t.Context(), first.WorkflowID, first.RunID))

	var step *StepError
	require.ErrorAs(t, await(t, firstDone).err, &step, "whoever started the run learns of its end")
	eventually(t, "the second caller starts a new run", func() bool {
		_, run, busy, err := c.InFlight(t.Context(), call.ref())
		return err == nil && busy && run.RunID != first.RunID
	})
	require.NoError(t, c.sdk.SignalWorkflow(t.Context(), first.WorkflowID, "", signalGo, nil))
	r := await(t, secondDone)
	require.NoError(t, r.err)
	require.NotEqual(t, first.RunID, r.run.RunID)
}

func TestIDIsUsedAgainAtOnce(t *testing.T) {
	t.Parallel()
	s := running(t)
	c := newClient(t, s)
	call := newCall(t, wfEcho)
	serve(t, s, call.TaskQueue)
	ids := map[string]bool{}
	for _, op := range []contract.Operation{contract.OpCreate, contract.OpUpdate, contract.OpDelete, contract.OpCreate} {
		call.Request.Operation = op
		run, err := c.Run(t.Context(), call, &contract.Result{}, nil)
		require.NoError(t, err)
		ids[run.RunID] = true
	}
	require.Len(t, ids, 4)
}

func TestStatusRunsNextToAnOperation(t *testing.T) {
	t.Parallel()
	s := running(t)
	c := newClient(t, s)
	held := newCall(t, wfHold)
	serve(t, s, held.TaskQueue)
	run, done := begin(t.Context(), t, c, held)

	call := held
	call.WorkflowType, call.Request.Operation = wfEcho, contract.OpStatus
	var wg sync.WaitGroup
	runs := make([]Run, 8)
	for i := range runs {
		wg.Go(func() {
			var got contract.Result
			var err error
			if runs[i], err = c.Status(t.Context(), call, &got); err != nil || got.Message == "" {
				t.Errorf("status %d: %v, %+v", i, err, got)
			}
		})
	}
	wg.Wait()
	ids := map[string]bool{}
	for _, r := range runs {
		require.Regexp(t, "^"+held.ref().ID()+"/status/[0-9a-f]{8}$", r.WorkflowID)
		ids[r.WorkflowID] = true
	}
	require.Len(t, ids, len(runs))

	require.NoError(t, c.sdk.SignalWorkflow(t.Context(), run.WorkflowID, "", signalGo, nil))
	require.NoError(t, await(t, done).err)
}

func TestNoWorker(t *testing.T) {
	t.Parallel()
	s := running(t)
	c := newClient(t, s, hasty)
	for name, prepare := range map[string]func(*testing.T, Call){
		"nobody polls":             func(*testing.T, Call) {},
		"a worker polls elsewhere": func(t *testing.T, call Call) { serve(t, s, "other-"+call.TaskQueue) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call := newCall(t, wfEcho)
			prepare(t, call)
			began := time.Now()
			run, err := c.Run(t.Context(), call, nil, nil)
			var noWorker *NoWorkerError
			require.ErrorAs(t, err, &noWorker)
			require.Less(t, time.Since(began), 30*time.Second, "reported within seconds")
			require.True(t, noWorker.Terminated)
			require.Equal(t, call.TaskQueue, noWorker.Queue)
			require.Equal(t, "orch-worker run --task-queue "+call.TaskQueue+" --address "+s.address, noWorker.BundledCommand)
			require.Contains(t, Detail(err), noWorker.BundledCommand)
			require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED, statusOf(t, c, run), "nothing is left on the queue")
		})
	}
	t.Run("status", func(t *testing.T) {
		t.Parallel()
		_, err := c.Status(t.Context(), newCall(t, wfEcho), nil)
		var noWorker *NoWorkerError
		require.ErrorAs(t, err, &noWorker)
	})
}

func TestWorkerThatComesLateTakesTheRun(t *testing.T) {
	t.Parallel()
	s := running(t)
	c := newClient(t, s, func(cfg *Config) { cfg.WorkerGrace = 30 * time.Second })
	call := newCall(t, wfEcho)
	_, done := begin(t.Context(), t, c, call)
	serve(t, s, call.TaskQueue)
	require.NoError(t, await(t, done).err)
}

func TestWorkflowThatTheWorkerDoesNotKnow(t *testing.T) {
	t.Parallel()
	s := running(t)
	c := newClient(t, s)
	call := newCall(t, "TestUnknownWorkflow")
	serve(t, s, call.TaskQueue)
	run, err := c.Run(t.Context(), call, nil, nil)
	var task *WorkflowTaskError
	require.ErrorAs(t, err, &task)
	require.Contains(t, task.Message, "TestUnknownWorkflow")
	require.Equal(t, "test-worker", task.Worker)
	require.False(t, task.Progressed)
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED, statusOf(t, c, run))
	require.Contains(t, Detail(err), "nothing was made or changed")
}

func TestWorkflowWithADefectIsLeftForAMendedWorker(t *testing.T) {
	t.Parallel()
	s := running(t)
	c := newClient(t, s)
	call := newCall(t, wfPanic)
	serve(t, s, call.TaskQueue)
	run, err := c.Run(t.Context(), call, nil, nil)
	var task *WorkflowTaskError
	require.ErrorAs(t, err, &task)
	require.Contains(t, task.Message, "a defect in the workflow")
	require.True(t, task.Progressed)
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, statusOf(t, c, run))
	require.Contains(t, Detail(err), "temporal workflow terminate --workflow-id "+run.WorkflowID)
	require.NoError(t, c.terminate(t.Context(), run, "end of test"))
}

func TestFailuresOfRuns(t *testing.T) {
	t.Parallel()
	s := running(t)
	c := newClient(t, s)
	t.Run("step failure behind a wrapped error", func(t *testing.T) {
		t.Parallel()
		call := newCall(t, wfFail)
		serve(t, s, call.TaskQueue)
		run, err := c.Run(t.Context(), call, nil, nil)
		var step *StepError
		require.ErrorAs(t, err, &step)
		require.Equal(t, "loki.port", step.Failure.Attribute)
		require.Equal(t, contract.Conflict, step.Failure.Class)
		require.Equal(t, "step start_loki: port 3100 is taken by container x", err.Error())
		for _, want := range []string{"bind: address in use", "removed network y", "set loki.port", run.WorkflowID, run.RunID, run.WebUIURL} {
			require.Contains(t, Detail(err), want)
		}
	})
	t.Run("step failure of an activity", func(t *testing.T) {
		t.Parallel()
		call := newCall(t, wfPlain)
		serve(t, s, call.TaskQueue)
		_, err := c.Run(t.Context(), call, nil, nil)
		var step *StepError
		require.ErrorAs(t, err, &step)
		require.Equal(t, "registry does not answer", step.Failure.Cause)
	})
	t.Run("terminated by a person", func(t *testing.T) {
		t.Parallel()
		call := newCall(t, wfHold)
		serve(t, s, call.TaskQueue)
		run, done := begin(t.Context(), t, c, call)
		require.NoError(t, c.sdk.TerminateWorkflow(t.Context(), run.WorkflowID, run.RunID, "because I can"))
		err := await(t, done).err
		var end *EndedError
		require.ErrorAs(t, err, &end)
		require.Equal(t, Terminated, end.How)
		require.Equal(t, "because I can", end.Cause)
		require.Contains(t, Detail(err), "rolls nothing back")
	})
	t.Run("server's execution timeout", func(t *testing.T) {
		t.Parallel()
		call := newCall(t, wfHold)
		serve(t, s, call.TaskQueue)
		started, err := c.sdk.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
			ID: call.ref().ID(), TaskQueue: call.TaskQueue, WorkflowExecutionTimeout: time.Second,
			Memo: map[string]any{contract.MemoOperation: string(call.Request.Operation), contract.MemoDigest: call.Request.Digest()},
		}, wfHold, call.Request)
		require.NoError(t, err)
		err = c.wait(t.Context(), call, c.run(started.GetID(), started.GetRunID()), nil)
		var end *EndedError
		require.ErrorAs(t, err, &end)
		require.Equal(t, TimedOutRun, end.How)
	})
	t.Run("unknown run", func(t *testing.T) {
		t.Parallel()
		err := c.wait(t.Context(), newCall(t, wfHold), c.run("orch/orch/logs/never-there", "0193b5b8-0000-7000-8000-000000000000"), nil)
		var lost *LostError
		require.ErrorAs(t, err, &lost)
	})
}

func TestRunIsCancelledWhenItsContextEndsDuringTheStart(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := running(t)
	c := newClient(t, s)
	_, err := c.Run(ctx, newCall(t, wfEcho), nil, nil)
	var interrupted *InterruptedError
	require.ErrorAs(t, err, &interrupted)
	require.True(t, interrupted.NeverStarted)
	require.True(t, interrupted.Clean)
}
