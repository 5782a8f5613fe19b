package catalog

import (
	"net"
	"strconv"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// LogsPipelineInput is the input of orch_logs_pipeline as written: nil where an attribute is absent.
type LogsPipelineInput struct {
	Shared
	Collector *CollectorInput `json:"collector"`
	Loki      *LokiInput      `json:"loki"`
	Grafana   *GrafanaInput   `json:"grafana"`
}

// LogsPipeline receives logs by OTLP, keeps them in Loki and shows them in Grafana. No component waits for another: the
// Collector queues on disk until Loki answers, and Grafana's datasource is asked only when somebody looks.
var LogsPipeline = Pipeline[LogsPipelineInput]{
	Kind:    contract.LogsPipeline,
	Message: "Logs pipeline fully configured",
	Shared:  func(in LogsPipelineInput) Shared { return in.Shared },
	Components: func(ref contract.Ref, in LogsPipelineInput) []contract.Component {
		return []contract.Component{
			collector(ref, orZero(in.Collector)),
			loki(ref, orZero(in.Loki)),
			grafana(ref, orZero(in.Grafana), GrafanaLogsPort,
				file("grafana-datasource-loki.yaml", "/etc/grafana/provisioning/datasources/orch-loki.yaml", nil),
				file("dashboard-logs.json", "/etc/orch/dashboards/orch-logs.json", nil)),
		}
	},
	Endpoints: func(in LogsPipelineInput) map[string]string {
		host := in.reachable()
		c, l, g := orZero(in.Collector), orZero(in.Loki), orZero(in.Grafana)
		return map[string]string{
			"otlp_grpc": hostPort(host, or(c.GRPCPort, CollectorGRPCPort)),
			"otlp_http": "http://" + hostPort(host, or(c.HTTPPort, CollectorHTTPPort)),
			"loki":      "http://" + hostPort(host, or(l.Port, LokiPort)),
			"grafana":   "http://" + hostPort(host, or(g.Port, GrafanaLogsPort)),
		}
	},
	Check: func(in LogsPipelineInput) []Problem { return checkLoki(orZero(in.Loki)) },
}

// reachable is the address at which published ports answer: all interfaces include the loopback one.
func (s Shared) reachable() string {
	bind := or(s.BindAddress, DefaultBindAddress)
	if ip := net.ParseIP(bind); ip != nil && ip.IsUnspecified() {
		return DefaultBindAddress
	}
	return bind
}

func hostPort(host string, port int64) string {
	return net.JoinHostPort(host, strconv.FormatInt(port, 10))
}
