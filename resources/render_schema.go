package resources

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/objectplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
)

func renderInputSchema() map[string]schema.Attribute {
	text := func(description string, modifiers ...planmodifier.String) schema.StringAttribute {
		return schema.StringAttribute{Optional: true, PlanModifiers: modifiers, MarkdownDescription: description}
	}
	words := func(values []string) string { return "`" + strings.Join(values, "`, `") + "`" }
	return map[string]schema.Attribute{
		"owner": text("Workspace that has the service, by name or ID. Changing it replaces the deployment. Default: the only one that the token sees.",
			stringplanmodifier.RequiresReplace()),
		"region": text(fmt.Sprintf("Region: %s. Changing it replaces the deployment. Default: `%s`.", words(catalog.RenderRegions()), catalog.DefaultRenderRegion),
			replaceUnless(catalog.DefaultRenderRegion)),
		"plan": text(fmt.Sprintf("Instance type: %s. Render's API refuses to create free services. Default: `%s`.", words(catalog.RenderPlans()), catalog.DefaultRenderPlan)),
		"image": schema.StringAttribute{
			Optional: true, Validators: []validator.String{stringvalidator.ExactlyOneOf(path.MatchRoot("image"), path.MatchRoot("repository"))},
			MarkdownDescription: "Image to run, for example `docker.io/library/nginx:1.29`. Set either this or `repository`. Default: none, then `repository` is set.",
		},
		"repository": schema.SingleNestedAttribute{
			Optional: true, Attributes: renderRepositorySchema(),
			PlanModifiers: []planmodifier.Object{objectplanmodifier.RequiresReplaceIf(otherRepository,
				"Another repository is another deployment.", "Another repository is another deployment.")},
			MarkdownDescription: "Git repository to build. Another `name`, or an image instead, replaces the deployment. Render can fetch public repositories, and private ones where its GitHub App is installed. Set either this or `image`. Default: none, then `image` is set.",
		},
		"runtime":            text(fmt.Sprintf("How a repository is built: %s. Default: `%s`.", words(catalog.RenderRuntimes()), catalog.DefaultRenderRuntime)),
		"root_dir":           text("Folder of the repository that is built. Default: the whole repository."),
		"dockerfile":         text("Path of the Dockerfile, for the runtime `docker`. Default: Render's, `./Dockerfile`."),
		"build_command":      text("Command that builds; needed for every runtime but `docker`. Default: none."),
		"start_command":      text("Command that starts the application; needed for every runtime but `docker`. Default: that of the image."),
		"pre_deploy_command": text("Command that Render runs before a deploy goes live, for example a migration. Default: none."),
		"num_instances": schema.Int64Attribute{
			Optional: true, MarkdownDescription: fmt.Sprintf("How many instances there are. Default: `%d`.", catalog.DefaultRenderInstances),
		},
	}
}

func renderRepositorySchema() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"name": schema.StringAttribute{
			Required: true, MarkdownDescription: "`owner/name` on GitHub.",
		},
		"branch": schema.StringAttribute{
			Optional: true, MarkdownDescription: fmt.Sprintf("Branch that is pushed to and built. Default: `%s`.", catalog.DefaultRenderBranch),
		},
		"create": schema.BoolAttribute{
			Optional: true, MarkdownDescription: "Whether the repository is created where there is none. One that exists already, and was not created for this " +
				"deployment, is refused then. Needs `source`. Default: `false`.",
		},
		"private": schema.BoolAttribute{
			Optional: true, MarkdownDescription: "Whether a repository that is created is private. Render fetches a private one where its GitHub App is installed. " +
				"With `false` the whole world reads what is pushed, and a plan warns of it. Default: `true`.",
		},
		"source": schema.StringAttribute{
			Optional: true, PlanModifiers: []planmodifier.String{sameFolder{}}, MarkdownDescription: "Folder whose content becomes that of the branch. The worker reads it on its host, under its absolute path. What git would not commit stays out; in a work tree git itself is asked. " +
				"Files that hold passwords or keys (`.env`, private keys, `credentials.json` and the like) are refused, unless they are committed, or a line of `.gitignore` like `!/.env` takes them back. " +
				"Commits of somebody else on the branch are refused, unless `adopt_existing` is set: " +
				"then orch commits on top of them. Default: nothing is pushed, and the branch is built as it is.",
		},
		"git_url": schema.StringAttribute{
			Optional: true, Validators: []validator.String{httpURL}, MarkdownDescription: "Where Git finds repositories, for gateways and stand-ins. Default: `https://github.com`.",
		},
	}
}

func renderSettingsSchema() map[string]schema.Attribute {
	return merged(map[string]schema.Attribute{
		"delete_repository": schema.BoolAttribute{
			Optional: true, Computed: true, Default: booldefault.StaticBool(false),
			MarkdownDescription: "Whether a destroy deletes the repository too, if orch has created it. Default: `false`.",
		},
		"github_api_url": schema.StringAttribute{
			Optional: true, Validators: []validator.String{httpURL},
			MarkdownDescription: "Base URL of GitHub's API, for gateways and stand-ins. Default: what the worker's environment says (`ORCH_GITHUB_API_URL`), else GitHub's own.",
		},
		"github_token": referenceAttribute("Where the worker finds the GitHub token. It needs to push, and to create or delete repositories where that is wanted. " +
			"Default: `GITHUB_TOKEN` of the worker's environment."),
		"source_hash": schema.StringAttribute{
			Computed: true, MarkdownDescription: "Git's id of the folder in `repository.source` as it was deployed; null without one, or when it is not on the machine that Terraform runs on.",
		},
	}, tokenAttributes("github_token", "Token of GitHub, instead of `github_token`."))
}

// otherRepository asks for a replacement where the service would be built from something else altogether: what orch has
// created for it must not be left behind.
func otherRepository(ctx context.Context, req planmodifier.ObjectRequest, resp *objectplanmodifier.RequiresReplaceIfFuncResponse) {
	if req.PlanValue.IsUnknown() {
		return
	}
	name := func(value types.Object) string {
		return textOf(value, "name").ValueString()
	}
	resp.RequiresReplace = name(req.StateValue) != name(req.PlanValue)
}
