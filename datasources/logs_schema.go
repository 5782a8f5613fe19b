package datasources

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const stdoutIngestDescription = `Shows how far an ` + "`orch_stdout_ingest`" + ` is, whether this configuration manages it or another one: what it follows, what it has
shipped, and what went wrong last. Its worker answers, so one must be running. An ingest that does not exist is an error.`

func stdoutIngestSchema(ctx context.Context) schema.Schema {
	return schema.Schema{MarkdownDescription: stdoutIngestDescription, Attributes: map[string]schema.Attribute{
		"service_name":     serviceName("Name of the service"),
		"scope":            scope("ingest"),
		"task_queue":       taskQueueName("the worker that follows and ships"),
		"timeouts":         timeoutsSchema(ctx),
		"id":               text("`orch/<scope>/stdout/<service_name>`, the `id` of the resource."),
		"status":           text("`ready`, or `degraded` when something of the ingest is not as it should be."),
		"drift":            texts("What is not as it should be, a sentence each. Empty when nothing is."),
		"input":            dynamic("What the ingest was made from: the attributes of its resource, null where they were not set."),
		"engine_id":        text("ID of the Docker Engine of the worker's host. Null when that host has none."),
		"reported_at":      text("When the figures below were taken; every second while the ingest works. Null, like them, before it has begun."),
		"files":            integer("Files that are followed now."),
		"containers":       integer("Containers that are followed now."),
		"lines_shipped":    integer("Lines that the receiver has acknowledged since the ingest was made."),
		"bytes_shipped":    integer("Bytes of text in these lines."),
		"lines_backfilled": integer("Lines of them that were too old for their stream in Loki and have the attribute `ingest=backfill`."),
		"lines_rejected":   integer("Lines that the receiver refused; they are not sent again."),
		"lines_repaired":   integer("Lines that were not valid UTF-8, whose other bytes were replaced by U+FFFD."),
		"lines_split":      integer("Lines that were longer than a record may be, and became several."),
		"lag_bytes":        integer("Bytes in the followed files that were not acknowledged yet."),
		"lag_seconds":      float("Age of the oldest line that waits for its acknowledgement."),
		"failing":          boolean("Whether `last_error` keeps lines from being shipped now."),
		"last_error":       text("What went wrong last. Null when nothing has since the worker was started."),
		"last_error_at":    text("When that was."),
	}}
}

const logFilesDescription = `Lists the log files and the containers that an ` + "`orch_stdout_ingest`" + ` with the same ` + "`files` and `containers`" + ` would follow, and
the attributes that their lines would get. A worker looks on its host; nothing is changed.`

func logFilesSchema(ctx context.Context) schema.Schema {
	list := func(required bool, description string) schema.ListAttribute {
		return schema.ListAttribute{
			Required: required, Optional: !required, ElementType: types.StringType, Validators: []validator.List{listvalidator.NoNullValues()},
			MarkdownDescription: description,
		}
	}
	return schema.Schema{MarkdownDescription: logFilesDescription, Attributes: map[string]schema.Attribute{
		"service_name": serviceName("Name of the service whose logs these are"),
		"task_queue":   taskQueueName("a worker on the host to look at"),
		"files": schema.SingleNestedAttribute{
			Optional: true, MarkdownDescription: "Files on the worker's host, as in `orch_stdout_ingest`. Default: none; with neither `files` nor `containers`, the containers of `service_name`.",
			Attributes: map[string]schema.Attribute{
				"include":   list(true, "Absolute paths and glob patterns."),
				"exclude":   list(false, "Patterns of what is left out. Default: none."),
				"max_depth": schema.Int64Attribute{Optional: true, MarkdownDescription: "How deep `**` goes: `1` is the directory before the first wildcard. Default: no limit."},
			},
		},
		"containers": schema.SingleNestedAttribute{
			Optional: true, MarkdownDescription: "Containers of the worker's Docker Engine, as in `orch_stdout_ingest`. Default: none; with neither `files` nor `containers`, the containers of `service_name`.",
			Attributes: map[string]schema.Attribute{
				"labels": schema.MapAttribute{
					Optional: true, ElementType: types.StringType, Validators: []validator.Map{mapvalidator.NoNullValues()},
					MarkdownDescription: "Labels that a container must all have. Default: none.",
				},
				"names":   list(false, "Container names, in which `*` and `?` are wildcards. Default: none."),
				"service": schema.StringAttribute{Optional: true, Validators: notEmpty, MarkdownDescription: "Service that a container belongs to. Default: none."},
			},
		},
		"timeouts":  timeoutsSchema(ctx),
		"host":      text("Name of the worker's host."),
		"engine_id": text("ID of its Docker Engine. Null when no container was looked for."),
		"sources": schema.ListNestedAttribute{
			Computed: true, MarkdownDescription: "What was found, the oldest first, each once. A file that a container's log is kept in counts as that container.",
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"path":         text("Path of the file. Null for a container."),
				"container":    text("Name of the container. Null for a file."),
				"container_id": text("ID of the container. Null for a file."),
				"bytes":        integer("Size of the file. Null for a container."),
				"modified_at":  text("When the file was written last, or the container was started."),
				"labels":       schema.MapAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: "Resource attributes that its lines get."},
			}},
		},
		"unreadable": texts("What fits and cannot be read, with the reason."),
	}}
}
