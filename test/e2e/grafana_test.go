package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// grafanaAt is a Grafana with its administrator's login.
type grafanaAt struct {
	base, password string
}

// grafanaOf is the Grafana of a pipeline that has one of its own.
func grafanaOf(t *testing.T, s *server, owner *resource) grafanaAt {
	t.Helper()
	return grafanaAt{owner.url("grafana.port"), secretOf(t, s, owner, catalog.GrafanaName)}
}

func (g grafanaAt) call(t *testing.T, method, path string, body any) (int, string) {
	t.Helper()
	return call(t, method, g.base+path, basicAuth(catalog.GrafanaAdminUser, g.password), body)
}

// has reports which of a guest's objects are there.
func (g grafanaAt) has(t *testing.T, uid string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for what, path := range map[string]string{
		"data source": "/api/datasources/uid/" + uid, "folder": "/api/folders/" + uid, "dashboard": "/api/dashboards/uid/" + uid,
	} {
		status, answer := g.call(t, http.MethodGet, path, nil)
		require.Contains(t, []int{http.StatusOK, http.StatusNotFound}, status, "%s: %s", path, answer)
		found[what] = status == http.StatusOK
	}
	return found
}

func all(there bool) map[string]bool {
	return map[string]bool{"data source": there, "folder": there, "dashboard": there}
}

// jsonData are the settings of a data source.
func (g grafanaAt) jsonData(t *testing.T, uid string) string {
	t.Helper()
	status, answer := g.call(t, http.MethodGet, "/api/datasources/uid/"+uid, nil)
	require.Equal(t, http.StatusOK, status, answer)
	var d struct {
		JSONData json.RawMessage `json:"jsonData"`
	}
	require.NoError(t, json.Unmarshal([]byte(answer), &d))
	return string(d.JSONData)
}

// newGuest is a metrics pipeline that shows its data in the Grafana of owner. The values are written out, as in another
// configuration than the owner's.
func newGuest(t *testing.T, owner *resource) *resource {
	t.Helper()
	guest := newResource(t, contract.MetricsPipeline, "guest")
	guest.label = "guest"
	guest.blocks["grafana"] = map[string]string{"url": strconv.Quote(owner.url("grafana.port")), "pipeline_id": strconv.Quote(owner.ref().ID())}
	return guest
}

// newOwner is an applied tracing pipeline with a Grafana of its own.
func newOwner(t *testing.T) (*resource, *world) {
	t.Helper()
	owner := newResource(t, contract.TracingPipeline, "owner")
	owner.label = "owner"
	w := newWorld(t, shared.get(t))
	w.useAll(owner)
	w.apply()
	return owner, w
}

func TestGuestInAnotherPipelinesGrafana(t *testing.T) {
	t.Parallel()
	owner, ownerWorld := newOwner(t)
	grafana := grafanaOf(t, ownerWorld.server, owner)
	guest := newGuest(t, owner)
	guest.set("grafana", "traces_datasource_uid", `"orch-jaeger"`)
	w := newWorld(t, shared.get(t))
	w.useAll(guest)
	w.apply()
	uid, _ := w.attributes()["datasource_uid"].(string)
	require.Equal(t, "orch-metrics-"+guest.service, uid)
	require.Equal(t, all(true), grafana.has(t, uid))
	require.Contains(t, grafana.jsonData(t, uid), `"orch-jaeger"`, "exemplars lead to the owner's traces")
	require.Contains(t, w.verified(guest), contract.SignalMetric)
	require.Equal(t, []string{catalog.PrometheusName}, guest.components(t))
	require.Len(t, lives(t, guest.service), 1, "it has no Grafana of its own")
	w.assertEmptyPlan()
	ownerWorld.assertEmptyPlan()

	guestDrift(t, w, guest, grafana, uid)
	assertImports(t, w.server, guest)
	ownerGoesFirst(t, ownerWorld, owner, guest)

	w.destroy()
	assertNothingLeft(t, guest.service)
	require.Equal(t, all(false), grafana.has(t, uid))
	status, answer := grafana.call(t, http.MethodGet, "/api/datasources/uid/orch-jaeger", nil)
	require.Equal(t, http.StatusOK, status, answer)
	status, answer = grafana.call(t, http.MethodGet, "/api/dashboards/uid/orch-tracing", nil)
	require.Equal(t, http.StatusOK, status, answer)
	ownerWorld.assertEmptyPlan()
	ownerWorld.destroy()
	assertNothingLeft(t, owner.service)
}

