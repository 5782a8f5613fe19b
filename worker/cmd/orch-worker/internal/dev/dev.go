package dev

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"github.com/temporal-orchestrator/terraform-provider-orch/worker/cmd/orch-worker/internal/devserver"
	"github.com/temporal-orchestrator/terraform-provider-orch/worker/cmd/orch-worker/internal/lockfile"
	"github.com/temporal-orchestrator/terraform-provider-orch/worker/cmd/orch-worker/internal/ondemand"
)

// lockName is the lock file in the data directory.
const lockName = "lock"

// Host makes the workers; the worker library's Host is one.
type Host interface {
	// Worker returns a worker of one queue with everything registered, not started yet. They all share one limit on
	// activities.
	Worker(c client.Client, queue string) (worker.Worker, error)
	// Fatal delivers the first error after which a worker cannot go on.
	Fatal() <-chan error
}

// Options configures Run.
type Options struct {
	// Server is where the embedded server listens and keeps its file. OnStart belongs to Run.
	Server devserver.Options
	// Client is the template of the clients that the workers use: converters, identity, metrics, logger. Address and
	// namespace are set by Run. Identity is required, because it tells the own workers from others.
	Client client.Options
	// Host makes the workers, WorkflowTypes are what they have registered.
	Host          Host
	WorkflowTypes []string
	Logger        *slog.Logger
	// Observe, when set, serves health and metrics. It is given what tells whether this process serves as it should, and
	// returns where the clients report their metrics and what ends it.
	Observe func(healthy func(context.Context) error) (client.MetricsHandler, func(), error)
	// Ready is called once when the server answers and open workflows are being looked after.
	Ready func(Ready)
}

// Ready tells where everything is.
type Ready struct {
	Address, Namespace, WebUIURL, DataDir string
	Took                                  time.Duration
}

// process holds what Run has to end.
type process struct {
	options  Options
	base     client.Client
	registry *ondemand.Registry
	ready    atomic.Bool

	mu      sync.Mutex
	clients map[string]client.Client
}

// Run serves until ctx ends or a worker fails for good. Then it stops polling, waits for running activities as long as the
// host's workers do, and stops the server.
func Run(ctx context.Context, o Options) (err error) {
	begin := time.Now()
	if o.Client.Identity == "" {
		return errors.New("orch-worker dev: the workers' client has no identity")
	}
	lock, err := lockfile.Acquire(filepath.Join(o.Server.DataDir, lockName))
	var held *lockfile.HeldError
	if errors.As(err, &held) {
		return fmt.Errorf("data directory %s is in use: %w; or pass another --data-dir with another --port and --ui-port", o.Server.DataDir, err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()

	p := &process{options: o, clients: map[string]client.Client{}}
	if o.Observe != nil {
		metrics, stop, err := o.Observe(p.healthy)
		if err != nil {
			return err
		}
		defer stop()
		p.options.Client.MetricsHandler = metrics
	}
	server, err := p.start(ctx)
	defer p.close()
	if err != nil {
		return err
	}
	p.ready.Store(true)
	defer func() { err = errors.Join(err, server.Stop()) }()
	if o.Ready != nil {
		o.Ready(Ready{
			Address: server.Address(), Namespace: o.Server.Namespace, WebUIURL: server.UIURL(), DataDir: o.Server.DataDir,
			Took: time.Since(begin),
		})
	}
	return p.serve(ctx)
}

// start connects the registry to the server before the server runs: the first request may be a start.
func (p *process) start(ctx context.Context) (*devserver.Server, error) {
	o := p.options
	base := o.Client
	base.HostPort = devserver.Address(o.Server)
	base.Namespace = o.Server.Namespace
	var err error
	if p.base, err = client.NewLazyClient(base); err != nil {
		return nil, fmt.Errorf("make the client of the embedded server: %w", err)
	}
	p.registry = ondemand.New(ondemand.Options{
		Service: p.base.WorkflowService(), NewWorker: p.worker, WorkflowTypes: o.WorkflowTypes, Identity: base.Identity, Logger: o.Logger,
	})
	o.Server.OnStart = func(ctx context.Context, s devserver.StartRequest) {
		p.registry.OnStart(ctx, s.Namespace, s.TaskQueue, s.WorkflowType)
	}
	return devserver.Start(ctx, o.Server)
}

func (p *process) serve(ctx context.Context) error {
	watching, stopWatching := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { p.registry.Watch(watching) })
	var err error
	select {
	case <-ctx.Done():
		p.options.Logger.Info("stopping: waiting for running activities, a second signal ends the process at once")
	case err = <-p.options.Host.Fatal():
	}
	stopWatching()
	p.registry.Stop()
	watch.Wait()
	return err
}

// worker makes a worker with the client of its namespace.
func (p *process) worker(namespace, queue string) (ondemand.Worker, error) {
	c, err := p.client(namespace)
	if err != nil {
		return nil, err
	}
	return p.options.Host.Worker(c, queue)
}

func (p *process) client(namespace string) (client.Client, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c, ok := p.clients[namespace]; ok {
		return c, nil
	}
	options := p.options.Client
	options.Namespace = namespace
	c, err := client.NewClientFromExistingWithContext(context.Background(), p.base, options)
	if err != nil {
		return nil, fmt.Errorf("make a client of namespace %s: %w", namespace, err)
	}
	p.clients[namespace] = c
	return c, nil
}

// healthy reports why this process does not serve, or nil.
func (p *process) healthy(ctx context.Context) error {
	if !p.ready.Load() {
		return errors.New("the embedded Temporal server is starting")
	}
	return p.registry.Check(ctx)
}

func (p *process) close() {
	if p.registry != nil {
		p.registry.Stop()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.clients {
		c.Close()
	}
	if p.base != nil {
		p.base.Close()
	}
}
