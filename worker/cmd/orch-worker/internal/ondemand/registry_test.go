package ondemand_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/ports"
	"github.com/temporal-orchestrator/terraform-provider-orch/worker/cmd/orch-worker/internal/devserver"
	"github.com/temporal-orchestrator/terraform-provider-orch/worker/cmd/orch-worker/internal/ondemand"
)

const identity = "ours"

// One server serves all tests; registry is what its start requests go to at the moment.
var (
	server   *devserver.Server
	registry atomic.Pointer[ondemand.Registry]
)

func TestMain(m *testing.M) {
	code, err := withServer(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func withServer(run func() int) (code int, err error) {
	dir, err := os.MkdirTemp("", "orch-ondemand")
	if err != nil {
		return 0, err
	}
	defer func() { err = os.RemoveAll(dir) }()
	port, err := ports.Reserve()
	if err != nil {
		return 0, err
	}
	server, err = devserver.Start(context.Background(), devserver.Options{
		DataDir: dir, Port: port, UIPort: -1,
		OnStart: func(ctx context.Context, s devserver.StartRequest) {
			if r := registry.Load(); r != nil {
				r.OnStart(ctx, s.Namespace, s.TaskQueue, s.WorkflowType)
			}
		},
	})
	if err != nil {
		return 0, err
	}
	code = run()
	return code, server.Stop()
}

func dial(t *testing.T, namespace, identity string) client.Client {
	t.Helper()
	c, err := client.Dial(client.Options{HostPort: server.Address(), Namespace: namespace, Identity: identity, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// hello is the toy workflow that is known to the registry.
func hello(_ workflow.Context, name string) (string, error) { return "hello " + name, nil }

// fleet makes workers with hello and counts them.
type fleet struct {
	t       *testing.T
	options worker.Options
	setup   func(worker.Registry)

	mu   sync.Mutex
	made []ondemand.Queue
}

func (f *fleet) NewWorker(namespace, queue string) (ondemand.Worker, error) {
	f.mu.Lock()
	f.made = append(f.made, ondemand.Queue{Namespace: namespace, Name: queue})
	f.mu.Unlock()
	w := worker.New(dial(f.t, namespace, identity), queue, f.options)
	w.RegisterWorkflowWithOptions(hello, workflow.RegisterOptions{Name: "Hello"})
	if f.setup != nil {
		f.setup(w)
	}
	return w, nil
}

func (f *fleet) queues() []ondemand.Queue {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]ondemand.Queue(nil), f.made...)
}

func newRegistry(t *testing.T, f *fleet, types ...string) *ondemand.Registry {
	t.Helper()
	f.t = t
	r := ondemand.New(ondemand.Options{
		Service: dial(t, "default", identity).WorkflowService(), NewWorker: f.NewWorker, Identity: identity,
		WorkflowTypes: append(types, "Hello"), Logger: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(r.Stop)
	return r
}

// intercept makes r see start requests for the rest of the test.
func intercept(t *testing.T, r *ondemand.Registry) {
	registry.Store(r)
	t.Cleanup(func() { registry.Store(nil) })
}

func TestAStartOnAnUnknownQueueFindsAWorker(t *testing.T) {
	var f fleet
	intercept(t, newRegistry(t, &f))
	c := dial(t, "default", "client")
	begin := time.Now()
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: t.Name()}, "Hello", "you")
	require.NoError(t, err)
	var got string
	require.NoError(t, run.Get(t.Context(), &got))
	require.Equal(t, "hello you", got)
	t.Logf("first workflow on a new queue took %s", time.Since(begin))

	run, err = c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: t.Name()}, "Hello", "again")
	require.NoError(t, err)
	require.NoError(t, run.Get(t.Context(), &got))
	require.Len(t, f.queues(), 1, "the queue has its worker already")
}

func TestConcurrentStartsShareOneWorkerPerQueue(t *testing.T) {
	var f fleet
	intercept(t, newRegistry(t, &f))
	c := dial(t, "default", "client")
	var starts sync.WaitGroup
	for i := range 12 {
		starts.Go(func() {
			run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: fmt.Sprintf("%s-%d", t.Name(), i%3)}, "Hello", "you")
			if err == nil {
				err = run.Get(t.Context(), nil)
			}
			if err != nil {
				t.Errorf("workflow %d: %v", i, err)
			}
		})
	}
	starts.Wait()
	require.Len(t, f.queues(), 3)
}

