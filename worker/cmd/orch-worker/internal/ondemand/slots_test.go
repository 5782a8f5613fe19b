package ondemand_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	orchworker "github.com/temporal-orchestrator/terraform-provider-orch/worker"
)

// The limit is the worker library's; what could break it is many queues in one process, which only ondemand makes.
func TestMoreQueuesThanSlotsAndNoMoreActivitiesThanSlots(t *testing.T) {
	const limit, queues = 2, 6
	slots, err := orchworker.NewSlots(limit)
	require.NoError(t, err)
	var running, peak atomic.Int32
	busy := func(context.Context) error {
		n := running.Add(1)
		defer running.Add(-1)
		for {
			old := peak.Load()
			if n <= old || peak.CompareAndSwap(old, n) {
				break
			}
		}
		// Long enough that all activities would run at the same time if they were allowed to, and longer than the heartbeat
		// timeout while they wait for each other.
		<-time.After(200 * time.Millisecond)
		return nil
	}
	fan := func(ctx workflow.Context) error {
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute, HeartbeatTimeout: time.Second})
		var fs []workflow.Future
		for range 4 {
			fs = append(fs, workflow.ExecuteActivity(ctx, "Busy"))
		}
		for _, f := range fs {
			if err := f.Get(ctx, nil); err != nil {
				return err
			}
		}
		return nil
	}
	tuner, err := slots.Tuner()
	require.NoError(t, err)
	f := fleet{
		options: worker.Options{Tuner: tuner, Interceptors: []interceptor.WorkerInterceptor{slots.Gate()}},
		setup: func(w worker.Registry) {
			w.RegisterWorkflowWithOptions(fan, workflow.RegisterOptions{Name: "Fan"})
			w.RegisterActivityWithOptions(busy, activity.RegisterOptions{Name: "Busy"})
		},
	}
	intercept(t, newRegistry(t, &f, "Fan"))
	c := dial(t, "default", "client")
	var runs []client.WorkflowRun
	for i := range queues {
		run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: fmt.Sprintf("%s-%d", t.Name(), i)}, "Fan")
		require.NoError(t, err)
		runs = append(runs, run)
	}
	for _, run := range runs {
		require.NoError(t, run.Get(t.Context(), nil))
	}
	require.EqualValues(t, limit, peak.Load())
}
