package prometheus

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
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
global: {scrape_interval: 15s}
otlp:
  promote_resource_attributes: [service.name, service.namespace, service.instance.id, deployment.environment.name, container.name]
storage:
  tsdb:
    out_of_order_time_window: 10m
    retention: {time: 15d, size: 5GB}
scrape_configs:
  - {job_name: prometheus, static_configs: [{targets: ["localhost:9090"]}]}
  - {job_name: otel-collector, static_configs: [{targets: ["otel-collector:8888"]}]}
  - {job_name: apps, file_sd_configs: [{files: ["/etc/prometheus/targets/*.json"], refresh_interval: 30s}]}
`

func TestParseAcceptsTheConfigurationOfAMetricsPipeline(t *testing.T) {
	cfg, err := Parse([]byte(configYAML))
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Promote) != 5 || len(cfg.Jobs) != 3 || cfg.Jobs[2].Files[0] != "/etc/prometheus/targets/*.json" || cfg.OutOfOrder != 10*time.Minute {
		t.Errorf("%+v", cfg)
	}
	if job := cfg.Jobs[0]; job.Interval != 15*time.Second || job.Timeout != 10*time.Second || job.Path != "/metrics" {
		t.Errorf("defaults are not applied: %+v", job)
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"an unknown section", "global:", "alertmanagers: []\nglobal:", "alertmanagers"},
		{"an unknown field", "scrape_interval: 15s", "scrape_intervall: 15s", "scrape_intervall"},
		{"a duration without a unit", "15d", "15", "duration"},
		{"a size without a unit", "5GB", "5", "5GB"},
		{"a job name twice", "job_name: apps", "job_name: prometheus", "multiple scrape configs"},
		{"a target without a port", `"otel-collector:8888"`, `"otel-collector"`, "HOST:PORT"},
		{"a target with a scheme", `"otel-collector:8888"`, `"http://otel-collector:8888"`, "HOST:PORT"},
		{"a directory wildcard", "/etc/prometheus/targets/*.json", "/etc/*/targets.json", "not valid for file discovery"},
		{"files of another kind", "/etc/prometheus/targets/*.json", "/etc/prometheus/targets/*", "not valid for file discovery"},
		{"a job without targets", ", static_configs: [{targets: [\"localhost:9090\"]}]", "", "scrape nothing"},
		{"another translation", "otlp:", "otlp:\n  translation_strategy: NoTranslation", "UnderscoreEscapingWithSuffixes only"},
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

func TestFlags(t *testing.T) {
	given := "--config.file=/etc/prometheus/prometheus.yml --storage.tsdb.path=/prometheus --web.enable-otlp-receiver --web.enable-lifecycle --enable-feature=exemplar-storage"
	opts, err := parseFlags(strings.Fields(given))
	if err != nil || !opts.otlp || !opts.lifecycle || !opts.exemplars || opts.data != "/prometheus" || opts.listen != "0.0.0.0:9090" {
		t.Fatalf("%+v, %v", opts, err)
	}
	for _, wrong := range []string{"-config.file=x", "--web.enable-admin-api", "--enable-feature=agent", "--config.file", "--storage.tsdb.retention.time=1", "x"} {
		if _, err := parseFlags([]string{wrong}); err == nil {
			t.Errorf("%s went through", wrong)
		}
	}
}

// instance is a double with the files a container has.
type instance struct {
	*Server
	t    *testing.T
	opts options
}

func newInstance(t *testing.T, config string) *instance {
	t.Helper()
	path := filepath.Join(t.TempDir(), "prometheus.yml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	i := &instance{t: t, opts: options{configFile: path, data: t.TempDir(), otlp: true, lifecycle: true, exemplars: true}}
	i.start()
	return i
}

func (i *instance) start() {
	i.t.Helper()
	server, err := New(i.opts, slog.New(slog.DiscardHandler))
	if err != nil {
		i.t.Fatal(err)
	}
	i.Server = server
	i.t.Cleanup(func() { _ = server.Close() })
}

func (i *instance) do(method, target, contentType, body string) (int, string) {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	w := httptest.NewRecorder()
	i.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func (i *instance) push(metric string) (int, string) {
	return i.do(http.MethodPost, "/api/v1/otlp/v1/metrics", otlphttp.JSON, `{"resourceMetrics":[{"resource":{"attributes":[
	 {"key":"service.name","value":{"stringValue":"probe"}},{"key":"service.namespace","value":{"stringValue":"orch"}},
	 {"key":"service.instance.id","value":{"stringValue":"i1"}},{"key":"host.name","value":{"stringValue":"h1"}}]},
	 "scopeMetrics":[{"metrics":[`+strings.ReplaceAll(metric, "NOW", fmt.Sprint(time.Now().UnixNano()))+`]}]}]}`)
}

type vector []struct {
	Metric map[string]string `json:"metric"`
	Value  [2]any            `json:"value"`
}

func (i *instance) query(promQL string) vector {
	i.t.Helper()
	status, body := i.do(http.MethodPost, "/api/v1/query", "application/x-www-form-urlencoded", url.Values{"query": {promQL}}.Encode())
	var answer struct {
		Data struct {
			Result vector `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != http.StatusOK {
		i.t.Fatalf("%s: %d %s", promQL, status, body)
	}
	return answer.Data.Result
}

