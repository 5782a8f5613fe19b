package deployments_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/cloudfault"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/railway"
)

const railwayToken = "railway-account-token"

// railwayWorld is a double with faults in front of it, an application that answers, and what is asked of orch.
type railwayWorld struct {
	t      *testing.T
	double *railway.Server
	faults *cloudfault.Faults
	url    string
	// app is where the application answers, and healthy whether it does.
	app     string
	healthy bool
	rates   *cloud.Governors
	request contract.Request
}

func newRailwayWorld(t *testing.T, change func(*railway.Config)) *railwayWorld {
	t.Helper()
	cfg := railway.Config{Token: railwayToken, Pace: 20 * time.Millisecond, Repos: []string{"acme/shop"}}
	if change != nil {
		change(&cfg)
	}
	w := &railwayWorld{t: t, double: railway.New(cfg, slog.New(slog.DiscardHandler)), healthy: true, rates: &cloud.Governors{}}
	w.faults = cloudfault.New(w.double)
	observe(t, "railway", w.faults)
	api := httptest.NewServer(w.faults)
	app := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		if !w.healthy {
			rw.WriteHeader(http.StatusBadGateway)
		}
	}))
	t.Cleanup(func() { w.faults.Clear(); api.Close(); app.Close() })
	w.url, w.app = api.URL, app.URL
	w.request = contract.Request{
		ServiceName: "shop", Operation: contract.OpCreate,
		Access:     map[string]contract.Access{"railway": {BaseURL: w.url}},
		Secrets:    map[string]string{contract.TokenSecret("railway"): railwayToken},
		AppSecrets: map[string]string{"API_KEY": "very-secret-value"},
		Input:      w.input(map[string]any{"image": "ghcr.io/acme/shop:1"}),
	}
	t.Cleanup(func() { require.Empty(t, w.double.Unknown(), "the double was asked for what it does not know") })
	return w
}

// input is an input as written, with what every test needs.
func (w *railwayWorld) input(attributes map[string]any) json.RawMessage {
	all := map[string]any{"public_url": w.app, "env": map[string]string{"MODE": "live"}, "health": map[string]any{"path": "/healthz", "timeout_seconds": 30}}
	for name, value := range attributes {
		all[name] = value
	}
	data, err := json.Marshal(all)
	require.NoError(w.t, err)
	return data
}

func (w *railwayWorld) setup() (contract.Result, error) {
	return run[contract.Result](w.t, w.rates, contract.RailwayDeployment.SetupWorkflow(), w.request)
}

func (w *railwayWorld) mustSetUp() contract.Result {
	w.t.Helper()
	result, err := w.setup()
	require.NoError(w.t, err)
	require.Equal(w.t, "railway_deploy_complete", result.Message)
	return result
}

// update makes the next setup an update of what a setup has made.
func (w *railwayWorld) update(result contract.Result, attributes map[string]any) {
	w.request.Operation, w.request.Known, w.request.Input = contract.OpUpdate, result.Deployed, w.input(attributes)
}

func (w *railwayWorld) status(known *contract.Deployed) contract.Observed {
	w.t.Helper()
	request := w.request
	request.Operation, request.Known, request.AppSecrets = contract.OpStatus, known, nil
	observed, err := run[contract.Observed](w.t, w.rates, contract.RailwayDeployment.StatusWorkflow(), request)
	require.NoError(w.t, err)
	return observed
}

func (w *railwayWorld) cleanup(known *contract.Deployed) (contract.Removed, error) {
	request := w.request
	request.Operation, request.Known, request.AppSecrets = contract.OpDelete, known, nil
	return run[contract.Removed](w.t, w.rates, contract.RailwayDeployment.CleanupWorkflow(), request)
}

// mutations counts what was carried out, by name.
func (w *railwayWorld) mutations() map[string]int {
	count := map[string]int{}
	for _, call := range w.faults.Calls() {
		if name, mutating := railwayCall(call); mutating && call.Done {
			count[strings.TrimPrefix(name, "mutation ")]++
		}
	}
	return count
}

// exactlyOne is what there must be after any setup, however often it was interrupted.
func (w *railwayWorld) exactlyOne() {
	w.t.Helper()
	projects := w.double.Projects()
	require.Len(w.t, projects, 1)
	require.Len(w.t, projects[0].Environments, 1)
	require.Len(w.t, projects[0].Services, 1)
	service := projects[0].Services[0]
	require.Equal(w.t, "shop", service.Name)
	require.Len(w.t, service.Domains, 1)
	require.Equal(w.t, 1, service.Running)
	require.Equal(w.t, "live", service.Variables["MODE"])
	require.Equal(w.t, "very-secret-value", service.Variables["API_KEY"])
}

