package datasources

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/boolvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
)

var notEmpty = []validator.String{stringvalidator.LengthAtLeast(1)}

var runID = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

func text(description string) schema.StringAttribute {
	return schema.StringAttribute{Computed: true, MarkdownDescription: description}
}

func integer(description string) schema.Int64Attribute {
	return schema.Int64Attribute{Computed: true, MarkdownDescription: description}
}

func float(description string) schema.Float64Attribute {
	return schema.Float64Attribute{Computed: true, MarkdownDescription: description}
}

func boolean(description string) schema.BoolAttribute {
	return schema.BoolAttribute{Computed: true, MarkdownDescription: description}
}

func dynamic(description string) schema.DynamicAttribute {
	return schema.DynamicAttribute{Computed: true, MarkdownDescription: description}
}

func booleans(description string) schema.MapAttribute {
	return schema.MapAttribute{Computed: true, ElementType: types.BoolType, MarkdownDescription: description}
}

func texts(description string) schema.ListAttribute {
	return schema.ListAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: description}
}

// serviceName, scope and taskQueue are the attributes that say which service is looked at, and who looks.
func serviceName(what string) schema.StringAttribute {
	return schema.StringAttribute{
		Required: true, Validators: []validator.String{ruleValidator{"service name", contract.ServiceNameRule, contract.ValidateServiceName}},
		MarkdownDescription: what + ": " + contract.ServiceNameRule + ".",
	}
}

func scope(what string) schema.StringAttribute {
	return schema.StringAttribute{
		Optional: true, Computed: true, Validators: []validator.String{ruleValidator{"scope", contract.ScopeRule, contract.ValidateScope}},
		MarkdownDescription: "Scope that the " + what + " was created in. Default: the provider's.",
	}
}

func taskQueueName(worker string) schema.StringAttribute {
	return schema.StringAttribute{
		Optional: true, Computed: true, Validators: notEmpty,
		MarkdownDescription: "Task queue of " + worker + ". Default: the provider's `task_queue`, else `<service_name>-queue`.",
	}
}

// ruleValidator applies a rule of the contract's for names.
type ruleValidator struct {
	what, rule string
	check      func(string) error
}

// Description implements validator.String.
func (v ruleValidator) Description(context.Context) string { return v.rule }

// MarkdownDescription implements validator.String.
func (v ruleValidator) MarkdownDescription(context.Context) string { return v.rule }

// ValidateString implements validator.String.
func (v ruleValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if err := v.check(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid "+v.what, sentence(err.Error()))
	}
}

const pipelineDescription = `Looks at a service that is made of containers, by its kind and name, whether this configuration manages it or another
one: its status, where it answers, its containers and what of them is not as configured. With ` + "`verify = true`" + ` it also proves that the service does its
work. The service's worker looks at the real thing, so one must be running; it changes nothing, and writes nothing but the canaries of
a verification.

A service that does not exist is an error, and so is one to verify whose components are not all ready, or whose canary does not come
back. In a ` + "`check`" + ` block Terraform shows them as
warnings, which makes it a monitor that fails no apply.`

