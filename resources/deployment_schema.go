package resources

import (
	"context"
	"fmt"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// deploymentSchema is a platform's schema: what all deployments have, and its own.
func deploymentSchema(ctx context.Context, description, name, defaultName string, own map[string]schema.Attribute) schema.Schema {
	naming := map[string]schema.Attribute{name: schema.StringAttribute{
		Optional: true, Computed: true, Default: stringdefault.StaticString(defaultName),
		Validators:    []validator.String{serviceNameValidator{}},
		PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
		MarkdownDescription: fmt.Sprintf("Name on the platform, unique within the provider's `scope` too. Changing it replaces the deployment. Leave `create_before_destroy` "+
			"out: a replacement under the same name would adopt what the destroy then removes. Default: `%s`.",
			defaultName),
	}}
	return schema.Schema{
		MarkdownDescription: description,
		Attributes:          merged(deploymentSettings(ctx), deploymentInputs(), deploymentComputed(), naming, own),
	}
}

func deploymentSettings(ctx context.Context) map[string]schema.Attribute {
	yesOrNo := func(otherwise bool, description string) schema.BoolAttribute {
		return schema.BoolAttribute{
			Optional: true, Computed: true, Default: booldefault.StaticBool(otherwise),
			MarkdownDescription: fmt.Sprintf("%s Default: `%t`.", description, otherwise),
		}
	}
	settings := settingAttributes(ctx)
	return merged(map[string]schema.Attribute{
		"task_queue": schema.StringAttribute{
			Optional: true, Validators: []validator.String{notEmpty},
			MarkdownDescription: "Task queue that the workflows of this deployment are started on. An import, which knows no attribute of the resource, uses " +
				"the default. Default: the provider's `task_queue`, else the name followed by `-queue`.",
		},
		"on_interrupt": settings["on_interrupt"],
		"timeouts":     settings["timeouts"],
		"wait": yesOrNo(true, "Whether the apply waits until the release is up and its health check passes. With `false` it ends as soon as the platform "+
			"has accepted the release, with `status` `in_progress`."),
		"rollback_on_failure": yesOrNo(true, "Whether a release that fails is undone: the last good release comes back, and a first deployment is removed. "+
			"With `false` everything stays for inspection."),
		"adopt_existing": yesOrNo(false, "Whether a create may take over what exists under the name without being orch's. What runs in it is replaced, and a destroy removes it."),
		"api_url": schema.StringAttribute{
			Optional: true, Validators: []validator.String{httpURL},
			MarkdownDescription: "Base URL of the platform's API, for gateways and stand-ins. Default: what the worker's environment says " +
				"(`ORCH_<PLATFORM>_API_URL`), else the platform's own.",
		},
		"token": referenceAttribute("Where the worker finds the platform's API token. Default: the variable that the platform's own tools read, in the worker's environment."),
	}, tokenAttributes("token", "API token of the platform, instead of `token`."))
}

// replaceUnless replaces the deployment when the attribute's effective value changes. Writing out what holds without it, or
// leaving that out again, changes nothing on the platform. otherwise is the default, or where in the state it is.
func replaceUnless[Default string | path.Path](otherwise Default) planmodifier.String {
	const what = "Another value replaces the deployment; the default, written out, does not."
	return stringplanmodifier.RequiresReplaceIf(func(ctx context.Context, req planmodifier.StringRequest, resp *stringplanmodifier.RequiresReplaceIfFuncResponse) {
		var standard types.String
		switch from := any(otherwise).(type) {
		case string:
			standard = types.StringValue(from)
		case path.Path:
			resp.Diagnostics.Append(req.State.GetAttribute(ctx, from, &standard)...)
		}
		was, will := req.StateValue, req.PlanValue
		if was.IsNull() {
			was = standard
		}
		if will.IsNull() {
			will = standard
		}
		resp.RequiresReplace = !will.Equal(was)
	}, what, what)
}

var httpURLPattern = regexp.MustCompile(`^https?://[^/\s]+(/\S*[^/\s])?$`)

// httpURL takes what begins like the address of a web server.
var httpURL = stringvalidator.RegexMatches(httpURLPattern, "must begin with https:// or http:// and not end with a slash")

// tokenAttributes are the write-only attribute <name>_wo of a platform's token and its version.
func tokenAttributes(name, what string) map[string]schema.Attribute {
	value, version := name+"_wo", name+"_wo_version"
	sibling := func(name string) path.Expression { return path.MatchRelative().AtParent().AtName(name) }
	return map[string]schema.Attribute{
		value: schema.StringAttribute{
			Optional: true, Sensitive: true, WriteOnly: true,
			Validators: []validator.String{notEmpty, stringvalidator.AlsoRequires(sibling(version)), stringvalidator.ConflictsWith(sibling(name))},
			MarkdownDescription: what + " It is not stored in plan or state; a refresh and a destroy, which are given no configuration, find it encrypted with the " +
				"provider's encryption key in the resource's private state. Needs `" + version + "`. Default: the one that `" + name + "` refers to.",
		},
		version: schema.Int64Attribute{
			Optional: true, Validators: []validator.Int64{int64validator.AtLeast(0), int64validator.AlsoRequires(sibling(value))},
			MarkdownDescription: fmt.Sprintf("Version of `%s`, any number. Raise it when the token changes.", value),
		},
	}
}

// referenceAttribute is a reference to a secret on the worker's side.
func referenceAttribute(description string) schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		Optional: true, MarkdownDescription: description, Attributes: referenceAttributes(),
	}
}

