package ondemand

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.temporal.io/api/workflowservice/v1"
)

const (
	// holdStart bounds how long a start request waits for the worker on its queue. The request goes through then: the task
	// waits in the queue instead.
	holdStart = 2 * time.Second
	// openTimeout bounds one attempt to put a worker on a queue.
	openTimeout = 15 * time.Second
	// firstWatch and watchInterval are the pauses between two looks at open workflows. The first is short, because the list
	// may lag behind what a killed server had accepted.
	firstWatch    = time.Second
	watchInterval = 10 * time.Second
)

// Worker polls one queue. The workers of the Temporal SDK are such.
type Worker interface {
	// Start begins to poll and returns.
	Start() error
	// Stop ends polling and waits for running activities as long as the worker was told to.
	Stop()
}

// Queue names a task queue in a namespace.
type Queue struct {
	Namespace, Name string
}

// Options configures New. All fields are required.
type Options struct {
	// Service is asked who polls a queue and which workflows are open.
	Service workflowservice.WorkflowServiceClient
	// NewWorker makes a worker for a queue. It is called once per queue, again only when starting it has failed.
	NewWorker func(namespace, queue string) (Worker, error)
	// WorkflowTypes are the types that the workers have registered. Starts of others are left alone.
	WorkflowTypes []string
	// Identity is the client identity of all the workers.
	Identity string
	// Logger receives what happens to queues.
	Logger *slog.Logger
}

// Registry holds a worker per queue. Its methods may be called concurrently.
type Registry struct {
	options Options
	types   map[string]bool

	// alive ends when Stop is called, and with it every attempt to put a worker on a queue.
	alive    context.Context
	kill     context.CancelFunc
	stopOnce sync.Once

	mu      sync.Mutex
	opening sync.WaitGroup
	queues  map[Queue]*entry
}

// entry is a queue that has a worker or is about to get one. Once done is closed, worker and err are set for good.
type entry struct {
	done   chan struct{}
	worker Worker
	err    error
}

// errOthersPoll says that a queue is served by somebody else.
var errOthersPoll = errors.New("another worker polls it")

// New returns a Registry without workers.
func New(o Options) *Registry {
	r := &Registry{options: o, types: map[string]bool{}, queues: map[Queue]*entry{}}
	r.alive, r.kill = context.WithCancel(context.Background())
	for _, t := range o.WorkflowTypes {
		r.types[t] = true
	}
	return r
}

// OnStart sees to it that a workflow that is about to be started will find a worker. It returns when one polls, when none
// is needed, or after two seconds; what goes wrong is logged, because the start must not fail for it.
func (r *Registry) OnStart(ctx context.Context, namespace, queue, workflowType string) {
	if queue == "" || !r.types[workflowType] {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, holdStart)
	defer cancel()
	if err := r.Serve(ctx, Queue{namespace, queue}); err != nil && !errors.Is(err, errOthersPoll) {
		r.options.Logger.Warn("a workflow starts on a queue that has no worker yet", "namespace", namespace, "task_queue", queue,
			"workflow_type", workflowType, "error", err)
	}
}

// Serve puts a worker on the queue unless there is one, and waits until it polls or ctx ends. Starting the worker goes on
// when ctx ends first.
func (r *Registry) Serve(ctx context.Context, q Queue) error {
	r.mu.Lock()
	if r.alive.Err() != nil {
		r.mu.Unlock()
		return errors.New("the worker is shutting down")
	}
	e, known := r.queues[q]
	if !known {
		e = &entry{done: make(chan struct{})}
		r.queues[q] = e
		r.opening.Go(func() { r.open(q, e) })
	}
	r.mu.Unlock()

	select {
	case <-e.done:
		return e.err
	case <-ctx.Done():
		return fmt.Errorf("wait for the worker on queue %s: %w", q.Name, ctx.Err())
	}
}

// Queues returns the queues that have a worker.
func (r *Registry) Queues() []Queue {
	r.mu.Lock()
	defer r.mu.Unlock()
	var qs []Queue
	for q, e := range r.queues {
		select {
		case <-e.done:
			qs = append(qs, q)
		default:
		}
	}
	return qs
}

// Stop stops all workers at the same time and waits for them. No queue gets a worker afterwards.
func (r *Registry) Stop() {
	r.stopOnce.Do(func() {
		r.mu.Lock()
		r.kill()
		r.mu.Unlock()
		r.opening.Wait()
		var stopping sync.WaitGroup
		for _, e := range r.queues {
			stopping.Go(e.worker.Stop)
		}
		stopping.Wait()
	})
}

// open gives e its worker, or takes e off the list, so that the next request for the queue tries again.
func (r *Registry) open(q Queue, e *entry) {
	ctx, cancel := context.WithTimeout(r.alive, openTimeout)
	defer cancel()
	e.worker, e.err = r.start(ctx, q)
	if e.worker == nil {
		r.mu.Lock()
		delete(r.queues, q)
		r.mu.Unlock()
	}
	close(e.done)
}

// start returns a worker once it has started, even when it is not seen polling.
func (r *Registry) start(ctx context.Context, q Queue) (Worker, error) {
	others, err := r.othersPoll(ctx, q)
	if err != nil {
		return nil, err
	}
	if others {
		return nil, errOthersPoll
	}
	w, err := r.options.NewWorker(q.Namespace, q.Name)
	if err != nil {
		return nil, fmt.Errorf("make a worker for queue %s: %w", q.Name, err)
	}
	begin := time.Now()
	if err := w.Start(); err != nil {
		return nil, fmt.Errorf("start the worker on queue %s: %w", q.Name, err)
	}
	if err := r.awaitPolling(ctx, q); err != nil {
		r.options.Logger.Warn("a worker has started, but the server does not see it poll", "namespace", q.Namespace,
			"task_queue", q.Name, "error", err)
		return w, err
	}
	r.options.Logger.Info("serving a task queue", "namespace", q.Namespace, "task_queue", q.Name,
		"took", time.Since(begin).Round(time.Millisecond))
	return w, nil
}
