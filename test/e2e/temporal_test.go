package e2e

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// failsWithin applies and expects an error soon, with every text, and no state.
func failsWithin(t *testing.T, w *world, limit time.Duration, texts ...string) {
	t.Helper()
	r := w.tryApply()
	require.Equal(t, 1, r.exit)
	for _, text := range texts {
		require.Contains(t, r.errors(), text)
	}
	require.Less(t, r.took, limit)
	w.assertNoState()
}

func TestTemporalThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	refusing := net.JoinHostPort("127.0.0.1", freePort(t))
	// Nobody accepts what the kernel queues: the connection is made and stays silent.
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = silent.Close() })
	hanging := silent.Addr().String()
	answering := shared.get(t).address()
	cases := []struct {
		name, address string
		provider      []string
		limit         time.Duration
		texts         []string
	}{
		{"refuses", refusing, nil, 45 * time.Second, []string{refusing, "refuses the connection", "orch-worker dev"}},
		{"hangs", hanging, nil, 45 * time.Second, []string{hanging, "has not answered", "temporal operator cluster health"}},
		{"unknown host", "temporal.invalid:7233", nil, 45 * time.Second, []string{"temporal.invalid:7233", "address"}},
		{"unknown namespace", answering, []string{`namespace = "nowhere"`}, 45 * time.Second, []string{`"nowhere"`, "default", "namespace create"}},
		{"no TLS there", answering, []string{"tls = {}"}, 45 * time.Second, []string{answering, "tls"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPipeline(t, "no-temporal")
			p.provider = c.provider
			w := newWorld(t, shared.get(t))
			w.write(p.hcl(c.address))
			failsWithin(t, w, c.limit, c.texts...)
			assertNothingLeft(t, p.service)
		})
	}
}

// A refresh that cannot look must not take the service for gone.
func TestUnreachableTemporalIsNoRemoval(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "unreachable")
	s := ownServer(t)
	w := newWorld(t, s)
	w.use(p)
	w.apply()
	require.NoError(t, s.stop())
	planned := w.plan()
	require.Equal(t, 1, planned.exit)
	require.Contains(t, planned.errors(), "refuses the connection")
	require.NotNil(t, w.attributes())
	require.NoError(t, s.start())
	w.assertEmptyPlan()
	w.destroy()
	assertNothingLeft(t, p.service)
}

// A worker that is told to stop takes no new queue, while its server answers until its last activity has ended. To a new
// apply that is a Temporal without a worker.
func TestQueueThatNobodyPolls(t *testing.T) {
	t.Parallel()
	busy := newPipeline(t, "busy")
	busy.images.loki = slowLoki(t, slow)
	s := ownServer(t)
	busyWorld := newWorld(t, s)
	busyWorld.use(busy)
	apply := inTheMiddle(t, busyWorld, busy)
	release := hold(t, busy.container("loki"))

	p := newPipeline(t, "no-worker")
	p.top = append(p.top, `task_queue = "nobodys"`)
	w := newWorld(t, s)
	w.use(p)
	stopped := make(chan error, 1)
	go func() { stopped <- s.stop() }()
	eventually(t, time.Minute, "the worker is stopping", func() bool { return strings.Contains(s.log(), "stopping") })
	failsWithin(t, w, time.Minute, "no worker is polling", `"nobodys"`, "orch-worker run --task-queue nobodys", s.address())
	release()
	require.NoError(t, <-stopped)

	require.NoError(t, s.start())
	require.Zero(t, apply.wait().exit, "the apply that was under way is not harmed")
	busyWorld.destroy()
	assertNothingLeft(t, busy.service)
	assertNothingLeft(t, p.service)
}

// The queue's only worker has died: the server lists it for minutes, but it must not be waited for.
func TestQueueWhoseWorkerHasDied(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "dead-worker")
	s := shared.get(t)
	pollOnce(t, s, contract.TaskQueue(p.service), "worker-of-yesterday")
	w := newWorld(t, s)
	w.use(p)
	failsWithin(t, w, time.Minute, "no worker is polling", "worker-of-yesterday", "orch-worker run --task-queue "+contract.TaskQueue(p.service))
	assertNothingLeft(t, p.service)
}

