package resources

import (
	"context"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

var notEmpty = stringvalidator.LengthAtLeast(1)

// pipelineSchema is a kind's schema: what all kinds have, and its own blocks.
func pipelineSchema(ctx context.Context, description string, blocks map[string]schema.Attribute) schema.Schema {
	attributes := settingAttributes(ctx)
	maps.Copy(attributes, computedAttributes())
	maps.Copy(attributes, sharedAttributes())
	maps.Copy(attributes, blocks)
	return schema.Schema{MarkdownDescription: description, Attributes: attributes}
}

func settingAttributes(ctx context.Context) map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"service_name": schema.StringAttribute{
			Required:      true,
			Validators:    []validator.String{serviceNameValidator{}},
			PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
			MarkdownDescription: "Name of the service, unique within the provider's `scope` for this kind of resource: " +
				contract.ServiceNameRule + ". Containers, network and volumes are named after it. Changing it replaces the service. Leave `create_before_destroy` " +
				"out: a replacement under the same name would adopt what the destroy then removes.",
		},
		"task_queue": schema.StringAttribute{
			Optional: true, Validators: []validator.String{notEmpty},
			MarkdownDescription: "Task queue that the workflows of this service are started on; a worker on the right Docker host must " +
				"poll it. An import, which knows no attribute of the resource, uses the default. Default: the provider's `task_queue`, else `<service_name>-queue`.",
		},
		"delete_volumes": schema.BoolAttribute{
			Optional: true, Computed: true, Default: booldefault.StaticBool(false),
			MarkdownDescription: "Whether destroying the service also deletes its volumes, with all data and generated passwords in them. " +
				"With `false` they stay, and a service of the same name finds them again. Default: `false`.",
		},
		"on_failure": schema.StringAttribute{
			Optional: true, Computed: true, Default: stringdefault.StaticString(contract.OnFailureRollback),
			Validators: []validator.String{stringvalidator.OneOf(contract.OnFailureRollback, contract.OnFailureKeep)},
			MarkdownDescription: "What a failed setup does with what it made: `rollback` removes it and brings back what it replaced; " +
				"`keep` leaves everything for inspection, with the resource tainted when it was being created. Default: `rollback`.",
		},
		"on_interrupt": schema.StringAttribute{
			Optional: true, Computed: true, Default: stringdefault.StaticString(contract.OnInterruptCancel),
			Validators: []validator.String{stringvalidator.OneOf(contract.OnInterruptCancel, contract.OnInterruptDetach)},
			MarkdownDescription: "What an interrupted or timed out `terraform apply` does with the workflow: `cancel` cancels it and waits " +
				"for its rollback; `detach` lets it finish on its own, and the next plan or apply picks up its result. Default: `cancel`.",
		},
		"verify": schema.BoolAttribute{
			Optional: true, Computed: true, Default: booldefault.StaticBool(true),
			MarkdownDescription: "Whether a setup ends by proving that the service does its work: something is written into it and read back " +
				"the whole way, such as a log line through Grafana's data source. A canary that does not come back fails the setup. " +
				"Changing it takes effect with the next setup. Default: `true`.",
		},
		"timeouts": timeoutsAttribute(ctx),
	}
}

func timeoutsAttribute(ctx context.Context) schema.Attribute {
	attribute := timeouts.Attributes(ctx, timeouts.Opts{
		Create: true, Read: true, Update: true, Delete: true,
		CreateDescription: "How long to wait for a setup, for example `30m`. Default: `20m`.",
		ReadDescription:   "How long to wait for an inspection. Default: `2m`.",
		UpdateDescription: "How long to wait for an update. Default: `20m`.",
		DeleteDescription: "How long to wait for a cleanup. Default: `10m`.",
	})
	if nested, ok := attribute.(schema.SingleNestedAttribute); ok {
		nested.MarkdownDescription = "How long Terraform waits for each operation. What happens to one that takes longer, `on_interrupt` decides. " +
			"Default: all defaults of its attributes."
		for name, each := range nested.Attributes {
			if text, ok := each.(schema.StringAttribute); ok {
				// The module's own also takes 0s and -5m, which the runner would take for its default.
				text.Validators = []validator.String{durationValidator{}}
				nested.Attributes[name] = text
			}
		}
		return nested
	}
	return attribute
}