func TestOtherWorkflowTypesAreLeftAlone(t *testing.T) {
	var f fleet
	intercept(t, newRegistry(t, &f))
	_, err := dial(t, "default", "client").ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: t.Name()}, "SomebodyElses")
	require.NoError(t, err)
	require.Empty(t, f.queues())
}

func TestAQueueThatAnotherWorkerPollsIsLeftToIt(t *testing.T) {
	var f fleet
	r := newRegistry(t, &f)
	other := worker.New(dial(t, "default", "theirs"), t.Name(), worker.Options{})
	other.RegisterWorkflowWithOptions(hello, workflow.RegisterOptions{Name: "Hello"})
	require.NoError(t, other.Start())
	defer other.Stop()
	c := dial(t, "default", "client")
	// A finished workflow proves that the other worker polls.
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: t.Name()}, "Hello", "you")
	require.NoError(t, err)
	require.NoError(t, run.Get(t.Context(), nil))

	intercept(t, r)
	run, err = c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: t.Name()}, "Hello", "you")
	require.NoError(t, err)
	require.NoError(t, run.Get(t.Context(), nil))
	require.Empty(t, f.queues())
	require.Empty(t, r.Queues())
}

func TestOpenWorkflowsFindAWorkerInEveryNamespace(t *testing.T) {
	c := dial(t, "default", "client")
	_, err := c.WorkflowService().RegisterNamespace(t.Context(), &workflowservice.RegisterNamespaceRequest{
		Namespace: "second", WorkflowExecutionRetentionPeriod: durationpb.New(24 * time.Hour),
	})
	require.NoError(t, err)
	var runs []client.WorkflowRun
	for _, ns := range []string{"default", "second"} {
		nc := dial(t, ns, "client")
		require.EventuallyWithT(t, func(collect *assert.CollectT) {
			run, err := nc.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: t.Name(), TaskQueue: t.Name()}, "Hello", ns)
			require.NoError(collect, err)
			runs = append(runs, run)
		}, time.Minute, 100*time.Millisecond, "the server learns about a new namespace now and then")
	}

	var f fleet
	r := newRegistry(t, &f)
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() { r.Watch(ctx) })
	for _, run := range runs {
		require.NoError(t, run.Get(t.Context(), nil))
	}
	cancel()
	watching.Wait()
	require.ElementsMatch(t, []ondemand.Queue{{Namespace: "default", Name: t.Name()}, {Namespace: "second", Name: t.Name()}}, f.queues())
}

func TestANamespaceThatDoesNotExistGetsNoWorker(t *testing.T) {
	var f fleet
	r := newRegistry(t, &f)
	err := r.Serve(t.Context(), ondemand.Queue{Namespace: "nowhere", Name: "q"})
	require.ErrorContains(t, err, "nowhere")
	require.Empty(t, f.queues())
}

func TestAWorkerThatCannotStartIsTriedAgain(t *testing.T) {
	var f fleet
	f.t = t
	broken := true
	r := ondemand.New(ondemand.Options{
		Service: dial(t, "default", identity).WorkflowService(), Identity: identity, WorkflowTypes: []string{"Hello"},
		Logger: slog.New(slog.DiscardHandler),
		NewWorker: func(namespace, queue string) (ondemand.Worker, error) {
			if broken {
				return nil, fmt.Errorf("the engine is away")
			}
			return f.NewWorker(namespace, queue)
		},
	})
	defer r.Stop()
	q := ondemand.Queue{Namespace: "default", Name: t.Name()}
	require.ErrorContains(t, r.Serve(t.Context(), q), "the engine is away")
	broken = false
	require.NoError(t, r.Serve(t.Context(), q))
	require.Equal(t, []ondemand.Queue{q}, r.Queues())
}

func TestNothingIsServedAfterStop(t *testing.T) {
	var f fleet
	r := newRegistry(t, &f)
	r.Stop()
	require.ErrorContains(t, r.Serve(t.Context(), ondemand.Queue{Namespace: "default", Name: t.Name()}), "shutting down")
	require.Empty(t, f.queues())
}