const gauge = `{"name":"orch.probe","unit":"s","gauge":{"dataPoints":[{"timeUnixNano":"NOW","asDouble":1.5,"attributes":[{"key":"http.route","value":{"stringValue":"/x"}}]}]}}`

func TestWrittenMetricsAreFoundAgainAfterARestart(t *testing.T) {
	i := newInstance(t, configYAML)
	counter := `{"name":"requests","unit":"{request}","sum":{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[{"timeUnixNano":"NOW","asInt":"7",
	 "exemplars":[{"timeUnixNano":"NOW","asDouble":1,"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174"}]}]}}`
	if status, body := i.push(gauge + "," + counter); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	now := fmt.Sprint(time.Now().Unix() + 1)
	if _, body := i.do(http.MethodGet, "/api/v1/query_exemplars?query=requests_total&start=0&end="+now, "", ""); !strings.Contains(body, "5b8efff798038103d269b633813fc60c") {
		t.Errorf("the exemplar is lost: %s", body)
	}
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
	i.start()
	found := i.query(`orch_probe_seconds{job="orch/probe", http_route='/x'}`)
	if len(found) != 1 || found[0].Value[1] != "1.5" || found[0].Metric["service_name"] != "probe" || found[0].Metric["instance"] != "i1" {
		t.Errorf("found %v", found)
	}
	if found[0].Metric["host_name"] != "" {
		t.Errorf("an attribute that is not promoted became a label: %v", found)
	}
	if found := i.query("requests_total"); len(found) != 1 || found[0].Value[1] != "7" {
		t.Errorf("counter: %v", found)
	}
	if found := i.query("target_info"); len(found) != 1 || found[0].Metric["host_name"] != "h1" {
		t.Errorf("target_info: %v", found)
	}
	if found := i.query(`{service_name="other"}`); len(found) != 0 {
		t.Errorf("a foreign selector found %v", found)
	}
	if _, body := i.do(http.MethodGet, "/api/v1/label/__name__/values", "", ""); !strings.Contains(body, `["orch_probe_seconds","requests_total","target_info"]`) {
		t.Errorf("names: %s", body)
	}
	if status, body := i.do(http.MethodGet, "/api/v1/query?query=orch_probe_seconds&time="+fmt.Sprint(time.Now().Add(time.Hour).Unix()), "", ""); status != 200 || strings.Contains(body, "orch_probe") {
		t.Errorf("a sample of an hour ago is not stale: %s", body)
	}
}

func TestWritesThatPrometheusRefuses(t *testing.T) {
	i := newInstance(t, configYAML)
	tests := []struct {
		name, metric string
		status       int
		want         string
	}{
		{"no time", `{"name":"a","gauge":{"dataPoints":[{"asInt":"1"}]}}`, 400, "too old"},
		{"delta", `{"name":"a","sum":{"aggregationTemporality":1,"dataPoints":[{"timeUnixNano":"NOW","asInt":"1"}]}}`, 500, "temporality"},
		{"a histogram", `{"name":"a","histogram":{"dataPoints":[]}}`, 500, "gauges and sums only"},
		{"no points", `{"name":"a","gauge":{}}`, 500, "empty data points"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if status, body := i.push(tt.metric); status != tt.status || !strings.Contains(body, tt.want) {
				t.Errorf("%d %s", status, body)
			}
		})
	}
	i.Server.opts.otlp = false
	if status, body := i.push(gauge); status != http.StatusNotFound || !strings.Contains(body, "--web.enable-otlp-receiver") {
		t.Errorf("%d %s", status, body)
	}
}

func TestMetricNamesAreThoseOfPrometheus(t *testing.T) {
	tests := []struct{ name, unit, suffix, want string }{
		{"http.server.duration", "s", "", "http_server_duration_seconds"},
		{"requests", "{request}", "total", "requests_total"},
		{"requests_total", "1", "total", "requests_total"},
		{"share", "1", "ratio", "share_ratio"},
		{"io.rate", "By/s", "", "io_rate_bytes_per_second"},
		{"odd", "apples/min", "", "odd_apples_per_min"},
		{"wait_seconds", "s", "", "wait_seconds"},
		{"2xx", "", "", "_2xx"},
	}
	for _, tt := range tests {
		if got := metricName(tt.name, tt.unit, tt.suffix); got != tt.want {
			t.Errorf("%s in %s is %s, want %s", tt.name, tt.unit, got, tt.want)
		}
	}
}

