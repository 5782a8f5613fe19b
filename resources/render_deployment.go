package resources

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/sourcetree"
)

type renderModel struct {
	deployBase
	ServiceName      types.String `tfsdk:"service_name"`
	Owner            types.String `tfsdk:"owner"`
	Region           types.String `tfsdk:"region"`
	Plan             types.String `tfsdk:"plan"`
	Image            types.String `tfsdk:"image"`
	Repository       types.Object `tfsdk:"repository"`
	Runtime          types.String `tfsdk:"runtime"`
	RootDir          types.String `tfsdk:"root_dir"`
	Dockerfile       types.String `tfsdk:"dockerfile"`
	BuildCommand     types.String `tfsdk:"build_command"`
	StartCommand     types.String `tfsdk:"start_command"`
	PreDeployCommand types.String `tfsdk:"pre_deploy_command"`
	NumInstances     types.Int64  `tfsdk:"num_instances"`

	GitHubAPIURL         types.String `tfsdk:"github_api_url"`
	GitHubToken          types.Object `tfsdk:"github_token"`
	GitHubTokenWO        types.String `tfsdk:"github_token_wo"`
	GitHubTokenWOVersion types.Int64  `tfsdk:"github_token_wo_version"`
	DeleteRepository     types.Bool   `tfsdk:"delete_repository"`

	SourceHash types.String `tfsdk:"source_hash"`
}

type repositoryModel struct {
	Name    types.String `tfsdk:"name"`
	Branch  types.String `tfsdk:"branch"`
	Create  types.Bool   `tfsdk:"create"`
	Private types.Bool   `tfsdk:"private"`
	Source  types.String `tfsdk:"source"`
	GitURL  types.String `tfsdk:"git_url"`
}

// folder is the absolute path of the source: the worker runs elsewhere. Terraform starts providers in the folder that it runs in.
func (r *repositoryModel) folder(diags *diag.Diagnostics) *string {
	if r.Source.ValueString() == "" {
		return r.Source.ValueStringPointer()
	}
	folder, err := filepath.Abs(r.Source.ValueString())
	if err != nil {
		diags.AddAttributeError(path.Root("repository").AtName("source"), "The source cannot be found", Detail(err))
	}
	return &folder
}

// githubPlatform is GitHub among the platforms that the worker has tokens for.
const githubPlatform = "github"

const renderDescription = `A web service on Render: an image that it runs, or a Git repository that it builds.

A repository on GitHub can be created and filled by orch: the worker pushes a folder of its host with commits that follow from their
content, so that the same content is pushed once. What git would not commit is left out, and passwords and keys are refused. The plan shows the ` + "`render.yaml`" + ` that stands
for the deployment; Render checks it at apply, and a folder without one gets it. Render itself creates services through its API only, so
the worker does that, with ` + "`RENDER_API_KEY`" + ` (and ` + "`GITHUB_TOKEN`" + `) of its own environment unless other tokens are named.

Automatic deploys are off: each change is deployed once, by the workflow, which waits until it is live. A deploy that fails leaves the
last good one live; the apply reports it with the last lines of the build and of the application, and brings the settings back. Values of
secrets that the failed update replaced are set again by the next apply.

Render allows 20 creations of services an hour.`

func newRenderDeployment() resource.Resource {
	return defineDeployment[renderModel](catalog.RenderDeployment, renderDescription, renderInputSchema(), renderSettingsSchema())
}

func (m *renderModel) name() *types.String { return &m.ServiceName }

func (m *renderModel) toInput(ctx context.Context, diags *diag.Diagnostics) catalog.RenderInput {
	in := catalog.RenderInput{
		Deploy: m.deployInput(ctx, diags),
		Owner:  m.Owner.ValueStringPointer(), Region: m.Region.ValueStringPointer(), Plan: m.Plan.ValueStringPointer(), Image: m.Image.ValueStringPointer(),
		Runtime: m.Runtime.ValueStringPointer(), RootDir: m.RootDir.ValueStringPointer(), Dockerfile: m.Dockerfile.ValueStringPointer(),
		BuildCommand: m.BuildCommand.ValueStringPointer(), StartCommand: m.StartCommand.ValueStringPointer(),
		PreDeployCommand: m.PreDeployCommand.ValueStringPointer(), Instances: m.NumInstances.ValueInt64Pointer(),
	}
	if r := block[repositoryModel](ctx, m.Repository, diags); r != nil {
		in.Repository = &catalog.RenderRepository{
			Name: r.Name.ValueStringPointer(), Branch: r.Branch.ValueStringPointer(), Create: r.Create.ValueBoolPointer(), Private: r.Private.ValueBoolPointer(),
			Source: r.folder(diags), GitURL: r.GitURL.ValueStringPointer(),
		}
		if !m.SourceHash.IsUnknown() {
			in.Repository.SourceHash = m.SourceHash.ValueStringPointer()
		}
	}
	return in
}

