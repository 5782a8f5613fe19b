package activities_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

const (
	logsUID = "orch-logs-app"
	mark    = "orch:orch-logs-app"
)

// shared is a pipeline that shows its data in the double.
type shared struct {
	*grafanaDouble
	engine *engineDouble
	call   contract.GrafanaCall
}

func newShared(t *testing.T) *shared {
	t.Helper()
	g := newGrafanaDouble(t)
	owner := contract.NewRef(contract.TracingPipeline, "", "app")
	return &shared{
		grafanaDouble: g,
		engine: &engineDouble{
			id: "engine-1", secrets: map[string]string{"grafana/admin_password": "right-password"},
			addresses: map[string]string{"grafana/http": g.server.Listener.Addr().String()},
		},
		call: contract.GrafanaCall{EngineID: "engine-1", Objects: contract.GrafanaObjects{
			URL: g.server.URL, User: "admin", Password: &contract.SecretRef{Ref: owner, Component: "grafana", Name: "admin_password"},
			FolderUID: logsUID, FolderTitle: "Orch logs app", Attribute: "grafana.url",
			Datasource: json.RawMessage(`{"name":"Loki app","uid":"orch-logs-app","type":"loki","access":"proxy","url":"http://loki.app.logs:3100",
			  "jsonData":{"derivedFields":[{"name":"trace_id","datasourceUid":"orch-jaeger"}]}}`),
			Dashboards: []json.RawMessage{json.RawMessage(`{"uid":"orch-logs-app","title":"Orch logs of app","tags":["orch"],"schemaVersion":39,
			  "panels":[{"id":1,"type":"logs","title":"Lines","targets":[{"refId":"A","expr":"{service_name=~\".+\"}"}]}]}`)},
		}},
	}
}

func (s *shared) ensure() error {
	return run(s.t, s.engine, contract.EnsureGrafana.Name, s.call, nil)
}

func (s *shared) drift() []string {
	s.t.Helper()
	var state contract.GrafanaState
	require.NoError(s.t, run(s.t, s.engine, contract.InspectGrafana.Name, s.call, &state))
	return state.Drift
}

func (s *shared) removal() ([]string, error) {
	var undone contract.Undone
	err := run(s.t, s.engine, contract.RemoveGrafana.Name, s.call, &undone)
	return undone.Done, err
}

// inside is the JSON object within another one at a key.
func (s *shared) inside(object map[string]any, key string) map[string]any {
	s.t.Helper()
	inner, ok := object[key].(map[string]any)
	require.True(s.t, ok, "%s is %v", key, object[key])
	return inner
}

func (s *shared) settings() map[string]any { return s.inside(s.datasources[logsUID], "jsonData") }
func (s *shared) model() map[string]any    { return s.inside(s.dashboards[logsUID], "dashboard") }

func (s *shared) panel() map[string]any {
	s.t.Helper()
	panels, ok := s.model()["panels"].([]any)
	require.True(s.t, ok)
	return s.inside(map[string]any{"panel": panels[0]}, "panel")
}

func TestObjectsAreMadeOnceAndCarryTheirOwner(t *testing.T) {
	s := newShared(t)
	require.Equal(t, []string{
		"the data source orch-logs-app is missing", "the folder orch-logs-app is missing", "the dashboard orch-logs-app is missing",
	}, s.drift())
	for range 2 {
		require.NoError(t, s.ensure())
		require.Empty(t, s.drift())
		require.Len(t, s.datasources, 1)
		require.Len(t, s.folders, 1)
		require.Len(t, s.dashboards, 1)
	}
	require.Equal(t, mark, s.settings()["orchOwner"])
	require.Equal(t, []any{"orch", mark}, s.model()["tags"])
	require.Equal(t, 0, s.refused)
}

func TestDriftIsToldAndPutRight(t *testing.T) {
	for name, c := range map[string]struct {
		change func(s *shared)
		want   string
	}{
		"url":            {func(s *shared) { s.datasources[logsUID]["url"] = "http://elsewhere" }, `the data source orch-logs-app has url "http://elsewhere" instead of "http://loki.app.logs:3100"`},
		"link":           {func(s *shared) { s.datasources[logsUID]["jsonData"] = map[string]any{"orchOwner": mark} }, "the data source orch-logs-app has another setting derivedFields"},
		"renamed folder": {func(s *shared) { s.folders[logsUID] = "Mine" }, `the folder orch-logs-app is called "Mine" instead of "Orch logs app"`},
		"no folder": {func(s *shared) {
			delete(s.folders, logsUID)
			s.dashboards[logsUID]["meta"] = map[string]any{"folderUid": ""}
		}, "the folder orch-logs-app is missing"},
		"panel":     {func(s *shared) { s.panel()["title"] = "Mine" }, "the dashboard orch-logs-app has another panels"},
		"dashboard": {func(s *shared) { delete(s.dashboards, logsUID) }, "the dashboard orch-logs-app is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShared(t)
			require.NoError(t, s.ensure())
			c.change(s)
			require.Contains(t, s.drift(), c.want)
			require.NoError(t, s.ensure())
			require.Empty(t, s.drift())
		})
	}
}

