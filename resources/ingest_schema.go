package resources

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
)

// templateAttributes are those of the Collector's configuration; fields lists what a template can use.
func templateAttributes(fields string) map[string]schema.Attribute {
	about := "The fields are " + fields + "; `quote` writes a value, or a list of them, safely into YAML. " +
		"The result must have the extension `health_check` at `0.0.0.0:13133`, and may keep a queue in `/var/lib/otelcol`, which is a volume. " +
		"In the template, as in every configuration of a Collector, `$$` stands for a dollar sign. It is no place for secrets."
	return map[string]schema.Attribute{
		"template_path": schema.StringAttribute{
			Optional: true, Validators: []validator.String{notEmpty, stringvalidator.ConflictsWith(path.MatchRoot("template"))},
			MarkdownDescription: "File with a Go template of the Collector's configuration, read where Terraform runs, for example " +
				"`\"${path.module}/collector.yaml.tmpl\"`. A plan that finds its content changed updates the Collector. " + about + " Default: none.",
		},
		"template": schema.StringAttribute{
			Optional: true, Validators: []validator.String{notEmpty},
			MarkdownDescription: "The template itself, instead of `template_path`. Default: a built-in one, whose result `config` shows.",
		},
		"config": schema.StringAttribute{
			Computed: true,
			MarkdownDescription: "The Collector's configuration as it was rendered. It is known when Terraform plans, except when the " +
				"content of `template_path` alone has changed; then a warning shows the difference.",
		},
	}
}

func resourceAttributesSchema(what string) schema.MapAttribute {
	return schema.MapAttribute{
		Optional: true, ElementType: types.StringType,
		Validators:          []validator.Map{mapvalidator.NoNullValues(), mapvalidator.KeysAre(notEmpty)},
		MarkdownDescription: what + " Default: none but `service.name`, which is the `service_name`.",
	}
}

func containerLogsIngestSchema() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"collector": componentBlock("The OpenTelemetry Collector, which reads the files.", catalog.CollectorImage, catalog.CollectorMemoryMB,
			map[string]schema.Attribute{
				"user": schema.StringAttribute{
					Optional: true,
					MarkdownDescription: "User and group that it runs as, in numbers, for example `0:0`; it must be allowed to read the files. " +
						"Default: `0:0` where `log_paths` has logs of containers, which only root can read, else the image's own user, `10001:10001`.",
				},
			}),
		"log_paths": schema.ListAttribute{
			Optional: true, ElementType: types.StringType,
			Validators: []validator.List{listvalidator.NoNullValues(), listvalidator.SizeAtLeast(1)},
			MarkdownDescription: "Files of the Docker host to read, as absolute paths or globs such as `/var/log/app/*.log` or " +
				"`/srv/**/*.log`. Files that match later are found, and rotation by renaming and by truncating is followed. Paths of the form " +
				"`…/containers/…-json.log` are read as logs that Docker's `json-file` driver has written: from their end when they are first " +
				"seen, without the Collector's own. Other files are read from their beginning. " +
				fmt.Sprintf("Default: `[\"%s\"]`, the logs of all containers.", catalog.DockerLogPaths),
		},
		"loki_endpoint": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "URL of the Loki that gets the lines, as the Collector's container reaches it, for example " +
				"`orch_logs_pipeline.app.endpoints.loki_internal` or `http://loki.example.com:3100`. A push address that ends in " +
				"`/loki/api/v1/push` is understood as well; lines are sent by OTLP. With an `_internal` endpoint the Collector joins that " +
				"pipeline's network. Default: the logs pipeline of `logs_pipeline_id`, else the one of the same `service_name`, which then needs a `depends_on`.",
		},
		"logs_pipeline_id": schema.StringAttribute{
			Optional: true, Validators: []validator.String{stringvalidator.ConflictsWith(path.MatchRoot("loki_endpoint"))},
			MarkdownDescription: "Id of an `orch_logs_pipeline` whose Loki gets the lines, instead of `loki_endpoint`. " +
				"Default: the logs pipeline of the same `service_name`.",
		},
		"resource_attributes": resourceAttributesSchema("Resource attributes of every line, by OpenTelemetry's names, for example " +
			"`{ \"deployment.environment.name\" = \"staging\" }`. Those that Loki is configured to index become labels, the others structured metadata."),
	}
}

func otlpIngestSchema() map[string]schema.Attribute {
	endpoint := func(what, example, otherwise string) schema.StringAttribute {
		return schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "OTLP/HTTP endpoint, as the Collector's container reaches it and without the signal's path, that gets " + what +
				", for example `" + example + "`. With an `_internal` endpoint of a pipeline the Collector joins that pipeline's network. Default: " + otherwise + ".",
		}
	}
	return map[string]schema.Attribute{
		"collector": componentBlock("The OpenTelemetry Collector, which receives by OTLP.", catalog.CollectorImage, catalog.CollectorMemoryMB,
			map[string]schema.Attribute{
				"grpc_port": portAttribute("OTLP over gRPC", catalog.CollectorGRPCPort),
				"http_port": portAttribute("OTLP over HTTP", catalog.CollectorHTTPPort),
			}),
		"otlp_endpoint": endpoint("every signal that has no endpoint of its own", "https://otlp.example.com",
			"none, and a signal without an endpoint of its own is not taken. Without any endpoint at all, logs go to the Loki of the logs pipeline of the same `service_name`"),
		"logs_endpoint":    endpoint("logs", "orch_logs_pipeline.app.endpoints.loki_internal", "`otlp_endpoint`"),
		"metrics_endpoint": endpoint("metrics", "orch_metrics_pipeline.app.endpoints.otlp_http_internal", "`otlp_endpoint`"),
		"traces_endpoint":  endpoint("traces", "orch_tracing_pipeline.app.endpoints.otlp_http_internal", "`otlp_endpoint`"),
		"cors_origins": schema.ListAttribute{
			Optional: true, ElementType: types.StringType, Validators: []validator.List{listvalidator.NoNullValues()},
			MarkdownDescription: "Origins whose pages may send by OTLP over HTTP from a browser, for example " +
				"`[\"https://app.example.com\", \"http://*.example.com\"]`. Default: none.",
		},
		"tls": schema.SingleNestedAttribute{
			Optional: true,
			Attributes: merged(
				secretAttributes("certificate", "Certificate of the receiver, with those that lead to its root, in PEM.", "Default: none.", pemValidator("CERTIFICATE")),
				secretAttributes("private_key", "Private key of the certificate, in PEM.", "Default: none.", pemValidator("PRIVATE KEY")),
			),
			MarkdownDescription: "Lets the receiver speak TLS, with gRPC and HTTP. Both values are kept as files in a volume of the Collector's. " +
				"Default: no TLS.",
		},
		"resource_attributes": resourceAttributesSchema("Resource attributes for applications, by OpenTelemetry's names, which `environment` " +
			"passes on, for example `{ \"deployment.environment.name\" = \"staging\" }`."),
		"environment": schema.MapAttribute{
			Computed: true, ElementType: types.StringType,
			MarkdownDescription: "Environment for the container of an application on the ingest's network: `OTEL_EXPORTER_OTLP_ENDPOINT`, " +
				"`OTEL_EXPORTER_OTLP_PROTOCOL`, `OTEL_SERVICE_NAME` and, with `resource_attributes`, `OTEL_RESOURCE_ATTRIBUTES`.",
		},
	}
}
