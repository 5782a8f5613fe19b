package resources

import (
	"math"

	"github.com/hashicorp/terraform-plugin-framework-validators/float64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

const workflowDescription = "Runs any workflow of any Temporal worker, in any SDK language, as a resource: `setup` when it is created, `update` when it " +
	"changes, `status` when it is refreshed, `cleanup` when it is destroyed. With `mode = \"running\"` a long-running workflow is the resource: creation " +
	"returns once a worker has run its first task, and destruction cancels or terminates it.\n\n" +
	"Inputs and results travel as plain JSON (`json/plain`), which every SDK's default data converter reads and writes. They are stored in Temporal's " +
	"history and in Terraform's state: put no secret in them, let the worker read those where it runs.\n\n" +
	"An apply that was killed attaches to the run that it had started: the run's memo holds a digest of workflow type, input and triggers. A run that had " +
	"ended meanwhile is started again, so workflows should be idempotent. A workflow that fails taints the resource if there is a `cleanup`; the next " +
	"apply then cleans up first."

func workflowSchema() schema.Schema {
	text := func(description string) schema.StringAttribute {
		return schema.StringAttribute{Computed: true, MarkdownDescription: description}
	}
	return schema.Schema{MarkdownDescription: workflowDescription, Attributes: map[string]schema.Attribute{
		"workflow_id": schema.StringAttribute{
			Required: true, Validators: []validator.String{stringvalidator.LengthBetween(1, 900)},
			PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
			MarkdownDescription: "Workflow ID that `setup` runs under, unique in the namespace. The others run under `<workflow_id>/update`, " +
				"`<workflow_id>/status/<random>` and `<workflow_id>/cleanup`. Changing it replaces the resource.",
		},
		"mode": schema.StringAttribute{
			Optional: true, Computed: true, Default: stringdefault.StaticString(modeComplete),
			Validators:    []validator.String{stringvalidator.OneOf(modeComplete, modeRunning)},
			PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
			MarkdownDescription: "`complete`: `setup` is waited for and its result kept; a history that its retention has ended is no sign that the resource is gone. " +
				"`running`: `setup` is to go on running; one that has failed, timed out, or was cancelled or terminated shows in the plan and is started again. " +
				"Changing it replaces the resource. Default: `complete`.",
		},
		"setup": schema.SingleNestedAttribute{
			Required: true, Attributes: operationSchema(true),
			MarkdownDescription: "The workflow that makes the resource. A changed `workflow` replaces the resource; so does a changed `input` where there is no `update`.",
		},
		"update": schema.SingleNestedAttribute{
			Optional: true, Attributes: operationSchema(false),
			MarkdownDescription: "The workflow that runs in place when `triggers`, or the input of `setup` or `update`, change. Its result takes the place of " +
				"`setup`'s. Default: none, such a change replaces the resource.",
		},
		"status": schema.SingleNestedAttribute{
			Optional: true, Attributes: operationSchema(false),
			MarkdownDescription: "The workflow that looks at the resource when it is refreshed. A result of `false` or `{\"exists\": false}` means that it is gone, and it is " +
				"created again; `{\"drift\": [\"…\"]}` with at least one finding means that it is not as it should be, which the next apply repairs with `update`, else " +
				"`setup`. Anything else means that all is well. A status workflow that fails is an error, never a removal. Default: none.",
		},
		"cleanup": schema.SingleNestedAttribute{
			Optional: true, Attributes: operationSchema(false),
			MarkdownDescription: "The workflow that runs when the resource is destroyed. Default: none, what `setup` made stays.",
		},
		"triggers": schema.MapAttribute{
			Optional: true, ElementType: types.StringType, Validators: noNullsMap,
			MarkdownDescription: "Values of any meaning: a change of one is dealt with like a change of `setup`'s input. An import cannot know them, so the first " +
				"ones after it change nothing. Default: none.",
		},
		"failure_pattern": schema.StringAttribute{
			Optional: true, Validators: []validator.String{regexpValidator{}},
			MarkdownDescription: "Regular expression (RE2) for workflows that report failure as a normal result, for example `^Error: `. It is matched against a " +
				"result that is a string as it is, else against its JSON. Default: every result is a success.",
		},
		"memo": schema.DynamicAttribute{
			Optional: true, Validators: []validator.Dynamic{objectValidator{}},
			MarkdownDescription: "Object whose attributes are added to the memo of the runs. Names beginning with `orch.` are taken. A change takes effect with the next run. Default: none.",
		},
		"search_attributes": schema.DynamicAttribute{
			Optional: true, Validators: []validator.Dynamic{objectValidator{}, searchAttributesValidator{}},
			MarkdownDescription: "Object of search attributes of the runs, which must be registered in the namespace: a string is sent as Keyword, a whole number as Int, " +
				"another one as Double, a truth value as Bool, a list of strings as KeywordList. A change takes effect with the next run. Default: none.",
		},
		"on_destroy":   onDestroySchema(),
		"on_interrupt": onInterruptSchema(),
		"id":           text("The same as `workflow_id`."),
		"state": text("`ready` when `setup` or `update` succeeded in mode `complete`; `running` in mode `running`; `completed` when such a workflow has ended well by " +
			"itself; `in_progress` while an operation goes on without Terraform; `degraded` when an update failed or `status` found drift; `failed`, `timed_out`, `canceled` " +
			"or `terminated` as Temporal says. After the last five the next apply runs a workflow again."),
		"result": schema.DynamicAttribute{
			Computed:            true,
			MarkdownDescription: "What the last `setup` or `update` returned. Null when it returned nothing, or while it runs.",
		},
		"operation_id": text("Workflow ID of the last `setup` or `update`."),
		"run_id":       text("ID of that workflow's run."),
		"web_ui_url":   text("Page of that run in the Temporal Web UI."),
	}}
}

func onInterruptSchema() schema.StringAttribute {
	return schema.StringAttribute{
		Optional: true, Computed: true, Default: stringdefault.StaticString(contract.OnInterruptCancel),
		Validators: []validator.String{stringvalidator.OneOf(contract.OnInterruptCancel, contract.OnInterruptDetach)},
		MarkdownDescription: "What an interrupted or timed out `terraform apply` does with the workflow that it waits for: `cancel` cancels it and waits for its end; " +
			"`detach` lets it go on, and the next plan or apply picks up its result. Default: `cancel`.",
	}
}

func onDestroySchema() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "How a workflow that is still running is ended when the resource is destroyed, before `cleanup`. Default: all defaults of its attributes.",
		Attributes: map[string]schema.Attribute{
			"action": schema.StringAttribute{
				Optional: true, Validators: []validator.String{stringvalidator.OneOf(actionCancel, actionTerminate)},
				MarkdownDescription: "`cancel` asks the workflow to end, which can clean up; `terminate` ends it at once. Default: `cancel`.",
			},
			"reason": schema.StringAttribute{
				Optional: true, Validators: []validator.String{notEmpty},
				MarkdownDescription: "Reason that stands in the workflow's history. Default: `" + defaultReason + "`.",
			},
			"timeout": schema.StringAttribute{
				Optional: true, Validators: []validator.String{durationValidator{}},
				MarkdownDescription: "How long its end is waited for; then the destroy fails and the resource stays in state. Default: `2m`.",
			},
		},
	}
}

