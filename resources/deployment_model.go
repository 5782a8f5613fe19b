package resources

import (
	"context"
	"encoding/json"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
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

var referenceType = types.ObjectType{AttrTypes: map[string]attr.Type{"env": types.StringType, "file": types.StringType}}

type healthModel struct {
	Path            types.String `tfsdk:"path"`
	TimeoutSeconds  types.Int64  `tfsdk:"timeout_seconds"`
	IntervalSeconds types.Int64  `tfsdk:"interval_seconds"`
	AttemptSeconds  types.Int64  `tfsdk:"attempt_seconds"`
	GraceSeconds    types.Int64  `tfsdk:"grace_seconds"`
}

// deployed gives the generic code access to the base of any model.
func (b *deployBase) deployed() *deployBase { return b }

// deployInput are the inputs that every deployment has.
func (b *deployBase) deployInput(ctx context.Context, diags *diag.Diagnostics) catalog.Deploy {
	in := catalog.Deploy{SecretsVersion: b.SecretsWOVersion.ValueInt64Pointer(), PublicURL: b.PublicURL.ValueStringPointer()}
	if !b.Env.IsNull() {
		diags.Append(b.Env.ElementsAs(ctx, &in.Env, false)...)
	}
	if !b.Secrets.IsNull() {
		references := map[string]reference{}
		diags.Append(b.Secrets.ElementsAs(ctx, &references, false)...)
		in.Secrets = map[string]contract.SecretSource{}
		for name, r := range references {
			in.Secrets[name] = r.source()
		}
	}
	if h := block[healthModel](ctx, b.Health, diags); h != nil {
		in.Health = &catalog.Health{
			Path: h.Path.ValueStringPointer(), TimeoutSeconds: h.TimeoutSeconds.ValueInt64Pointer(), IntervalSeconds: h.IntervalSeconds.ValueInt64Pointer(),
			AttemptSeconds: h.AttemptSeconds.ValueInt64Pointer(), GraceSeconds: h.GraceSeconds.ValueInt64Pointer(),
		}
	}
	return in
}

// setDeployInput is the inverse of deployInput.
func (b *deployBase) setDeployInput(ctx context.Context, in catalog.Deploy, diags *diag.Diagnostics) {
	b.SecretsWOVersion, b.PublicURL = types.Int64PointerValue(in.SecretsVersion), types.StringPointerValue(in.PublicURL)
	b.Env, b.Secrets = types.MapNull(types.StringType), types.MapNull(referenceType)
	if in.Env != nil {
		b.Env = stringMap(in.Env)
	}
	if in.Secrets != nil {
		references := map[string]reference{}
		for name, source := range in.Secrets {
			references[name] = reference{Env: orNull(source.Env), File: orNull(source.File)}
		}
		value, d := types.MapValueFrom(ctx, referenceType, references)
		diags.Append(d...)
		b.Secrets = value
	}
	var health *healthModel
	if h := in.Health; h != nil {
		health = &healthModel{
			Path: types.StringPointerValue(h.Path), TimeoutSeconds: types.Int64PointerValue(h.TimeoutSeconds), IntervalSeconds: types.Int64PointerValue(h.IntervalSeconds),
			AttemptSeconds: types.Int64PointerValue(h.AttemptSeconds), GraceSeconds: types.Int64PointerValue(h.GraceSeconds),
		}
	}
	b.Health = object(ctx, b.Health, health, diags)
}

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
