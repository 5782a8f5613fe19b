package grafana

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	datasourceYAML = `apiVersion: 1
datasources:
  - name: Loki
    uid: orch-loki
    type: loki
    url: BACKEND
    jsonData:
      derivedFields:
        - {name: trace_id, matcherType: label, matcherRegex: trace_id, datasourceUid: orch-jaeger, url: "$${__value.raw}", urlDisplayLabel: Trace}
`
	dashboardJSON = `{"uid":"orch-logs","title":"Logs","schemaVersion":39,"panels":[
 {"type":"logs","title":"Lines","gridPos":{"h":8,"w":24,"x":0,"y":0},"datasource":{"type":"loki","uid":"orch-loki"},"targets":[{"refId":"A"}]}]}`
)

// instance is a double with its directories, as a container has them.
type instance struct {
	t       *testing.T
	cfg     Config
	boards  string
	backend *httptest.Server
	server  *Server
}

func newInstance(t *testing.T) *instance {
	t.Helper()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("Grafana's credentials reached the backend")
		}
		_, _ = io.WriteString(w, `{"path":"`+r.URL.Path+`","query":"`+r.URL.Query().Get("query")+`"}`)
	}))
	t.Cleanup(backend.Close)
	i := &instance{t: t, backend: backend, boards: t.TempDir(), cfg: Config{
		AdminUser: "admin", AdminPassword: "first-password", Port: 3000, Data: t.TempDir(), Provisioning: t.TempDir(),
	}}
	i.write(i.provisioning("datasources", "loki.yaml"), strings.Replace(datasourceYAML, "BACKEND", backend.URL, 1))
	i.write(i.provisioning("dashboards", "orch.yaml"),
		"apiVersion: 1\nproviders:\n  - {name: orch, folder: Orch, folderUid: orch, type: file, options: {path: "+i.boards+"}}\n")
	i.write(filepath.Join(i.boards, "logs.json"), dashboardJSON)
	return i
}

func (i *instance) provisioning(kind, name string) string {
	return filepath.Join(i.cfg.Provisioning, kind, name)
}

func (i *instance) write(path, content string) {
	i.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		i.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		i.t.Fatal(err)
	}
}

func (i *instance) start() error {
	server, err := New(i.cfg, slog.New(slog.DiscardHandler))
	i.server = server
	return err
}

func (i *instance) mustStart() *instance {
	i.t.Helper()
	if err := i.start(); err != nil {
		i.t.Fatal(err)
	}
	return i
}

