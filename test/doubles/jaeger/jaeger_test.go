package jaeger

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
	"time"

	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/otlphttp"
)

const configYAML = `
service:
  extensions: [jaeger_storage, jaeger_query, healthcheckv2]
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [jaeger_storage_exporter]}
  telemetry:
    resource: {service.name: jaeger}
    metrics:
      level: detailed
      readers: [{pull: {exporter: {prometheus: {host: "0.0.0.0", port: 8888}}}}]
extensions:
  healthcheckv2: {use_v2: true, http: {endpoint: "0.0.0.0:13133"}}
  jaeger_query: {storage: {traces: main}}
  jaeger_storage:
    backends:
      main:
        badger: {directories: {keys: /badger/keys, values: /badger/values}, ephemeral: false, ttl: {spans: 168h}}
receivers:
  otlp: {protocols: {grpc: {endpoint: "0.0.0.0:4317"}, http: {endpoint: "0.0.0.0:4318"}}}
processors: {batch: {}}
exporters: {jaeger_storage_exporter: {trace_storage: main}}
`

func TestParseAcceptsTheConfigurationOfATracingPipeline(t *testing.T) {
	cfg, err := Parse([]byte(configYAML))
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Health: "0.0.0.0:13133", OTLPGRPC: "0.0.0.0:4317", OTLPHTTP: "0.0.0.0:4318", Metrics: "0.0.0.0:8888", Query: "0.0.0.0:16686",
		Keys: "/badger/keys", Values: "/badger/values",
	}
	if cfg != want {
		t.Errorf("%+v", cfg)
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"an unknown section", "receivers:\n", "connectors: {}\nreceivers:\n", "connectors"},
		{"an unknown field", "ephemeral: false", "ephemeral: false, sync: true", "sync"},
		{"another store", "badger: {", "memory: {", "memory"},
		{"two stores", "    backends:\n", "    backends:\n      other: {badger: {}}\n", "2 backends"},
		{"a store that nobody writes", "trace_storage: main", "trace_storage: other", "cannot find definition"},
		{"spans that do not survive", "ephemeral: false", "ephemeral: true", "ephemeral"},
		{"no retention", ", ttl: {spans: 168h}", "", "ttl"},
		{"OTLP on localhost", `"0.0.0.0:4318"`, `"localhost:4318"`, "want 0.0.0.0:PORT"},
		{"the old health check", "use_v2: true, ", "", "use_v2"},
		{"an extension that is not started", ", healthcheckv2]", "]", "healthcheckv2 is missing"},
		{"a processor that is not configured", "processors: {batch: {}}\n", "", "not those configured"},
		{"a variable", "168h", "${env:TTL}", "expands no variables"},
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

var addresses = Config{Health: "health", OTLPHTTP: "otlp", Metrics: "metrics", Query: "query"}

// instance is a double on a directory that outlives it.
type instance struct {
	t        *testing.T
	dir      string
	server   *Server
	handlers map[string]http.Handler
}

func (i *instance) start() {
	i.t.Helper()
	server, err := New(Config{Keys: filepath.Join(i.dir, "keys"), Values: filepath.Join(i.dir, "values")}, slog.New(slog.DiscardHandler))
	if err != nil {
		i.t.Fatal(err)
	}
	i.server, i.handlers = server, server.Handlers(addresses)
	i.t.Cleanup(func() { _ = server.Close() })
}

func newInstance(t *testing.T) *instance {
	t.Helper()
	i := &instance{t: t, dir: t.TempDir()}
	i.start()
	return i
}

