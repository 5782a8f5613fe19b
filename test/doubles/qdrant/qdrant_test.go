package qdrant

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const configYAML = `
log_level: INFO
service: {api_key: secret-key, read_only_api_key: reader-key}
telemetry_disabled: true
`

// instance is a double on a directory that outlives it.
type instance struct {
	*Server
	t    *testing.T
	root string
}

func newInstance(t *testing.T, config string) *instance {
	t.Helper()
	i := &instance{t: t, root: t.TempDir()}
	if err := os.MkdirAll(filepath.Join(i.root, "config"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(i.root, "config", "production.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	i.start()
	return i
}

func (i *instance) start() {
	i.t.Helper()
	cfg, err := Load(i.root, filepath.Join(i.root, "config", "production.yaml"), nil)
	if err != nil {
		i.t.Fatal(err)
	}
	if i.Server, err = New(cfg, slog.New(slog.DiscardHandler)); err != nil {
		i.t.Fatal(err)
	}
	i.t.Cleanup(func() { _ = i.Close() })
}

func (i *instance) do(method, target, key, body string) (int, string) {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if key != "" {
		r.Header.Set("api-key", key)
	}
	w := httptest.NewRecorder()
	i.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func (i *instance) expect(method, target, key, body string, status int, contains string) {
	i.t.Helper()
	got, answer := i.do(method, target, key, body)
	if got != status || !strings.Contains(answer, contains) {
		i.t.Errorf("%s %s as %q: %d %s\nwant %d with %q", method, target, key, got, answer, status, contains)
	}
}

const key = "secret-key"

func TestWrittenPointsAreFoundAgainAfterARestart(t *testing.T) {
	i := newInstance(t, configYAML)
	i.expect("PUT", "/collections/probe", key, `{"vectors":{"size":2,"distance":"Cosine"}}`, 200, `"result":true`)
	i.expect("PUT", "/collections/probe", key, `{"vectors":{"size":2,"distance":"Cosine"}}`, 409, "Collection `probe` already exists!")
	i.expect("PUT", "/collections/probe/points?wait=true", key, `{"points":[{"id":1,"vector":[1,0],"payload":{"marker":"near"}},
	 {"id":2,"vector":[0,1]},{"id":"550E8400-e29b-41d4-a716-446655440000","vector":[-1,0],"payload":{"marker":"far"}}]}`, 200, `"status":"completed"`)
	i.expect("PUT", "/collections/probe/points", key, `{"points":[{"id":2,"vector":[0.5,0.5],"payload":{"n":7}}]}`, 200, `"status":"acknowledged"`)
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
	i.start()

	i.expect("GET", "/collections", key, "", 200, `"collections":[{"name":"probe"}]`)
	i.expect("GET", "/collections/probe", key, "", 200, `"points_count":3`)
	i.expect("GET", "/collections/probe", key, "", 200, `"vectors":{"size":2,"distance":"Cosine"}`)
	i.expect("POST", "/collections/probe/points/count", key, `{"exact":true}`, 200, `"count":3`)
	i.expect("GET", "/collections/probe/points/2", key, "", 200, `"payload":{"n":7},"vector":[0.5,0.5]`)
	_, body := i.do("POST", "/collections/probe/points/query", key, `{"query":[2,0],"limit":2,"with_payload":true}`)
	var answer struct {
		Result struct {
			Points []struct {
				ID      any
				Score   float64
				Payload map[string]any
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || len(answer.Result.Points) != 2 {
		t.Fatalf("%v: %s", err, body)
	}
	if first := answer.Result.Points[0]; first.Payload["marker"] != "near" || first.Score != 1 || fmt.Sprint(first.ID) != "1" {
		t.Errorf("the nearest point is %+v", first)
	}
	i.expect("POST", "/collections/probe/points/query", key, `{"query":1}`, 200, `{"points":[{"id":2,`)
	i.expect("POST", "/collections/probe/points/delete?wait=true", key, `{"points":[1,"550e8400-e29b-41d4-a716-446655440000"]}`, 200, "completed")
	i.expect("POST", "/collections/probe/points/count", key, `{}`, 200, `"count":1`)
	i.expect("DELETE", "/collections/probe", key, "", 200, `"result":true`)
	i.expect("DELETE", "/collections/probe", key, "", 200, `"result":false`)
	i.expect("GET", "/collections/probe", key, "", 404, "Collection `probe` doesn't exist!")
	i.expect("GET", "/collections/probe/exists", key, "", 200, `"exists":false`)
}

func TestTheAPIKeyIsEnforcedExceptForProbes(t *testing.T) {
	i := newInstance(t, configYAML)
	for _, path := range []string{"/", "/readyz", "/livez", "/healthz"} {
		i.expect("GET", path, "", "", 200, "")
	}
	i.expect("GET", "/collections", "", "", 401, "Must provide an API key")
	i.expect("GET", "/collections", "wrong", "", 401, "Invalid API key")
	i.expect("GET", "/collections", "reader-key", "", 200, "")
	i.expect("PUT", "/collections/x", "reader-key", `{"vectors":{"size":2,"distance":"Dot"}}`, 403, "Forbidden")
	r := httptest.NewRequest(http.MethodGet, "/collections", nil)
	r.Header.Set("Authorization", "Bearer "+key)
	w := httptest.NewRecorder()
	if i.ServeHTTP(w, r); w.Code != http.StatusOK {
		t.Errorf("a bearer token gave %d", w.Code)
	}
}

func TestUnknownRequestsAreRefusedAndCounted(t *testing.T) {
	i := newInstance(t, configYAML)
	i.expect("PUT", "/collections/probe", key, `{"vectors":{"size":2,"distance":"Dot"}}`, 200, "")
	i.expect("PUT", "/collections/x", key, `{"vectors":{"size":2,"distance":"cosine"}}`, 422, "expected one of")
	i.expect("PUT", "/collections/x", key, `{"vectors":{"size":2,"distance":"Dot"},"shards":1}`, 400, "shards")
	i.expect("PUT", "/collections/probe/points", key, `{"points":[{"id":1,"vector":[1]}]}`, 400, "expected dim: 2, got 1")
	i.expect("PUT", "/collections/probe/points", key, `{"points":[{"id":-1,"vector":[1,1]}]}`, 400, "not a valid point ID")
	i.expect("POST", "/collections/probe/points/query", key, `{"query":[1,1],"filter":{}}`, 400, "filter")
	i.expect("GET", "/collections/probe/points/x", key, "", 400, "not a valid point ID")
	i.expect("POST", "/collections/probe/points/search", key, `{}`, 404, "")
	i.expect("DELETE", "/collections/probe?force=1", key, "", 400, "force")
	i.expect("GET", "/double/unknown", key, "", 200, `"count":8`)
}

func TestLoad(t *testing.T) {
	cfg, err := Load(t.TempDir(), "absent.yaml", []string{"RUN_MODE=production", "QDRANT__SERVICE__API_KEY=k", "QDRANT__TELEMETRY_DISABLED=true"})
	if err != nil || cfg.APIKey != "k" || cfg.HTTP != "[::]:6333" || !strings.HasSuffix(cfg.Storage, "/storage") {
		t.Fatalf("%+v, %v", cfg, err)
	}
	i := newInstance(t, configYAML)
	tests := []struct{ name, variable, config, want string }{
		{"an unknown variable", "QDRANT__SERVICE__APIKEY=x", configYAML, "unknown variable"},
		{"an empty key", "QDRANT__SERVICE__API_KEY=", configYAML, "is empty"},
		{"an unknown field", "", strings.Replace(configYAML, "api_key: secret", "apikey: secret", 1), "apikey"},
		{"a host that nobody reaches", "", "service: {host: 127.0.0.1}", "nobody outside"},
		{"a reader's key alone", "", "service: {read_only_api_key: x}", "everybody"},
		{"a port out of range", "QDRANT__SERVICE__HTTP_PORT=70000", configYAML, "70000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(i.root, "config", "production.yaml"), []byte(tt.config), 0o600); err != nil {
				t.Fatal(err)
			}
			var environ []string
			if tt.variable != "" {
				environ = append(environ, tt.variable)
			}
			if _, err := Load(i.root, filepath.Join(i.root, "config", "production.yaml"), environ); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want one that says %q", err, tt.want)
			}
		})
	}
}

func TestMainExitsWithOneAndSaysWhy(t *testing.T) {
	root := t.TempDir()
	// A file where a directory is needed is unwritable even for root.
	if err := os.WriteFile(filepath.Join(root, "storage"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if code := Main(t.Context(), root, nil, nil, &out); code != 1 || !strings.Contains(out.String(), "storage directory") {
		t.Errorf("ended with %d:\n%s", code, out.String())
	}
	if code := Main(t.Context(), root, []string{"--disable-telemetry"}, nil, &out); code != 1 {
		t.Errorf("unknown arguments ended with %d", code)
	}
}

func TestANamedConfigurationMustBeThere(t *testing.T) {
	var log strings.Builder
	code := Main(t.Context(), t.TempDir(), []string{"--config-path", filepath.Join(t.TempDir(), "absent.yaml")}, nil, &log)
	if code != 1 || !strings.Contains(log.String(), "absent.yaml") {
		t.Errorf("exit code %d, log %s", code, &log)
	}
	if code := Main(t.Context(), t.TempDir(), []string{"--snapshot", "x"}, nil, &log); code != 1 {
		t.Error("an unknown argument is accepted")
	}
}
