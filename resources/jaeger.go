package resources

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
)

func jaegerSchema() schema.Attribute {
	return componentBlock("Jaeger, which receives spans by OTLP and keeps them on disk.", catalog.JaegerImage, catalog.JaegerMemoryMB,
		map[string]schema.Attribute{
			"port": portAttribute("Jaeger's user interface and query API", catalog.JaegerPort),
			"retention": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: fmt.Sprintf("How long spans are kept, for example `72h`, `30d` or `4w`; at least `1m`. Default: `%s`.",
					catalog.JaegerRetention),
			},
		})
}
