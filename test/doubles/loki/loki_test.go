package loki

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/otlphttp"
)

const configYAML = `
auth_enabled: false
server: {http_listen_port: 3100}
common:
  instance_addr: 127.0.0.1
  path_prefix: /loki
  replication_factor: 1
  storage: {filesystem: {chunks_directory: /loki/chunks, rules_directory: /loki/rules}}
  ring: {kvstore: {store: inmemory}}
schema_config:
  configs:
    - {from: 2020-10-24, store: tsdb, object_store: filesystem, schema: v13, index: {prefix: index_, period: 24h}}
ingester: {lifecycler: {min_ready_duration: 0s, final_sleep: 0s}}
frontend: {scheduler_dns_lookup_period: 1s}
frontend_worker: {dns_lookup_duration: 1s}
limits_config:
  retention_period: 168h
  volume_enabled: true
  otlp_config:
    resource_attributes:
      ignore_defaults: true
      attributes_config:
        - {action: index_label, attributes: [service.name, container.name]}
compactor: {working_directory: /loki/compactor, retention_enabled: true, delete_request_store: filesystem}
analytics: {reporting_enabled: false}
`

func TestParseAcceptsTheConfigurationOfALogsPipeline(t *testing.T) {
	cfg, err := Parse([]byte(configYAML))
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Port != 3100 || cfg.Path != "/loki" || strings.Join(cfg.IndexLabels, " ") != "service.name container.name" {
		t.Errorf("%+v", cfg)
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"an unknown section", "analytics:", "chunk_store_config: {}\nanalytics:", "chunk_store_config"},
		{"an unknown field", "volume_enabled: true", "volume_enable: true", "volume_enable"},
		{"tenants", "auth_enabled: false", "auth_enabled: true", "auth_enabled"},
		{"a schema without structured metadata", "v13", "v12", "schema v13"},
		{"retention below a day", "168h", "23h", "minimum of 24h"},
		{"retention without its store", ", delete_request_store: filesystem", "", "delete-request-store"},
		{"retention without a compactor", "retention_enabled: true, ", "", "deletes nothing"},
		{"data outside the volume", "/loki/chunks", "/tmp/chunks", "not below path_prefix"},
		{"a duration without a unit", "168h", "168", "unit"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(configYAML, tt.old) {
				t.Fatalf("%q is not in the configuration", tt.old)
			}
			if _, err := Parse([]byte(strings.Replace(configYAML, tt.old, tt.new, 1))); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want one that says %q", err, tt.want)
			}
		})
	}
}

func TestRetentionInDaysIsUnderstood(t *testing.T) {
	if _, err := Parse([]byte(strings.Replace(configYAML, "168h", "7d", 1))); err != nil {
		t.Fatal(err)
	}
}

