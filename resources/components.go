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

type collectorModel struct {
	limits
	GRPCPort types.Int64 `tfsdk:"grpc_port"`
	HTTPPort types.Int64 `tfsdk:"http_port"`
}

func (m *collectorModel) input() *catalog.CollectorInput {
	if m == nil {
		return nil
	}
	return &catalog.CollectorInput{Container: m.limits.input(), GRPCPort: m.GRPCPort.ValueInt64Pointer(), HTTPPort: m.HTTPPort.ValueInt64Pointer()}
}

func newCollectorModel(in *catalog.CollectorInput) *collectorModel {
	if in == nil {
		return nil
	}
	return &collectorModel{limits: newLimits(in.Container), GRPCPort: types.Int64PointerValue(in.GRPCPort), HTTPPort: types.Int64PointerValue(in.HTTPPort)}
}

func collectorBlock() schema.Attribute {
	return componentBlock("The OpenTelemetry Collector, which receives by OTLP.", catalog.CollectorImage, catalog.CollectorMemoryMB,
		map[string]schema.Attribute{
			"grpc_port": portAttribute("OTLP over gRPC", catalog.CollectorGRPCPort),
			"http_port": portAttribute("OTLP over HTTP", catalog.CollectorHTTPPort),
		})
}

type lokiModel struct {
	limits
	Port      types.Int64  `tfsdk:"port"`
	Retention types.String `tfsdk:"retention"`
	Volume    types.String `tfsdk:"volume"`
}

func (m *lokiModel) input() *catalog.LokiInput {
	if m == nil {
		return nil
	}
	return &catalog.LokiInput{
		Container: m.limits.input(), Port: m.Port.ValueInt64Pointer(),
		Retention: m.Retention.ValueStringPointer(), Volume: m.Volume.ValueStringPointer(),
	}
}

func newLokiModel(in *catalog.LokiInput) *lokiModel {
	if in == nil {
		return nil
	}
	return &lokiModel{
		limits: newLimits(in.Container), Port: types.Int64PointerValue(in.Port),
		Retention: types.StringPointerValue(in.Retention), Volume: types.StringPointerValue(in.Volume),
	}
}

func lokiBlock() schema.Attribute {
	return componentBlock("Loki, which keeps the logs.", catalog.LokiImage, catalog.LokiMemoryMB,
		map[string]schema.Attribute{
			"port": portAttribute("Loki's HTTP API", catalog.LokiPort),
			"retention": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: fmt.Sprintf("How long log lines are kept, for example `72h`, `30d` or `4w`; at least `24h`, which is "+
					"the least that Loki can do. Default: `%s`.", catalog.LokiRetention),
			},
			"volume": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Existing Docker volume to keep the logs in. It is never deleted, whatever `delete_volumes` says. " +
					"Default: a volume that belongs to the service.",
			},
		})
}

type grafanaModel struct {
	limits
	Port                 types.Int64  `tfsdk:"port"`
	AdminUser            types.String `tfsdk:"admin_user"`
	AdminPassword        types.String `tfsdk:"admin_password_wo"`
	AdminPasswordVersion types.Int64  `tfsdk:"admin_password_wo_version"`
}

func (m *grafanaModel) input() *catalog.GrafanaInput {
	if m == nil {
		return nil
	}
	return &catalog.GrafanaInput{
		Container: m.limits.input(), Port: m.Port.ValueInt64Pointer(), AdminUser: m.AdminUser.ValueStringPointer(),
		AdminPasswordVersion: m.AdminPasswordVersion.ValueInt64Pointer(),
	}
}

func newGrafanaModel(in *catalog.GrafanaInput) *grafanaModel {
	if in == nil {
		return nil
	}
	return &grafanaModel{
		limits: newLimits(in.Container), Port: types.Int64PointerValue(in.Port), AdminUser: types.StringPointerValue(in.AdminUser),
		AdminPasswordVersion: types.Int64PointerValue(in.AdminPasswordVersion),
	}
}

// secrets are the write-only values of m, which must come from the configuration: plan and state never hold them.
func (m *grafanaModel) secrets() map[string]string {
	if m == nil || m.AdminPassword.IsNull() {
		return nil
	}
	return map[string]string{catalog.GrafanaName + "/" + catalog.GrafanaAdminSecret: m.AdminPassword.ValueString()}
}

// minPasswordLength keeps out the shortest passwords; Grafana itself would take four characters.
const minPasswordLength = 8

func grafanaBlock(port int) schema.Attribute {
	password, version := path.MatchRelative().AtParent().AtName("admin_password_wo"), path.MatchRelative().AtParent().AtName("admin_password_wo_version")
	return componentBlock("Grafana, which shows what is kept.", catalog.GrafanaImage, catalog.GrafanaMemoryMB,
		map[string]schema.Attribute{
			"port": portAttribute("Grafana's user interface and API", port),
			"admin_user": schema.StringAttribute{
				Optional: true, Validators: []validator.String{notEmpty},
				MarkdownDescription: fmt.Sprintf("Login name of the administrator. Anonymous access is off. Default: `%s`.", catalog.GrafanaAdminUser),
			},
			"admin_password_wo": schema.StringAttribute{
				Optional: true, Sensitive: true, WriteOnly: true,
				Validators: []validator.String{stringvalidator.LengthAtLeast(minPasswordLength), stringvalidator.AlsoRequires(version)},
				MarkdownDescription: fmt.Sprintf("Password of the administrator, at least %d characters. It is stored neither in plan nor "+
					"in state, and travels to the worker encrypted. Needs `admin_password_wo_version`. Default: one that is generated and can "+
					"be printed on the worker's host with `orch-worker secret`.", minPasswordLength),
			},
			"admin_password_wo_version": schema.Int64Attribute{
				Optional: true, Validators: []validator.Int64{int64validator.AtLeast(0), int64validator.AlsoRequires(password)},
				MarkdownDescription: "Version of `admin_password_wo`, any number. Raise it to have a changed password applied.",
			},
		})
}
