package resources

import (
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
)

type metricsPipelineModel struct {
	base
	shared
	Prometheus types.Object `tfsdk:"prometheus"`
	Grafana    types.Object `tfsdk:"grafana"`
}

const metricsPipelineDescription = `A metrics pipeline on one Docker Engine: Prometheus scrapes targets and receives metrics by OTLP, and
Grafana shows them, with Prometheus as its data source and a dashboard of rates, errors and durations in place.

Everything has a default, so that a service name is enough. The apply is finished when a metric that was written by OTLP has been read
back through Grafana; if it does not come back, the error message says how far it got and what was made is removed again.`

func newMetricsPipeline() resource.Resource {
	return define[metricsPipelineModel](catalog.MetricsPipeline, metricsPipelineDescription, map[string]schema.Attribute{
		"prometheus": prometheusSchema(),
		"grafana":    grafanaSchema(catalog.GrafanaMetricsPort, "Prometheus", "http://192.0.2.10:9090", tracesLink("Exemplars")),
	})
}

func (m *metricsPipelineModel) secrets() map[string]string {
	return grafanaSecrets(m.Grafana, catalog.PrometheusName)
}
