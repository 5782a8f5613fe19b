package resources

import (
	"context"
	"encoding/json"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// deployBase is the part of a model that every deployment has. Models embed it.
type deployBase struct {
	core
	// Settings of operations live in state only: no platform knows them.
	Wait              types.Bool   `tfsdk:"wait"`
	RollbackOnFailure types.Bool   `tfsdk:"rollback_on_failure"`
	AdoptExisting     types.Bool   `tfsdk:"adopt_existing"`
	APIURL            types.String `tfsdk:"api_url"`
	Token             types.Object `tfsdk:"token"`
	TokenWO           types.String `tfsdk:"token_wo"`
	TokenWOVersion    types.Int64  `tfsdk:"token_wo_version"`

	Env              types.Map    `tfsdk:"env"`
	Secrets          types.Map    `tfsdk:"secrets"`
	SecretsWO        types.Map    `tfsdk:"secrets_wo"`
	SecretsWOVersion types.Int64  `tfsdk:"secrets_wo_version"`
	Health           types.Object `tfsdk:"health"`
	PublicURL        types.String `tfsdk:"public_url"`

	Config          types.String `tfsdk:"config"`
	URL             types.String `tfsdk:"url"`
	Release         types.String `tfsdk:"release"`
	PlatformRelease types.String `tfsdk:"platform_release"`
	DeployedImage   types.String `tfsdk:"deployed_image"`
	Commit          types.String `tfsdk:"commit"`
	IDs             types.Map    `tfsdk:"ids"`
	SecretDigests   types.Map    `tfsdk:"secret_digests"`
	Instances       types.Map    `tfsdk:"instances"`
}

// instance is an element of the instances attribute.
type instance struct {
	ID     types.String `tfsdk:"id"`
	Region types.String `tfsdk:"region"`
	State  types.String `tfsdk:"state"`
	Health types.String `tfsdk:"health"`
}

var instanceType = types.ObjectType{AttrTypes: map[string]attr.Type{
	"id": types.StringType, "region": types.StringType, "state": types.StringType, "health": types.StringType,
}}

// reference is where the worker finds a secret.
type reference struct {
	Env  types.String `tfsdk:"env"`
	File types.String `tfsdk:"file"`
}

func (r reference) source() contract.SecretSource {
	return contract.SecretSource{Env: r.Env.ValueString(), File: r.File.ValueString()}
}

// deployed gives the generic code access to the base of any model.
func (b *deployBase) deployed() *deployBase { return b }

// known is what state tells of the deployment, for the worker.
func (b *deployBase) known(ctx context.Context, diags *diag.Diagnostics) *contract.Deployed {
	known := &contract.Deployed{
		URL: b.URL.ValueString(), Release: b.Release.ValueString(), PlatformRelease: b.PlatformRelease.ValueString(), Image: b.DeployedImage.ValueString(),
		Commit: b.Commit.ValueString(),
	}
	for _, m := range []struct {
		from types.Map
		to   *map[string]string
	}{{b.IDs, &known.IDs}, {b.SecretDigests, &known.Secrets}} {
		if !m.from.IsNull() && !m.from.IsUnknown() {
			diags.Append(m.from.ElementsAs(ctx, m.to, false)...)
		}
	}
	return known
}

// setDeployed stores what a workflow made or saw. What was planned as known stays: Terraform would reject anything else.
func (b *deployBase) setDeployed(ctx context.Context, d *contract.Deployed, diags *diag.Diagnostics) {
	if d == nil {
		return
	}
	if b.URL.IsNull() {
		b.URL = orNull(d.URL)
	}
	b.PlatformRelease, b.DeployedImage, b.Commit = orNull(d.PlatformRelease), orNull(d.Image), orNull(d.Commit)
	b.IDs, b.SecretDigests = stringMap(d.IDs), stringMap(d.Secrets)
	all := map[string]instance{}
	for name, i := range d.Instances {
		all[name] = instance{ID: orNull(i.ID), Region: orNull(i.Region), State: orNull(i.State), Health: orNull(i.Health)}
	}
	value, diagnostics := types.MapValueFrom(ctx, instanceType, all)
	diags.Append(diagnostics...)
	b.Instances = value
}

func (b *deployBase) defaults() {
	b.Wait, b.RollbackOnFailure, b.AdoptExisting = types.BoolValue(true), types.BoolValue(true), types.BoolValue(false)
}

func (b *deployBase) computed() ([]*types.String, []*types.Map) {
	return []*types.String{&b.Config, &b.URL, &b.Release, &b.PlatformRelease, &b.DeployedImage, &b.Commit},
		[]*types.Map{&b.IDs, &b.SecretDigests, &b.Instances}
}

// tokenSource is a reference to a token; nil when there is none.
func tokenSource(ctx context.Context, value types.Object, diags *diag.Diagnostics) *contract.SecretSource {
	r := block[reference](ctx, value, diags)
	if r == nil {
		return nil
	}
	source := r.source()
	return &source
}

// tokensKey is where private state keeps the write-only tokens, encrypted: a refresh and a destroy need them and are given no
// configuration.
const tokensKey = "tokens"

// sealer encrypts what is kept in private state; *runner.Client is one.
type sealer interface {
	Seal(values map[string]string) ([]byte, error)
	Unseal(data []byte) (map[string]string, error)
}

// givenTokens are the write-only tokens of a configuration, by contract.TokenSecret; nil when it has none.
func (r *deployment[M, In, PM]) givenTokens(ctx context.Context, config PM, diags *diag.Diagnostics) map[string]string {
	tokens := map[string]string{}
	if token := config.deployed().TokenWO; !token.IsNull() {
		tokens[contract.TokenSecret(r.row.Kind.Short)] = token.ValueString()
	}
	if more, ok := any(config).(accessing); ok {
		more.access(ctx, map[string]contract.Access{}, tokens, diags)
	}
	if len(tokens) == 0 {
		return nil
	}
	return tokens
}

// remember implements family.
func (r *deployment[M, In, PM]) remember(ctx context.Context, config PM, private privateWriter, diags *diag.Diagnostics) {
	tokens := r.givenTokens(ctx, config, diags)
	if !connected(r.conn.Runner, diags) {
		return
	}
	data, err := json.Marshal(nil)
	if len(tokens) > 0 {
		s, ok := r.conn.Runner.(sealer)
		if !ok {
			return
		}
		data, err = s.Seal(tokens)
	}
	if err != nil {
		diags.AddError("The token cannot be kept", Detail(err))
		return
	}
	diags.Append(private.SetKey(ctx, tokensKey, data)...)
}

func (r *deployment[M, In, PM]) sealedTokens(ctx context.Context, private privateReader, diags *diag.Diagnostics) map[string]string {
	data, d := private.GetKey(ctx, tokensKey)
	diags.Append(d...)
	s, ok := r.conn.Runner.(sealer)
	if len(data) == 0 || string(data) == "null" || !ok {
		return nil
	}
	tokens, err := s.Unseal(data)
	if err != nil {
		diags.AddError("The write-only token of "+r.row.Kind.Name+" cannot be read", Detail(err)+"\n\nIt is kept encrypted with the provider's encryption key. "+
			"Give the provider the key that it was kept with, or use the attribute token instead of token_wo.")
	}
	return tokens
}