func TestUnknownRequestsAreRefusedAndCounted(t *testing.T) {
	i := newInstance(t, configYAML)
	for _, promQL := range []string{"", "{}", "sum(up)", `up{job=~"x"}`, "rate(x[1m])", "up == 1"} {
		if status, body := i.do(http.MethodGet, "/api/v1/query?query="+url.QueryEscape(promQL), "", ""); status != http.StatusBadRequest || !strings.Contains(body, "bad_data") {
			t.Errorf("%s: %d %s", promQL, status, body)
		}
	}
	if status, body := i.do(http.MethodGet, "/api/v1/query?query=1%2B1", "", ""); status != http.StatusOK || !strings.Contains(body, "scalar") {
		t.Errorf("Grafana's probe: %d %s", status, body)
	}
	if status, _ := i.do(http.MethodGet, "/graph", "", ""); status != http.StatusNotFound {
		t.Errorf("an unknown route gave %d", status)
	}
	if _, body := i.do(http.MethodGet, "/double/unknown", "", ""); !strings.Contains(body, `"count":7`) {
		t.Errorf("ledger says %s", body)
	}
}

func TestReloadNeedsItsFlagAndKeepsTheOldConfigurationWhenTheNewOneIsBad(t *testing.T) {
	i := newInstance(t, configYAML)
	for text, want := range map[string]int{strings.Replace(configYAML, "job_name: apps", "job_name: more", 1): 200, "globl: {}": 500} {
		if err := os.WriteFile(i.opts.configFile, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if status, body := i.do(http.MethodPost, "/-/reload", "", ""); status != want {
			t.Errorf("%d %s, want %d", status, body, want)
		}
	}
	if jobs := i.cfg.Load().Jobs; len(jobs) != 3 {
		t.Errorf("jobs are %+v", jobs)
	}
	i.Server.opts.lifecycle = false
	if status, body := i.do(http.MethodPost, "/-/reload", "", ""); status != http.StatusForbidden || !strings.Contains(body, "not enabled") {
		t.Errorf("%d %s", status, body)
	}
}

func TestFileTargetsAreScrapedAndFollowTheirFileWithoutAReload(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "# HELP x y\nrequests_total{job=\"own\",path=\"/a\\\"b\"} 3\nnot_finite NaN\n")
	}))
	t.Cleanup(app.Close)
	dir := t.TempDir()
	i := newInstance(t, strings.Replace(configYAML, "/etc/prometheus/targets", dir, 1))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go i.discoverAndScrape(ctx)

	address := strings.TrimPrefix(app.URL, "http://")
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "apps.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(fmt.Sprintf(`[{"targets":[%q],"labels":{"team":"chat"}}]`, address))
	i.eventually("the target is up", func() bool { return len(i.query(`up{job="apps",team="chat"}`)) == 1 })
	if found := i.query(`requests_total{job="apps"}`); len(found) != 1 || found[0].Metric["exported_job"] != "own" || found[0].Metric["path"] != `/a"b` {
		t.Errorf("scraped %v", found)
	}
	if _, body := i.do(http.MethodGet, "/api/v1/targets?state=active", "", ""); !strings.Contains(body, `"scrapeUrl":"http://`+address+`/metrics"`) || !strings.Contains(body, `"health":"up"`) {
		t.Errorf("targets: %s", body)
	}
	write("[]")
	i.eventually("the target is gone with its series", func() bool {
		_, body := i.do(http.MethodGet, "/api/v1/targets", "", "")
		return !strings.Contains(body, address) && len(i.query(`requests_total{job="apps"}`)) == 0
	})
}

func TestABadTargetFileKeepsItsLastTargets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "apps.json")
	i := newInstance(t, strings.Replace(configYAML, "/etc/prometheus/targets/*.json", path, 1))
	files := map[string]fileGroups{}
	for _, text := range []string{`[{"targets":["app:1"]}]`, `[{"targetz":["app:2"]}]`, `[{"targets":["app"]}]`, `{`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		i.readTargetFiles(i.cfg.Load(), files)
		if groups := files[path].groups; len(groups) != 1 || groups[0].Targets[0] != "app:1" {
			t.Errorf("after %s: %v", text, groups)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if i.readTargetFiles(i.cfg.Load(), files); len(files) != 0 {
		t.Errorf("a file that is gone left %v", files)
	}
}

func (i *instance) eventually(what string, check func() bool) {
	i.t.Helper()
	for deadline := time.Now().Add(15 * time.Second); !check(); {
		if time.Now().After(deadline) {
			i.t.Fatalf("not true in time: %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestMainEndsAsPrometheusDoes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "prometheus.yml")
	if err := os.WriteFile(path, []byte(configYAML), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		args []string
		code int
		want string
	}{
		{"an unknown flag", []string{"--nope"}, 1, "unknown to the Prometheus double"},
		{"a missing file", []string{"--config.file=/nonexistent/prometheus.yml"}, 2, "no such file"},
		{"a directory that is not writable", []string{"--config.file=" + path, "--storage.tsdb.path=/nonexistent/data"}, 1, "not writable"},
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
	i := newInstance(t, configYAML)
	if _, err := New(i.opts, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "lock DB directory") {
		t.Errorf("error %v", err)
	}
}
