package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
)

const (
	// A worker gives running activities 30 s to end.
	stopLimit = 45 * time.Second
	// workerGrace is how long a worker may take to start polling; a busy machine takes its time.
	workerGrace = time.Minute
)

// workerProcess is an `orch-worker run` on a queue of its own, so that no other worker answers for it.
type workerProcess struct {
	queue  string
	log    bytes.Buffer
	cmd    *exec.Cmd
	exited chan struct{}
}

func startWorker(ctx context.Context, c cluster, queue string) (*workerProcess, error) {
	w := &workerProcess{queue: queue, exited: make(chan struct{})}
	w.cmd = exec.CommandContext(ctx, c.worker, "run", "--task-queue", w.queue, "--address", c.address, "--namespace", c.namespace)
	w.cmd.Stdout, w.cmd.Stderr = &w.log, &w.log
	// What the caller's environment says of other clusters is not meant here.
	w.cmd.Env = append(os.Environ(), "TEMPORAL_CONFIG_FILE="+os.DevNull, "TEMPORAL_PROFILE=", "TEMPORAL_API_KEY=", "TEMPORAL_TLS=")
	if err := w.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a worker: %w; build it with: make build", err)
	}
	go func() {
		_ = w.cmd.Wait() // ProcessState says how it ended
		close(w.exited)
	}()
	return w, nil
}

// probeQueue is a queue that nobody else polls.
func probeQueue() string {
	var suffix [4]byte
	_, _ = rand.Read(suffix[:]) // never fails
	return "orch-verify-" + hex.EncodeToString(suffix[:])
}

// stop ends the worker, which is asked first.
func (w *workerProcess) stop() error {
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop the worker: %w", err)
	}
	select {
	case <-w.exited:
		return nil
	case <-time.After(stopLimit):
		return fmt.Errorf("the worker did not stop within %s: %w", stopLimit, w.cmd.Process.Kill())
	}
}

// probe looks at a service that does not exist: a workflow and an activity that asks the Docker Engine, and nothing made.
func (c cluster) probe(ctx context.Context, w *workerProcess) (runner.Run, time.Duration, error) {
	client, err := runner.New(runner.Config{Address: c.address, Namespace: c.namespace, WorkerGrace: workerGrace})
	if err != nil {
		return runner.Run{}, 0, err
	}
	defer client.Close()
	// A worker that has ended cannot be waited for.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-w.exited:
			cancel()
		case <-ctx.Done():
		}
	}()
	kind := catalog.All()[0].Kind
	began := time.Now()
	var observed contract.Observed
	run, err := client.Status(ctx, runner.Call{
		Kind: kind, WorkflowType: kind.StatusWorkflow(), TaskQueue: w.queue,
		Request: contract.Request{ServiceName: w.queue, Operation: contract.OpStatus},
	}, &observed)
	select {
	case <-w.exited:
		return run, 0, fmt.Errorf("the worker ended (%s):\n%s", w.cmd.ProcessState, w.log.String())
	default:
	}
	if err != nil {
		return run, 0, fmt.Errorf("a workflow through a worker: %s", runner.Detail(err))
	}
	if len(observed.Components) > 0 {
		return run, 0, fmt.Errorf("service %s, which nobody made, has components: %v", w.queue, observed.Components)
	}
	return run, time.Since(began), nil
}
