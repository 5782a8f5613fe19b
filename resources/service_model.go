package resources

import (
	"context"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
)

// serviceModel is what the resources of services of any image have in common. Models embed it.
type serviceModel struct {
	Image       types.String  `tfsdk:"image"`
	Build       types.Object  `tfsdk:"build"`
	Entrypoint  types.List    `tfsdk:"entrypoint"`
	Command     types.List    `tfsdk:"command"`
	Env         types.Map     `tfsdk:"env"`
	Secrets     types.Map     `tfsdk:"secrets"`
	Ports       types.Map     `tfsdk:"ports"`
	Volumes     types.Map     `tfsdk:"volumes"`
	Networks    types.Set     `tfsdk:"networks"`
	MemoryMB    types.Int64   `tfsdk:"memory_mb"`
	CPUs        types.Float64 `tfsdk:"cpus"`
	Restart     types.String  `tfsdk:"restart"`
	User        types.String  `tfsdk:"user"`
	ReadOnly    types.Bool    `tfsdk:"read_only"`
	Tmpfs       types.Set     `tfsdk:"tmpfs"`
	StopTimeout types.Int64   `tfsdk:"stop_timeout"`
	Health      types.Object  `tfsdk:"health"`
	Update      types.Object  `tfsdk:"update"`

	ContextHash types.String `tfsdk:"context_hash"`
}

type buildModel struct {
	Context    types.String            `tfsdk:"context"`
	Dockerfile types.String            `tfsdk:"dockerfile"`
	Target     types.String            `tfsdk:"target"`
	Args       map[string]types.String `tfsdk:"args"`
}

type serviceSecretModel struct {
	Value        types.String    `tfsdk:"value_wo"`
	ValueVersion types.Int64     `tfsdk:"value_wo_version"`
	Env          types.String    `tfsdk:"env"`
	File         types.String    `tfsdk:"file"`
	Service      *secretRefModel `tfsdk:"service"`
	Version      types.Int64     `tfsdk:"version"`
}

type secretRefModel struct {
	ID        types.String `tfsdk:"id"`
	Component types.String `tfsdk:"component"`
	Name      types.String `tfsdk:"name"`
}

type portModel struct {
	Container types.Int64  `tfsdk:"container"`
	Host      types.Int64  `tfsdk:"host"`
	Protocol  types.String `tfsdk:"protocol"`
	Scheme    types.String `tfsdk:"scheme"`
}

type volumeModel struct {
	Path     types.String `tfsdk:"path"`
	ReadOnly types.Bool   `tfsdk:"read_only"`
	External types.Bool   `tfsdk:"external"`
}

type probeModel struct {
	HTTP        *healthHTTPModel `tfsdk:"http"`
	TCP         *healthTCPModel  `tfsdk:"tcp"`
	Image       types.Bool       `tfsdk:"image"`
	Interval    types.String     `tfsdk:"interval"`
	Timeout     types.String     `tfsdk:"timeout"`
	StartPeriod types.String     `tfsdk:"start_period"`
	Retries     types.Int64      `tfsdk:"retries"`
}

type healthHTTPModel struct {
	Port types.String `tfsdk:"port"`
	Path types.String `tfsdk:"path"`
}

type healthTCPModel struct {
	Port types.String `tfsdk:"port"`
}

type updateModel struct {
	Order        types.String `tfsdk:"order"`
	DrainSeconds types.Int64  `tfsdk:"drain_seconds"`
}

// service gives the generic code access to the service part of any model that has one.
func (s *serviceModel) service() *serviceModel { return s }