func pipelineSchema(ctx context.Context) schema.Schema {
	return schema.Schema{MarkdownDescription: pipelineDescription, Attributes: map[string]schema.Attribute{
		"kind": schema.StringAttribute{
			Required: true, Validators: []validator.String{stringvalidator.OneOf(kindNames()...)},
			MarkdownDescription: "Kind of the service, the type of its resource without `orch_`: `" + strings.Join(kindNames(), "`, `") + "`.",
		},
		"service_name": serviceName("Name of the service"),
		"scope":        scope("service"),
		"task_queue":   taskQueueName("a worker on the service's Docker host"),
		"verify": schema.BoolAttribute{
			Optional: true,
			MarkdownDescription: "Whether something is written into the service and read back the whole way, as at the end of a setup. It is done whenever the " +
				"data source is read, so also in each plan. Default: `false`.",
		},
		"timeouts": timeoutsSchema(ctx),
		"id":       text("`orch/<scope>/<kind>/<service_name>`, the `id` of its resource."),
		"status": text("`ready` when every component runs as configured and answers; `degraded` when something is missing, stopped or changed; " +
			"`in_progress` while an operation is under way."),
		"operation": text("The operation that is under way: `create`, `update`, `delete`, or `converge` for one that was started from outside " +
			"Terraform. Null when there is none."),
		"drift": texts("What is not as configured, a sentence each that begins with the component's name. Empty when nothing is."),
		"endpoints": schema.MapAttribute{
			Computed: true, ElementType: types.StringType,
			MarkdownDescription: "Where the service answers, by name: from the Docker host, and under the names that end in `_internal` from containers of " +
				"other services that join its network. Null while nothing of it is there.",
		},
		"datasource_uid": text("Uid of the service's data source in Grafana. Null where the service is not shown in Grafana."),
		"containers": schema.MapNestedAttribute{
			Computed: true, MarkdownDescription: "The containers by component.",
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"name":   text("Name of the container."),
				"image":  text("Reference of the image that it runs."),
				"digest": text("Digest of that image in its registry, or its ID when it was never pulled."),
				"state":  text("Docker's word for its state, such as `running` or `exited`, or `missing`."),
				"health": text("`ready` when it answers its probe, else `not_ready`."),
				"drift":  texts("What of it is not as configured. Empty when nothing is."),
			}},
		},
		"verification": schema.MapAttribute{
			Computed: true, ElementType: types.Int64Type,
			MarkdownDescription: "For each signal the milliseconds from writing the canary until it was read back. Null unless `verify` is `true`, and for a " +
				"kind that has no canaries.",
		},
		"input": dynamic("What the service was made from, as its containers keep it: the attributes of its resource, null where they were not set, " +
			"and no secret."),
		"engine_id":  text("ID of the Docker Engine that the service lives on."),
		"web_ui_url": text("Page of the run that looked, or that is under way, in the Temporal Web UI. Null when the Web UI's address is not known."),
	}}
}

func timeoutsSchema(ctx context.Context) schema.Attribute {
	attribute := timeouts.AttributesWithOpts(ctx, timeouts.Opts{ReadDescription: "How long to wait for each inspection, for example `5m`. Default: `2m`."})
	if nested, ok := attribute.(schema.SingleNestedAttribute); ok {
		nested.MarkdownDescription = "How long Terraform waits. Default: the default of its attribute."
		return nested
	}
	return attribute
}

const workflowDescription = `Describes a run of any workflow, of any worker in any SDK language: how it stands, its result, why it failed, what it is
waiting for, and a summary of its history. Temporal answers; no worker is needed.

Values are JSON, as the default data converters of all SDKs make it, and become Terraform values as with ` + "`jsondecode`" + `. Bytes,
and other encodings that are no JSON, become a string in base64; ` + "`result_encoding`" + ` tells. What travelled encrypted with a key of
the provider's ` + "`encryption_key_file`" + ` is decrypted, and stands in the attributes that are sensitive; without the key it is left out,
with a warning.`