// do sends a request as user:password (none when empty) and returns status and body.
func (i *instance) do(method, target, credentials, body string) (int, string) {
	i.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if user, password, given := strings.Cut(credentials, ":"); given {
		r.SetBasicAuth(user, password)
	}
	w := httptest.NewRecorder()
	i.server.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func (i *instance) expect(method, target, credentials, body string, status int, contains string) {
	i.t.Helper()
	got, answer := i.do(method, target, credentials, body)
	if got != status || !strings.Contains(answer, contains) {
		i.t.Errorf("%s %s as %q: %d %s\nwant %d with %q", method, target, credentials, got, answer, status, contains)
	}
}

const right = "admin:first-password"

func TestRoutesAnswerAsGrafanaDoes(t *testing.T) {
	i := newInstance(t).mustStart()
	i.expect("GET", "/api/health", "", "", 200, `"version":"`+Version+`"`)
	i.expect("GET", "/", "", "", 200, "Grafana double (orch test stand-in)")
	i.expect("GET", "/api/user", right, "", 200, `"login":"admin"`)
	i.expect("GET", "/api/datasources", right, "", 200, `"uid":"orch-loki"`)
	i.expect("GET", "/api/datasources/uid/orch-loki", right, "", 200, `"url":"${__value.raw}"`)
	i.expect("GET", "/api/datasources/uid/nope", right, "", 404, "Data source not found")
	i.expect("GET", "/api/datasources/uid/orch-loki/health", right, "", 200, `"status":"OK"`)
	i.expect("GET", "/api/dashboards/uid/orch-logs", right, "", 200, `"provisioned":true`)
	i.expect("GET", "/api/dashboards/uid/nope", right, "", 404, "Dashboard not found")
	i.expect("GET", "/api/search?type=dash-db", right, "", 200, `"folderTitle":"Orch"`)
	if unknown := i.server.Unknown(); len(unknown) != 0 {
		t.Errorf("known routes were counted as unknown: %v", unknown)
	}
}

func TestProxyReachesTheBackendWithPathAndQuery(t *testing.T) {
	i := newInstance(t).mustStart()
	i.expect("GET", "/api/datasources/proxy/uid/orch-loki/loki/api/v1/query_range?query=x", right, "", 200, `{"path":"/loki/api/v1/query_range","query":"x"}`)
	i.expect("GET", "/api/datasources/proxy/uid/nope/loki/api/v1/labels", right, "", 404, "not found")
	i.backend.Close()
	i.expect("GET", "/api/datasources/proxy/uid/orch-loki/loki/api/v1/labels", right, "", 502, "message")
	i.expect("GET", "/api/datasources/uid/orch-loki/health", right, "", 400, `"status":"ERROR"`)
}

func TestUnknownRequestsAreRefusedAndCounted(t *testing.T) {
	i := newInstance(t).mustStart()
	i.expect("GET", "/api/teams", right, "", 404, "unknown to the Grafana double")
	i.expect("POST", "/api/datasources", right, `{"nome":"x"}`, 400, "nome")
	i.expect("GET", "/api/search?query=x", right, "", 400, "")
	i.expect("GET", "/double/unknown", "", "", 401, "")
	i.expect("GET", "/double/unknown", right, "", 200, `"count":3`)
}

func TestAuthentication(t *testing.T) {
	i := newInstance(t).mustStart()
	i.expect("GET", "/api/datasources", "", "", 401, `"messageId":"auth.unauthorized"`)
	i.expect("GET", "/api/datasources", "admin:wrong", "", 401, `"messageId":"password-auth.failed"`)
	i.expect("GET", "/api/datasources", "other:first-password", "", 401, "Invalid username or password")
	i.expect("POST", "/api/admin/provisioning/datasources/reload", "", "", 401, "")
}

func TestAnonymousMayLookButNotAdminister(t *testing.T) {
	i := newInstance(t)
	i.cfg.Anonymous = true
	i.mustStart()
	i.expect("GET", "/api/search?type=dash-db", "", "", 200, "orch-logs")
	i.expect("GET", "/api/datasources", "", "", 403, "Access denied")
	i.expect("GET", "/api/search?type=dash-db", "admin:wrong", "", 401, "")
}

func TestFiveWrongPasswordsBlockTheRightOneForFiveMinutes(t *testing.T) {
	i := newInstance(t).mustStart()
	now := time.Now()
	i.server.logins.now = func() time.Time { return now }
	for range loginAttempts {
		i.expect("GET", "/api/user", "admin:wrong", "", 401, "")
	}
	i.expect("GET", "/api/user", right, "", 401, "Invalid username or password")
	now = now.Add(loginWindow)
	i.expect("GET", "/api/user", right, "", 200, "admin")
}

func TestPasswordChangeSurvivesARestartAndBeatsTheEnvironment(t *testing.T) {
	i := newInstance(t).mustStart()
	form := func(old, next, confirm string) string {
		raw, err := json.Marshal(map[string]string{"oldPassword": old, "newPassword": next, "confirmNew": confirm})
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	i.expect("PUT", "/api/user/password", "admin:wrong", form("first-password", "second", "second"), 401, "")
	i.expect("PUT", "/api/user/password", right, form("wrong", "second", "second"), 400, "Invalid old password")
	i.expect("PUT", "/api/user/password", right, form("first-password", "abc", "abc"), 400, "too short")
	i.expect("PUT", "/api/user/password", right, form("first-password", "second", "typo"), 400, "confirmNew")
	i.expect("PUT", "/api/user/password", right, `{"newPass":"x"}`, 400, "bad request data")
	i.expect("PUT", "/api/user/password", right, form("first-password", "second", "second"), 200, "User password changed")
	i.expect("GET", "/api/user", right, "", 401, "")

	i.cfg.AdminUser, i.cfg.AdminPassword = "root", "third"
	i.mustStart()
	i.expect("GET", "/api/user", "root:third", "", 401, "")
	i.expect("GET", "/api/user", "admin:second", "", 200, `"login":"admin"`)
}

func TestReloadPicksUpFilesAndKeepsTheOldOnesWhenTheyAreBad(t *testing.T) {
	i := newInstance(t).mustStart()
	second := strings.NewReplacer("Loki", "Loki two", "orch-loki", "orch-two", "BACKEND", i.backend.URL).Replace(datasourceYAML)
	i.write(i.provisioning("datasources", "two.yaml"), second)
	i.expect("GET", "/api/datasources/uid/orch-two", right, "", 404, "")
	i.expect("POST", "/api/admin/provisioning/datasources/reload", right, "", 200, "Datasources config reloaded")
	i.expect("GET", "/api/datasources/uid/orch-two", right, "", 200, "Loki two")

	i.write(filepath.Join(i.boards, "logs.json"), strings.Replace(dashboardJSON, `"Logs"`, `"Renamed"`, 1))
	i.expect("POST", "/api/admin/provisioning/dashboards/reload", right, "", 200, "Dashboards config reloaded")
	i.expect("GET", "/api/dashboards/uid/orch-logs", right, "", 200, "Renamed")
	i.write(filepath.Join(i.boards, "logs.json"), "{")
	i.expect("POST", "/api/admin/provisioning/dashboards/reload", right, "", 500, "logs.json")
	i.expect("GET", "/api/dashboards/uid/orch-logs", right, "", 200, "Renamed")
}

func TestProvisionedSourceStaysWithoutItsFileUnlessPruned(t *testing.T) {
	i := newInstance(t)
	pruned := strings.NewReplacer("apiVersion: 1", "apiVersion: 1\nprune: true", "Loki", "Pruned", "orch-loki", "orch-pruned", "BACKEND", i.backend.URL).Replace(datasourceYAML)
	i.write(i.provisioning("datasources", "pruned.yaml"), pruned)
	i.mustStart()
	for _, name := range []string{"pruned.yaml", "loki.yaml"} {
		if err := os.Remove(i.provisioning("datasources", name)); err != nil {
			t.Fatal(err)
		}
	}
	i.expect("POST", "/api/admin/provisioning/datasources/reload", right, "", 200, "")
	i.expect("GET", "/api/datasources/uid/orch-pruned", right, "", 404, "")
	i.expect("GET", "/api/datasources/uid/orch-loki", right, "", 200, "Loki")
}

func TestStartFailsOnBadProvisioning(t *testing.T) {
	base := strings.Replace(datasourceYAML, "BACKEND", "http://loki:3100", 1)
	tests := []struct {
		name, file, content, want string
	}{
		{"an unknown field", "datasources/x.yaml", strings.Replace(base, "    url:", "    urll: x\n    url:", 1), "urll"},
		{"an unknown jsonData field", "datasources/x.yaml", strings.Replace(base, "derivedFields", "derivedFieldz", 1), "derivedFieldz"},
		{"an unescaped dollar", "datasources/x.yaml", strings.Replace(base, "$$", "$", 1), "write $$"},
		{"an unknown type", "datasources/x.yaml", strings.Replace(base, "type: loki", "type: tempo", 1), `type "tempo"`},
		{"a uid in use", "datasources/x.yaml", strings.Replace(base, "name: Loki", "name: Other", 1), "provisioned twice"},
		{"no URL", "datasources/x.yaml", strings.Replace(base, "http://loki:3100", "loki:3100", 1), "not an http"},
		{"another API version", "datasources/x.yaml", strings.Replace(base, "apiVersion: 1", "apiVersion: 2", 1), "apiVersion 2"},
		{"a file Grafana would ignore", "datasources/x.yml.bak", base, "would be ignored"},
		{"a provider of another type", "dashboards/x.yaml", "apiVersion: 1\nproviders: [{name: x, type: git, options: {path: /x}}]", `type "git"`},
		{"a missing dashboard directory", "dashboards/x.yaml", "apiVersion: 1\nproviders: [{name: x, type: file, options: {path: /nonexistent}}]", "nonexistent"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			i := newInstance(t)
			i.write(filepath.Join(i.cfg.Provisioning, tt.file), tt.content)
			if err := i.start(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want one that says %q", err, tt.want)
			}
		})
	}
}

func TestStartFailsOnADashboardThatWouldNotWork(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"a missing data source", "orch-loki", "orch-prom", `"orch-prom" does not exist`},
		{"a data source of another type", `"type":"loki"`, `"type":"prometheus"`, "of type loki"},
		{"an id", `{"uid"`, `{"id":7,"uid"`, "id must be absent"},
		{"inputs", `{"uid"`, `{"__inputs":[],"uid"`, "__inputs"},
		{"a panel outside the grid", `"x":0`, `"x":5`, "24 columns"},
		{"no targets", `,"targets":[{"refId":"A"}]`, ``, "targets are missing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			i := newInstance(t)
			i.write(filepath.Join(i.boards, "logs.json"), strings.Replace(dashboardJSON, tt.old, tt.new, 1))
			if err := i.start(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want one that says %q", err, tt.want)
			}
		})
	}
}

