package resources

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

const stdoutIngestDescription = `Follows log files on the worker's host and logs of Docker containers, and ships their lines by OTLP/HTTP, each at
least once. The apply is finished when the first look at them is done; following and shipping goes on in a workflow of its own until the
resource is destroyed.

How far it has shipped is kept in the worker's data directory after each batch that the receiver has acknowledged: a worker that was
killed, or a Temporal that was restarted, goes on there, and only the batch that was in flight may come twice. Rotation (by renaming or by
copying and truncating), deletion, files that appear later and lines of any length are followed; lines of more than 250,000 bytes
become several records. While the receiver is down nothing is read ahead, and lines wait in their files.

A line has the time that its container wrote it at. In files it is an ISO 8601 time at its beginning, if there is one, else the time of
the line before, else the time that it was read at. The oldest lines are shipped first. What Loki would refuse as too old (more than a
week, or behind the newest line of its stream by more than 50 minutes) is shipped with the attribute ` + "`ingest=backfill`" + ` and the time of
shipping; its own time is in ` + "`log.original_time`" + `. Bytes that are not UTF-8 are replaced by U+FFFD.

Lines have the resource attributes ` + "`service.name`, `host.name`" + ` and those in ` + "`labels`" + `; those of files ` + "`log.file.path`" + `, those of
containers ` + "`container.name` and `container.id`" + `. The data source ` + "`orch_stdout_ingest`" + ` shows how far it is.`

func stdoutIngestSchema(ctx context.Context) schema.Schema {
	settings, computed := settingAttributes(ctx), computedAttributes()
	attributes := map[string]schema.Attribute{
		"service_name": schema.StringAttribute{
			Required: true, Validators: []validator.String{serviceNameValidator{}},
			PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
			MarkdownDescription: "Name of the service whose logs these are, and the `service.name` of every line. It is unique within the provider's `scope` for " +
				"this kind of resource: " + contract.ServiceNameRule + ". Changing it replaces the ingest.",
		},
		"files":      logFilesSchema(),
		"containers": logContainersSchema(),
		"endpoint": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "Base URL of an OTLP/HTTP receiver as the worker reaches it, without `/v1/logs`: `endpoints.otlp_http` of an `orch_logs_pipeline`. " +
				"Requests are compressed unless it is on the same host. Default: `" + catalog.IngestEndpoint + "`.",
		},
		"labels": schema.MapAttribute{
			Optional: true, ElementType: types.StringType,
			Validators: []validator.Map{mapvalidator.NoNullValues(), mapvalidator.KeysAre(notEmpty)},
			MarkdownDescription: "Resource attributes to put on every line, for example `{ \"deployment.environment.name\" = \"test\" }`; at most 12, because Loki takes " +
				"15 labels on a stream. Default: none.",
		},
		"grafana":    ingestGrafanaSchema(),
		"batch_size": schema.Int64Attribute{Optional: true, MarkdownDescription: fmt.Sprintf("Most lines in one request, 1 to %d. Default: `%d`.", catalog.IngestMaxBatchSize, catalog.IngestBatchSize)},
		"flush_interval_seconds": schema.Float64Attribute{
			Optional: true, MarkdownDescription: fmt.Sprintf("How long a line waits for others before it is sent, 0.05 to 60 seconds. Default: `%v`.", catalog.IngestFlushInterval),
		},
		"timeout_seconds": schema.Float64Attribute{
			Optional: true, MarkdownDescription: fmt.Sprintf("How long the receiver may take to answer, 0.1 to 300 seconds; then the request is sent again. Default: `%v`.", catalog.IngestTimeout),
		},
		"start_at": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "Where the files and containers that are there at the first apply are read from: `beginning` or `end`. What appears later is read from its " +
				"beginning. Default: `" + contract.StartAtBeginning + "`.",
		},
		"tail_workflow_id": schema.StringAttribute{Computed: true, MarkdownDescription: "ID of the workflow that follows and ships."},
	}
	for _, name := range []string{"task_queue", "on_failure", "on_interrupt", "timeouts"} {
		attributes[name] = settings[name]
	}
	for _, name := range []string{"id", "message", "steps", "workflow_id", "run_id", "web_ui_url"} {
		attributes[name] = computed[name]
	}
	attributes["status"] = schema.StringAttribute{Computed: true, MarkdownDescription: "`ready` when the tail works with this configuration; `degraded` when its workflow does " +
		"not run, or its data source in Grafana is not as it should be, which the next apply repairs; `in_progress` while an operation is under way."}
	attributes["datasource_uid"] = schema.StringAttribute{Computed: true, MarkdownDescription: "Uid of the data source in `grafana`. Null without one."}
	attributes["engine_id"] = schema.StringAttribute{Computed: true, MarkdownDescription: "ID of the Docker Engine of the worker's host, by which it is known again. " +
		"Workers on other engines refuse to touch the ingest. Null when that host had none."}
	return schema.Schema{MarkdownDescription: stdoutIngestDescription, Attributes: attributes}
}

