package provider

import (
	"context"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/temporal-orchestrator/terraform-provider-orch/datasources"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
	"github.com/temporal-orchestrator/terraform-provider-orch/resources"
)

var (
	_ provider.Provider                   = (*orch)(nil)
	_ provider.ProviderWithValidateConfig = (*orch)(nil)
)

// Connect makes the connection that resources run their workflows over. It does not dial.
type Connect func(runner.Config) (resources.Runner, error)

type orch struct {
	version string
	connect Connect
}

// New returns the provider for Temporal, as main serves it.
func New(version string) func() provider.Provider {
	return NewWith(version, func(cfg runner.Config) (resources.Runner, error) { return runner.New(cfg) })
}

// NewWith returns a provider whose resources run over what connect makes, for tests without a Temporal server.
func NewWith(version string, connect Connect) func() provider.Provider {
	return func() provider.Provider { return &orch{version: version, connect: connect} }
}

// Metadata implements provider.Provider.
func (p *orch) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName, resp.Version = "orch", p.version
}

// Resources implements provider.Provider.
func (p *orch) Resources(context.Context) []func() resource.Resource { return resources.All() }

// DataSources implements provider.Provider.
func (p *orch) DataSources(context.Context) []func() datasource.DataSource { return datasources.All() }

// ValidateConfig implements provider.ProviderWithValidateConfig.
func (p *orch) ValidateConfig(ctx context.Context, req provider.ValidateConfigRequest, resp *provider.ValidateConfigResponse) {
	var m model
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if tls := m.tls(ctx, &resp.Diagnostics); tls != nil && tls.Disabled.ValueBool() && tls.hasCertificates() {
		resp.Diagnostics.AddAttributeError(path.Root("tls").AtName("disabled"), "TLS is both disabled and configured",
			"With disabled = true no certificate is used. Remove disabled to connect with TLS, or the other attributes of tls to connect without.")
	}
}

// Configure implements provider.Provider. It does not contact Temporal: a plan that needs nothing from it must work while
// it is away. While a value is unknown, for example the address of a server that the same apply creates, resources get no
// connection and plan without one.
func (p *orch) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	if !req.Config.Raw.IsFullyKnown() {
		tflog.Info(ctx, "the provider's configuration is not known yet: planning without a connection to Temporal")
		resp.ResourceData, resp.DataSourceData = resources.Connection{}, datasources.Connection{}
		return
	}
	var m model
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	cfg := m.config(ctx, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	cfg.Identity, cfg.Logger = "terraform-provider-orch/"+p.version, newLogger(os.Stderr)
	connection, err := p.connect(cfg)
	if err != nil {
		resp.Diagnostics.AddError("The connection to Temporal is not configured correctly", resources.Detail(err))
		return
	}
	scope := cfg.Scope
	if scope == "" {
		scope = contract.DefaultScope
	}
	resp.ResourceData = resources.Connection{Runner: connection, Scope: scope}
	// A double of the tests may know operations only.
	if looker, ok := connection.(datasources.Runner); ok {
		resp.DataSourceData = datasources.Connection{Runner: looker, Scope: scope}
	}
}