// The token of a Grafana that no pipeline owns is found by the worker, each time.
func TestATokenByReferenceOpensAGrafana(t *testing.T) {
	s := newShared(t)
	s.token = "right-token"
	s.call.Objects.User, s.call.Objects.Password = "", nil
	s.call.Objects.TokenSource = &contract.SecretSource{Env: "ORCH_SECRET_GRAFANA"}
	failure := failureOf(t, s.ensure())
	require.Equal(t, contract.NotFound, failure.Class)
	require.Equal(t, "grafana.token", failure.Attribute)
	require.Contains(t, failure.Hint, "ORCH_SECRET_GRAFANA")
	t.Setenv("ORCH_SECRET_GRAFANA", "right-token")
	require.NoError(t, s.ensure())
	require.Empty(t, s.drift())
	done, err := s.removal()
	require.NoError(t, err)
	require.NotEmpty(t, done)
}

func TestWhatGrafanaAddsIsNoDrift(t *testing.T) {
	s := newShared(t)
	require.NoError(t, s.ensure())
	s.panel()["pluginVersion"] = "12.4.15"
	s.settings()["maxLines"] = 500
	s.datasources[logsUID]["isDefault"] = true
	require.Empty(t, s.drift())
	require.NoError(t, s.ensure())
	require.Equal(t, true, s.datasources[logsUID]["isDefault"], "which data source is the default is the owner's choice")
}

func TestALinkThatIsNoLongerWantedGoes(t *testing.T) {
	s := newShared(t)
	require.NoError(t, s.ensure())
	s.call.Objects.Datasource = json.RawMessage(`{"name":"Loki app","uid":"orch-logs-app","type":"loki","access":"proxy","url":"http://loki.app.logs:3100"}`)
	require.NoError(t, s.ensure())
	require.NotContains(t, s.datasources[logsUID]["jsonData"], "derivedFields")
}

func TestForeignObjectsAreRefusedAndNothingIsWritten(t *testing.T) {
	foreignBoard := map[string]any{"meta": map[string]any{"folderUid": ""}, "dashboard": map[string]any{"title": "Theirs", "tags": []any{"orch"}}}
	for name, c := range map[string]struct {
		there func(s *shared)
		class contract.ErrorClass
		cause string
	}{
		"data source": {func(s *shared) {
			s.datasources[logsUID] = map[string]any{"name": "Theirs", "jsonData": map[string]any{}}
		}, contract.NotOwned, "has a data source with the uid \"orch-logs-app\" already"},
		"data source from a file": {func(s *shared) {
			s.datasources[logsUID] = map[string]any{"name": "Theirs", "readOnly": true, "jsonData": map[string]any{"orchOwner": mark}}
		}, contract.NotOwned, "provisioning file"},
		"dashboard": {func(s *shared) { s.dashboards[logsUID] = foreignBoard }, contract.NotOwned, "has a dashboard with the uid \"orch-logs-app\" already"},
		"folder":    {func(s *shared) { s.folders[logsUID] = "Theirs" }, contract.NotOwned, `has a folder "Theirs" with the uid "orch-logs-app" already`},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShared(t)
			c.there(s)
			failure := failureOf(t, s.ensure())
			require.Equal(t, c.class, failure.Class)
			require.Contains(t, failure.Cause, c.cause)
			require.Equal(t, "grafana.url", failure.Attribute)
			require.NotEmpty(t, failure.Hint)
			require.Empty(t, s.writes)
			done, err := s.removal()
			require.NoError(t, err)
			require.Len(t, done, 1)
			require.Contains(t, done[0], "left ")
			require.Empty(t, s.writes, "what is somebody else's stays")
		})
	}
}

func TestATakenNameIsAConflictThatNamesIt(t *testing.T) {
	s := newShared(t)
	s.datasources["other"] = map[string]any{"name": "Loki app"}
	failure := failureOf(t, s.ensure())
	require.Equal(t, contract.Conflict, failure.Class)
	require.Contains(t, failure.Cause, `another data source of the name "Loki app" already: data source with the same name already exists`)
	delete(s.datasources, "other")
	s.folders["other"] = "Orch logs app"
	failure = failureOf(t, s.ensure())
	require.Equal(t, contract.Conflict, failure.Class)
	require.Contains(t, failure.Cause, `another folder of the name "Orch logs app" already`)
}