func (m *renderModel) fromInput(ctx context.Context, in catalog.RenderInput, diags *diag.Diagnostics) {
	m.setDeployInput(ctx, in.Deploy, diags)
	m.Owner, m.Region, m.Plan = types.StringPointerValue(in.Owner), types.StringPointerValue(in.Region), types.StringPointerValue(in.Plan)
	m.Image, m.Runtime, m.RootDir = types.StringPointerValue(in.Image), types.StringPointerValue(in.Runtime), types.StringPointerValue(in.RootDir)
	m.Dockerfile, m.BuildCommand = types.StringPointerValue(in.Dockerfile), types.StringPointerValue(in.BuildCommand)
	m.StartCommand, m.PreDeployCommand = types.StringPointerValue(in.StartCommand), types.StringPointerValue(in.PreDeployCommand)
	m.NumInstances, m.DeleteRepository, m.SourceHash = types.Int64PointerValue(in.Instances), types.BoolValue(false), types.StringNull()
	var repository *repositoryModel
	if r := in.Repository; r != nil {
		repository = &repositoryModel{
			Name: types.StringPointerValue(r.Name), Branch: types.StringPointerValue(r.Branch), Create: types.BoolPointerValue(r.Create),
			Private: types.BoolPointerValue(r.Private), Source: types.StringPointerValue(r.Source), GitURL: types.StringPointerValue(r.GitURL),
		}
		m.SourceHash = types.StringPointerValue(r.SourceHash)
	}
	m.Repository = object(ctx, m.Repository, repository, diags)
}

func (m *renderModel) derive(contract.Deployment) {}

// underive leaves source_hash to planSource.
func (m *renderModel) underive() {}

// access implements accessing: repositories are GitHub's.
func (m *renderModel) access(ctx context.Context, access map[string]contract.Access, tokens map[string]string, diags *diag.Diagnostics) {
	access[githubPlatform] = contract.Access{BaseURL: m.GitHubAPIURL.ValueString(), Token: tokenSource(ctx, m.GitHubToken, diags)}
	if token := m.GitHubTokenWO; tokens != nil && !token.IsNull() {
		tokens[contract.TokenSecret(githubPlatform)] = token.ValueString()
	}
}

// removal implements removing.
func (m *renderModel) removal(request *contract.Request) {
	request.DeleteRepository = m.DeleteRepository.ValueBool()
}

// planSource implements sourced.
func (m *renderModel) planSource(ctx context.Context, prior any, diags *diag.Diagnostics) bool {
	before, _ := prior.(*renderModel)
	r, hash, files := m.hashSource(ctx, diags)
	if before != nil && before.SourceHash.Equal(hash) || hash.IsNull() && before == nil {
		m.SourceHash = hash
		return false
	}
	if before != nil && !before.SourceHash.IsNull() && !hash.IsNull() {
		diags.AddAttributeWarning(path.Root("repository").AtName("source"), "The source has changed",
			"Its Git tree is "+hash.ValueString()+" now; deployed is "+before.SourceHash.ValueString()+". The apply pushes what is there then.")
	}
	if private := r.Private; files > 0 && r.Create.ValueBool() && !private.IsNull() && !private.IsUnknown() && !private.ValueBool() {
		diags.AddAttributeWarning(path.Root("repository").AtName("private"), fmt.Sprintf("%d files go to a PUBLIC repository", files),
			"Everybody can read what is pushed to "+r.Name.ValueString()+", for ever. Leave private out to have it created for you alone.")
	}
	m.SourceHash = types.StringUnknown()
	return true
}

// resolveSource implements sourced.
func (m *renderModel) resolveSource(ctx context.Context, diags *diag.Diagnostics) {
	if m.SourceHash.IsUnknown() {
		_, m.SourceHash, _ = m.hashSource(ctx, diags)
	}
}

// hashSource is the Git tree of the source folder; null when there is none on this machine: the worker has it then, and
// changes in it are not seen here. With it come the repository, and how many files the folder holds.
func (m *renderModel) hashSource(ctx context.Context, diags *diag.Diagnostics) (r *repositoryModel, hash types.String, files int) {
	r = block[repositoryModel](ctx, m.Repository, diags)
	if r == nil || r.Source.IsNull() {
		return r, types.StringNull(), 0
	}
	attribute := path.Root("repository").AtName("source")
	folder := r.folder(diags)
	if diags.HasError() {
		return r, types.StringNull(), 0
	}
	tree, err := sourcetree.Read(ctx, *folder)
	if sourcetree.NotFound(err) {
		diags.AddAttributeWarning(attribute, "The source is not on this machine",
			"The worker pushes what it finds there. Changes in the folder do not show in a plan; change another attribute to have them deployed.")
		return r, types.StringNull(), 0
	}
	if err != nil {
		detail := Detail(err)
		if failure := contract.AsFailure(err); failure != nil && failure.Hint != "" {
			detail += "\n\n" + Sentence(failure.Hint)
		}
		diags.AddAttributeError(attribute, "The source cannot be pushed", detail)
		return r, types.StringNull(), 0
	}
	return r, types.StringValue(tree.Hash()), tree.Len()
}