// input is the service as written, with the content of its build context as far as it is known.
func (s *serviceModel) input(ctx context.Context, shared catalog.Shared, diags *diag.Diagnostics) catalog.ServiceInput {
	return catalog.ServiceInput{
		Shared: shared, Image: s.Image.ValueStringPointer(), Build: s.build(ctx, diags),
		Entrypoint: elements[[]string](ctx, s.Entrypoint, diags), Command: elements[[]string](ctx, s.Command, diags),
		Env:     converted(elements[map[string]types.String](ctx, s.Env, diags), types.String.ValueString),
		Secrets: converted(elements[map[string]serviceSecretModel](ctx, s.Secrets, diags), serviceSecretModel.input),
		Ports: converted(elements[map[string]portModel](ctx, s.Ports, diags), func(p portModel) catalog.PortInput {
			return catalog.PortInput{
				Container: p.Container.ValueInt64(), Host: p.Host.ValueInt64Pointer(), Protocol: p.Protocol.ValueStringPointer(), Scheme: p.Scheme.ValueStringPointer(),
			}
		}),
		Volumes: converted(elements[map[string]volumeModel](ctx, s.Volumes, diags), func(v volumeModel) catalog.VolumeInput {
			return catalog.VolumeInput{Path: v.Path.ValueString(), ReadOnly: v.ReadOnly.ValueBoolPointer(), External: v.External.ValueBoolPointer()}
		}),
		Networks: elementsOfSet(ctx, s.Networks, diags), MemoryMB: s.MemoryMB.ValueInt64Pointer(), CPUs: s.CPUs.ValueFloat64Pointer(),
		Restart: s.Restart.ValueStringPointer(), User: s.User.ValueStringPointer(), ReadOnly: s.ReadOnly.ValueBoolPointer(),
		Tmpfs: elementsOfSet(ctx, s.Tmpfs, diags), StopTimeout: s.StopTimeout.ValueInt64Pointer(),
		Health: block[probeModel](ctx, s.Health, diags).input(), Update: block[updateModel](ctx, s.Update, diags).input(),
	}
}

// build is the context as written, where it is, and what is in it. A hash that is not known is left out.
func (s *serviceModel) build(ctx context.Context, diags *diag.Diagnostics) *catalog.BuildInput {
	m := block[buildModel](ctx, s.Build, diags)
	if m == nil {
		return nil
	}
	in := &catalog.BuildInput{
		Context: m.Context.ValueString(), Dockerfile: m.Dockerfile.ValueStringPointer(), Target: m.Target.ValueStringPointer(),
		Args: converted(m.Args, types.String.ValueString),
	}
	if !s.ContextHash.IsUnknown() {
		in.Hash = s.ContextHash.ValueStringPointer()
	}
	in.Dir = absolute(in.Context, diags)
	return in
}

func (m serviceSecretModel) input() catalog.SecretInput {
	in := catalog.SecretInput{
		ValueVersion: m.ValueVersion.ValueInt64Pointer(), Env: m.Env.ValueStringPointer(), File: m.File.ValueStringPointer(), Version: m.Version.ValueInt64Pointer(),
	}
	if m.Service != nil {
		in.Service = &catalog.ServiceSecretInput{ID: m.Service.ID.ValueString(), Component: m.Service.Component.ValueString(), Name: m.Service.Name.ValueString()}
	}
	return in
}

func (m *probeModel) input() *catalog.HealthInput {
	if m == nil {
		return nil
	}
	in := &catalog.HealthInput{
		Image: m.Image.ValueBoolPointer(), Interval: m.Interval.ValueStringPointer(), Timeout: m.Timeout.ValueStringPointer(),
		StartPeriod: m.StartPeriod.ValueStringPointer(), Retries: m.Retries.ValueInt64Pointer(),
	}
	if m.HTTP != nil {
		in.HTTP = &catalog.HealthHTTPInput{Port: m.HTTP.Port.ValueString(), Path: m.HTTP.Path.ValueStringPointer()}
	}
	if m.TCP != nil {
		in.TCP = &catalog.HealthTCPInput{Port: m.TCP.Port.ValueString()}
	}
	return in
}

func (m *updateModel) input() *catalog.UpdateInput {
	if m == nil {
		return nil
	}
	return &catalog.UpdateInput{Order: m.Order.ValueStringPointer(), DrainSeconds: m.DrainSeconds.ValueInt64Pointer()}
}

// fill is the inverse of input.
func (s *serviceModel) fill(ctx context.Context, in catalog.ServiceInput, diags *diag.Diagnostics) {
	s.Image, s.Build, s.ContextHash = types.StringPointerValue(in.Image), object(ctx, s.Build, newBuildModel(in.Build), diags), types.StringNull()
	if in.Build != nil {
		s.ContextHash = types.StringPointerValue(in.Build.Hash)
	}
	s.Entrypoint, s.Command = listOf(in.Entrypoint), listOf(in.Command)
	s.Env = mapOf(ctx, s.Env, converted(in.Env, types.StringValue), diags)
	s.Secrets = mapOf(ctx, s.Secrets, converted(in.Secrets, newServiceSecretModel), diags)
	s.Ports = mapOf(ctx, s.Ports, converted(in.Ports, func(p catalog.PortInput) portModel {
		return portModel{types.Int64Value(p.Container), types.Int64PointerValue(p.Host), types.StringPointerValue(p.Protocol), types.StringPointerValue(p.Scheme)}
	}), diags)
	s.Volumes = mapOf(ctx, s.Volumes, converted(in.Volumes, func(v catalog.VolumeInput) volumeModel {
		return volumeModel{types.StringValue(v.Path), types.BoolPointerValue(v.ReadOnly), types.BoolPointerValue(v.External)}
	}), diags)
	s.Networks, s.Tmpfs = setOf(in.Networks), setOf(in.Tmpfs)
	s.MemoryMB, s.CPUs, s.StopTimeout = types.Int64PointerValue(in.MemoryMB), types.Float64PointerValue(in.CPUs), types.Int64PointerValue(in.StopTimeout)
	s.Restart, s.User, s.ReadOnly = types.StringPointerValue(in.Restart), types.StringPointerValue(in.User), types.BoolPointerValue(in.ReadOnly)
	s.Health = object(ctx, s.Health, newHealthModel(in.Health), diags)
	s.Update = object(ctx, s.Update, newUpdateModel(in.Update), diags)
}

