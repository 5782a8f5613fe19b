package e2e

import (
	"crypto/rand"
	"encoding/hex"
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

// composed is the example with three pipelines in one Grafana, on ports and images of the test.
type composed struct {
	service                string
	logs, metrics, tracing contract.Ref
	ports                  map[string]int
}

func newComposed(t *testing.T, w *world) *composed {
	t.Helper()
	c := &composed{service: uniqueName("one"), ports: map[string]int{}}
	c.logs, c.metrics, c.tracing = contract.NewRef(contract.LogsPipeline, "", c.service),
		contract.NewRef(contract.MetricsPipeline, "", c.service), contract.NewRef(contract.TracingPipeline, "", c.service)
	t.Cleanup(func() { purge(t, c.service) })
	w.useExample(examplesDir + "/observability")
	w.env = append(w.env, "TEMPORAL_ADDRESS="+w.server.address(), "TF_VAR_service_name="+c.service)
	for _, name := range []string{"otlp_grpc", "otlp_http", "loki", "prometheus", "jaeger", "grafana"} {
		port := reservePort(t)
		c.ports[name] = port
		w.env = append(w.env, "TF_VAR_"+name+"_port="+strconv.Itoa(port))
	}
	for variable, component := range map[string]string{
		"collector": catalog.CollectorName, "loki": catalog.LokiName, "prometheus": catalog.PrometheusName, "jaeger": catalog.JaegerName,
		"grafana": catalog.GrafanaName,
	} {
		if image := imageOf(t, component); image != "" {
			w.env = append(w.env, "TF_VAR_"+variable+"_image="+image)
		}
	}
	return c
}

// send writes a line, a counter and a span of one request to the Collector.
func (c *composed) send(t *testing.T, trace, marker string) {
	t.Helper()
	text := func(key, value string) map[string]any {
		return map[string]any{"key": key, "value": map[string]any{"stringValue": value}}
	}
	base := localURL(c.ports["otlp_http"], "/v1/")
	type object = map[string]any
	for signal, request := range map[string]object{
		"logs": {"resourceLogs": []any{object{"resource": otlpResource(), "scopeLogs": []any{object{"logRecords": []any{object{
			"timeUnixNano": now(), "body": object{"stringValue": "a line " + marker}, "traceId": trace, "spanId": trace[:16],
		}}}}}}},
		"metrics": {"resourceMetrics": []any{object{"resource": otlpResource(), "scopeMetrics": []any{object{"metrics": []any{object{
			"name": "orch_e2e", "gauge": object{"dataPoints": []any{object{"timeUnixNano": now(), "asInt": "3", "attributes": []any{text("marker", marker)}}}},
		}}}}}}},
		"traces": {"resourceSpans": []any{object{"resource": otlpResource(), "scopeSpans": []any{object{"spans": []any{object{
			"traceId": trace, "spanId": trace[:16], "name": "span " + marker, "kind": 2, "startTimeUnixNano": now(), "endTimeUnixNano": now(),
		}}}}}}},
	} {
		status, answer := call(t, http.MethodPost, base+signal, nil, request)
		require.Equal(t, http.StatusOK, status, "%s: %s", signal, answer)
	}
}

// Three signals go to one Collector, are seen in one Grafana, and lead to each other.
func TestObservabilityExample(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared.get(t))
	c := newComposed(t, w)
	w.apply()
	w.assertEmptyPlan()

	exit, out := w.server.orchWorker(t, "secret", "tracing", c.service, catalog.GrafanaName)
	require.Zero(t, exit)
	grafana := grafanaAt{localURL(c.ports["grafana"], ""), strings.TrimSpace(out)}
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	trace, marker := hex.EncodeToString(id[:]), strings.ToLower(rand.Text())
	c.send(t, trace, marker)
	logs, metrics := c.logs.Network(), c.metrics.Network()
	const traces = "orch-jaeger"
	// The log is found by its words, and by its trace.
	grafana.lokiFinds(t, logs, fmt.Sprintf("{service_name=\"orch-e2e\"} |= %q", marker), marker)
	grafana.lokiFinds(t, logs, fmt.Sprintf("{service_name=\"orch-e2e\"} | trace_id=%q", trace), marker)
	eventually(t, dataLimit, "Grafana returns the metric", func() bool {
		return strings.Contains(grafana.proxied(t, metrics, "/api/v1/query", url.Values{"query": {fmt.Sprintf("orch_e2e{marker=%q}", marker)}}), marker)
	})
	eventually(t, dataLimit, "Grafana returns the trace", func() bool {
		return strings.Contains(grafana.proxied(t, traces, "/api/traces/"+trace, nil), "span "+marker)
	})
	eventually(t, 2*dataLimit, "Prometheus scrapes the Collector", func() bool {
		return strings.Contains(grafana.proxied(t, metrics, "/api/v1/query", url.Values{"query": {`up{job="otel-collector"}`}}), `"1"]`)
	})
	assertLinked(t, grafana, map[string]string{logs: traces, metrics: traces, traces: logs})

	destroyed := w.destroy(asUsual)
	assertOrder(t, destroyed, "orch_logs_pipeline.app", "orch_tracing_pipeline.app")
	assertOrder(t, destroyed, "orch_metrics_pipeline.app", "orch_tracing_pipeline.app")
	assertNothingLeft(t, c.service)
}

// assertLinked says that each data source exists and leads to the other one, which exists too.
func assertLinked(t *testing.T, grafana grafanaAt, links map[string]string) {
	t.Helper()
	for from, to := range links {
		require.Contains(t, grafana.jsonData(t, from), `"datasourceUid":"`+to+`"`, "%s leads to %s", from, to)
	}
}

// assertOrder says that Terraform was done with one resource before it began with the other.
func assertOrder(t *testing.T, r *result, first, second string) {
	t.Helper()
	done, begun := -1, -1
	for i, line := range strings.Split(r.out, "\n") {
		var message struct {
			Type string `json:"type"`
			Hook struct {
				Resource struct {
					Addr string `json:"addr"`
				} `json:"resource"`
			} `json:"hook"`
		}
		if json.Unmarshal([]byte(line), &message) != nil {
			continue
		}
		switch addr := message.Hook.Resource.Addr; {
		case message.Type == "apply_complete" && addr == first:
			done = i
		case message.Type == "apply_start" && addr == second:
			begun = i
		}
	}
	require.GreaterOrEqual(t, done, 0, "%s is destroyed", first)
	require.Greater(t, begun, done, "%s goes after %s", second, first)
}
