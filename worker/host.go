package worker

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"

	"github.com/temporal-orchestrator/terraform-provider-orch/activities"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
	"github.com/temporal-orchestrator/terraform-provider-orch/workflows"
)

// Host is what all workers of a process share: the Docker Engine, the slots for activities, what is
// known of the platforms' rate limits, and what is registered.
type Host struct {
	options Options
	engine  *engine.Engine
	slots   *Slots
	gate    *Gate
	rates   *cloud.Governors
	fatal   chan error
}

// NewHost returns a host without workers. It connects to nothing yet.
func NewHost(o Options) (*Host, error) {
	o.setDefaults()
	slots, err := NewSlots(o.MaxConcurrency)
	if err != nil {
		return nil, err
	}
	e, err := engine.New(engine.Options{
		Host: o.DockerHost, Logger: o.Logger,
		Rotate: map[contract.Rotation]engine.Rotator{
			contract.RotateGrafana: activities.RotateGrafanaPassword,
			contract.RotateNeo4j:   activities.RotateNeo4jPassword,
		},
		Resolve: o.allowList().Resolve,
	})
	if err != nil {
		return nil, fmt.Errorf("docker engine: %w", err)
	}
	return &Host{options: o, engine: e, slots: slots, gate: slots.Gate(), rates: &cloud.Governors{}, fatal: make(chan error, 1)}, nil
}

// WorkflowTypes are the wire names of the bundled workflows.
func WorkflowTypes() map[string]bool { return workflows.Types() }

// Worker returns a worker of one queue with everything registered, not started yet.
func (h *Host) Worker(c client.Client, queue string) (worker.Worker, error) {
	tuner, err := h.slots.Tuner()
	if err != nil {
		return nil, err
	}
	w := worker.New(c, queue, worker.Options{
		Tuner:        tuner,
		Interceptors: []interceptor.WorkerInterceptor{h.gate},
		// A cancellation comes with the answer to a heartbeat, and Ctrl-C waits for it. It is also the time that a heartbeat may take:
		// a server under load needs seconds, so a shorter one would lose heartbeats.
		MaxHeartbeatThrottleInterval: 4 * time.Second,
		// Activities learn of a stop through their context only after this time.
		WorkerStopTimeout: h.options.StopTimeout,
		OnFatalError: func(err error) {
			select {
			case h.fatal <- fmt.Errorf("worker on queue %s: %w", queue, err):
			default: // one is enough to end the process
			}
		},
	})
	workflows.Register(w)
	activities.Register(w,
		&activities.Docker{Engine: h.engine, Secrets: h.options.allowList()},
		&activities.Deployments{Secrets: h.options.allowList(), Rates: h.rates},
		&activities.LogTails{Engine: h.engine, Secrets: h.options.allowList(), DataDir: h.options.DataDir, Logger: h.options.Logger})
	if h.options.Register != nil {
		h.options.Register(w)
	}
	return w, nil
}

// Fatal delivers the first error after which a worker cannot go on.
func (h *Host) Fatal() <-chan error { return h.fatal }

// checkEngine logs when the Docker Engine does not answer. The worker starts all the same: activities are retried, and an
// engine that comes back later is found then.
func (h *Host) checkEngine(ctx context.Context) {
	if info, err := h.engine.Info(ctx); err != nil {
		h.options.Logger.Warn("the Docker Engine does not answer; run `orch-worker doctor`", "error", err)
	} else {
		h.options.Logger.Info("docker engine", "id", info.ID, "version", info.Version, "api", info.APIVersion)
	}
}

// stopAll stops workers at the same time, since each waits for its activities.
func stopAll(workers []worker.Worker) {
	var all sync.WaitGroup
	for _, w := range workers {
		all.Go(w.Stop)
	}
	all.Wait()
}