func (i *instance) do(port, method, target, contentType, body string) (int, string) {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	i.handlers[port].ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

const (
	id     = "5b8efff798038103d269b633813fc60c"
	parent = `{"traceId":"` + id + `","spanId":"eee19b7ec3c1b174","name":"GET /","kind":2,"startTimeUnixNano":"START","endTimeUnixNano":"END","attributes":[{"key":"n","value":{"intValue":"3"}}]}`
	child  = `{"traceId":"` + id + `","spanId":"eee19b7ec3c1b175","parentSpanId":"eee19b7ec3c1b174","name":"query","startTimeUnixNano":"START","endTimeUnixNano":"END","status":{"code":2}}`
)

func request(service, spans string) string {
	now := time.Now()
	spans = strings.NewReplacer("START", fmt.Sprint(now.UnixNano()), "END", fmt.Sprint(now.Add(time.Millisecond).UnixNano())).Replace(spans)
	return `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"` + service + `"}},{"key":"host.name","value":{"stringValue":"h1"}}]},
	 "scopeSpans":[{"spans":[` + spans + `]}]}]}`
}

func TestWrittenSpansAreFoundAgainAfterARestart(t *testing.T) {
	i := newInstance(t)
	if status, body := i.do("otlp", http.MethodPost, "/v1/traces", otlphttp.JSON, request("probe", parent)); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	var data tracev1.TracesData
	if err := otlphttp.Unmarshal(otlphttp.JSON, []byte(request("database", child)), &data); err != nil {
		t.Fatal(err)
	}
	wire, err := proto.Marshal(&data)
	if err != nil {
		t.Fatal(err)
	}
	if status, body := i.do("otlp", http.MethodPost, "/v1/traces", otlphttp.Protobuf, string(wire)); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	if err := i.server.Close(); err != nil {
		t.Fatal(err)
	}
	i.start()
	if _, body := i.do("query", http.MethodGet, "/api/services", "", ""); !strings.Contains(body, `["database","probe"]`) {
		t.Errorf("services: %s", body)
	}
	if _, body := i.do("query", http.MethodGet, "/api/services/probe/operations", "", ""); !strings.Contains(body, `["GET /"]`) {
		t.Errorf("operations: %s", body)
	}
	for _, target := range []string{"/api/traces/" + id, "/api/traces?service=probe&limit=20&tags=" + `%7B%22n%22%3A%223%22%7D`} {
		_, body := i.do("query", http.MethodGet, target, "", "")
		var answer struct {
			Data []Trace `json:"data"`
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil || len(answer.Data) != 1 || len(answer.Data[0].Spans) != 2 || len(answer.Data[0].Processes) != 2 {
			t.Fatalf("%s: %s", target, body)
		}
		second := answer.Data[0].Spans[1]
		if len(second.References) != 1 || second.References[0].SpanID != "eee19b7ec3c1b174" || answer.Data[0].Processes[second.ProcessID].ServiceName != "database" || second.Duration != 1000 {
			t.Errorf("%s: child is %+v", target, second)
		}
	}
	if _, body := i.do("query", http.MethodGet, "/api/traces?service=probe&operation=query", "", ""); !strings.Contains(body, `"data":[]`) {
		t.Errorf("a foreign operation found %s", body)
	}
}

func TestAnswersOfAnEmptyJaeger(t *testing.T) {
	i := newInstance(t)
	tests := []struct {
		port, target string
		status       int
		want         string
	}{
		{"health", "/status", 200, `"status":"StatusOK"`},
		{"query", "/api/services", 200, `"data":[]`},
		{"query", "/api/traces/" + id, 404, `"msg":"trace not found"`},
		{"metrics", "/metrics", 200, "otelcol_receiver_accepted_spans_total"},
	}
	for _, tt := range tests {
		if status, body := i.do(tt.port, http.MethodGet, tt.target, "", ""); status != tt.status || !strings.Contains(body, tt.want) {
			t.Errorf("%s: %d %s", tt.target, status, body)
		}
	}
}

func TestUnknownRequestsAreRefusedAndCounted(t *testing.T) {
	i := newInstance(t)
	tests := []struct {
		port, method, target, contentType, body string
		status                                  int
	}{
		{"query", http.MethodGet, "/api/traces", "", "", 400},
		{"query", http.MethodGet, "/api/traces?service=x&color=red", "", "", 400},
		{"query", http.MethodGet, "/api/traces/zz", "", "", 400},
		{"query", http.MethodGet, "/search", "", "", 404},
		{"health", http.MethodGet, "/", "", "", 404},
		{"otlp", http.MethodPost, "/v1/logs", otlphttp.JSON, "{}", 404},
		{"otlp", http.MethodPost, "/v1/traces", "text/plain", "x", 415},
		{"otlp", http.MethodPost, "/v1/traces", otlphttp.JSON, request("x", strings.Replace(parent, id, "5b8e", 1)), 400},
	}
	for _, tt := range tests {
		if status, body := i.do(tt.port, tt.method, tt.target, tt.contentType, tt.body); status != tt.status {
			t.Errorf("%s: %d %s, want %d", tt.target, status, body, tt.status)
		}
	}
	if _, body := i.do("query", http.MethodGet, "/double/unknown", "", ""); !strings.Contains(body, `"count":8`) {
		t.Errorf("ledger says %s", body)
	}
}

func TestMainExitsWithOneAndSaysWhy(t *testing.T) {
	write := func(config string) string {
		path := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	// A file where a directory is needed is unwritable even for root.
	blocked := write(strings.ReplaceAll(configYAML, "/badger", write("")+"/badger"))
	tests := []struct {
		name string
		args []string
		code int
		want string
	}{
		{"validate looks at no directory", []string{"validate", "--config=" + blocked}, 0, ""},
		{"a directory that is not writable", []string{"--config", blocked}, 1, "badger"},
		{"no configuration", nil, 1, "want [validate] --config FILE"},
		{"a wrong configuration", []string{"--config", write("service: {}")}, 1, "failed to get config"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			if code := Main(t.Context(), tt.args, &out); code != tt.code || !strings.Contains(out.String(), tt.want) {
				t.Errorf("ended with %d:\n%s", code, out.String())
			}
		})
	}
}

func TestASecondProcessOnTheSameDataFails(t *testing.T) {
	i := newInstance(t)
	if _, err := New(Config{Keys: filepath.Join(i.dir, "keys"), Values: filepath.Join(i.dir, "values")}, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "directory lock") {
		t.Errorf("error %v", err)
	}
}
