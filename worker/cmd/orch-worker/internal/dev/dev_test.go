package dev_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/ports"
	"github.com/temporal-orchestrator/terraform-provider-orch/worker/cmd/orch-worker/internal/dev"
	"github.com/temporal-orchestrator/terraform-provider-orch/worker/cmd/orch-worker/internal/devserver"
	"github.com/temporal-orchestrator/terraform-provider-orch/worker/cmd/orch-worker/internal/lockfile"
)

// host makes workers with a toy workflow of one activity.
type host struct {
	activity func(context.Context) (string, error)
	fatal    chan error
}

func (h *host) Fatal() <-chan error { return h.fatal }

func (h *host) Worker(c client.Client, queue string) (worker.Worker, error) {
	w := worker.New(c, queue, worker.Options{WorkerStopTimeout: 10 * time.Second})
	w.RegisterActivityWithOptions(h.activity, activity.RegisterOptions{Name: "Toy"})
	w.RegisterWorkflowWithOptions(func(ctx workflow.Context) (result string, err error) {
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
		err = workflow.ExecuteActivity(ctx, "Toy").Get(ctx, &result)
		return result, err
	}, workflow.RegisterOptions{Name: "ToyWorkflow"})
	return w, nil
}

func freePort(t *testing.T) int {
	t.Helper()
	port, err := ports.Reserve()
	require.NoError(t, err)
	return port
}

func options(t *testing.T, h *host) dev.Options {
	t.Helper()
	return dev.Options{
		Server:        devserver.Options{DataDir: t.TempDir(), Port: freePort(t), UIPort: -1, Namespace: "default"},
		Client:        client.Options{Identity: "toy", Logger: slog.New(slog.DiscardHandler)},
		Host:          h,
		WorkflowTypes: []string{"ToyWorkflow"},
		Logger:        slog.New(slog.DiscardHandler),
	}
}

// run runs o until stop is called, which returns what Run has returned.
func run(t *testing.T, o dev.Options) (c client.Client, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan dev.Ready, 1), make(chan error, 1)
	o.Ready = func(r dev.Ready) { ready <- r }
	go func() { done <- dev.Run(ctx, o) }()
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-done
	}
	t.Cleanup(func() { require.NoError(t, stop()) })
	select {
	case r := <-ready:
		c, err := client.Dial(client.Options{HostPort: r.Address, Logger: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		t.Cleanup(c.Close)
		return c, stop
	case err := <-done:
		stopped = true
		require.NoError(t, err)
	case <-time.After(time.Minute):
		t.Fatal("not ready within a minute")
	}
	return nil, nil
}

func start(t *testing.T, c client.Client, queue string) client.WorkflowRun {
	t.Helper()
	r, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: t.Name(), TaskQueue: queue}, "ToyWorkflow")
	require.NoError(t, err)
	return r
}

func TestAnyQueueIsServedAndWhatIsOpenIsPickedUpAfterARestart(t *testing.T) {
	h := &host{activity: func(context.Context) (string, error) { return "", errors.New("not yet") }}
	o := options(t, h)
	c, stop := run(t, o)
	open := start(t, c, "some-queue")
	require.Eventually(t, func() bool {
		d, err := c.DescribeWorkflowExecution(t.Context(), open.GetID(), open.GetRunID())
		return err == nil && len(d.GetPendingActivities()) == 1 && d.GetPendingActivities()[0].GetLastFailure() != nil
	}, time.Minute, 10*time.Millisecond, "the activity runs and fails, because nobody asked for the queue before")
	require.NoError(t, stop())

	h.activity = func(context.Context) (string, error) { return "now", nil }
	c, _ = run(t, o)
	var got string
	require.NoError(t, c.GetWorkflow(t.Context(), open.GetID(), open.GetRunID()).Get(t.Context(), &got))
	require.Equal(t, "now", got)
}

func TestAStopLetsRunningActivitiesFinish(t *testing.T) {
	running, finish := make(chan struct{}), make(chan struct{})
	o := options(t, &host{activity: func(context.Context) (string, error) {
		close(running)
		<-finish
		return "finished", nil
	}})
	c, stop := run(t, o)
	r := start(t, c, "some-queue")
	<-running
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	select {
	case err := <-stopped:
		t.Fatalf("stopped while an activity was running: %v", err)
	case <-time.After(500 * time.Millisecond):
	}
	close(finish)
	require.NoError(t, <-stopped)

	c, _ = run(t, withHost(o, &host{activity: func(context.Context) (string, error) { return "", errors.New("ran twice") }}))
	var got string
	require.NoError(t, c.GetWorkflow(t.Context(), r.GetID(), r.GetRunID()).Get(t.Context(), &got))
	require.Equal(t, "finished", got)
}

func withHost(o dev.Options, h *host) dev.Options {
	o.Host = h
	return o
}

func TestADataDirectoryServesOneProcess(t *testing.T) {
	o := options(t, &host{})
	run(t, o)
	other := o
	other.Server.Port = freePort(t)
	err := dev.Run(t.Context(), other)
	var held *lockfile.HeldError
	require.ErrorAs(t, err, &held)
	require.Equal(t, os.Getpid(), held.PID)
	require.ErrorContains(t, err, o.Server.DataDir)
	require.ErrorContains(t, err, "--data-dir")
}

func TestAFatalWorkerErrorEndsTheProcessAndFreesTheDirectory(t *testing.T) {
	h := &host{fatal: make(chan error, 1)}
	o := options(t, h)
	o.Ready = func(dev.Ready) { h.fatal <- errors.New("namespace is gone") }
	require.ErrorContains(t, dev.Run(t.Context(), o), "namespace is gone")
	lock, err := lockfile.Acquire(filepath.Join(o.Server.DataDir, "lock"))
	require.NoError(t, err)
	require.NoError(t, lock.Release())
}

func TestAServerThatCannotStartFreesTheDirectory(t *testing.T) {
	o := options(t, &host{})
	o.Server.IP = "0.0.0.0"
	require.ErrorContains(t, dev.Run(t.Context(), o), "loopback")
	lock, err := lockfile.Acquire(filepath.Join(o.Server.DataDir, "lock"))
	require.NoError(t, err)
	require.NoError(t, lock.Release())
}
