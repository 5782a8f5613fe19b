package resources

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
)

func lokiSchema() schema.Attribute {
	return componentBlock("Loki, which keeps the logs.", catalog.LokiImage, catalog.LokiMemoryMB,
		map[string]schema.Attribute{
			"port": portAttribute("Loki's HTTP API", catalog.LokiPort),
			"retention": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: fmt.Sprintf("How long log lines are kept, for example `72h`, `30d` or `4w`; at least `24h`, which is "+
					"the least that Loki can do. Default: `%s`.", catalog.LokiRetention),
			},
			"volume": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Existing Docker volume to keep the logs in. It is never deleted, whatever `delete_volumes` says. " +
					"Default: a volume that belongs to the service.",
			},
		})
}
