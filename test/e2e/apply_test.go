package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestApplyMovesALogLineAndDestroyLeavesNothing(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "first")
	w := newWorld(t, shared.get(t))
	w.use(p)
	w.apply()

	require.Equal(t, "Logs pipeline fully configured", w.attribute("message"))
	require.Equal(t, "ready", w.attribute("status"))
	require.Equal(t, p.ref().ID(), w.attribute("id"))
	require.Equal(t, p.ref().ID(), w.attribute("workflow_id"))
	require.Contains(t, w.attribute("web_ui_url"), w.attribute("run_id"))
	require.Equal(t, []any{"stop_otel_collector", "delete_otel_collector", "start_otel_collector", "start_loki", "start_grafana", "verify"}, w.attributes()["steps"])
	require.Len(t, objects(t, p.service), 8, "three containers, a network, four volumes: queue, logs, Grafana's database, its secret")

	sendLine(t, p, "a line from the first test")
	lokiHas(t, p, "a line from the first test")
	password := grafanaPassword(t, w.server, p)
	require.NotEqual(t, "admin", password)
	grafanaHas(t, p, password, "a line from the first test")
	require.Equal(t, http.StatusUnauthorized, loginStatus(t, p, "admin"))
	assertNothingUnknown(t, p, password)

	w.assertEmptyPlan()
	record(t, w, "setup")
	w.destroy(asUsual)
	recordLast(t, w, p, "cleanup")
	w.assertNoState()
	assertNothingLeft(t, p.service)
}

// The doubles count requests that the real software might not understand.
func assertNothingUnknown(t *testing.T, p *pipeline, password string) {
	t.Helper()
	for image, port := range map[string]int{p.images.loki: p.loki, p.images.grafana: p.grafana, p.images.collector: p.http} {
		if !strings.Contains(image, "/doubles/") {
			continue
		}
		status, body, err := get(localURL(port, "/double/unknown"), "admin", password)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status, body)
		require.Contains(t, body, `"count":0`, "%s got requests that it does not know", image)
	}
}

func TestKeptVolumesAreFoundAgain(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "kept")
	p.top = nil
	w := newWorld(t, shared.get(t))
	w.use(p)
	w.apply()
	sendLine(t, p, "a line that outlives its service")
	lokiHas(t, p, "a line that outlives its service")
	password := grafanaPassword(t, w.server, p)
	destroyed := w.destroy(asUsual)
	require.Contains(t, destroyed.warnings(), "docker volume rm", "what was kept is told with the way to remove it")
	for _, object := range objects(t, p.service) {
		require.True(t, strings.HasPrefix(object, "volume "), "only volumes stay, not %s", object)
	}

	p.top = []string{"delete_volumes = true"}
	w.use(p)
	w.apply()
	lokiHas(t, p, "a line that outlives its service")
	require.Equal(t, password, grafanaPassword(t, w.server, p), "Grafana's database still has the old password")
	require.Equal(t, http.StatusOK, loginStatus(t, p, password))
	w.assertEmptyPlan()
	w.destroy()
	assertNothingLeft(t, p.service)
}

// Settings of operations are state only: changing one starts no workflow.
func TestChangingASettingTouchesNoContainer(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "settings")
	p.top = nil
	w := newWorld(t, shared.get(t))
	w.use(p)
	w.apply()
	before, run := lives(t, p.service), w.attribute("run_id")
	p.top = []string{"delete_volumes = true", `on_failure = "keep"`, `on_interrupt = "detach"`}
	w.use(p)
	w.apply()
	require.Equal(t, before, lives(t, p.service))
	require.Equal(t, run, w.attribute("run_id"))
	w.assertEmptyPlan()
	w.destroy()
	assertNothingLeft(t, p.service)
}

// The longest name, and every way to apply the same configuration again.
func TestApplyingAgainChangesNothing(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "again")
	p.service += "_" + strings.Repeat("x", 62-len(p.service))
	require.Len(t, p.service, 63)
	p.top = nil
	w := newWorld(t, shared.get(t))
	w.use(p)
	w.apply()
	sendLine(t, p, "a line that survives")
	lokiHas(t, p, "a line that survives")
	before := lives(t, p.service)
	w.apply()
	w.apply("-refresh-only")
	require.Equal(t, before, lives(t, p.service))
	docker(t, "restart", "--time", "5", p.container("loki"))
	eventually(t, dataLimit, "Loki answers again", func() bool {
		status, _, err := get(localURL(p.loki, "/ready"), "", "")
		return err == nil && status == http.StatusOK
	})
	w.assertEmptyPlan()

	// Destroyed and made again under the same workflow ID within one apply; the volumes stay.
	w.apply("-replace=" + address)
	require.NotEqual(t, before, lives(t, p.service))
	lokiHas(t, p, "a line that survives")
	w.assertEmptyPlan()
	p.top = []string{"delete_volumes = true"}
	w.use(p)
	w.apply()
	w.destroy()
	assertNothingLeft(t, p.service)
}
