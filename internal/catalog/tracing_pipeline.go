package catalog

import "github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"

// TracingPipelineInput is the input of orch_tracing_pipeline as written: nil where an attribute is absent.
type TracingPipelineInput struct {
	Shared
	Jaeger  *JaegerInput  `json:"jaeger"`
	Grafana *GrafanaInput `json:"grafana"`
}

// TracingPipeline keeps spans in Jaeger and shows them in Grafana.
var TracingPipeline = Pipeline[TracingPipelineInput]{
	Kind:    contract.TracingPipeline,
	Message: "Tracing pipeline fully configured: Jaeger + Grafana + Dashboard",
	Shared:  func(in TracingPipelineInput) Shared { return in.Shared },
	Components: func(ref contract.Ref, in TracingPipelineInput) []contract.Component {
		return in.view().add(ref, []contract.Component{jaeger(ref, orZero(in.Jaeger))})
	},
	Grafana: func(ref contract.Ref, in TracingPipelineInput) *contract.GrafanaObjects {
		return in.view().objects(ref)
	},
	Canaries: func(ref contract.Ref, in TracingPipelineInput) []contract.Canary {
		return []contract.Canary{in.view().canary(ref, contract.SignalSpan, JaegerName, "otlp")}
	},
	DatasourceUID: func(ref contract.Ref, in TracingPipelineInput) string { return in.view().datasourceUID(ref) },
	Endpoints: func(ref contract.Ref, in TracingPipelineInput) map[string]string {
		host := in.reachable()
		return map[string]string{
			"jaeger":             "http://" + hostPort(host, or(orZero(in.Jaeger).Port, JaegerPort)),
			"jaeger_internal":    "http://" + ref.Alias(JaegerName) + ":16686",
			"otlp_http_internal": "http://" + ref.Alias(JaegerName) + ":4318",
			"otlp_grpc_internal": ref.Alias(JaegerName) + ":4317",
			"grafana":            in.view().endpoint(host),
		}
	},
	Check: func(in TracingPipelineInput) []Problem {
		return concat(checkJaeger(orZero(in.Jaeger)), in.view().check())
	},
}

func (in TracingPipelineInput) view() view {
	g := orZero(in.Grafana)
	v := view{
		in: g, kind: contract.TracingPipeline, name: "Jaeger", uid: "orch-jaeger", datasourceType: "jaeger", store: JaegerName, port: "16686",
		jsonData:  map[string]any{"nodeGraph": map[string]any{"enabled": true}},
		dashboard: "dashboard-tracing.json", defaultPort: GrafanaTracingPort,
	}
	if g.LogsUID != nil {
		v.jsonData["tracesToLogsV2"] = map[string]any{
			"datasourceUid": *g.LogsUID, "spanStartTimeShift": "-5m", "spanEndTimeShift": "5m",
			"tags":        []any{map[string]any{"key": "service.name", "value": "service_name"}},
			"customQuery": true, "query": `{${__tags}} | trace_id="${__trace.traceId}"`,
		}
	}
	return v
}
