package resources

import (
	"context"
	"fmt"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
)

// shared are the inputs that every pipeline has at its top level.
type shared struct {
	BindAddress    types.String `tfsdk:"bind_address"`
	Labels         types.Map    `tfsdk:"labels"`
	PullPolicy     types.String `tfsdk:"pull_policy"`
	RegistryMirror types.String `tfsdk:"registry_mirror"`
}

func (s shared) input(ctx context.Context, diags *diag.Diagnostics) catalog.Shared {
	in := catalog.Shared{
		BindAddress: s.BindAddress.ValueStringPointer(), PullPolicy: s.PullPolicy.ValueStringPointer(),
		RegistryMirror: s.RegistryMirror.ValueStringPointer(),
	}
	if !s.Labels.IsNull() {
		diags.Append(s.Labels.ElementsAs(ctx, &in.Labels, false)...)
	}
	return in
}

func newShared(in catalog.Shared) shared {
	labels := types.MapNull(types.StringType)
	if in.Labels != nil {
		labels = stringMap(in.Labels)
	}
	return shared{
		BindAddress: types.StringPointerValue(in.BindAddress), Labels: labels,
		PullPolicy: types.StringPointerValue(in.PullPolicy), RegistryMirror: types.StringPointerValue(in.RegistryMirror),
	}
}

// limits are the inputs that every component has.
type limits struct {
	Image    types.String  `tfsdk:"image"`
	MemoryMB types.Int64   `tfsdk:"memory_mb"`
	CPUs     types.Float64 `tfsdk:"cpus"`
}

func (l limits) input() catalog.Container {
	return catalog.Container{Image: l.Image.ValueStringPointer(), MemoryMB: l.MemoryMB.ValueInt64Pointer(), CPUs: l.CPUs.ValueFloat64Pointer()}
}

func newLimits(in catalog.Container) limits {
	return limits{Image: types.StringPointerValue(in.Image), MemoryMB: types.Int64PointerValue(in.MemoryMB), CPUs: types.Float64PointerValue(in.CPUs)}
}

// componentBlock is the nested attribute of a component: what every component has, and its own.
func componentBlock(what, image string, memoryMB int, own map[string]schema.Attribute) schema.SingleNestedAttribute {
	attributes := map[string]schema.Attribute{
		"image": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: fmt.Sprintf("Image to run. Default: `%s`.", image),
		},
		"memory_mb": schema.Int64Attribute{
			Optional: true,
			MarkdownDescription: fmt.Sprintf("Most memory that the container can use, in MiB, at least %d. Default: `%d`.",
				catalog.MinMemoryMB, memoryMB),
		},
		"cpus": schema.Float64Attribute{
			Optional:            true,
			MarkdownDescription: "Most CPU time that the container can use, in CPUs, for example `0.5`. Default: no limit.",
		},
	}
	maps.Copy(attributes, own)
	return schema.SingleNestedAttribute{
		Optional: true, Attributes: attributes,
		MarkdownDescription: what + " Default: all defaults of its attributes.",
	}
}

func portAttribute(what string, port int) schema.Int64Attribute {
	return schema.Int64Attribute{
		Optional: true, MarkdownDescription: fmt.Sprintf("Port of the Docker host for %s. Default: `%d`.", what, port),
	}
}

// minSecretLength keeps out the shortest passwords and keys; the components would take shorter ones.
const minSecretLength = 8

// secretAttributes are the write-only attribute <name>_wo and its version. Neither does anything without the other.
func secretAttributes(name, what, otherwise string, rules ...validator.String) map[string]schema.Attribute {
	value, version := name+"_wo", name+"_wo_version"
	sibling := func(name string) path.Expression { return path.MatchRelative().AtParent().AtName(name) }
	return map[string]schema.Attribute{
		value: schema.StringAttribute{
			Optional: true, Sensitive: true, WriteOnly: true,
			Validators: append(rules, stringvalidator.AlsoRequires(sibling(version))),
			MarkdownDescription: fmt.Sprintf("%s It is stored neither in plan nor in state, and travels to the worker encrypted. Needs `%s`. %s",
				what, version, otherwise),
		},
		version: schema.Int64Attribute{
			Optional: true, Validators: []validator.Int64{int64validator.AtLeast(0), int64validator.AlsoRequires(sibling(value))},
			MarkdownDescription: fmt.Sprintf("Version of `%s`, any number. Raise it to have a changed value applied.", value),
		},
	}
}

// generated says what a secret is when the configuration does not.
const generated = "Default: one that is generated and can be printed on the worker's host with `orch-worker secret`."

// merged is one map of all attributes.
func merged(all ...map[string]schema.Attribute) map[string]schema.Attribute {
	attributes := map[string]schema.Attribute{}
	for _, some := range all {
		maps.Copy(attributes, some)
	}
	return attributes
}

// plain are the strings of a list as the catalog takes it: absent stays absent.
func plain(values []types.String) []string {
	if values == nil {
		return nil
	}
	out := make([]string, 0, len(values))
	for _, v := range values {
		out = append(out, v.ValueString())
	}
	return out
}

// modelled is the inverse of plain.
func modelled(values []string) []types.String {
	if values == nil {
		return nil
	}
	out := make([]types.String, 0, len(values))
	for _, v := range values {
		out = append(out, types.StringValue(v))
	}
	return out
}

// elements are those of a list or a map as the catalog takes them: absent stays absent.
func elements[T any](ctx context.Context, value interface {
	IsNull() bool
	ElementsAs(ctx context.Context, target any, allowUnhandled bool) diag.Diagnostics
}, diags *diag.Diagnostics) T {
	var out T
	if !value.IsNull() {
		diags.Append(value.ElementsAs(ctx, &out, false)...)
	}
	return out
}

// orNullList and orNullMap are the inverse of elements.
func orNullList(values []string) types.List {
	if values == nil {
		return types.ListNull(types.StringType)
	}
	return stringList(values)
}

func orNullMap(values map[string]string) types.Map {
	if values == nil {
		return types.MapNull(types.StringType)
	}
	return stringMap(values)
}