func TestExpand(t *testing.T) {
	t.Setenv("ORCH_TEST_HOST", "loki")
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(" s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		"http://$ORCH_TEST_HOST:1":      "http://loki:1",
		"${ORCH_TEST_HOST}":             "loki",
		"$${__value.raw}":               "${__value.raw}",
		`{$${__tags}} | x="$${__t.id}"`: `{${__tags}} | x="${__t.id}"`,
		"$__file{" + secret + "}":       "s3cret",
	} {
		if got, err := expand(in); err != nil || got != want {
			t.Errorf("expand(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
	if _, err := expand("${ORCH_TEST_UNSET}"); err == nil {
		t.Error("an unset variable went unnoticed")
	}
}

func TestParseEnv(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(secret, []byte("from file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := ParseEnv([]string{"PATH=/bin", "GF_SECURITY_ADMIN_PASSWORD__FILE=" + secret, "GF_AUTH_ANONYMOUS_ENABLED=false", "GF_SERVER_HTTP_PORT=3001"})
	if err != nil || cfg.AdminPassword != "from file" || cfg.AdminUser != "admin" || cfg.Port != 3001 {
		t.Fatalf("%+v, %v", cfg, err)
	}
	tests := []struct {
		name, want string
		environ    []string
	}{
		{"an unknown variable", "unknown variable GF_SECURITY_ADMIN_PASS:", []string{"GF_SECURITY_ADMIN_PASS=x"}},
		{"password and file", "exclusive", []string{"GF_SECURITY_ADMIN_PASSWORD=x", "GF_SECURITY_ADMIN_PASSWORD__FILE=" + secret}},
		{"an unreadable file", "no such file", []string{"GF_SECURITY_ADMIN_PASSWORD__FILE=/nonexistent"}},
		{"a value that is no boolean", "GF_USERS_ALLOW_SIGN_UP", []string{"GF_USERS_ALLOW_SIGN_UP=no"}},
		{"a port out of range", "70000", []string{"GF_SERVER_HTTP_PORT=70000"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := ParseEnv(tt.environ); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want one that says %q", err, tt.want)
			}
		})
	}
}

func TestMainExitsWithOneAndSaysWhy(t *testing.T) {
	var out strings.Builder
	if code := Main(t.Context(), nil, []string{"GF_PATHS_DATA=/nonexistent"}, &out); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	if !strings.Contains(out.String(), "not writable") || !strings.Contains(out.String(), "Grafana double") {
		t.Errorf("log does not name the cause:\n%s", out.String())
	}
}