func TestRailwayFromNothingToNothing(t *testing.T) {
	w := newRailwayWorld(t, func(cfg *railway.Config) { cfg.Lag, cfg.DeletionTime = 300*time.Millisecond, 300*time.Millisecond })
	result := w.mustSetUp()
	w.exactlyOne()
	require.Equal(t, w.app, result.Deployed.URL)
	require.Equal(t, "ghcr.io/acme/shop:1", result.Deployed.Image)
	require.Len(t, result.Deployed.Secrets["API_KEY"], 16)
	require.NotContains(t, fmt.Sprint(result), "very-secret-value")
	require.Equal(t, map[string]int{
		"projectCreate": 1, "serviceCreate": 1, "variableCollectionUpsert": 2, "serviceInstanceUpdate": 1, "serviceDomainCreate": 1,
		"serviceInstanceDeployV2": 1,
	}, w.mutations(), "no deployment but the one that was asked for")

	observed := w.status(result.Deployed)
	require.True(t, observed.Found)
	require.Empty(t, observed.Drifted())
	require.Equal(t, result.Deployed.IDs, observed.Deployed.IDs)
	require.Equal(t, result.Deployed.PlatformRelease, observed.Deployed.PlatformRelease)

	removed, err := w.cleanup(result.Deployed)
	require.NoError(t, err)
	require.Equal(t, []string{"project shop"}, removed.Objects)
	require.Empty(t, w.double.Projects())
	require.False(t, w.status(result.Deployed).Found)
	removed, err = w.cleanup(result.Deployed)
	require.NoError(t, err, "what is gone already is removed")
	require.Empty(t, removed.Objects)
}

func TestRailwayUpdateDeploysInPlace(t *testing.T) {
	w := newRailwayWorld(t, nil)
	first := w.mustSetUp()
	w.update(first, map[string]any{"image": "ghcr.io/acme/shop:2", "env": map[string]string{"OTHER": "x"}, "replicas": 3})
	second := w.mustSetUp()
	require.Equal(t, first.Deployed.IDs, second.Deployed.IDs)
	require.NotEqual(t, first.Deployed.PlatformRelease, second.Deployed.PlatformRelease)
	service := w.double.Projects()[0].Services[0]
	require.Equal(t, 1, service.Running)
	require.Equal(t, "x", service.Variables["OTHER"])
	require.NotContains(t, service.Variables, "MODE", "a variable that is no longer wanted goes")
	require.Empty(t, w.status(second.Deployed).Drifted())
}

func TestRailwayRollsBackToTheLastGoodRelease(t *testing.T) {
	for name, c := range map[string]struct {
		image   string
		healthy bool
		cause   string
	}{
		"build":  {"ghcr.io/acme/shop:fails-build", true, "ended as FAILED"},
		"crash":  {"ghcr.io/acme/shop:crashes", true, "ended as CRASHED"},
		"health": {"ghcr.io/acme/shop:2", false, "did not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newRailwayWorld(t, nil)
			w.request.Input = w.input(map[string]any{"image": "ghcr.io/acme/shop:1", "port": 8080})
			first := w.mustSetUp()
			w.update(first, map[string]any{"image": c.image, "env": map[string]string{"MODE": "new"}, "replicas": 2, "port": 3000,
				"health": map[string]any{"path": "/healthz", "timeout_seconds": 2}})
			w.healthy = c.healthy
			_, err := w.setup()
			f := failure(t, err)
			require.Contains(t, f.Cause, c.cause)
			require.True(t, f.Clean, f.Describe())
			require.Len(t, f.RolledBack, 1)
			require.NotEmpty(t, f.Evidence.Logs)
			require.NotContains(t, f.Describe(), "very-secret-value")
			require.Equal(t, []int{8080}, w.double.Projects()[0].Services[0].Ports, "the domain leads where the good release listens")
			w.exactlyOne()
			w.request.Input, w.healthy = w.input(map[string]any{"image": "ghcr.io/acme/shop:1", "port": 8080}), true
			known := w.status(nil).Deployed
			require.Empty(t, w.status(known).Drifted())
		})
	}
}

func TestRailwayDomainWaitsForItsInstance(t *testing.T) {
	w := newRailwayWorld(t, nil)
	require.NoError(t, w.faults.Add(cloudfault.Rule{Body: "mutation serviceDomainCreate", Times: 4, Status: http.StatusOK,
		Answer: `{"data":null,"errors":[{"message":"Failed to create service domain","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`}))
	w.mustSetUp()
	w.exactlyOne()
}

