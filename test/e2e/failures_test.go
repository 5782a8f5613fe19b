package e2e

import (
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// failedApply applies, expects an error that contains every text, and that nothing of ours stays.
func failedApply(t *testing.T, w *world, p *pipeline, texts ...string) *result {
	t.Helper()
	r := w.tryApply()
	require.Equal(t, 1, r.exit)
	for _, text := range texts {
		require.Contains(t, r.errors(), text)
	}
	require.Len(t, r.diagnostics("error"), 1, "one failure is one error")
	w.assertNoState()
	assertNothingLeft(t, p.service)
	return r
}

func TestImageThatDoesNotExist(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, image, policy, record string
		texts                       []string
	}{
		{"never pulled", "orch.local/no-such-image:1", "never", "setup-failed", []string{"orch.local/no-such-image:1", "start_loki"}},
		{"registry refuses", "127.0.0.1:9/no-such-image:1", "missing", "setup-failed-after-retries", []string{"127.0.0.1:9", "start_loki", "registry_mirror"}},
		{"registry is unknown", "registry.invalid/no-such-image:1", "missing", "", []string{"registry.invalid", "start_loki", "registry_mirror"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPipeline(t, "no-image")
			p.images.loki = c.image
			p.top = append(p.top, `pull_policy = "`+c.policy+`"`)
			w := newWorld(t, shared.get(t))
			w.use(p)
			failed := failedApply(t, w, p, c.texts...)
			require.Less(t, failed.took, 2*time.Minute)
			if c.record != "" {
				recordLast(t, w, p, c.record)
			}
		})
	}
}

func TestImageThatExitsAtOnce(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "exits")
	p.images.loki = boxRunning(t, "exit-3", "exit", "--code", "3", "--lines", "4")
	w := newWorld(t, shared.get(t))
	w.use(p)
	failed := failedApply(t, w, p, "start_loki", "exit code 3", "box: line 4 of 4", p.container("loki"), p.ref().ID(), "removed")
	require.Less(t, failed.took, time.Minute, "an exit is noticed, not waited out: the probe goes on for a minute")
}

func TestFailureCanBeKeptForInspection(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "keep")
	p.images.loki = boxRunning(t, "exit-3", "exit", "--code", "3", "--lines", "4")
	p.top = append(p.top, `on_failure = "keep"`)
	w := newWorld(t, shared.get(t))
	w.use(p)
	failed := w.tryApply()
	require.Equal(t, 1, failed.exit)
	require.Contains(t, failed.errors(), "keep")
	require.True(t, exists("container", p.container("loki")), "the failed container is there to look at")
	require.NotNil(t, w.attributes(), "state knows it, so that destroy can remove it")
	w.destroy()
	assertNothingLeft(t, p.service)
}

func TestImageThatNeverBecomesReady(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "never-ready")
	p.images.collector = hanging(t)
	w := newWorld(t, shared.get(t))
	w.use(p)
	failedApply(t, w, p, "start_otel_collector", "did not become ready", "box: hanging", "60 s")
}

func TestTimeoutNamesWhatItWaitedFor(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "timeout")
	p.images.loki = hanging(t)
	p.top = append(p.top, `timeouts = { create = "10s" }`)
	w := newWorld(t, shared.get(t))
	w.use(p)
	failedApply(t, w, p, "EnsureComponent", p.ref().ID(), "10s")
}

func TestPortTakenByAContainer(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "port-container")
	other := uniqueName("shop-db")
	foreign(t, "container", other, "run", "--detach", "--name", other, "--label", "com.docker.compose.project=shop",
		"--publish", "127.0.0.1:"+strconv.Itoa(p.loki)+":8080", boxImage, "serve")
	w := newWorld(t, shared.get(t))
	w.use(p)
	failed := failedApply(t, w, p, strconv.Itoa(p.loki), other, "loki.port")
	w.assertPointsAt(failed.diagnostics("error")[0], "port = "+strconv.Itoa(p.loki))
	require.Equal(t, "running", docker(t, "inspect", "--format", "{{.State.Status}}", other))
}

func TestPortTakenByAProcess(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "port-process")
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(p.grafana)))
	require.NoError(t, err)
	defer l.Close()
	w := newWorld(t, shared.get(t))
	w.use(p)
	failed := failedApply(t, w, p, strconv.Itoa(p.grafana), "grafana.port", strconv.Itoa(os.Getpid()))
	w.assertPointsAt(failed.diagnostics("error")[0], "port = "+strconv.Itoa(p.grafana))
}

func TestWhatIsNotOursIsNotTouched(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		name   func(p *pipeline) string
		create func(name string) []string
	}{
		"container": {func(p *pipeline) string { return p.container("loki") }, func(n string) []string {
			return []string{"run", "--detach", "--name", n, boxImage, "serve"}
		}},
		"network": {func(p *pipeline) string { return p.ref().Network() }, func(n string) []string {
			return []string{"network", "create", n}
		}},
		"volume": {func(p *pipeline) string { return p.ref().Volume("loki", "data") }, func(n string) []string {
			return []string{"volume", "create", n}
		}},
	}
	for kind, c := range cases {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			p := newPipeline(t, "not-ours")
			name := c.name(p)
			foreign(t, kind, name, c.create(name)...)
			before := docker(t, kind, "inspect", name)
			w := newWorld(t, shared.get(t))
			w.use(p)
			failedApply(t, w, p, kind, name)
			require.Equal(t, before, docker(t, kind, "inspect", name))
		})
	}
}

// The volume is the user's: used, and never deleted.
func TestOwnVolumeOfTheUser(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "volume")
	name := uniqueName("logs-archive")
	p.lokiMore = []string{`volume = "` + name + `"`}
	w := newWorld(t, shared.get(t))
	w.use(p)
	failedApply(t, w, p, name, "loki.volume")

	foreign(t, "volume", name, "volume", "create", name)
	w.apply()
	sendLine(t, p, "into the archive")
	lokiHas(t, p, "into the archive")
	w.assertEmptyPlan()
	w.destroy()
	assertNothingLeft(t, p.service)
	require.True(t, exists("volume", name))
}

// A failed create that was kept is tainted: mending the configuration replaces it.
func TestKeptFailureIsMendedByTheNextApply(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "mend")
	loki := p.images.loki
	p.images.loki = boxImage
	p.top = append(p.top, `on_failure = "keep"`)
	w := newWorld(t, shared.get(t))
	w.use(p)
	require.Equal(t, 1, w.tryApply().exit)
	p.images.loki = loki
	w.use(p)
	w.apply()
	assertWhole(t, w, p)
}

func TestTooLittleMemoryIsTold(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "oom")
	p.images.loki = boxRunning(t, "oom", "oom")
	p.lokiMore = []string{"memory_mb = 24"}
	w := newWorld(t, shared.get(t))
	w.use(p)
	failedApply(t, w, p, "start_loki", "out of memory", "loki")
}
