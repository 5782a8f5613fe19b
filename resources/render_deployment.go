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
	hash, files := m.hashSource(ctx, diags)
	if before != nil && before.SourceHash.Equal(hash) || hash.IsNull() && before == nil {
		m.SourceHash = hash
		return false
	}
	if before != nil && !before.SourceHash.IsNull() && !hash.IsNull() {
		diags.AddAttributeWarning(path.Root("repository").AtName("source"), "The source has changed",
			"Its Git tree is "+hash.ValueString()+" now; deployed is "+before.SourceHash.ValueString()+". The apply pushes what is there then.")
	}
	if private := truthOf(m.Repository, "private"); files > 0 && truthOf(m.Repository, "create").ValueBool() && private.Equal(types.BoolValue(false)) {
		diags.AddAttributeWarning(path.Root("repository").AtName("private"), fmt.Sprintf("%d files go to a PUBLIC repository", files),
			"Everybody can read what is pushed to "+textOf(m.Repository, "name").ValueString()+", for ever. Leave private out to have it created for you alone.")
	}
	m.SourceHash = types.StringUnknown()
	return true
}

// resolveSource implements sourced.
func (m *renderModel) resolveSource(ctx context.Context, diags *diag.Diagnostics) {
	if m.SourceHash.IsUnknown() {
		m.SourceHash, _ = m.hashSource(ctx, diags)
	}
}

// hashSource is the Git tree of the source folder; null when there is none on this machine: the worker has it then, and
// changes in it are not seen here. With it comes how many files the folder holds.
func (m *renderModel) hashSource(ctx context.Context, diags *diag.Diagnostics) (hash types.String, files int) {
	source := textOf(m.Repository, "source")
	if source.IsNull() {
		return types.StringNull(), 0
	}
	attribute := path.Root("repository").AtName("source")
	folder := folderOf(source.ValueStringPointer(), diags)
	if diags.HasError() {
		return types.StringNull(), 0
	}
	tree, err := sourcetree.Read(ctx, *folder)
	if sourcetree.NotFound(err) {
		diags.AddAttributeWarning(attribute, "The source is not on this machine",
			"The worker pushes what it finds there. Changes in the folder do not show in a plan; change another attribute to have them deployed.")
		return types.StringNull(), 0
	}
	if err != nil {
		detail := Detail(err)
		if failure := contract.AsFailure(err); failure != nil && failure.Hint != "" {
			detail += "\n\n" + Sentence(failure.Hint)
		}
		diags.AddAttributeError(attribute, "The source cannot be pushed", detail)
		return types.StringNull(), 0
	}
	return types.StringValue(tree.Hash()), tree.Len()
}

// folderOf is the absolute path of the source: the worker runs elsewhere. Terraform starts providers in the folder that it runs in.
func folderOf(source *string, diags *diag.Diagnostics) *string {
	if source == nil || *source == "" {
		return source
	}
	folder, err := filepath.Abs(*source)
	if err != nil {
		diags.AddAttributeError(path.Root("repository").AtName("source"), "The source cannot be found", Detail(err))
	}
	return &folder
}

func (m *renderModel) complete(in *catalog.RenderInput, diags *diag.Diagnostics) {
	if in.Repository == nil {
		return
	}
	in.Repository.Source = folderOf(in.Repository.Source, diags)
	if !m.SourceHash.IsUnknown() {
		in.Repository.SourceHash = m.SourceHash.ValueStringPointer()
	}
}

func (m *renderModel) took(in catalog.RenderInput) {
	m.DeleteRepository, m.SourceHash = types.BoolValue(false), types.StringNull()
	if in.Repository != nil {
		m.SourceHash = types.StringPointerValue(in.Repository.SourceHash)
	}
}