func TestRailwayDomainFollowsThePort(t *testing.T) {
	w := newRailwayWorld(t, nil)
	w.request.Input = w.input(map[string]any{"image": "ghcr.io/acme/shop:1", "port": 8080})
	first := w.mustSetUp()
	service := func() railway.Service { return w.double.Projects()[0].Services[0] }
	require.Equal(t, []int{8080}, service().Ports)
	w.update(first, map[string]any{"image": "ghcr.io/acme/shop:1", "port": 3000})
	require.Contains(t, w.status(first.Deployed).Drifted(), "domain: leads to port 8080 on Railway, and should lead to 3000")
	second := w.mustSetUp()
	require.Equal(t, []int{3000}, service().Ports)
	require.Equal(t, "3000", service().Variables["PORT"])
	require.Empty(t, w.status(second.Deployed).Drifted())
}

// A service that somebody has renamed is the same service: a second one must not come next to it.
func TestRailwayFollowsAServiceThatWasRenamed(t *testing.T) {
	w := newRailwayWorld(t, nil)
	first := w.mustSetUp()
	w.double.Rename("shop", "till")
	require.Empty(t, w.status(first.Deployed).Drifted())
	w.update(first, map[string]any{"image": "ghcr.io/acme/shop:2"})
	second := w.mustSetUp()
	require.Equal(t, first.Deployed.IDs, second.Deployed.IDs)
	require.Len(t, w.double.Projects()[0].Services, 1)
	_, err := w.cleanup(second.Deployed)
	require.NoError(t, err)
	require.Empty(t, w.double.Projects())
}

func TestRailwayFirstDeploymentThatFailsIsRemoved(t *testing.T) {
	w := newRailwayWorld(t, nil)
	w.request.Input = w.input(map[string]any{"image": "ghcr.io/acme/shop:crashes"})
	_, err := w.setup()
	f := failure(t, err)
	require.Equal(t, "deploy", f.Step)
	require.True(t, f.Clean, f.Describe())
	require.Equal(t, []string{"project shop"}, f.RolledBack)
	require.Contains(t, strings.Join(f.Evidence.Logs, "\n"), "panic: no configuration")
	require.Contains(t, strings.Join(f.Evidence.Logs, "\n"), "token ***")
	require.Empty(t, w.double.Projects())
}

// TestRailwayAnswerLost loses the answer of each call in turn, after the work was done, which is what a client sees of a
// platform that hiccups.
func TestRailwayAnswerLost(t *testing.T) {
	calls := railwayCalls(t)
	for n, name := range calls {
		if !strings.HasPrefix(name, "mutation") {
			continue
		}
		t.Run(fmt.Sprintf("%02d %s", n+1, name), func(t *testing.T) {
			t.Parallel()
			for _, rule := range []cloudfault.Rule{
				{Skip: n, Times: 1, Done: true, Reset: true},
				{Skip: n, Times: 1, Done: true, Status: http.StatusRequestTimeout},
				{Skip: n, Times: 1, Status: http.StatusBadGateway},
				{Skip: n, Times: 1, Status: http.StatusTooManyRequests, Header: map[string]string{"Retry-After": "0.1"}, Answer: "error code: 1015"},
			} {
				w := newRailwayWorld(t, nil)
				require.NoError(t, w.faults.Add(rule))
				result := w.mustSetUp()
				w.exactlyOne()
				require.LessOrEqual(t, w.mutations()["serviceInstanceDeployV2"], 1)
				_, err := w.cleanup(result.Deployed)
				require.NoError(t, err)
				require.Empty(t, w.double.Projects())
			}
		})
	}
}

// TestRailwayEndsAfterEachCall has every call fail from the n-th on, as it is for a worker that is killed there and whose run is
// given up, and sets up anew with nothing known.
func TestRailwayEndsAfterEachCall(t *testing.T) {
	for n, name := range railwayCalls(t) {
		t.Run(fmt.Sprintf("%02d %s", n+1, name), func(t *testing.T) {
			t.Parallel()
			w := newRailwayWorld(t, nil)
			require.NoError(t, w.faults.Add(cloudfault.Rule{Skip: n + 1, Status: http.StatusUnauthorized}))
			w.request.OnFailure = contract.OnFailureKeep
			if _, err := w.setup(); err == nil {
				t.Log("the last call")
			}
			w.faults.Clear()
			result := w.mustSetUp()
			w.exactlyOne()
			_, err := w.cleanup(result.Deployed)
			require.NoError(t, err)
			require.Empty(t, w.double.Projects())
		})
	}
}

// railwayCalls are the calls of a setup from nothing, by kind and name.
func railwayCalls(t *testing.T) []string {
	t.Helper()
	w := newRailwayWorld(t, nil)
	w.mustSetUp()
	var names []string
	for _, call := range w.faults.Calls() {
		name, _ := railwayCall(call)
		names = append(names, name)
	}
	return names
}

// eventually is how long something may take that the double does by itself, and tick how often is looked.
const eventually, tick = 30 * time.Second, 50 * time.Millisecond
