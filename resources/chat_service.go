package resources

import (
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

type chatServiceModel struct {
	base
	shared
	serviceModel
	Neo4j      types.Object `tfsdk:"neo4j"`
	Cloudflare types.Object `tfsdk:"cloudflare"`
}

const chatServiceDescription = `A chat application on one Docker Engine, with the Neo4j that it remembers conversations in: built from a context or run from
an image, with what it needs of Cloudflare verified before anything is built.

The setup starts Neo4j, verifies Cloudflare where that is configured, builds the image where there is a context, and starts the application;
it is finished when the application answers its health check. The application finds its Neo4j in the variables ` + "`NEO4J_URI`, `NEO4J_USER`" + ` and
` + "`NEO4J_PASSWORD_FILE`" + `. A change starts the new container beside the old one and lets it take over when it is healthy; a new version that does
not become healthy leaves the old one serving.`

func newChatService() resource.Resource {
	return define[chatServiceModel](catalog.ChatService, chatServiceDescription,
		merged(serviceSchema(catalog.ChatName, catalog.ChatService.Kind), chatSchema()))
}

func (m *chatServiceModel) secrets() map[string]string {
	values := m.values(catalog.ChatName)
	maps.Copy(values, databaseSecrets(m.Neo4j, types.ObjectNull(nil)))
	if token := textOf(m.Cloudflare, "token_wo"); !token.IsNull() {
		values[contract.CloudflareToken] = token.ValueString()
	}
	return values
}

func (m *chatServiceModel) complete(in *catalog.ChatServiceInput, diags *diag.Diagnostics) {
	m.locate(&in.ServiceInput, diags)
}

func (m *chatServiceModel) took(in catalog.ChatServiceInput) { m.tookContext(in.ServiceInput) }
