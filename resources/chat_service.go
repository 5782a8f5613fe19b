package resources

import (
	"context"
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

type chatNeo4jModel struct {
	neo4jModel
	Enabled    types.Bool   `tfsdk:"enabled"`
	PipelineID types.String `tfsdk:"pipeline_id"`
}

type cloudflareModel struct {
	Token         *tokenModel  `tfsdk:"token"`
	TokenValue    types.String `tfsdk:"token_wo"`
	TokenVersion  types.Int64  `tfsdk:"token_wo_version"`
	APIURL        types.String `tfsdk:"api_url"`
	AccountID     types.String `tfsdk:"account_id"`
	Zone          types.String `tfsdk:"zone"`
	Record        types.String `tfsdk:"record"`
	RecordContent types.String `tfsdk:"record_content"`
	Tunnel        types.String `tfsdk:"tunnel"`
}

type tokenModel struct {
	Env  types.String `tfsdk:"env"`
	File types.String `tfsdk:"file"`
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

func (m *chatServiceModel) toInput(ctx context.Context, diags *diag.Diagnostics) catalog.ChatServiceInput {
	return catalog.ChatServiceInput{
		ServiceInput: m.serviceModel.input(ctx, m.shared.input(ctx, diags), diags),
		Neo4j:        block[chatNeo4jModel](ctx, m.Neo4j, diags).input(),
		Cloudflare:   block[cloudflareModel](ctx, m.Cloudflare, diags).input(),
	}
}

func (m *chatServiceModel) fromInput(ctx context.Context, in catalog.ChatServiceInput, diags *diag.Diagnostics) {
	m.shared = newShared(in.Shared)
	m.fill(ctx, in.ServiceInput, diags)
	m.Neo4j = object(ctx, m.Neo4j, newChatNeo4jModel(in.Neo4j), diags)
	m.Cloudflare = object(ctx, m.Cloudflare, newCloudflareModel(in.Cloudflare), diags)
}

func (m *chatServiceModel) secrets(ctx context.Context, diags *diag.Diagnostics) map[string]string {
	values := m.values(ctx, catalog.ChatName, diags)
	if database := block[chatNeo4jModel](ctx, m.Neo4j, diags); database != nil {
		maps.Copy(values, databaseSecrets(&database.neo4jModel, nil))
	}
	if cloudflare := block[cloudflareModel](ctx, m.Cloudflare, diags); cloudflare != nil && !cloudflare.TokenValue.IsNull() {
		values[contract.CloudflareToken] = cloudflare.TokenValue.ValueString()
	}
	return values
}

func (m *chatNeo4jModel) input() *catalog.ChatNeo4jInput {
	if m == nil {
		return nil
	}
	return &catalog.ChatNeo4jInput{
		Neo4jInput: *m.neo4jModel.input(), Enabled: m.Enabled.ValueBoolPointer(), PipelineID: m.PipelineID.ValueStringPointer(),
	}
}

func newChatNeo4jModel(in *catalog.ChatNeo4jInput) *chatNeo4jModel {
	if in == nil {
		return nil
	}
	return &chatNeo4jModel{
		neo4jModel: *newNeo4jModel(&in.Neo4jInput), Enabled: types.BoolPointerValue(in.Enabled), PipelineID: types.StringPointerValue(in.PipelineID),
	}
}

func (m *cloudflareModel) input() *catalog.CloudflareInput {
	if m == nil {
		return nil
	}
	in := &catalog.CloudflareInput{
		TokenVersion: m.TokenVersion.ValueInt64Pointer(), APIURL: m.APIURL.ValueStringPointer(), AccountID: m.AccountID.ValueStringPointer(),
		Zone: m.Zone.ValueStringPointer(), Record: m.Record.ValueStringPointer(), RecordContent: m.RecordContent.ValueStringPointer(),
		Tunnel: m.Tunnel.ValueStringPointer(),
	}
	if m.Token != nil {
		in.Token = &catalog.TokenInput{Env: m.Token.Env.ValueStringPointer(), File: m.Token.File.ValueStringPointer()}
	}
	return in
}

func newCloudflareModel(in *catalog.CloudflareInput) *cloudflareModel {
	if in == nil {
		return nil
	}
	m := &cloudflareModel{
		TokenVersion: types.Int64PointerValue(in.TokenVersion), APIURL: types.StringPointerValue(in.APIURL),
		AccountID: types.StringPointerValue(in.AccountID), Zone: types.StringPointerValue(in.Zone), Record: types.StringPointerValue(in.Record),
		RecordContent: types.StringPointerValue(in.RecordContent), Tunnel: types.StringPointerValue(in.Tunnel),
	}
	if in.Token != nil {
		m.Token = &tokenModel{types.StringPointerValue(in.Token.Env), types.StringPointerValue(in.Token.File)}
	}
	return m
}