// operationSchema is setup, or one of the others, which take setup's queue.
func operationSchema(setup bool) map[string]schema.Attribute {
	queue := schema.StringAttribute{
		Required: setup, Optional: !setup, Validators: []validator.String{notEmpty},
		MarkdownDescription: "Task queue that the worker polls which has this workflow type.",
	}
	if !setup {
		queue.MarkdownDescription += " Default: that of `setup`."
	}
	duration := func(description string) schema.StringAttribute {
		return schema.StringAttribute{Optional: true, Validators: []validator.String{durationValidator{}}, MarkdownDescription: description}
	}
	return map[string]schema.Attribute{
		"workflow": schema.StringAttribute{
			Required: true, Validators: []validator.String{notEmpty},
			MarkdownDescription: "Workflow type, as it is registered in the worker.",
		},
		"input": schema.DynamicAttribute{
			Optional:            true,
			MarkdownDescription: "The workflow's argument: a string, number, truth value, list or object. Default: none, the workflow is started without an argument.",
		},
		"task_queue": queue,
		"timeouts": schema.SingleNestedAttribute{
			Optional: true, MarkdownDescription: "Time limits, for example `90s` or `1h30m`. Default: all defaults of its attributes.",
			Attributes: map[string]schema.Attribute{
				"wait":      duration("How long Terraform waits; what happens then, `on_interrupt` decides. Default: `20m`."),
				"execution": duration("How long the workflow may take with all its retries and continuations. Default: the namespace's."),
				"run":       duration("How long one run of it may take. Default: the namespace's."),
				"task":      duration("How long a worker may take for one workflow task. Default: the namespace's."),
			},
		},
		"retry": schema.SingleNestedAttribute{
			Optional:            true,
			MarkdownDescription: "How often the whole workflow is run again when it fails. Activities have retries of their own, in the worker's code. Default: never.",
			Attributes: map[string]schema.Attribute{
				"initial_interval": duration("Time until the first retry. Default: `1s`."),
				"maximum_interval": duration("Longest time between two attempts. Default: 100 times `initial_interval`."),
				"backoff_coefficient": schema.Float64Attribute{
					Optional: true, Validators: []validator.Float64{float64validator.AtLeast(1)},
					MarkdownDescription: "What the interval is multiplied by after each attempt, at least 1. Default: `2`.",
				},
				"maximum_attempts": schema.Int64Attribute{
					Optional: true, Validators: []validator.Int64{int64validator.Between(1, math.MaxInt32)},
					MarkdownDescription: "Attempts in all. Default: no limit.",
				},
				"non_retryable_error_types": schema.ListAttribute{
					Optional: true, ElementType: types.StringType, Validators: noNulls,
					MarkdownDescription: "Types of application errors that are not retried. Default: none.",
				},
			},
		},
	}
}