func workflowSchema() schema.Schema {
	sensitive := dynamic("The result when it travelled encrypted; otherwise null. Terraform does not show it, but state holds it in clear.")
	sensitive.Sensitive = true
	sensitiveMemo := dynamic("The values of the memo that travelled encrypted, as an object. Terraform does not show it, but state holds it in clear.")
	sensitiveMemo.Sensitive = true
	return schema.Schema{MarkdownDescription: workflowDescription, Attributes: map[string]schema.Attribute{
		"workflow_id": schema.StringAttribute{Required: true, Validators: notEmpty, MarkdownDescription: "ID of the workflow."},
		"run_id": schema.StringAttribute{
			Optional: true, Computed: true, Validators: []validator.String{stringvalidator.RegexMatches(runID, "must be the ID of a run, a UUID")},
			MarkdownDescription: "ID of the run. Default: the latest run of the workflow.",
		},
		"read_history": schema.BoolAttribute{
			Optional:            true,
			MarkdownDescription: "Whether `history.events` is counted, for which the whole history is read; it may have 50 MB. Default: `true`.",
		},
		"type":               text("Workflow type."),
		"status":             text("`running`, `completed`, `failed`, `canceled`, `terminated`, `timed_out`, `continued_as_new` or `paused`."),
		"task_queue":         text("Task queue that the run's workflow tasks are put on."),
		"start_time":         text("When the run was started, in RFC 3339."),
		"close_time":         text("When it ended, in RFC 3339. Null while it is open."),
		"parent_workflow_id": text("ID of the workflow that started it as its child. Null when it is no child."),
		"next_run_id":        text("ID of the run that continues this one, after continue-as-new, a retry or on a schedule. Null when there is none."),
		"memo":               dynamic("Its memo, an object, without what travelled encrypted."),
		"sensitive_memo":     sensitiveMemo,
		"search_attributes":  dynamic("Its search attributes, an object, Temporal's own such as `BuildIds` included."),
		"result":             dynamic("What it returned. Null while it is open, when it failed, when it returned nothing, and when the result travelled encrypted."),
		"sensitive_result":   sensitive,
		"result_encoding": text("How the worker encoded the result, for example `json/plain`, `binary/null` for nothing, `binary/plain` for bytes, or " +
			"`binary/encrypted` when it cannot be decrypted. Null unless the run has completed."),
		"failure": schema.SingleNestedAttribute{
			Computed: true, MarkdownDescription: "Why it ended without a result. Null while it is open, and when it has completed.",
			Attributes: map[string]schema.Attribute{
				"message":       text("What happened in one sentence, or the reason of a termination."),
				"type":          text("Type of the application error. Null when there was none."),
				"activity":      text("Type of the activity that failed. Null when none did."),
				"terminated_by": text("Who terminated it. Null when nobody did."),
			},
		},
		"pending_activities": schema.ListNestedAttribute{
			Computed: true, MarkdownDescription: "The activities that it is waiting for.",
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"id":                  text("ID of the activity in its run."),
				"type":                text("Activity type."),
				"state":               text("`scheduled`, `started`, `cancel_requested`, `paused` or `pause_requested`."),
				"attempt":             integer("Number of the attempt that is under way or comes next, from 1."),
				"max_attempts":        integer("How many attempts there may be. Null when there is no limit."),
				"last_failure":        text("Why the last attempt failed. Null when none has failed."),
				"progress":            text("What it last reported with a heartbeat. Null when it has not."),
				"worker":              text("Identity of the worker that had the last attempt. Null before the first."),
				"scheduled_time":      text("When it was scheduled, in RFC 3339."),
				"last_started_time":   text("When the attempt that is under way began, in RFC 3339. Null while none is."),
				"last_heartbeat_time": text("When the last heartbeat came, in RFC 3339. Null when none has."),
				"next_attempt_time":   text("When the next attempt is due, in RFC 3339. Null while one is under way."),
			}},
		},
		"pending_workflow_task": schema.SingleNestedAttribute{
			Computed: true,
			MarkdownDescription: "The step of the workflow's own code that waits for a worker, or is with one. Null when there is none. One that is tried again and " +
				"again means a worker that cannot run the workflow, or a result that is too large.",
			Attributes: map[string]schema.Attribute{
				"state":        text("`scheduled` or `started`."),
				"attempt":      integer("Number of the attempt, from 1."),
				"last_failure": text("Why the last attempt failed. Null when none has, and when `read_history` is `false`."),
			},
		},
		"history": schema.SingleNestedAttribute{
			Computed: true, MarkdownDescription: "Summary of the run's history.",
			Attributes: map[string]schema.Attribute{
				"length":     integer("How many events it has."),
				"size_bytes": integer("How large it is in bytes."),
				"events": schema.MapAttribute{
					Computed: true, ElementType: types.Int64Type,
					MarkdownDescription: "How many events it has of each type, such as `ActivityTaskScheduled`. Null when `read_history` is `false`.",
				},
			},
		},
		"web_ui_url": text("Page of the run in the Temporal Web UI. Null when the Web UI's address is not known."),
	}}
}

const workflowsDescription = `Lists runs of workflows by a [visibility query](https://docs.temporal.io/list-filter), for example to find those that have
failed. Temporal answers; no worker is needed. The list is eventually consistent: what was started or has ended within the last second may
be missing or out of date.`

