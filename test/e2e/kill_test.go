package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// slow is long enough to act in the middle of a create, and short enough to wait for.
const slow = 8

// inTheMiddle starts an apply and returns when Loki's container runs without being ready.
func inTheMiddle(t *testing.T, w *world, p *pipeline) *process {
	t.Helper()
	apply := w.start("apply", "-auto-approve", "-json")
	eventually(t, time.Minute, "Loki's container runs", func() bool {
		select {
		case <-apply.done:
			t.Fatalf("the apply ended before its middle: %s", apply.wait().errors())
		default:
		}
		state, err := tryDocker("container", "inspect", "--format", "{{.State.Status}}", p.container("loki"))
		return err == nil && state == "running"
	})
	return apply
}

// hold keeps a container from becoming ready until it is released, however long the test takes with something else.
func hold(t *testing.T, container string) (release func()) {
	t.Helper()
	docker(t, "pause", container)
	return func() { docker(t, "unpause", container) }
}

// converges is the end of every kill: one apply, no duplicate, an empty plan, and nothing left after destroy.
func converges(t *testing.T, w *world, p *pipeline) {
	t.Helper()
	w.apply()
	assertWhole(t, w, p)
}

func assertWhole(t *testing.T, w *world, p *pipeline) {
	t.Helper()
	require.Len(t, lives(t, p.service), 3)
	require.Len(t, objects(t, p.service), 8)
	require.Equal(t, "ready", w.attribute("status"))
	w.assertEmptyPlan()
	w.destroy()
	assertNothingLeft(t, p.service)
}

func TestKilledProviderConverges(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "kill-provider")
	p.images.loki = slowLoki(t, slow)
	w := newWorld(t, shared.get(t))
	w.use(p)
	apply := inTheMiddle(t, w, p)
	apply.killProvider()
	require.NotZero(t, apply.wait().exit)
	converges(t, w, p)
}

func TestKilledTerraformConverges(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "kill-terraform")
	p.images.loki = slowLoki(t, slow)
	w := newWorld(t, shared.get(t))
	w.use(p)
	apply := inTheMiddle(t, w, p)
	require.NoError(t, apply.cmd.Process.Kill())
	apply.wait()
	w.assertNoState()
	converges(t, w, p)
}

// The apply that waits does not notice more than a delay when server and worker are killed and come back.
func TestKilledWorkerIsWaitedFor(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "kill-worker")
	p.images.loki = slowLoki(t, slow)
	s := ownServer(t)
	w := newWorld(t, s)
	w.use(p)
	apply := inTheMiddle(t, w, p)
	require.NoError(t, s.kill())
	require.NoError(t, s.start())
	finished := apply.wait()
	require.Zero(t, finished.exit, finished.errors())
	record(t, w, "setup-retried")
	assertWhole(t, w, p)
}

func TestKilledProviderThenWorkerConverges(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "kill-both")
	p.images.loki = slowLoki(t, slow)
	s := ownServer(t)
	w := newWorld(t, s)
	w.use(p)
	apply := inTheMiddle(t, w, p)
	apply.killProvider()
	require.NoError(t, s.kill())
	apply.wait()
	require.NoError(t, s.start())
	converges(t, w, p)
}

// A worker that is told to stop lets its activities finish or hands them over; the next one goes on.
func TestStoppedWorkerIsWaitedFor(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "stop-worker")
	p.images.loki = slowLoki(t, slow)
	s := ownServer(t)
	w := newWorld(t, s)
	w.use(p)
	apply := inTheMiddle(t, w, p)
	require.NoError(t, s.stop())
	require.NoError(t, s.start())
	finished := apply.wait()
	require.Zero(t, finished.exit, finished.errors())
	assertWhole(t, w, p)
}

func TestKilledDestroyConverges(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "kill-destroy")
	w := newWorld(t, shared.get(t))
	w.use(p)
	w.apply()
	stubborn(t, p)
	destroy := w.start("destroy", "-auto-approve", "-json")
	eventually(t, time.Minute, "the other containers are gone or stopped", func() bool {
		state, err := tryDocker("container", "inspect", "--format", "{{.State.Status}}", p.container("grafana"))
		return err != nil || state != "running"
	})
	destroy.killAll()
	destroy.wait()
	w.destroy(asUsual)
	w.assertNoState()
	assertNothingLeft(t, p.service)
}

// stubborn puts a container in Loki's place that ignores SIGTERM, so that a stop lasts as long as it may.
func stubborn(t *testing.T, p *pipeline) {
	t.Helper()
	name := p.container("loki")
	docker(t, "rm", "--force", name)
	args := []string{"run", "--detach", "--name", name, "--stop-timeout", "8", "--label", contract.LabelComponent + "=loki"}
	for label, value := range p.ref().Labels() {
		args = append(args, "--label", label+"="+value)
	}
	docker(t, append(args, boxImage, "hang", "--ignore-term")...)
}

func TestKilledUpdateConverges(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "kill-update")
	s := ownServer(t)
	w := newWorld(t, s)
	_, apply := slowUpdate(t, w, p, slowLoki(t, slow))
	apply.killProvider()
	require.NoError(t, s.kill())
	apply.wait()
	require.NoError(t, s.start())
	converges(t, w, p)
}

// An update that was killed and is given up: the next apply goes back to what was before.
func TestKilledUpdateCanBeGivenUp(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "give-up-update")
	s := ownServer(t)
	w := newWorld(t, s)
	loki := p.images.loki
	_, apply := slowUpdate(t, w, p, slowLoki(t, slow))
	apply.killProvider()
	apply.wait()
	p.images.loki = loki
	w.use(p)
	eventually(t, time.Minute, "the run that was left has ended", func() bool { return w.tryApply().exit == 0 && w.attribute("status") == "ready" })
	assertWhole(t, w, p)
}
