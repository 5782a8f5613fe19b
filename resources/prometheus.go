package resources

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
)

type prometheusModel struct {
	limits
	Port           types.Int64         `tfsdk:"port"`
	RetentionTime  types.String        `tfsdk:"retention_time"`
	RetentionSize  types.String        `tfsdk:"retention_size"`
	ScrapeInterval types.String        `tfsdk:"scrape_interval"`
	ScrapeTargets  []scrapeTargetModel `tfsdk:"scrape_targets"`
}

type scrapeTargetModel struct {
	Targets []types.String          `tfsdk:"targets"`
	Labels  map[string]types.String `tfsdk:"labels"`
}

func (m *prometheusModel) input() *catalog.PrometheusInput {
	if m == nil {
		return nil
	}
	in := &catalog.PrometheusInput{
		Container: m.limits.input(), Port: m.Port.ValueInt64Pointer(), RetentionTime: m.RetentionTime.ValueStringPointer(),
		RetentionSize: m.RetentionSize.ValueStringPointer(), ScrapeInterval: m.ScrapeInterval.ValueStringPointer(),
	}
	if m.ScrapeTargets != nil {
		in.ScrapeTargets = make([]catalog.ScrapeTarget, 0, len(m.ScrapeTargets))
	}
	for _, group := range m.ScrapeTargets {
		target := catalog.ScrapeTarget{Targets: plain(group.Targets)}
		if group.Labels != nil {
			target.Labels = make(map[string]string, len(group.Labels))
		}
		for name, value := range group.Labels {
			target.Labels[name] = value.ValueString()
		}
		in.ScrapeTargets = append(in.ScrapeTargets, target)
	}
	return in
}

func newPrometheusModel(in *catalog.PrometheusInput) *prometheusModel {
	if in == nil {
		return nil
	}
	m := &prometheusModel{
		limits: newLimits(in.Container), Port: types.Int64PointerValue(in.Port), RetentionTime: types.StringPointerValue(in.RetentionTime),
		RetentionSize: types.StringPointerValue(in.RetentionSize), ScrapeInterval: types.StringPointerValue(in.ScrapeInterval),
	}
	if in.ScrapeTargets != nil {
		m.ScrapeTargets = make([]scrapeTargetModel, 0, len(in.ScrapeTargets))
	}
	for _, group := range in.ScrapeTargets {
		target := scrapeTargetModel{Targets: modelled(group.Targets)}
		if group.Labels != nil {
			target.Labels = make(map[string]types.String, len(group.Labels))
		}
		for name, value := range group.Labels {
			target.Labels[name] = types.StringValue(value)
		}
		m.ScrapeTargets = append(m.ScrapeTargets, target)
	}
	return m
}

func prometheusSchema() schema.Attribute {
	text := func(description string) schema.StringAttribute {
		return schema.StringAttribute{Optional: true, MarkdownDescription: description}
	}
	return componentBlock("Prometheus, which scrapes targets, receives metrics by OTLP and keeps them.", catalog.PrometheusImage, catalog.PrometheusMemoryMB,
		map[string]schema.Attribute{
			"port": portAttribute("Prometheus' API and user interface", catalog.PrometheusPort),
			"retention_time": text(fmt.Sprintf("How long samples are kept, for example `72h`, `30d` or `4w`; at least `1h`. Default: `%s`.",
				catalog.PrometheusRetentionTime)),
			"retention_size": text(fmt.Sprintf("How much disk space the samples may take, for example `512MB`; the oldest are removed first. "+
				"Default: `%s`.", catalog.PrometheusRetentionSize)),
			"scrape_interval": text(fmt.Sprintf("How often targets are asked, for example `30s`; at least `1s`. Default: `%s`.", catalog.PrometheusScrapeInterval)),
			"scrape_targets": schema.ListNestedAttribute{
				Optional: true, Validators: noNulls,
				MarkdownDescription: "Groups of targets that are asked for `/metrics`. A change takes effect without a restart. The pipeline's own " +
					"Prometheus is always among them. Default: none.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"targets": schema.ListAttribute{
						Required: true, ElementType: types.StringType, Validators: []validator.List{listvalidator.NoNullValues()},
						MarkdownDescription: "Addresses as Prometheus' container reaches them, in the form `host:port`, for example " +
							"`otel-collector.app.logs:8888`, which is the Collector of the logs pipeline `app` when it sends its metrics here.",
					},
					"labels": schema.MapAttribute{
						Optional: true, ElementType: types.StringType,
						Validators:          []validator.Map{mapvalidator.NoNullValues(), mapvalidator.KeysAre(notEmpty)},
						MarkdownDescription: "Labels of everything that comes from these targets, for example `{ job = \"checkout\" }`. Default: none.",
					},
				}},
			},
		})
}
