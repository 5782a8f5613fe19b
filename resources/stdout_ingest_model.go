package resources

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// stdoutIngestModel is orch_stdout_ingest in plan and state.
type stdoutIngestModel struct {
	core
	ServiceName types.String `tfsdk:"service_name"`
	OnFailure   types.String `tfsdk:"on_failure"`

	Files                types.Object  `tfsdk:"files"`
	Containers           types.Object  `tfsdk:"containers"`
	Endpoint             types.String  `tfsdk:"endpoint"`
	Headers              types.Map     `tfsdk:"headers"`
	Labels               types.Map     `tfsdk:"labels"`
	Grafana              types.Object  `tfsdk:"grafana"`
	BatchSize            types.Int64   `tfsdk:"batch_size"`
	FlushIntervalSeconds types.Float64 `tfsdk:"flush_interval_seconds"`
	TimeoutSeconds       types.Float64 `tfsdk:"timeout_seconds"`
	StartAt              types.String  `tfsdk:"start_at"`

	DatasourceUID  types.String `tfsdk:"datasource_uid"`
	EngineID       types.String `tfsdk:"engine_id"`
	TailWorkflowID types.String `tfsdk:"tail_workflow_id"`
}

// stdoutIngestInputs are the attributes that the input is made from.
var stdoutIngestInputs = []string{
	"batch_size", "containers", "endpoint", "files", "flush_interval_seconds", "grafana", "headers", "labels", "start_at", "timeout_seconds",
}

type logFilesModel struct {
	Include  types.List  `tfsdk:"include"`
	Exclude  types.List  `tfsdk:"exclude"`
	MaxDepth types.Int64 `tfsdk:"max_depth"`
}

type logContainersModel struct {
	Labels  types.Map    `tfsdk:"labels"`
	Names   types.List   `tfsdk:"names"`
	Service types.String `tfsdk:"service"`
}

// headerModel is a header's value, or where the worker finds it.
type headerModel struct {
	Value types.String `tfsdk:"value"`
	Env   types.String `tfsdk:"env"`
	File  types.String `tfsdk:"file"`
}

func (h headerModel) input() catalog.HeaderInput {
	return catalog.HeaderInput{Value: h.Value.ValueStringPointer(), Env: h.Env.ValueStringPointer(), File: h.File.ValueStringPointer()}
}

func newHeader(in catalog.HeaderInput) headerModel {
	return headerModel{types.StringPointerValue(in.Value), types.StringPointerValue(in.Env), types.StringPointerValue(in.File)}
}

var headerType = types.ObjectType{AttrTypes: map[string]attr.Type{"value": types.StringType, "env": types.StringType, "file": types.StringType}}

type ingestGrafanaModel struct {
	URL        types.String `tfsdk:"url"`
	PipelineID types.String `tfsdk:"pipeline_id"`
	Token      *tokenModel  `tfsdk:"token"`
	AdminUser  types.String `tfsdk:"admin_user"`
	LokiURL    types.String `tfsdk:"loki_url"`
}

func (m *stdoutIngestModel) name() *types.String { return &m.ServiceName }

func (m *stdoutIngestModel) defaults() { m.OnFailure = types.StringValue(contract.OnFailureRollback) }

func (m *stdoutIngestModel) computed() ([]*types.String, []*types.Map) {
	return []*types.String{&m.DatasourceUID, &m.EngineID, &m.TailWorkflowID}, nil
}

func (m *stdoutIngestModel) toInput(ctx context.Context, diags *diag.Diagnostics) catalog.StdoutIngestInput {
	in := catalog.StdoutIngestInput{
		Endpoint: m.Endpoint.ValueStringPointer(), BatchSize: m.BatchSize.ValueInt64Pointer(),
		FlushIntervalSeconds: m.FlushIntervalSeconds.ValueFloat64Pointer(), TimeoutSeconds: m.TimeoutSeconds.ValueFloat64Pointer(),
		StartAt: m.StartAt.ValueStringPointer(),
	}
	diags.Append(m.Labels.ElementsAs(ctx, &in.Labels, false)...)
	in.Headers = converted(elements[map[string]headerModel](ctx, m.Headers, diags), headerModel.input)
	if f := block[logFilesModel](ctx, m.Files, diags); f != nil {
		in.Files = &catalog.LogFilesInput{MaxDepth: f.MaxDepth.ValueInt64Pointer()}
		diags.Append(f.Include.ElementsAs(ctx, &in.Files.Include, false)...)
		diags.Append(f.Exclude.ElementsAs(ctx, &in.Files.Exclude, false)...)
	}
	if c := block[logContainersModel](ctx, m.Containers, diags); c != nil {
		in.Containers = &catalog.LogContainersInput{Service: c.Service.ValueStringPointer()}
		diags.Append(c.Labels.ElementsAs(ctx, &in.Containers.Labels, false)...)
		diags.Append(c.Names.ElementsAs(ctx, &in.Containers.Names, false)...)
	}
	if g := block[ingestGrafanaModel](ctx, m.Grafana, diags); g != nil {
		in.Grafana = &catalog.IngestGrafanaInput{
			URL: g.URL.ValueStringPointer(), PipelineID: g.PipelineID.ValueStringPointer(), AdminUser: g.AdminUser.ValueStringPointer(),
			LokiURL: g.LokiURL.ValueStringPointer(),
		}
		if g.Token != nil {
			in.Grafana.Token = &catalog.TokenInput{Env: g.Token.Env.ValueStringPointer(), File: g.Token.File.ValueStringPointer()}
		}
	}
	return in
}

func (m *stdoutIngestModel) fromInput(ctx context.Context, in catalog.StdoutIngestInput, diags *diag.Diagnostics) {
	m.Endpoint, m.StartAt = types.StringPointerValue(in.Endpoint), types.StringPointerValue(in.StartAt)
	m.BatchSize, m.Labels = types.Int64PointerValue(in.BatchSize), orNullMap(in.Labels)
	m.FlushIntervalSeconds, m.TimeoutSeconds = types.Float64PointerValue(in.FlushIntervalSeconds), types.Float64PointerValue(in.TimeoutSeconds)
	m.Headers = types.MapNull(headerType)
	if in.Headers != nil {
		headers, d := types.MapValueFrom(ctx, headerType, converted(in.Headers, newHeader))
		diags.Append(d...)
		m.Headers = headers
	}
	var files *logFilesModel
	if f := in.Files; f != nil {
		files = &logFilesModel{orNullList(f.Include), orNullList(f.Exclude), types.Int64PointerValue(f.MaxDepth)}
	}
	var containers *logContainersModel
	if c := in.Containers; c != nil {
		containers = &logContainersModel{orNullMap(c.Labels), orNullList(c.Names), types.StringPointerValue(c.Service)}
	}
	var grafana *ingestGrafanaModel
	if g := in.Grafana; g != nil {
		grafana = &ingestGrafanaModel{
			URL: types.StringPointerValue(g.URL), PipelineID: types.StringPointerValue(g.PipelineID),
			AdminUser: types.StringPointerValue(g.AdminUser), LokiURL: types.StringPointerValue(g.LokiURL),
		}
		if g.Token != nil {
			grafana.Token = &tokenModel{types.StringPointerValue(g.Token.Env), types.StringPointerValue(g.Token.File)}
		}
	}
	m.Files, m.Containers, m.Grafana = object(ctx, m.Files, files, diags), object(ctx, m.Containers, containers, diags), object(ctx, m.Grafana, grafana, diags)
}
