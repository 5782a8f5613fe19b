package collector

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/otlphttp"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/otlplog"
)

const configYAML = `
extensions:
  health_check: {endpoint: "0.0.0.0:13133"}
  file_storage: {directory: /var/lib/otelcol}
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "0.0.0.0:4317"}
      http: {endpoint: "0.0.0.0:4318"}
processors:
  memory_limiter: {check_interval: 1s, limit_percentage: 75, spike_limit_percentage: 20}
exporters:
  otlp_http/loki:
    endpoint: http://loki:3100/otlp
    retry_on_failure: {max_elapsed_time: 10m}
    sending_queue:
      storage: file_storage
      batch: {flush_timeout: 1s, min_size: 1024, max_size: 2048}
service:
  extensions: [health_check, file_storage]
  telemetry:
    metrics:
      readers: [{pull: {exporter: {prometheus: {host: "0.0.0.0", port: 8888}}}}]
  pipelines:
    logs: {receivers: [otlp], processors: [memory_limiter], exporters: [otlp_http/loki]}
`

const logLine = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"MARKER"}}]}]}]}`

func TestParseAcceptsTheConfigurationOfALogsPipeline(t *testing.T) {
	cfg, err := Parse([]byte(configYAML))
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Health != "0.0.0.0:13133" || cfg.OTLPGRPC != "0.0.0.0:4317" || cfg.OTLPHTTP != "0.0.0.0:4318" || cfg.Metrics != "0.0.0.0:8888" {
		t.Errorf("addresses are %+v", cfg)
	}
	if len(cfg.Exporters) != 1 {
		t.Fatalf("%d exporters, want 1", len(cfg.Exporters))
	}
	exporter := cfg.Exporters[0]
	if exporter.URL != "http://loki:3100/otlp/v1/logs" || exporter.Storage != "/var/lib/otelcol" || exporter.MaxElapsedTime != 10*time.Minute {
		t.Errorf("exporter is %+v", exporter)
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"an unknown section", "extensions:\n", "connectors: {}\nextensions:\n", "connectors"},
		{"an unknown field", "check_interval: 1s,", "check_interval: 1s, limit: 3,", "limit"},
		{"an unknown receiver", "  otlp:\n", "  zipkin: {}\n  otlp:\n", `unknown type "zipkin"`},
		{"an unknown exporter", "otlp_http/loki", "lokiexporter/loki", "unknown type"},
		{"an old component name", "otlp_http/loki", "otlphttp/loki", "unknown type"},
		{"a localhost endpoint", `"0.0.0.0:4318"`, `"localhost:4318"`, "want 0.0.0.0:PORT"},
		{"a metrics reader on localhost", `host: "0.0.0.0"`, `host: localhost`, "want 0.0.0.0:PORT"},
		{"a pipeline that names a missing exporter", "exporters: [otlp_http/loki]", "exporters: [otlp_http/x]", "not configured"},
		{"a component in no pipeline", "processors: [memory_limiter], ", "", "in no pipeline"},
		{"an extension that is not started", "extensions: [health_check, file_storage]", "extensions: [health_check]", "not in service::extensions"},
		{"a missing storage", "storage: file_storage", "storage: file_storage/x", "not a configured extension"},
		{"an endpoint with the signal's path", "3100/otlp", "3100/otlp/v1/logs", "appends /v1/logs"},
		{"a pipeline of another signal", "    logs: {", "    profiles: {", "knows [logs metrics traces] only"},
		{"a limiter without a limit", "limit_percentage: 75, spike_limit_percentage: 20", "", "greater than zero"},
		{"an unset variable", "http://loki:3100", "${env:ORCH_TEST_UNSET}", "ORCH_TEST_UNSET"},
		{"a literal dollar", "http://loki:3100", "http://$loki", "neither $$"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(configYAML, tt.old) {
				t.Fatalf("%q is not in the configuration", tt.old)
			}
			if _, err := Parse([]byte(strings.ReplaceAll(configYAML, tt.old, tt.new))); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want one that says %q", err, tt.want)
			}
		})
	}
}

func TestParseRoutesEverySignalToItsExporter(t *testing.T) {
	config := strings.NewReplacer(
		"exporters:\n", "exporters:\n  otlp_http/prometheus: {endpoint: \"http://prometheus:9090/api/v1/otlp\"}\n  otlp_http/jaeger: {endpoint: \"http://jaeger:4318\"}\n",
		"  pipelines:\n", "  pipelines:\n    metrics: {receivers: [otlp], exporters: [otlp_http/prometheus]}\n    traces: {receivers: [otlp], exporters: [otlp_http/jaeger]}\n",
	).Replace(configYAML)
	cfg, err := Parse([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	got := map[Signal]string{}
	for _, exporter := range cfg.Exporters {
		got[exporter.Signal] = exporter.URL
	}
	want := map[Signal]string{
		Logs: "http://loki:3100/otlp/v1/logs", Metrics: "http://prometheus:9090/api/v1/otlp/v1/metrics", Traces: "http://jaeger:4318/v1/traces",
	}
	if !maps.Equal(got, want) {
		t.Errorf("exporters go to %v, want %v", got, want)
	}
}

func TestEverySignalReachesItsOwnBackendOnly(t *testing.T) {
	got := make(chan string, 10)
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.URL.Path }))
	t.Cleanup(backend.Close)
	cfg := Config{
		Health: freeAddress(t), OTLPGRPC: freeAddress(t), OTLPHTTP: freeAddress(t), Metrics: freeAddress(t), Received: []Signal{Metrics, Traces},
	}
	for _, signal := range []Signal{Metrics, Traces} {
		cfg.Exporters = append(cfg.Exporters, otlpHTTP{Endpoint: backend.URL + "/" + string(signal)}.resolve("otlp_http/x", signal, nil))
	}
	stop, _ := start(t, cfg, nil)
	requests := map[string]string{
		"/v1/metrics": `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":[{"asInt":"1"},{"asInt":"2"}]}}]}]}]}`,
		"/v1/traces":  `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"s"}]}]}]}`,
	}
	for path, body := range requests {
		if status, answer := call(t, http.MethodPost, "http://"+cfg.OTLPHTTP+path, otlphttp.JSON, body); status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, status, answer)
		}
		select {
		case at := <-got:
			if at != "/"+path[len("/v1/"):]+path {
				t.Errorf("%s arrived at %s", path, at)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s never reached its backend", path)
		}
	}
	_, metrics := call(t, http.MethodGet, "http://"+cfg.Metrics+"/metrics", "", "")
	for _, line := range []string{`otelcol_receiver_accepted_metric_points_total{receiver="otlp"} 2`, `otelcol_receiver_accepted_spans_total{receiver="otlp"} 1`} {
		if !strings.Contains(metrics, line) {
			t.Errorf("%s is missing in\n%s", line, metrics)
		}
	}
	if status, _ := call(t, http.MethodPost, "http://"+cfg.OTLPHTTP+"/v1/logs", otlphttp.JSON, "{}"); status != http.StatusNotFound {
		t.Errorf("logs without a pipeline gave %d", status)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

// backend stands for Loki and counts what it takes; it answers 503 until it is up.
type backend struct {
	*httptest.Server
	up    atomic.Bool
	lines chan string
}

func newBackend(t *testing.T) *backend {
	b := &backend{lines: make(chan string, 10)}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !b.up.Load() {
			http.Error(w, "starting", http.StatusServiceUnavailable)
			return
		}
		data, _, err := otlplog.Read(r)
		if err != nil || r.URL.Path != "/otlp/v1/logs" {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		for _, record := range otlplog.Flatten(data, 0) {
			b.lines <- record.Line
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(b.Close)
	return b
}

func (b *backend) expect(t *testing.T, line string) {
	t.Helper()
	select {
	case got := <-b.lines:
		if got != line {
			t.Fatalf("backend got %q, want %q", got, line)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("%q never reached the backend", line)
	}
}

// running starts the double with a logs pipeline to b on free ports.
func running(t *testing.T, b *backend, storage string, hup chan os.Signal) (cfg Config, stop func() error, ended chan error) {
	t.Helper()
	cfg = Config{
		Health: freeAddress(t), OTLPGRPC: freeAddress(t), OTLPHTTP: freeAddress(t), Metrics: freeAddress(t), Received: []Signal{Logs},
	}
	cfg.Exporters = []Exporter{{
		Name: "otlp_http/loki", Signal: Logs, URL: b.URL + "/otlp/v1/logs", Storage: storage,
		InitialInterval: time.Millisecond, MaxInterval: 10 * time.Millisecond, MaxElapsedTime: time.Minute,
	}}
	stop, ended = start(t, cfg, hup)
	return cfg, stop, ended
}

// start runs serve until it is healthy; stop ends it, ended tells how it ended.
func start(t *testing.T, cfg Config, hup chan os.Signal) (stop func() error, ended chan error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended = make(chan error, 1)
	go func() { ended <- serve(ctx, cfg, hup, slog.New(slog.DiscardHandler)) }()
	for deadline := time.Now().Add(10 * time.Second); ; {
		if status, _ := call(t, http.MethodGet, "http://"+cfg.Health+"/", "", ""); status == http.StatusOK {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("health never answered 200")
		}
	}
	return func() error {
		cancel()
		return <-ended
	}, ended
}

func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	return ln.Addr().String()
}

// call returns status 0 when nobody answers.
func call(t *testing.T, method, url, contentType, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

func TestLinesWaitForTheBackend(t *testing.T) {
	b := newBackend(t)
	cfg, stop, _ := running(t, b, t.TempDir(), nil)
	status, body := call(t, http.MethodPost, "http://"+cfg.OTLPHTTP+"/v1/logs", otlphttp.JSON, strings.Replace(logLine, "MARKER", "one", 1))
	if status != http.StatusOK || !strings.Contains(body, "partialSuccess") {
		t.Fatalf("%d %s", status, body)
	}
	b.up.Store(true)
	b.expect(t, "one")
	for deadline := time.Now().Add(10 * time.Second); ; {
		_, metrics := call(t, http.MethodGet, "http://"+cfg.Metrics+"/metrics", "", "")
		if strings.Contains(metrics, `otelcol_exporter_sent_log_records_total{exporter="otlp_http/loki"} 1`) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("metrics do not count the sent line:\n%s", metrics)
		}
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

func TestStoredLinesSurviveARestart(t *testing.T) {
	b, storage := newBackend(t), t.TempDir()
	cfg, stop, _ := running(t, b, storage, nil)
	for _, marker := range []string{"one", "two"} {
		if status, body := call(t, http.MethodPost, "http://"+cfg.OTLPHTTP+"/v1/logs", otlphttp.JSON, strings.Replace(logLine, "MARKER", marker, 1)); status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	b.up.Store(true)
	_, stop, _ = running(t, b, storage, nil)
	b.expect(t, "one")
	b.expect(t, "two")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	// The end may cut off the answer to the last batch, which is then sent twice; the first is gone.
	left, err := filepath.Glob(filepath.Join(storage, "*", "*.otlp"))
	if err != nil || len(left) > 1 {
		t.Errorf("sent batches are left in the storage: %v, %v", left, err)
	}
}

func TestUnknownRequestsAreRefused(t *testing.T) {
	b := newBackend(t)
	cfg, stop, _ := running(t, b, t.TempDir(), nil)
	otlp := "http://" + cfg.OTLPHTTP
	tests := []struct {
		name, method, url, contentType, body string
		want                                 int
	}{
		{"a signal without a pipeline", http.MethodPost, otlp + "/v1/traces", otlphttp.JSON, "{}", http.StatusNotFound},
		{"another content type", http.MethodPost, otlp + "/v1/logs", "text/plain", "x", http.StatusUnsupportedMediaType},
		{"broken JSON", http.MethodPost, otlp + "/v1/logs", otlphttp.JSON, "{", http.StatusBadRequest},
		{"another health path", http.MethodGet, "http://" + cfg.Health + "/live", "", "", http.StatusNotFound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if status, body := call(t, tt.method, tt.url, tt.contentType, tt.body); status != tt.want {
				t.Errorf("%d %s, want %d", status, body, tt.want)
			}
		})
	}
	if _, body := call(t, http.MethodGet, otlp+"/double/unknown", "", ""); !strings.Contains(body, `"count":4`) {
		t.Errorf("ledger says %s", body)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

func TestHangupEndsTheGenerationForAReload(t *testing.T) {
	hup := make(chan os.Signal, 1)
	_, _, ended := running(t, newBackend(t), "", hup)
	hup <- syscall.SIGHUP
	select {
	case err := <-ended:
		if !errors.Is(err, errReload) {
			t.Fatalf("ended with %v, want a reload", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the signal ended nothing")
	}
}

func TestMainExitsWithOneWhenTheStorageIsMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	config := strings.Replace(configYAML, "/var/lib/otelcol", "/nonexistent/otelcol", 1)
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if code := Main(t.Context(), []string{"validate", "--config=" + path}, &out); code != 0 {
		t.Errorf("validate looks at no directory, but ended with %d:\n%s", code, out.String())
	}
	if code := Main(t.Context(), []string{"--config", path}, &out); code != 1 || !strings.Contains(out.String(), "/nonexistent/otelcol is not writable") {
		t.Errorf("exit code %d, log:\n%s", code, out.String())
	}
	if code := Main(t.Context(), []string{"--config", path, "--feature-gates=x"}, &out); code != 1 {
		t.Errorf("unknown arguments ended with %d", code)
	}
}