// guestDrift deletes and edits the guest's objects behind orch's back.
func guestDrift(t *testing.T, w *world, guest *resource, grafana grafanaAt, uid string) {
	t.Helper()
	before := lives(t, guest.service)
	harms := map[string]func(){
		"dashboard": func() {
			status, answer := grafana.call(t, http.MethodDelete, "/api/dashboards/uid/"+uid, nil)
			require.Equal(t, http.StatusOK, status, answer)
		},
		"data source": func() {
			status, answer := grafana.call(t, http.MethodGet, "/api/datasources/uid/"+uid, nil)
			require.Equal(t, http.StatusOK, status, answer)
			var d map[string]any
			require.NoError(t, json.Unmarshal([]byte(answer), &d))
			d["url"] = "http://elsewhere.invalid:9090"
			status, answer = grafana.call(t, http.MethodPut, "/api/datasources/uid/"+uid, map[string]any{
				"name": d["name"], "uid": uid, "type": d["type"], "access": "proxy", "url": d["url"], "jsonData": d["jsonData"],
			})
			require.Equal(t, http.StatusOK, status, answer)
		},
	}
	for what, harm := range harms {
		harm()
		planned := w.plan()
		require.Equal(t, 2, planned.exit, "%s: %s", what, planned.errors())
		require.Contains(t, planned.warnings(), "grafana: the "+what)
		require.False(t, holdsTrue(w.planned().AfterUnknown["containers"]), "no container is touched")
		w.applyPlan()
		require.Equal(t, all(true), grafana.has(t, uid))
		require.Equal(t, before, lives(t, guest.service))
		w.assertEmptyPlan()
	}
}

// ownerGoesFirst destroys the owner while the guest is on its network: that is refused, and nothing is broken by it.
func ownerGoesFirst(t *testing.T, w *world, owner, guest *resource) {
	t.Helper()
	before := lives(t, owner.service)
	refused := w.terraform("destroy", "-auto-approve", "-json")
	require.Equal(t, 1, refused.exit)
	require.Contains(t, refused.errors(), "metrics")
	require.Contains(t, refused.errors(), guest.service)
	require.Contains(t, refused.errors(), "first")
	require.Equal(t, before, lives(t, owner.service), "a refusal stops nothing")
	w.assertEmptyPlan()
}

// What somebody else has put under the same uid is neither overwritten nor deleted.
func TestForeignObjectInGrafanaIsRefused(t *testing.T) {
	t.Parallel()
	owner, w := newOwner(t)
	grafana := grafanaOf(t, w.server, owner)
	guest := newGuest(t, owner)
	uid := guest.ref().Network()
	theirs := map[string]any{"name": "Theirs", "uid": uid, "type": "prometheus", "access": "proxy", "url": "http://theirs.invalid:9090"}
	status, answer := grafana.call(t, http.MethodPost, "/api/datasources", theirs)
	require.Equal(t, http.StatusOK, status, answer)

	second := newWorld(t, shared.get(t))
	second.useAll(guest)
	refused := second.tryApply()
	require.Equal(t, 1, refused.exit)
	require.Contains(t, refused.errors(), "provision_grafana")
	require.Contains(t, refused.errors(), uid)
	require.Contains(t, refused.errors(), string(contract.NotOwned))
	assertNothingLeft(t, guest.service)
	status, answer = grafana.call(t, http.MethodGet, "/api/datasources/uid/"+uid, nil)
	require.Equal(t, http.StatusOK, status, answer)
	require.Contains(t, answer, "theirs.invalid", "it is as it was")
	w.destroy()
	assertNothingLeft(t, owner.service)
}

