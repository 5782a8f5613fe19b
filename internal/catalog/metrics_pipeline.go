package catalog

import "github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"

// MetricsPipelineInput is the input of orch_metrics_pipeline as written: nil where an attribute is absent.
type MetricsPipelineInput struct {
	Shared
	Prometheus *PrometheusInput `json:"prometheus"`
	Grafana    *GrafanaInput    `json:"grafana"`
}

// MetricsPipeline scrapes targets, receives metrics by OTLP, keeps them in Prometheus and shows them in Grafana.
var MetricsPipeline = Pipeline[MetricsPipelineInput]{
	Kind:    contract.MetricsPipeline,
	Message: "Metrics pipeline fully configured: Prometheus + Grafana + Dashboard",
	Shared:  func(in MetricsPipelineInput) Shared { return in.Shared },
	Components: func(ref contract.Ref, in MetricsPipelineInput) []contract.Component {
		return in.view().add(ref, []contract.Component{prometheus(ref, orZero(in.Prometheus))})
	},
	Grafana: func(ref contract.Ref, in MetricsPipelineInput) *contract.GrafanaObjects {
		return in.view().objects(ref)
	},
	Canaries: func(ref contract.Ref, in MetricsPipelineInput) []contract.Canary {
		return []contract.Canary{in.view().canary(ref, contract.SignalMetric, PrometheusName, "http")}
	},
	DatasourceUID: func(ref contract.Ref, in MetricsPipelineInput) string { return in.view().datasourceUID(ref) },
	Endpoints: func(ref contract.Ref, in MetricsPipelineInput) map[string]string {
		host, p := in.reachable(), orZero(in.Prometheus)
		base := "http://" + hostPort(host, or(p.Port, PrometheusPort))
		internal := "http://" + ref.Alias(PrometheusName) + ":9090"
		return map[string]string{
			"prometheus": base, "prometheus_internal": internal,
			"otlp_http": base + "/api/v1/otlp", "otlp_http_internal": internal + "/api/v1/otlp",
			"grafana": in.view().endpoint(host),
		}
	},
	Check: func(in MetricsPipelineInput) []Problem {
		return concat(checkPrometheus(orZero(in.Prometheus)), in.view().check())
	},
}

func (in MetricsPipelineInput) view() view {
	g := orZero(in.Grafana)
	v := view{
		in: g, kind: contract.MetricsPipeline, name: "Prometheus", uid: "orch-prom", datasourceType: "prometheus", store: PrometheusName, port: "9090",
		jsonData:  map[string]any{"httpMethod": "POST", "timeInterval": or(orZero(in.Prometheus).ScrapeInterval, PrometheusScrapeInterval)},
		dashboard: "dashboard-metrics.json", defaultPort: GrafanaMetricsPort,
	}
	if g.TracesUID != nil {
		v.jsonData["exemplarTraceIdDestinations"] = []any{map[string]any{"name": "trace_id", "datasourceUid": *g.TracesUID}}
	}
	return v
}