func newBuildModel(in *catalog.BuildInput) *buildModel {
	if in == nil {
		return nil
	}
	return &buildModel{
		Context: types.StringValue(in.Context), Dockerfile: types.StringPointerValue(in.Dockerfile), Target: types.StringPointerValue(in.Target),
		Args: converted(in.Args, types.StringValue),
	}
}

func newServiceSecretModel(in catalog.SecretInput) serviceSecretModel {
	m := serviceSecretModel{
		ValueVersion: types.Int64PointerValue(in.ValueVersion), Env: types.StringPointerValue(in.Env), File: types.StringPointerValue(in.File),
		Version: types.Int64PointerValue(in.Version),
	}
	if in.Service != nil {
		m.Service = &secretRefModel{types.StringValue(in.Service.ID), types.StringValue(in.Service.Component), types.StringValue(in.Service.Name)}
	}
	return m
}

func newHealthModel(in *catalog.HealthInput) *probeModel {
	if in == nil {
		return nil
	}
	m := &probeModel{
		Image: types.BoolPointerValue(in.Image), Interval: types.StringPointerValue(in.Interval), Timeout: types.StringPointerValue(in.Timeout),
		StartPeriod: types.StringPointerValue(in.StartPeriod), Retries: types.Int64PointerValue(in.Retries),
	}
	if in.HTTP != nil {
		m.HTTP = &healthHTTPModel{types.StringValue(in.HTTP.Port), types.StringPointerValue(in.HTTP.Path)}
	}
	if in.TCP != nil {
		m.TCP = &healthTCPModel{types.StringValue(in.TCP.Port)}
	}
	return m
}

func newUpdateModel(in *catalog.UpdateInput) *updateModel {
	if in == nil {
		return nil
	}
	return &updateModel{types.StringPointerValue(in.Order), types.Int64PointerValue(in.DrainSeconds)}
}

// values are the write-only values of the service's secrets, by "<component>/<secret>".
func (s *serviceModel) values(ctx context.Context, component string, diags *diag.Diagnostics) map[string]string {
	values := map[string]string{}
	for name, secret := range elements[map[string]serviceSecretModel](ctx, s.Secrets, diags) {
		if !secret.Value.IsNull() {
			values[component+"/"+name] = secret.Value.ValueString()
		}
	}
	return values
}

// elementsOfSet are sorted: the order of a set says nothing and must change nothing.
func elementsOfSet(ctx context.Context, value types.Set, diags *diag.Diagnostics) []string {
	out := elements[[]string](ctx, value, diags)
	slices.Sort(out)
	return out
}

// converted is a map with each value converted; absent stays absent.
func converted[From, To any](values map[string]From, convert func(From) To) map[string]To {
	if values == nil {
		return nil
	}
	out := make(map[string]To, len(values))
	for name, value := range values {
		out[name] = convert(value)
	}
	return out
}

// mapOf is the inverse of elements: old only lends its type.
func mapOf[T any](ctx context.Context, old types.Map, values map[string]T, diags *diag.Diagnostics) types.Map {
	typ := old.ElementType(ctx)
	if values == nil {
		return types.MapNull(typ)
	}
	out, d := types.MapValueFrom(ctx, typ, values)
	diags.Append(d...)
	return out
}

func listOf(values []string) types.List {
	if values == nil {
		return types.ListNull(types.StringType)
	}
	return stringList(values)
}

func setOf(values []string) types.Set {
	if values == nil {
		return types.SetNull(types.StringType)
	}
	elements := make([]attr.Value, 0, len(values))
	for _, value := range values {
		elements = append(elements, types.StringValue(value))
	}
	return types.SetValueMust(types.StringType, elements)
}
