package resources

import (
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
)

func collectorSchema() schema.Attribute {
	endpoint := func(signal, from string) schema.StringAttribute {
		return schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "OTLP/HTTP endpoint, without the signal's path, to which the Collector sends on the " + signal +
				" that it receives, for example `" + from + "`. With an `_internal` endpoint of another pipeline the Collector joins that " +
				"pipeline's network. Default: none, and the Collector takes no " + signal + ".",
		}
	}
	return componentBlock("The OpenTelemetry Collector, which receives by OTLP.", catalog.CollectorImage, catalog.CollectorMemoryMB,
		map[string]schema.Attribute{
			"grpc_port":        portAttribute("OTLP over gRPC", catalog.CollectorGRPCPort),
			"http_port":        portAttribute("OTLP over HTTP", catalog.CollectorHTTPPort),
			"metrics_endpoint": endpoint("metrics", "orch_metrics_pipeline.app.endpoints.otlp_http_internal"),
			"traces_endpoint":  endpoint("traces", "orch_tracing_pipeline.app.endpoints.otlp_http_internal"),
		})
}