func computedAttributes() map[string]schema.Attribute {
	text := func(description string) schema.StringAttribute {
		return schema.StringAttribute{Computed: true, MarkdownDescription: description}
	}
	return map[string]schema.Attribute{
		"id": text("`orch/<scope>/<kind>/<service_name>`, which is the ID of the service's workflows in Temporal too."),
		"status": text("`ready` when every component runs as configured and answers; `degraded` when something is missing, stopped or " +
			"changed, be it a container or what the service has put into another Grafana, which the next apply repairs; `in_progress` while " +
			"an operation is under way."),
		"message": text("What the last setup said when it was finished."),
		"steps": schema.ListAttribute{
			Computed: true, ElementType: types.StringType,
			MarkdownDescription: "Steps of the setup in order. Steps that do not depend on each other run at the same time.",
		},
		"endpoints": schema.MapAttribute{
			Computed: true, ElementType: types.StringType,
			MarkdownDescription: "Where the service answers, by name: from the Docker host, and under the names that end in `_internal` from containers " +
				"of other pipelines of the same scope and Docker Engine, which join its network for that.",
		},
		"datasource_uid": text("Uid of the service's data source in Grafana, for other pipelines to link to. Null where the service is not shown in Grafana."),
		"verification": schema.MapAttribute{
			Computed: true, ElementType: types.Int64Type,
			MarkdownDescription: "What the last setup has proven: for each signal the milliseconds from writing the canary until it was read " +
				"back. Null when that setup verified nothing, or was not waited for.",
		},
		"containers": schema.MapNestedAttribute{
			Computed: true,
			MarkdownDescription: "The containers by component. In a plan only those that the apply touches are unknown, so it shows what " +
				"is repaired or recreated.",
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"name":   text("Name of the container."),
				"image":  text("Reference of the image that it runs."),
				"digest": text("Digest of that image in its registry, or its ID when it was never pulled."),
				"state":  text("Docker's word for its state, such as `running` or `exited`, or `missing`."),
				"health": text("`ready` when it answers its probe, else `not_ready`."),
			}},
		},
		"engine_id":   text("ID of the Docker Engine that the service lives on. Workers on other engines refuse to touch it."),
		"workflow_id": text("ID of the workflow of the last operation, the same as `id`."),
		"run_id":      text("ID of that workflow's run."),
		"web_ui_url":  text("Page of that run in the Temporal Web UI."),
	}
}

func sharedAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"bind_address": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "IP address of the Docker host that ports are published on; `0.0.0.0` means all of them. " +
				"Default: `127.0.0.1`, the host itself only.",
		},
		"labels": schema.MapAttribute{
			Optional: true, ElementType: types.StringType,
			Validators: []validator.Map{mapvalidator.NoNullValues(), mapvalidator.KeysAre(notEmpty)},
			MarkdownDescription: "Labels to put on every container, for example `{ team = \"chat\" }`. Names beginning with `io.orch.` are " +
				"taken. Default: none.",
		},
		"pull_policy": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "When images are pulled: `missing` when the Docker Engine has none, `always`, or `never`. " +
				"Default: `missing`.",
		},
		"registry_mirror": schema.StringAttribute{
			Optional: true, Validators: []validator.String{notEmpty},
			MarkdownDescription: "Registry that stands in for Docker Hub, for example `mirror.example.com:5000` or `registry.example.com/hub`. " +
				"Images that name a registry of their own are not affected. Default: Docker Hub.",
		},
	}
}

// serviceNameValidator applies the contract's rule for service names.
type serviceNameValidator struct{}

func (serviceNameValidator) Description(context.Context) string { return contract.ServiceNameRule }

func (v serviceNameValidator) MarkdownDescription(ctx context.Context) string {
	return v.Description(ctx)
}

func (serviceNameValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if err := contract.ValidateServiceName(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid service name", Sentence(err.Error()))
	}
}
