package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
)

var components = []string{catalog.CollectorName, catalog.LokiName, catalog.GrafanaName}

// harms are what somebody may do to a container behind orch's back.
var harms = []struct {
	name, component string
	do              func(t *testing.T, container string, p *pipeline)
}{
	{"stop", catalog.LokiName, func(t *testing.T, c string, _ *pipeline) { docker(t, "stop", "--time", "5", c) }},
	{"remove", catalog.CollectorName, func(t *testing.T, c string, _ *pipeline) { docker(t, "rm", "--force", c) }},
	{"pause", catalog.GrafanaName, func(t *testing.T, c string, _ *pipeline) { docker(t, "pause", c) }},
	{"rename", catalog.LokiName, func(t *testing.T, c string, _ *pipeline) { docker(t, "rename", c, c+"-elsewhere") }},
	{"update the memory limit", catalog.CollectorName, func(t *testing.T, c string, _ *pipeline) {
		docker(t, "update", "--memory", "300m", "--memory-swap", "600m", c)
	}},
	{"disconnect from the network", catalog.GrafanaName, func(t *testing.T, c string, p *pipeline) {
		docker(t, "network", "disconnect", p.ref().Network(), c)
	}},
	{"edit an injected file", catalog.LokiName, func(t *testing.T, c string, _ *pipeline) {
		edited := filepath.Join(t.TempDir(), "local-config.yaml")
		docker(t, "cp", c+":/etc/loki/local-config.yaml", edited)
		require.NoError(t, os.Chmod(edited, 0o644))
		file, err := os.OpenFile(edited, os.O_APPEND|os.O_WRONLY, 0)
		require.NoError(t, err)
		_, err = file.WriteString("# edited by hand\n")
		require.NoError(t, err)
		require.NoError(t, file.Close())
		docker(t, "cp", edited, c+":/etc/loki/local-config.yaml")
	}},
}

// The harms are spread over several services, so that they can run at the same time.
func TestDriftIsShownAndRepairedWhereItIs(t *testing.T) {
	for _, part := range [][]int{{0, 4}, {1, 3}, {2, 5, 6}} {
		names := make([]string, len(part))
		for i, n := range part {
			names[i] = strings.Fields(harms[n].name)[0]
		}
		t.Run(strings.Join(names, "+"), func(t *testing.T) {
			t.Parallel()
			p := newPipeline(t, "drift")
			w := newWorld(t, shared.get(t))
			w.use(p)
			w.apply()
			for _, n := range part {
				assertRepaired(t, w, p, n)
			}
			w.destroy()
			assertNothingLeft(t, p.service)
		})
	}
}

func assertRepaired(t *testing.T, w *world, p *pipeline, n int) {
	t.Helper()
	harm := harms[n]
	before := lives(t, p.service)
	harm.do(t, p.container(harm.component), p)

	planned := w.plan()
	require.Equal(t, 2, planned.exit, "%s: the plan must show a change: %s", harm.name, planned.errors())
	warning := planned.warnings()
	require.Contains(t, warning, harm.component+": ", harm.name)
	assertOnlyChanges(t, w.planned(), harm.component, warning)

	w.applyPlan()
	after := lives(t, p.service)
	for _, component := range components {
		require.Equal(t, "running", after[component].state, "%s: %s", harm.name, component)
		if component != harm.component {
			require.Equal(t, before[component], after[component], "%s of %s must leave %s alone", harm.name, harm.component, component)
			continue
		}
		require.True(t, exists("container", p.container(component)), "%s has its name again", component)
	}
	w.assertEmptyPlan()
}

// assertOnlyChanges says that a plan changes one entry of containers, in place, and warns of no other component.
func assertOnlyChanges(t *testing.T, c change, component, warning string) {
	t.Helper()
	require.Equal(t, []string{"update"}, c.Actions)
	for _, other := range components {
		if other == component {
			continue
		}
		require.NotContains(t, warning, other+": ")
		before, _ := c.Before["containers"].(map[string]any)
		after, _ := c.After["containers"].(map[string]any)
		require.Equal(t, before[other], after[other], "the plan must not change %s", other)
		require.False(t, holdsTrue(entry(c.AfterUnknown["containers"], other)), "%s is known to stay as it is", other)
	}
	require.True(t, holdsTrue(entry(c.AfterUnknown["containers"], component)), "%s is to be repaired", component)
}

// entry is what after_unknown says of one element: true, or an object, or nothing when all of it is known.
func entry(unknown any, name string) any {
	if all, ok := unknown.(map[string]any); ok {
		return all[name]
	}
	return unknown
}

func holdsTrue(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case map[string]any:
		for _, inner := range v {
			if holdsTrue(inner) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, holdsTrue)
	}
	return false
}

// The network and the volumes are still the resource's: it is repaired, and a destroy leaves none of them.
func TestAllContainersGoneMeansRepair(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "gone")
	w := newWorld(t, shared.get(t))
	w.use(p)
	w.apply()
	for _, component := range components {
		docker(t, "rm", "--force", p.container(component))
	}
	require.Equal(t, 2, w.plan().exit)
	require.Equal(t, []string{"update"}, w.planned().Actions)
	w.applyPlan()
	w.assertEmptyPlan()
	for _, component := range components {
		docker(t, "rm", "--force", p.container(component))
	}
	w.destroy()
	assertNothingLeft(t, p.service)
}

func TestRemovedNetworkIsRepaired(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "network")
	w := newWorld(t, shared.get(t))
	w.use(p)
	w.apply()
	for _, component := range components {
		docker(t, "network", "disconnect", p.ref().Network(), p.container(component))
	}
	docker(t, "network", "rm", p.ref().Network())
	planned := w.plan()
	require.Equal(t, 2, planned.exit)
	for _, component := range components {
		require.Contains(t, planned.warnings(), component+": ")
	}
	w.applyPlan()
	sendLine(t, p, "through the new network")
	lokiHas(t, p, "through the new network")
	assertWhole(t, w, p)
}

func TestDestroyOfWhatIsGoneIsSuccess(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "gone-already")
	w := newWorld(t, shared.get(t))
	w.use(p)
	w.apply()
	purge(t, p.service)
	w.destroy()
	w.assertNoState()
}
