package resources

import (
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
)

type logsPipelineModel struct {
	base
	shared
	Collector types.Object `tfsdk:"collector"`
	Loki      types.Object `tfsdk:"loki"`
	Grafana   types.Object `tfsdk:"grafana"`
}

const logsPipelineDescription = `A logs pipeline on one Docker Engine: an OpenTelemetry Collector receives logs by OTLP, Loki keeps
them, and Grafana shows them, with Loki as its data source and a logs dashboard in place. The Collector also takes metrics and traces
for other pipelines.

Everything has a default, so that a service name is enough. The apply is finished when a log line that was written to the Collector has
been read back through Grafana. If a component does not answer or the line does not come back, the last log lines are in the error
message and what was made is removed again.`

func newLogsPipeline() resource.Resource {
	return define[logsPipelineModel](catalog.LogsPipeline, logsPipelineDescription, map[string]schema.Attribute{
		"collector": collectorSchema(),
		"loki":      lokiSchema(),
		"grafana":   grafanaSchema(catalog.GrafanaLogsPort, "Loki", "http://192.0.2.10:3100", tracesLink("Log lines")),
	})
}

func (m *logsPipelineModel) secrets() map[string]string {
	return grafanaSecrets(m.Grafana, catalog.LokiName)
}
