package resources

import (
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

type railwayModel struct {
	deployBase
	ServiceName  types.String `tfsdk:"service_name"`
	Workspace    types.String `tfsdk:"workspace"`
	Project      types.String `tfsdk:"project"`
	Environment  types.String `tfsdk:"environment"`
	Image        types.String `tfsdk:"image"`
	Repository   types.String `tfsdk:"repository"`
	Branch       types.String `tfsdk:"branch"`
	Port         types.Int64  `tfsdk:"port"`
	Region       types.String `tfsdk:"region"`
	Replicas     types.Int64  `tfsdk:"replicas"`
	StartCommand types.String `tfsdk:"start_command"`
	Restart      types.Object `tfsdk:"restart"`
}

const railwayDescription = `An application on Railway: a project, an environment and a service in it, the service's variables and settings, a
deployment, and one domain of Railway's.

The plan shows in ` + "`config`" + ` the settings that the service is given, under the names of Railway's API. Railway has stopped reading ` + "`railway.json`" + `
and ` + "`railway.toml`" + `, so none is written. Variables are set in one call and without a deployment of their own; then the service is deployed once. When
the deployment fails, the apply fails with the end of its log, and Railway goes back to the last good deployment with the variables that it had.

A project that this resource has made is deleted with all that is in it by a destroy, unless it holds services of others. In a project that it has
not made, which takes ` + "`adopt_existing`" + ` or a project token, only the service is its own. A repository is deployed anew by Railway with every push to
its branch; that is not reported as a change.

The application finds its secrets as variables, which everybody with access to the project on Railway can read: Railway has no store of its own for
them. What orch keeps about the service is in its variable ` + "`ORCH_DEPLOYMENT`" + `.

The worker calls the API, with the token in its own environment (` + "`RAILWAY_API_TOKEN`" + `) unless another is named. The token of an account or of a
workspace can make projects; a project's token deploys into its own project and environment.`

func newRailwayDeployment() resource.Resource {
	return defineDeployment[railwayModel](catalog.RailwayDeployment, railwayDescription, railwayInputSchema(), nil)
}

func railwayInputSchema() map[string]schema.Attribute {
	number := func(description string) schema.Int64Attribute {
		return schema.Int64Attribute{Optional: true, MarkdownDescription: description}
	}
	return map[string]schema.Attribute{
		"workspace": schema.StringAttribute{
			Optional: true, PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()}, Validators: []validator.String{notEmpty},
			MarkdownDescription: "Name or ID of the workspace that has the project. Changing it replaces the deployment. Default: the only one that the token sees.",
		},
		"project": schema.StringAttribute{
			Optional: true, PlanModifiers: []planmodifier.String{replaceUnless(path.Root("service_name"))}, Validators: []validator.String{notEmpty},
			MarkdownDescription: "Name of the project, not used with a project token. Changing it replaces the deployment. Default: the `service_name`.",
		},
		"environment": schema.StringAttribute{
			Optional: true, PlanModifiers: []planmodifier.String{replaceUnless("production")}, Validators: []validator.String{notEmpty},
			MarkdownDescription: "Name of the environment. It is made in a project of this resource's own, and must exist in another. Changing it replaces the " +
				"deployment. Default: `production`, or the one that a project token is for.",
		},
		"image": schema.StringAttribute{
			Optional: true, Validators: []validator.String{notEmpty},
			MarkdownDescription: "Image to run, for example `ghcr.io/acme/shop:1`. Either this or `repository` must be set. Default: none, then `repository` is set.",
		},
		"repository": schema.StringAttribute{
			Optional: true, MarkdownDescription: "Repository on GitHub to build and run, as `owner/name`. Railway's GitHub App must have access to it. Default: none, then `image` is set.",
		},
		"branch": schema.StringAttribute{
			Optional: true, Validators: []validator.String{notEmpty},
			MarkdownDescription: fmt.Sprintf("Branch of the repository. Default: `%s`.", catalog.RailwayBranch),
		},
		"port": number("Port that the application listens on. It finds it in `PORT`, unless `env` says otherwise, and the domain leads there. Default: Railway chooses one and tells it in `PORT`."),
		"region": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "Region that the application runs in: `" + strings.Join(catalog.RailwayRegions, "`, `") + "`. Default: the one that Railway prefers " +
				"for the workspace.",
		},
		"replicas":      number("How many replicas run. Default: `1`."),
		"start_command": schema.StringAttribute{Optional: true, Validators: []validator.String{notEmpty}, MarkdownDescription: "Command to start the application with. Default: the image's or the build's own."},
		"restart": schema.SingleNestedAttribute{
			Optional: true, MarkdownDescription: "When Railway starts the application again after it has ended. Default: all defaults of its attributes.",
			Attributes: map[string]schema.Attribute{
				"policy": schema.StringAttribute{
					Optional: true, MarkdownDescription: fmt.Sprintf("`always`, `never` or `on_failure`. Default: `%s`.", catalog.RailwayRestarts),
				},
				"max_retries": number(fmt.Sprintf("How often, with `on_failure`. Default: `%d`.", catalog.RailwayRetries)),
			},
		},
	}
}

func (m *railwayModel) name() *types.String { return &m.ServiceName }

// derive and underive have nothing to do: config is all that Railway's settings are shown in.
func (m *railwayModel) derive(contract.Deployment) {}

func (m *railwayModel) underive() {}
