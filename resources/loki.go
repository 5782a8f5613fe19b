package resources

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
)

type lokiModel struct {
	limits
	Port      types.Int64  `tfsdk:"port"`
	Retention types.String `tfsdk:"retention"`
	Volume    types.String `tfsdk:"volume"`
}

func (m *lokiModel) input() *catalog.LokiInput {
	if m == nil {
		return nil
	}
	return &catalog.LokiInput{
		Container: m.limits.input(), Port: m.Port.ValueInt64Pointer(),
		Retention: m.Retention.ValueStringPointer(), Volume: m.Volume.ValueStringPointer(),
	}
}

func newLokiModel(in *catalog.LokiInput) *lokiModel {
	if in == nil {
		return nil
	}
	return &lokiModel{
		limits: newLimits(in.Container), Port: types.Int64PointerValue(in.Port),
		Retention: types.StringPointerValue(in.Retention), Volume: types.StringPointerValue(in.Volume),
	}
}

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
