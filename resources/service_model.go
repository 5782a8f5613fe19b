package resources

import (
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

// service gives the generic code access to the service part of any model that has one.
func (s *serviceModel) service() *serviceModel { return s }

// locate adds to an input where its build context is, and what is in it as far as that is known.
func (s *serviceModel) locate(in *catalog.ServiceInput, diags *diag.Diagnostics) {
	if in.Build == nil {
		return
	}
	if !s.ContextHash.IsUnknown() {
		in.Build.Hash = s.ContextHash.ValueStringPointer()
	}
	in.Build.Dir = absolute(in.Build.Context, diags)
}

func (s *serviceModel) tookContext(in catalog.ServiceInput) {
	s.ContextHash = types.StringNull()
	if in.Build != nil {
		s.ContextHash = types.StringPointerValue(in.Build.Hash)
	}
}

// values are the write-only values of the service's secrets, by "<component>/<secret>".
func (s *serviceModel) values(component string) map[string]string {
	values := map[string]string{}
	for name, each := range s.Secrets.Elements() {
		if secret, ok := each.(types.Object); ok && !textOf(secret, "value_wo").IsNull() {
			values[component+"/"+name] = textOf(secret, "value_wo").ValueString()
		}
	}
	return values
}