func TestRefusedLoginsAreNotRepeated(t *testing.T) {
	s := newShared(t)
	s.password = "changed-elsewhere"
	failure := failureOf(t, s.ensure())
	require.Equal(t, contract.Denied, failure.Class)
	require.Equal(t, "grafana.url", failure.Attribute)
	require.Contains(t, failure.Cause, `refuses the password of "admin": 401 Unauthorized: Invalid username or password`)
	require.Contains(t, failure.Hint, "locks the account")
	require.Equal(t, 1, s.refused)
	require.Contains(t, s.drift()[0], "refuses the password")
	require.Equal(t, 2, s.refused)
	require.NotContains(t, failure.Describe(), "right-password")

	s.password, s.forbidden = "right-password", true
	failure = failureOf(t, s.ensure())
	require.Equal(t, contract.Denied, failure.Class)
	require.Contains(t, failure.Hint, "role Admin")
}

func TestATokenLogsIn(t *testing.T) {
	s := newShared(t)
	s.token = "glsa_token"
	s.engine.secrets["loki/grafana_token"] = "glsa_token"
	s.call.Objects.User, s.call.Objects.Password = "", nil
	s.call.Objects.Token = &contract.SecretRef{Ref: contract.NewRef(contract.LogsPipeline, "", "app"), Component: "loki", Name: "grafana_token"}
	require.NoError(t, s.ensure())
	s.token = "another"
	require.Contains(t, failureOf(t, s.ensure()).Cause, "refuses the token")
}

func TestRemovalTakesJustWhatIsOurs(t *testing.T) {
	s := newShared(t)
	s.datasources["theirs"] = map[string]any{"name": "Theirs"}
	s.folders["theirs"] = "Theirs"
	require.NoError(t, s.ensure())
	done, err := s.removal()
	require.NoError(t, err)
	require.Equal(t, []string{
		"removed dashboard orch-logs-app in Grafana at " + s.server.URL, "removed folder orch-logs-app in Grafana at " + s.server.URL,
		"removed data source orch-logs-app in Grafana at " + s.server.URL,
	}, done)
	require.Len(t, s.datasources, 1)
	require.Len(t, s.folders, 1)
	done, err = s.removal()
	require.NoError(t, err)
	require.Empty(t, done, "what is gone already is success")
}

func TestAFolderWithSomebodyElsesDashboardStays(t *testing.T) {
	s := newShared(t)
	require.NoError(t, s.ensure())
	s.dashboards["theirs"] = map[string]any{"meta": map[string]any{"folderUid": logsUID}, "dashboard": map[string]any{"title": "Their board"}}
	done, err := s.removal()
	require.NoError(t, err)
	require.Contains(t, done, `left folder orch-logs-app, which has "Their board" of somebody else's, in Grafana at `+s.server.URL)
	require.Contains(t, s.dashboards, "theirs")
	require.NotContains(t, s.dashboards, logsUID)
	require.Empty(t, s.datasources)
}

func TestAGrafanaThatIsGoneWithItsPipelineHoldsNothing(t *testing.T) {
	s := newShared(t)
	s.server.Close()
	_, err := s.removal()
	require.Equal(t, contract.Unavailable, failureOf(t, err).Class, "its container is there: it is only down")
	s.engine.addresses = nil
	done, err := s.removal()
	require.NoError(t, err)
	require.Contains(t, done[0], "is gone with its pipeline")
	s.engine.secrets = nil
	done, err = s.removal()
	require.NoError(t, err)
	require.Contains(t, done[0], "is gone with its pipeline")
	s.call.EngineID = "engine-2"
	_, err = s.removal()
	require.Equal(t, contract.WrongEngine, failureOf(t, err).Class, "another engine cannot tell")
}

func TestAGrafanaThatIsDownIsDriftAndARetry(t *testing.T) {
	s := newShared(t)
	s.server.Close()
	require.Contains(t, s.drift()[0], "does not answer")
	failure := failureOf(t, s.ensure())
	require.Equal(t, contract.Unavailable, failure.Class)
	require.Equal(t, "grafana.url", failure.Attribute)
}

func TestWhatIsNoGrafanaGetsNoLogin(t *testing.T) {
	var sawLogin bool
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sawLogin = sawLogin || r.Header.Get("Authorization") != ""
		if r.URL.Path == "/moved/api/health" {
			http.Redirect(w, r, "https://grafana.example/", http.StatusMovedPermanently)
			return
		}
		_, _ = w.Write([]byte("<html>hello</html>"))
	}))
	t.Cleanup(other.Close)
	s := newShared(t)
	s.call.Objects.URL = other.URL
	failure := failureOf(t, s.ensure())
	require.Equal(t, contract.InvalidInput, failure.Class)
	require.Contains(t, failure.Cause, "is no Grafana: /api/health gives 200 OK: <html>hello</html>")
	s.call.Objects.URL = other.URL + "/moved"
	require.Contains(t, failureOf(t, s.ensure()).Cause, "redirects to https://grafana.example/")
	require.False(t, sawLogin)
}
