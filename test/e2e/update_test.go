package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
)

func TestUpdateReplacesOnlyWhatChangedAndKeepsTheData(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "update")
	w := newWorld(t, shared.get(t))
	w.use(p)
	w.apply()
	sendLine(t, p, "written before the update")
	lokiHas(t, p, "written before the update")
	before := lives(t, p.service)

	p.lokiMore = []string{`retention = "96h"`}
	w.use(p)
	require.Equal(t, 2, w.plan().exit)
	require.Equal(t, []string{"update"}, w.planned().Actions)
	w.applyPlan()
	record(t, w, "update")
	after := lives(t, p.service)
	require.NotEqual(t, before[catalog.LokiName].id, after[catalog.LokiName].id, "Loki has a new container")
	require.Equal(t, before[catalog.CollectorName], after[catalog.CollectorName])
	require.Equal(t, before[catalog.GrafanaName], after[catalog.GrafanaName])
	require.Len(t, after, 3)
	lokiHas(t, p, "written before the update")
	w.assertEmptyPlan()

	failing(t, w, p, after)
	w.destroy()
	assertNothingLeft(t, p.service)
}

// failing is an update to an image that exits at once: the old container must come back and serve.
func failing(t *testing.T, w *world, p *pipeline, before map[string]life) {
	t.Helper()
	loki, retention := p.images.loki, w.attributes()["loki"]
	p.images.loki = boxImage
	w.use(p)
	failed := w.tryApply()
	recordLast(t, w, p, "update-failed")
	require.Equal(t, 1, failed.exit)
	text := failed.errors()
	require.Contains(t, text, "start_loki")
	require.Contains(t, text, "exit code 2")
	require.Contains(t, text, "brought back")
	require.Equal(t, retention, w.attributes()["loki"], "state holds what is there, not what was wished")

	after := lives(t, p.service)
	require.Len(t, after, 3)
	require.Equal(t, before[catalog.LokiName].id, after[catalog.LokiName].id, "the old container is back")
	lokiHas(t, p, "written before the update")

	p.images.loki = loki
	w.use(p)
	w.assertEmptyPlan()
}

// slowUpdate applies a pipeline, then begins an update to a Loki that takes its time, and returns in the middle of it.
func slowUpdate(t *testing.T, w *world, p *pipeline, image string) (before map[string]life, apply *process) {
	t.Helper()
	w.use(p)
	w.apply()
	before = lives(t, p.service)
	p.images.loki = image
	w.use(p)
	apply = w.start("apply", "-auto-approve", "-json")
	eventually(t, time.Minute, "Loki's successor runs", func() bool {
		found, err := tryDocker("container", "inspect", "--format", "{{.Id}} {{.State.Status}}", p.container(catalog.LokiName))
		id, state, _ := strings.Cut(found, " ")
		return err == nil && id != before[catalog.LokiName].id && state == "running"
	})
	return before, apply
}

func TestCtrlCInAnUpdateBringsTheOldOneBack(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "ctrl-c-update")
	w := newWorld(t, shared.get(t))
	loki := p.images.loki
	before, apply := slowUpdate(t, w, p, hanging(t))
	apply.interrupt()
	interrupted := apply.wait()
	require.Equal(t, 1, interrupted.exit)
	require.Contains(t, interrupted.errors(), "brought back")
	after := lives(t, p.service)
	require.Len(t, after, 3)
	require.Equal(t, before[catalog.LokiName].id, after[catalog.LokiName].id)
	p.images.loki = loki
	w.use(p)
	w.assertEmptyPlan()
	w.destroy()
	assertNothingLeft(t, p.service)
}

func TestComponentsCanSwapTheirPorts(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "swap")
	w := newWorld(t, shared.get(t))
	w.use(p)
	w.apply()
	p.loki, p.grafana = p.grafana, p.loki
	w.use(p)
	w.apply()
	sendLine(t, p, "after the swap")
	lokiHas(t, p, "after the swap")
	assertWhole(t, w, p)
}

// Another name is another service: the old one goes, the new one comes, on the same ports.
func TestRenamedServiceIsReplaced(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "old-name")
	w := newWorld(t, shared.get(t))
	w.use(p)
	w.apply()
	old := p.service
	p.service = uniqueName("new-name")
	t.Cleanup(func() { purge(t, old) })
	w.use(p)
	require.Equal(t, 2, w.plan().exit)
	require.Equal(t, []string{"delete", "create"}, w.planned().Actions)
	w.applyPlan()
	assertNothingLeft(t, old)
	assertWhole(t, w, p)
}
