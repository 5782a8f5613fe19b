package catalog

import "github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"

// LogsPipelineInput is the input of orch_logs_pipeline as written: nil where an attribute is absent.
type LogsPipelineInput struct {
	Shared
	Collector *CollectorInput `json:"collector"`
	Loki      *LokiInput      `json:"loki"`
	Grafana   *GrafanaInput   `json:"grafana"`
}

// LogsPipeline receives logs by OTLP, keeps them in Loki and shows them in Grafana. No component waits for another: the
// Collector queues on disk until Loki answers, and Grafana's data source is asked only when somebody looks.
var LogsPipeline = Pipeline[LogsPipelineInput]{
	Kind:    contract.LogsPipeline,
	Message: "Logs pipeline fully configured",
	Shared:  func(in LogsPipelineInput) Shared { return in.Shared },
	Components: func(ref contract.Ref, in LogsPipelineInput) []contract.Component {
		return in.view().add(ref, []contract.Component{collector(ref, orZero(in.Collector)), loki(ref, orZero(in.Loki))})
	},
	Grafana: func(ref contract.Ref, in LogsPipelineInput) *contract.GrafanaObjects { return in.view().objects(ref) },
	Canaries: func(ref contract.Ref, in LogsPipelineInput) []contract.Canary {
		return []contract.Canary{in.view().canary(ref, contract.SignalLog, CollectorName, "http")}
	},
	DatasourceUID: func(ref contract.Ref, in LogsPipelineInput) string { return in.view().datasourceUID(ref) },
	Endpoints: func(ref contract.Ref, in LogsPipelineInput) map[string]string {
		host := in.reachable()
		c, l := orZero(in.Collector), orZero(in.Loki)
		return map[string]string{
			"otlp_grpc":          hostPort(host, or(c.GRPCPort, CollectorGRPCPort)),
			"otlp_http":          "http://" + hostPort(host, or(c.HTTPPort, CollectorHTTPPort)),
			"otlp_http_internal": "http://" + ref.Alias(CollectorName) + ":4318",
			"loki":               "http://" + hostPort(host, or(l.Port, LokiPort)),
			"loki_internal":      "http://" + ref.Alias(LokiName) + ":3100",
			"grafana":            in.view().endpoint(host),
		}
	},
	Check: func(in LogsPipelineInput) []Problem {
		return concat(checkCollector(orZero(in.Collector)), checkLoki(orZero(in.Loki)), in.view().check())
	},
}

func (in LogsPipelineInput) view() view {
	g := orZero(in.Grafana)
	v := view{
		in: g, kind: contract.LogsPipeline, name: "Loki", uid: "orch-loki", datasourceType: "loki", store: LokiName, port: "3100",
		dashboard: "dashboard-logs.json", defaultPort: GrafanaLogsPort,
	}
	if g.TracesUID != nil {
		v.jsonData = map[string]any{"derivedFields": []any{map[string]any{
			"name": "trace_id", "matcherType": "label", "matcherRegex": "trace_id", "datasourceUid": *g.TracesUID,
			"url": "${__value.raw}", "urlDisplayLabel": "Trace",
		}}}
	}
	return v
}
