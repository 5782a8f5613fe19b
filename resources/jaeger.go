package resources

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
)

type jaegerModel struct {
	limits
	Port      types.Int64  `tfsdk:"port"`
	Retention types.String `tfsdk:"retention"`
}

func (m *jaegerModel) input() *catalog.JaegerInput {
	if m == nil {
		return nil
	}
	return &catalog.JaegerInput{Container: m.limits.input(), Port: m.Port.ValueInt64Pointer(), Retention: m.Retention.ValueStringPointer()}
}

func newJaegerModel(in *catalog.JaegerInput) *jaegerModel {
	if in == nil {
		return nil
	}
	return &jaegerModel{
		limits: newLimits(in.Container), Port: types.Int64PointerValue(in.Port), Retention: types.StringPointerValue(in.Retention),
	}
}

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
