package worker

import (
	"context"
	"fmt"
	"os"
	"time"

	"go.temporal.io/sdk/worker"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
)

// Run polls the queues until ctx ends, then lets running activities finish for as long as StopTimeout. It returns early
// when Temporal cannot be reached at the start, or a worker fails for good.
func Run(ctx context.Context, o Options) error {
	o.setDefaults()
	queues, err := o.queues()
	if err != nil {
		return err
	}
	host, err := NewHost(o)
	if err != nil {
		return err
	}
	clientOptions, resolved, err := runner.ClientOptions(o.Connection.Config(o.Logger))
	if err != nil {
		return err
	}
	clientOptions.Identity = identity()
	clientOptions.WorkerHeartbeatInterval = heartbeatInterval
	health := &health{identity: clientOptions.Identity, queues: queues}
	metrics, closeServer, err := Observe(o.MetricsAddress, health.check, o.Logger)
	if err != nil {
		return err
	}
	defer closeServer()
	clientOptions.MetricsHandler = metrics
	c, err := runner.Dial(ctx, clientOptions, resolved)
	if err != nil {
		return err
	}
	defer c.Close()
	health.connected(c)

	host.checkEngine(ctx)
	workers := make([]worker.Worker, 0, len(queues))
	defer func() { stopAll(workers) }()
	for _, queue := range queues {
		w, err := host.Worker(c, queue)
		if err != nil {
			return err
		}
		if err := w.Start(); err != nil {
			return fmt.Errorf("start the worker on queue %s of namespace %s: %w", queue, resolved.Namespace, err)
		}
		workers = append(workers, w)
		o.Logger.Info("polling", "task_queue", queue, "namespace", resolved.Namespace, "address", resolved.Address)
	}
	select {
	case <-ctx.Done():
		o.Logger.Info("stopping: waiting for running activities", "at_most", o.StopTimeout.String())
		return nil
	case err := <-host.Fatal():
		health.fail(err)
		return err
	}
}

// heartbeatInterval is how often the server hears that a worker lives: the default of 60 s is too slow to tell a
// stopped worker from a busy one.
const heartbeatInterval = 10 * time.Second

// identity tells this process from others among a queue's pollers.
func identity() string {
	name, err := os.Hostname()
	if err != nil {
		name = "localhost"
	}
	return fmt.Sprintf("orch-worker@%s/%d", name, os.Getpid())
}