func logFilesSchema() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "Files on the worker's host to follow. Default: none; with neither `files` nor `containers`, the containers of `service_name`.",
		Attributes: map[string]schema.Attribute{
			"include": schema.ListAttribute{
				Required: true, ElementType: types.StringType, Validators: noNulls,
				MarkdownDescription: "Absolute paths and glob patterns: `*`, `?`, `[a-z]`, `{a,b}`, and `**` for any number of directories. Rotated files need not fit: " +
					"a file that was followed is followed under its new name to its end.",
			},
			"exclude": schema.ListAttribute{
				Optional: true, ElementType: types.StringType, Validators: noNulls,
				MarkdownDescription: "Patterns of what is left out, files and whole directories. One without a slash fits names anywhere, for example `*.gz`. Default: none.",
			},
			"max_depth": schema.Int64Attribute{
				Optional:            true,
				MarkdownDescription: "How deep `**` goes: `1` is the directory before the first wildcard, `2` also the directories in it. Default: no limit.",
			},
		},
	}
}

func logContainersSchema() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "Containers of the worker's Docker Engine to follow, those that start later too. One that fits `labels`, `names` or `service` is followed. " +
			"Default: none; with neither `files` nor `containers`, the containers of `service_name`.",
		Attributes: map[string]schema.Attribute{
			"labels": schema.MapAttribute{
				Optional: true, ElementType: types.StringType, Validators: []validator.Map{mapvalidator.NoNullValues(), mapvalidator.KeysAre(notEmpty)},
				MarkdownDescription: "Labels that a container must all have; an empty value fits every value. Default: none.",
			},
			"names": schema.ListAttribute{
				Optional: true, ElementType: types.StringType, Validators: noNulls, MarkdownDescription: "Container names, in which `*` and `?` are wildcards. Default: none.",
			},
			"service": schema.StringAttribute{
				Optional: true, Validators: []validator.String{notEmpty},
				MarkdownDescription: "Service that a container belongs to: by Compose's label, as a service of orch that is not a pipeline, or by its name. Default: none.",
			},
		},
	}
}

func ingestGrafanaSchema() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "Grafana that gets Loki as a data source, with a folder and a dashboard for these logs. Destroying the ingest removes just those. Default: none.",
		Attributes: map[string]schema.Attribute{
			"url": schema.StringAttribute{Required: true, MarkdownDescription: "URL of the Grafana as the worker reaches it: `endpoints.grafana` of a pipeline."},
			"pipeline_id": schema.StringAttribute{
				Required: true, MarkdownDescription: "`id` of the pipeline that owns it, on the same Docker Engine. Its administrator's password is used to log in.",
			},
			"admin_user": schema.StringAttribute{
				Optional: true, Validators: []validator.String{notEmpty},
				MarkdownDescription: fmt.Sprintf("Login name of its administrator, where that pipeline sets one. Default: `%s`.", catalog.GrafanaAdminUser),
			},
			"loki_url": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Loki as that Grafana reaches it. Needed unless the pipeline is a logs pipeline. Default: `http://loki:3100`, the Loki of that pipeline.",
			},
		},
	}
}