func newServer(t *testing.T, dir string) *Server {
	t.Helper()
	s, err := New(Config{Path: dir, IndexLabels: []string{"service.name"}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func do(s *Server, method, target, body string) (int, string) {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", otlphttp.JSON)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func push(t *testing.T, s *Server, service, line string, at time.Time) (int, string) {
	t.Helper()
	return do(s, http.MethodPost, "/otlp/v1/logs", fmt.Sprintf(`{"resourceLogs":[{"resource":{"attributes":[
	 {"key":"service.name","value":{"stringValue":%q}},{"key":"host.name","value":{"stringValue":"h1"}}]},
	 "scopeLogs":[{"logRecords":[{"timeUnixNano":"%d","body":{"stringValue":%q}}]}]}]}`, service, at.UnixNano(), line))
}

func query(t *testing.T, s *Server, logQL, more string) (int, string) {
	t.Helper()
	return do(s, http.MethodGet, "/loki/api/v1/query_range?query="+url.QueryEscape(logQL)+more, "")
}

func TestPushedLinesAreFoundAgainAfterARestart(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	s := newServer(t, dir)
	for i, line := range []string{"first marker", "second marker", "other"} {
		if status, body := push(t, s, "probe", line, now.Add(time.Duration(i-10)*time.Second)); status != http.StatusNoContent {
			t.Fatalf("%d %s", status, body)
		}
	}
	if status, body := push(t, s, "neighbour", "foreign marker", now.Add(-time.Second)); status != http.StatusNoContent {
		t.Fatalf("%d %s", status, body)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = newServer(t, dir)
	_, body := query(t, s, `{service_name="probe"} |= "marker"`, "")
	if strings.Contains(body, "other") || strings.Contains(body, "foreign") || strings.Index(body, "second") > strings.Index(body, "first") {
		t.Errorf("want the two markers of probe, newest first: %s", body)
	}
	if !strings.Contains(body, `"host_name":"h1"`) || !strings.Contains(body, `"resultType":"streams"`) {
		t.Errorf("structured metadata or result type is missing: %s", body)
	}
	_, body = query(t, s, `{service_name="probe"}`, "&limit=1&direction=forward")
	if !strings.Contains(body, "first marker") || strings.Contains(body, "second") {
		t.Errorf("want the oldest line only: %s", body)
	}
	_, body = query(t, s, `{service_name="probe"}`, fmt.Sprintf("&start=%d&end=%d", now.Add(-time.Hour).Unix(), now.Add(-time.Minute).UnixNano()))
	if strings.Contains(body, "marker") {
		t.Errorf("lines outside the range: %s", body)
	}
	if _, body := do(s, http.MethodGet, "/loki/api/v1/labels", ""); !strings.Contains(body, `["service_name"]`) {
		t.Errorf("labels: %s", body)
	}
}

func TestPushRefusesLinesOutsideLokisLimits(t *testing.T) {
	s := newServer(t, t.TempDir())
	for name, at := range map[string]time.Time{"too old": time.Now().Add(-8 * 24 * time.Hour), "too new": time.Now().Add(time.Hour)} {
		if status, body := push(t, s, "probe", "x", at); status != http.StatusBadRequest || !strings.Contains(body, name) {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	if _, body := query(t, s, `{service_name="probe"}`, ""); strings.Contains(body, "values") {
		t.Errorf("a refused line was stored: %s", body)
	}
}

func TestUnknownRequestsAreRefusedAndCounted(t *testing.T) {
	s := newServer(t, t.TempDir())
	for _, logQL := range []string{``, `{}`, `{service_name=~".+"}`, `{service_name="x"} | json`, `count_over_time({service_name="x"}[1m])`, `{service_name="x"} |= "open`} {
		if status, body := query(t, s, logQL, ""); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", logQL, status, body)
		}
	}
	if status, _ := query(t, s, `{service_name="x"}`, "&step=10"); status != http.StatusBadRequest {
		t.Errorf("an unknown parameter gave %d", status)
	}
	if status, _ := do(s, http.MethodPost, "/loki/api/v1/push", "{}"); status != http.StatusNotFound {
		t.Errorf("an unknown route gave %d", status)
	}
	if _, body := do(s, http.MethodGet, "/double/unknown", ""); !strings.Contains(body, `"count":8`) {
		t.Errorf("ledger says %s", body)
	}
}

func TestMainChecksConfigurationDirectoryAndHealth(t *testing.T) {
	path := filepath.Join(t.TempDir(), "local-config.yaml")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(configYAML, "/loki", "/nonexistent/loki")), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if code := Main(t.Context(), []string{"-config.file=" + path, "-verify-config"}, &out, &out); code != 0 {
		t.Errorf("-verify-config ended with %d:\n%s", code, out.String())
	}
	if code := Main(t.Context(), []string{"-config.file=" + path}, &out, &out); code != 1 || !strings.Contains(out.String(), "not writable") {
		t.Errorf("a missing directory ended with %d:\n%s", code, out.String())
	}
	if code := Main(t.Context(), []string{"-target=all"}, &out, &out); code != 1 {
		t.Errorf("an unknown flag ended with %d", code)
	}
	up := httptest.NewServer(newServer(t, t.TempDir()))
	defer up.Close()
	if code := Main(t.Context(), []string{"-health", "-health.url=" + up.URL + "/ready"}, &out, &out); code != 0 {
		t.Errorf("health of a ready Loki is %d", code)
	}
	if code := Main(t.Context(), []string{"-health", "-health.url=" + up.URL + "/nope"}, &out, &out); code != 1 {
		t.Errorf("health of another answer is %d", code)
	}
}