// A Grafana that orch did not make: login by password, and the store's address told.
func TestGuestWithAPasswordOfItsOwn(t *testing.T) {
	t.Parallel()
	owner, ownerWorld := newOwner(t)
	grafana := grafanaOf(t, ownerWorld.server, owner)
	guest := newGuest(t, owner)
	delete(guest.blocks["grafana"], "pipeline_id")
	guest.withSecret("grafana", "admin_password_wo", "1")
	// The engine's own address on the owner's network leads to the guest's published port.
	gateway := docker(t, "network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", owner.ref().Network())
	guest.top = append(guest.top, fmt.Sprintf("bind_address = %q", gateway))
	port := guest.blocks["prometheus"]["port"]
	guest.set("grafana", "datasource_url", strconv.Quote("http://"+gateway+":"+port))

	w := newWorld(t, shared.get(t))
	w.env = append(w.env, "TF_VAR_secret=not-the-password")
	w.useAll(guest)
	refused := w.tryApply()
	require.Equal(t, 1, refused.exit)
	require.Contains(t, refused.errors(), string(contract.Denied))
	require.Contains(t, refused.errors(), "grafana")
	assertNothingLeft(t, guest.service)

	w.env = append(w.env, "TF_VAR_secret="+grafana.password)
	w.apply()
	uid := guest.ref().Network()
	require.Equal(t, all(true), grafana.has(t, uid))
	w.assertEmptyPlan()
	assertKept(t, w, guest, grafana.password)
	w.destroy()
	require.Equal(t, all(false), grafana.has(t, uid))
	assertNothingLeft(t, guest.service)
	ownerWorld.destroy()
	assertNothingLeft(t, owner.service)
}

// Up is not the same as working: the data source leads nowhere, so that nothing comes back.
func TestFailedCanaryIsAFailedStep(t *testing.T) {
	t.Parallel()
	owner, ownerWorld := newOwner(t)
	grafana := grafanaOf(t, ownerWorld.server, owner)
	guest := newGuest(t, owner)
	guest.set("grafana", "datasource_url", `"http://nowhere.invalid:9090"`)
	w := newWorld(t, shared.get(t))
	w.useAll(guest)
	failed := w.tryApply()
	require.Equal(t, 1, failed.exit)
	text := failed.errors()
	for _, part := range []string{"verify", "metric", guest.ref().Network(), "nowhere.invalid", "Last log lines", guest.container(catalog.PrometheusName), "removed container"} {
		require.Contains(t, text, part)
	}
	w.assertNoState()
	assertNothingLeft(t, guest.service)
	require.Equal(t, all(false), grafana.has(t, guest.ref().Network()), "the rollback takes the objects out of Grafana too")

	// Without the proof it is as green as any tool that looks at processes.
	guest.top = append(guest.top, "verify = false")
	w.useAll(guest)
	w.apply()
	require.Empty(t, w.verified(guest))
	require.NotContains(t, w.attributes()["steps"], "verify")
	w.assertEmptyPlan()
	w.destroy()
	require.Equal(t, all(false), grafana.has(t, guest.ref().Network()))
	assertNothingLeft(t, guest.service)
	ownerWorld.destroy()
	assertNothingLeft(t, owner.service)
}

// proxied is a query through Grafana's data source proxy.
func (g grafanaAt) proxied(t *testing.T, uid, path string, parameters url.Values) string {
	t.Helper()
	_, body := g.call(t, http.MethodGet, "/api/datasources/proxy/uid/"+uid+path+"?"+parameters.Encode(), nil)
	return body
}

// lokiFinds waits until a LogQL query through Grafana returns text.
func (g grafanaAt) lokiFinds(t *testing.T, uid, logQL, text string) {
	t.Helper()
	eventually(t, dataLimit, "Grafana returns "+text, func() bool {
		return strings.Contains(g.proxied(t, uid, "/loki/api/v1/query_range", url.Values{"query": {logQL}}), text)
	})
}
