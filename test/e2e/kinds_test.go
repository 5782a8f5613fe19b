package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// kinds are the pipelines besides that of logs, which has the other files of this package.
var kinds = []struct {
	kind contract.Kind
	// signals are what its setup proves.
	signals []string
	// harmed is the component that something happens to.
	harmed string
}{
	{contract.MetricsPipeline, []string{contract.SignalMetric}, catalog.PrometheusName},
	{contract.TracingPipeline, []string{contract.SignalSpan}, catalog.JaegerName},
	{contract.DatabasePipeline, []string{contract.SignalCypher, contract.SignalVector}, catalog.Neo4jName},
}

// The life of each kind: made, proven, found unchanged, broken, repaired, imported, removed.
func TestLifeOfEachKind(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		t.Run(k.kind.Short, func(t *testing.T) {
			t.Parallel()
			r := newResource(t, k.kind, "life")
			w := newWorld(t, shared.get(t))
			w.useAll(r)
			w.apply()
			require.Equal(t, "ready", w.attribute("status"))
			require.Equal(t, r.ref().ID(), w.attribute("id"))
			require.Contains(t, w.attributes()["steps"], "verify")
			proofs := w.verified(r)
			require.Len(t, proofs, len(k.signals))
			for _, signal := range k.signals {
				require.Contains(t, proofs, signal)
				require.GreaterOrEqual(t, proofs[signal], 0.0)
			}
			w.assertEmptyPlan()

			assertRepairs(t, w, r, k.harmed)
			assertImports(t, w.server, r)
			assertNoUnknownRequests(t, w.server, r)
			w.destroy(asUsual)
			w.assertNoState()
			assertNothingLeft(t, r.service)
		})
	}
}

// assertRepairs stops a component, sees it named in the plan, and the others left alone by the apply.
func assertRepairs(t *testing.T, w *world, r *resource, component string) {
	t.Helper()
	before := lives(t, r.service)
	docker(t, "stop", "--time", "10", r.container(component))
	planned := w.plan()
	require.Equal(t, 2, planned.exit, planned.errors())
	require.Contains(t, planned.warnings(), component+": ")
	require.Equal(t, []string{"update"}, w.planned().Actions)
	w.applyPlan()
	after := lives(t, r.service)
	for _, name := range r.components(t) {
		if name == component {
			require.Equal(t, "running", after[name].state)
			continue
		}
		require.Equal(t, before[name], after[name], "the repair of %s must leave %s alone", component, name)
	}
	w.assertEmptyPlan()
}

// assertImports finds the configuration again in another directory, by the name alone.
func assertImports(t *testing.T, s *server, r *resource) {
	t.Helper()
	before := lives(t, r.service)
	w := newWorld(t, s)
	alike := *r
	alike.top = nil // settings of operations are not the service's: an import cannot find them
	w.useAll(&alike)
	imported := w.terraform("import", "-no-color", r.address(), r.service)
	require.Zero(t, imported.exit, imported.out)
	w.assertEmptyPlan()
	require.Equal(t, before, lives(t, r.service))
}

// assertNoUnknownRequests says that the doubles were asked for nothing that the real software might not understand.
func assertNoUnknownRequests(t *testing.T, s *server, r *resource) {
	t.Helper()
	for _, c := range defaultStack(t, r.kind).Components {
		image := strings.Trim(r.blocks[c.InputPath]["image"], `"`)
		if !strings.Contains(image, "/doubles/") {
			continue
		}
		for _, p := range c.Ports {
			if p.Name != "http" {
				continue
			}
			login := http.Header{}
			switch c.Name {
			case catalog.GrafanaName:
				login = basicAuth(catalog.GrafanaAdminUser, secretOf(t, s, r, c.Name))
			case catalog.QdrantName:
				login = qdrantKey(secretOf(t, s, r, c.Name))
			}
			status, body := call(t, http.MethodGet, r.url(p.Attribute)+"/double/unknown", login, nil)
			require.Equal(t, http.StatusOK, status, "%s: %s", c.Name, body)
			require.Contains(t, body, `"count":0`, "%s got requests that it does not know", c.Name)
		}
	}
}

// A missing or non-string name is refused before anything starts, from HCL and from any Temporal client.
func TestServiceNameIsRequired(t *testing.T) {
	t.Parallel()
	s := shared.get(t)
	all := map[string]refusal{}
	for _, kind := range contract.Kinds(contract.Stacks) {
		for _, body := range []string{"", "service_name = null", "service_name = [\"app\"]", "service_name = \"\""} {
			name := kind.Short + " with " + body
			all[name] = refusal{fmt.Sprintf("resource \"orch_%s\" %q {\n  %s\n}\n", kind.Name, labelOf(name), body), "", "service_name"}
		}
	}
	assertRefused(t, all)
	for _, kind := range contract.Kinds(contract.Stacks) {
		t.Run(kind.Short, func(t *testing.T) {
			t.Parallel()
			refusesStart(t, s, kind, map[string]any{})
			refusesStart(t, s, kind, map[string]any{"service_name": 5})
			refusesStart(t, s, kind, map[string]any{"service_name": ""})
		})
	}
}
