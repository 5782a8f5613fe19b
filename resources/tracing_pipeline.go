package resources

import (
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
)

type tracingPipelineModel struct {
	base
	shared
	Jaeger  types.Object `tfsdk:"jaeger"`
	Grafana types.Object `tfsdk:"grafana"`
}

const tracingPipelineDescription = `A tracing pipeline on one Docker Engine: Jaeger receives spans by OTLP and keeps them on disk, and Grafana
shows them, with Jaeger as its data source and a dashboard to search traces in place.

Spans come by way of a Collector: give ` + "`endpoints.otlp_http_internal`" + ` to the ` + "`collector.traces_endpoint`" + ` of an
` + "`orch_logs_pipeline`" + `.

Everything has a default, so that a service name is enough. The apply is finished when a span that was written by OTLP has been read
back through Grafana; if it does not come back, the error message says how far it got and what was made is removed again.`

func newTracingPipeline() resource.Resource {
	return define[tracingPipelineModel](catalog.TracingPipeline, tracingPipelineDescription, map[string]schema.Attribute{
		"jaeger":  jaegerSchema(),
		"grafana": grafanaSchema(catalog.GrafanaTracingPort, "Jaeger", "http://192.0.2.10:16686", logsLink()),
	})
}

func (m *tracingPipelineModel) secrets() map[string]string {
	return grafanaSecrets(m.Grafana, catalog.JaegerName)
}