func workflowsSchema() schema.Schema {
	return schema.Schema{MarkdownDescription: workflowsDescription, Attributes: map[string]schema.Attribute{
		"query": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "Visibility query, for example `WorkflowType = 'LogsPipelineWorkflow' AND ExecutionStatus = 'Failed'`. Default: all runs of the " +
				"namespace.",
		},
		"limit": schema.Int64Attribute{
			Optional: true, Validators: []validator.Int64{int64validator.Between(1, maxLimit)},
			MarkdownDescription: fmt.Sprintf("How many runs are listed at most, from 1 to %d. Default: `%d`.", maxLimit, defaultLimit),
		},
		"order_by": schema.StringAttribute{
			Optional: true, Validators: []validator.String{stringvalidator.OneOf(runner.OrderStartTime, runner.OrderCloseTime, runner.OrderWorkflowID)},
			MarkdownDescription: "What the runs are sorted by before `limit` cuts the list off: `start_time`, `close_time` or `workflow_id`. At most 10000 runs can be " +
				"sorted. Default: the server's order, first the open ones, then those that ended last.",
		},
		"descending": schema.BoolAttribute{
			Optional: true, Validators: []validator.Bool{boolvalidator.AlsoRequires(path.MatchRoot("order_by"))},
			MarkdownDescription: "Whether the highest comes first, which of times is the latest. It needs `order_by`. Default: `true`.",
		},
		"total": integer("How many runs match the query, however many are listed. Null when the server does not count."),
		"workflows": schema.ListNestedAttribute{
			Computed: true, MarkdownDescription: "The runs. A workflow ID appears once for each of its runs.",
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"workflow_id":        text("ID of the workflow."),
				"run_id":             text("ID of the run."),
				"type":               text("Workflow type."),
				"status":             text("`running`, `completed`, `failed`, `canceled`, `terminated`, `timed_out`, `continued_as_new` or `paused`."),
				"task_queue":         text("Task queue that the run's workflow tasks are put on."),
				"start_time":         text("When the run was started, in RFC 3339."),
				"close_time":         text("When it ended, in RFC 3339. Null while it is open."),
				"history_length":     integer("How many events its history has. 0 while it is open."),
				"parent_workflow_id": text("ID of the workflow that started it as its child. Null when it is no child."),
				"web_ui_url":         text("Page of the run in the Temporal Web UI. Null when the Web UI's address is not known."),
			}},
		},
	}}
}

const taskQueueDescription = `Looks at a task queue: which workers poll it, and what lies on it. Temporal answers; no worker is needed.

Every name is a task queue. One that nobody uses, be it for a misspelt name, has no pollers and ` + "`polled = false`" + `.`

func taskQueueSchema() schema.Schema {
	return schema.Schema{MarkdownDescription: taskQueueDescription, Attributes: map[string]schema.Attribute{
		"name":   schema.StringAttribute{Required: true, Validators: notEmpty, MarkdownDescription: "Name of the task queue."},
		"polled": boolean("Whether a worker that is alive polls it for workflow tasks, so that a workflow that is started on it begins."),
		"pollers": schema.ListNestedAttribute{
			Computed: true, MarkdownDescription: "The workers that have polled it within the last five minutes, once for each kind of task.",
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"identity":         text("Identity of the worker, by default its process ID and host."),
				"kind":             text("What it polls for: `workflow` or `activity` tasks."),
				"last_access_time": text("When it last polled, in RFC 3339."),
				"alive":            boolean("Whether that is less than 90 s ago. A poll lasts up to 60 s, so a worker that has stopped looks alive for a while."),
			}},
		},
		"backlog": schema.MapNestedAttribute{
			Computed: true, MarkdownDescription: "What waits for a worker, by kind: `workflow` and `activity` tasks. Temporal estimates it, with a delay of some seconds.",
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"count":         integer("How many tasks wait."),
				"age_seconds":   float("For how many seconds the oldest has waited."),
				"add_rate":      float("How many tasks come a second."),
				"dispatch_rate": float("How many tasks are taken a second."),
			}},
		},
	}}
}

const clusterDescription = `Describes the Temporal that the provider is connected to: version, namespaces, capabilities, Web UI. What a server keeps to
itself is null: Temporal Cloud tells little of its clusters, and an account may see its own namespace only.`

func clusterSchema() schema.Schema {
	return schema.Schema{MarkdownDescription: clusterDescription, Attributes: map[string]schema.Attribute{
		"address":             text("Host and port of the frontend that the provider is connected to."),
		"tls":                 boolean("Whether the connection is encrypted."),
		"namespace":           text("Namespace that the provider uses."),
		"web_ui_url":          text("Base URL of the Web UI. Null when it is not known."),
		"server_version":      text("Version of the server."),
		"cluster_name":        text("Name of the cluster."),
		"cluster_id":          text("ID of the cluster."),
		"persistence_store":   text("Where the server keeps histories, for example `sqlite` or `postgres12`."),
		"visibility_store":    text("Where the server keeps what lists of workflows are made from."),
		"history_shard_count": integer("How many history shards the cluster has."),
		"capabilities":        booleans("What the server can do, by Temporal's own names, such as `supports_schedules` or `nexus`."),
		"namespaces": schema.MapNestedAttribute{
			Computed: true, MarkdownDescription: "The namespaces that the account may see, by name.",
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"id":              text("ID of the namespace."),
				"description":     text("Its description. Null when it has none."),
				"state":           text("`registered`, `deprecated` or `deleted`."),
				"retention_hours": float("For how many hours the history of a run is kept after its end."),
				"capabilities":    booleans("What the namespace can do, by Temporal's own names."),
			}},
		},
	}}
}