func referenceAttributes() map[string]schema.Attribute {
	sibling := func(name string) path.Expression { return path.MatchRelative().AtParent().AtName(name) }
	return map[string]schema.Attribute{
		"env": schema.StringAttribute{
			Optional: true, Validators: []validator.String{notEmpty, stringvalidator.ExactlyOneOf(sibling("env"), sibling("file"))},
			MarkdownDescription: "Variable of the worker's environment. The worker must allow it. Default: none, then `file` is set.",
		},
		"file": schema.StringAttribute{
			Optional: true, Validators: []validator.String{notEmpty},
			MarkdownDescription: "File on the worker's host. The worker must allow it. Default: none, then `env` is set.",
		},
	}
}

// deploymentInputs are the inputs that every deployment has. A change of one deploys.
func deploymentInputs() map[string]schema.Attribute {
	seconds := func(what string, otherwise int) schema.Int64Attribute {
		return schema.Int64Attribute{Optional: true, MarkdownDescription: fmt.Sprintf("%s, in seconds. Default: `%d`.", what, otherwise)}
	}
	return map[string]schema.Attribute{
		"env": schema.MapAttribute{
			Optional: true, ElementType: types.StringType, Validators: []validator.Map{mapvalidator.NoNullValues()},
			MarkdownDescription: "Variables of the application that everybody may see. Default: none.",
		},
		"secrets": schema.MapNestedAttribute{
			Optional: true, Validators: noNullsMap, NestedObject: schema.NestedAttributeObject{Attributes: referenceAttributes()},
			MarkdownDescription: "Secrets of the application by variable, each a reference that the worker resolves, for example " +
				"`{ API_KEY = { env = \"ORCH_SECRET_API_KEY\" } }`. Default: none.",
		},
		"secrets_wo": schema.MapAttribute{
			Optional: true, Sensitive: true, WriteOnly: true, ElementType: types.StringType,
			Validators: []validator.Map{mapvalidator.NoNullValues(), mapvalidator.AlsoRequires(path.MatchRoot("secrets_wo_version"))},
			MarkdownDescription: "Secrets of the application by variable. They are stored neither in plan nor in state, and travel to the worker encrypted. " +
				"Needs `secrets_wo_version`. Default: none.",
		},
		"secrets_wo_version": schema.Int64Attribute{
			Optional: true, Validators: []validator.Int64{int64validator.AtLeast(0), int64validator.AlsoRequires(path.MatchRoot("secrets_wo"))},
			MarkdownDescription: "Version of `secrets_wo`, any number. Raise it to have changed values deployed.",
		},
		"health": schema.SingleNestedAttribute{
			Optional: true, MarkdownDescription: "How a release proves itself: a GET must be answered with 200 to 299. Default: all defaults of its attributes.",
			Attributes: map[string]schema.Attribute{
				"path": schema.StringAttribute{
					Optional: true, MarkdownDescription: fmt.Sprintf("Path to get. Default: `%s`.", catalog.DefaultHealthPath),
				},
				"timeout_seconds":  seconds("How long a release may take until the check passes", catalog.DefaultHealthTimeout),
				"interval_seconds": seconds("Time between two checks of the platform, where it can be set", catalog.DefaultHealthInterval),
				"attempt_seconds":  seconds("How long an answer may take, where it can be set", catalog.DefaultHealthAttempt),
				"grace_seconds":    seconds("Time after the start in which failed checks do not count, where it can be set", catalog.DefaultHealthGrace),
			},
		},
		"public_url": schema.StringAttribute{
			Optional: true, Validators: []validator.String{httpURL},
			MarkdownDescription: "Where the application is reached when that is not where the platform puts it, for example a domain of your own. The health check " +
				"asks there. Default: the platform's address.",
		},
	}
}

func deploymentComputed() map[string]schema.Attribute {
	text := func(description string) schema.StringAttribute {
		return schema.StringAttribute{Computed: true, MarkdownDescription: description}
	}
	texts := func(description string) schema.MapAttribute {
		return schema.MapAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: description}
	}
	shared := computedAttributes()
	return map[string]schema.Attribute{
		"id":          text("`orch/<scope>/<platform>/<name>`, which is the ID of the deployment's workflows in Temporal too."),
		"workflow_id": shared["workflow_id"], "run_id": shared["run_id"], "web_ui_url": shared["web_ui_url"], "message": shared["message"],
		"status": text("`" + contract.StatusReady + "` when everything is as configured and answers; `" + contract.StatusDegraded + "` when something is missing, stopped or was " +
			"changed elsewhere, which the next apply repairs; `" + contract.StatusInProgress + "` while an operation or a release that nobody waits for is under way."),
		"steps": schema.ListAttribute{
			Computed: true, ElementType: types.StringType, MarkdownDescription: "Steps of the setup in order.",
		},
		"config":           text("The platform's configuration file, as generated from the attributes. It is known at plan time."),
		"url":              text("Where the application answers."),
		"release":          text("Name of what is deployed: it follows from the attributes, so the same release is the same configuration."),
		"platform_release": text("The platform's own name of the release; null where it has none."),
		"deployed_image":   text("Image that runs, with its digest where the platform tells; null where the platform builds from a repository."),
		"commit":           text("Git commit that was built; null where an image is deployed."),
		"ids":              texts("The platform's identifiers of all that belongs to the deployment, by what they identify, for example `app`."),
		"secret_digests":   texts("Digests of the application's secrets by variable, as the last setup left them. No value can be told from one."),
		"instances": schema.MapNestedAttribute{
			Computed: true, MarkdownDescription: "The machines or replicas that run the application.",
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"id":     text("The platform's identifier."),
				"region": text("Where it runs."),
				"state":  text("The platform's word for its state, such as `started`."),
				"health": text("`ready` when it is up and passes its checks, else `not_ready`."),
			}},
		},
	}
}