// pollOnce leaves the trace of a worker: one poll, and then never again.
func pollOnce(t *testing.T, s *server, queue, identity string) {
	t.Helper()
	c := s.dial(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second) // less than a poll lasts
	defer cancel()
	go func() {
		_, _ = c.WorkflowService().PollWorkflowTaskQueue(ctx, &workflowservice.PollWorkflowTaskQueueRequest{
			Namespace: client.DefaultNamespace, Identity: identity,
			TaskQueue: &taskqueuepb.TaskQueue{Name: queue, Kind: enumspb.TASK_QUEUE_KIND_NORMAL},
		})
	}()
	eventually(t, 40*time.Second, "the server has seen the poller", func() bool {
		d, err := c.DescribeTaskQueue(t.Context(), queue, enumspb.TASK_QUEUE_TYPE_WORKFLOW)
		return err == nil && len(d.GetPollers()) > 0
	})
	cancel()
}

// The engine is away, and comes back: nobody can tell meanwhile whether something was made, so state says so, and the next
// apply puts it right.
func TestEngineThatIsDown(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "no-engine")
	socket := filepath.Join(t.TempDir(), "docker.sock")
	s := ownServer(t, "DOCKER_HOST=unix://"+socket)
	w := newWorld(t, s)
	w.use(p)
	failed := w.tryApply()
	require.Equal(t, 1, failed.exit)
	require.Contains(t, failed.errors(), socket)
	require.Contains(t, failed.errors(), "docker info")
	require.Less(t, failed.took, time.Minute)
	assertNothingLeft(t, p.service)

	forward(t, socket)
	converges(t, w, p)
}

// forward makes the engine of the docker command answer at a socket.
func forward(t *testing.T, socket string) {
	t.Helper()
	network, address, _ := strings.Cut(docker(t, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"), "://")
	l, err := net.Listen("unix", socket)
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return // closed
			}
			to, err := net.Dial(network, address)
			if err != nil {
				_ = from.Close()
				continue
			}
			go func() { _, _ = io.Copy(to, from); _ = to.Close() }()
			go func() { _, _ = io.Copy(from, to); _ = from.Close() }()
		}
	}()
}

// A worker with another Docker Engine on the same queue sees nothing of the service, which says nothing about the service.
func TestOtherEngineIsNoRemoval(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "other-engine")
	w := newWorld(t, shared.get(t))
	w.use(p)
	w.apply()
	engine := w.attribute("engine_id")
	require.NotEmpty(t, engine)
	state, err := os.ReadFile(w.stateFile())
	require.NoError(t, err)
	elsewhere := strings.ReplaceAll(string(state), engine, "ANOTHER:ENGINE")
	require.NoError(t, os.WriteFile(w.stateFile(), []byte(elsewhere), 0o600))
	for _, r := range []*result{w.plan(), w.terraform("destroy", "-auto-approve", "-json", "-refresh=false")} {
		require.Equal(t, 1, r.exit)
		require.Contains(t, r.errors(), "ANOTHER:ENGINE")
		require.Contains(t, r.errors(), engine)
		require.NotNil(t, w.attributes())
	}
	require.NoError(t, os.WriteFile(w.stateFile(), state, 0o600))
	assertWhole(t, w, p)
}

// Two operations on one service at the same time: the second is refused with what is going on.
func TestOperationInFlightIsTold(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "in-flight")
	p.images.loki = slowLoki(t, slow)
	first := newWorld(t, shared.get(t))
	first.use(p)
	apply := inTheMiddle(t, first, p)
	release := hold(t, p.container("loki"))
	other := *p
	other.lokiMore = []string{`retention = "48h"`}
	second := newWorld(t, shared.get(t))
	second.use(&other)
	failsWithin(t, second, time.Minute, "in flight", p.ref().ID())
	release()
	require.Zero(t, apply.wait().exit)
	assertWhole(t, first, p)
}
