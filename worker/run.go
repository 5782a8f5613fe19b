package worker

import (
	"context"
	"fmt"

	"go.temporal.io/sdk/client"
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
	clientOptions, resolved, err := runner.ClientOptions(o.Connection.config(o.Logger))
	if err != nil {
		return err
	}
	metrics, err := newMetrics()
	if err != nil {
		return err
	}
	clientOptions.MetricsHandler = metrics.handler
	c, err := client.DialContext(ctx, clientOptions)
	if err != nil {
		return fmt.Errorf("temporal at %s does not answer: %w", resolved.Address, err)
	}
	defer c.Close()

	health := newHealth(c, clientOptions.Identity, queues)
	closeServer, err := serve(o.MetricsAddress, health, metrics, o.Logger)
	if err != nil {
		return err
	}
	defer closeServer()

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
