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
