package resources

import (
	"github.com/hashicorp/terraform-plugin-framework/types"

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

func (m *stdoutIngestModel) name() *types.String { return &m.ServiceName }

func (m *stdoutIngestModel) defaults() { m.OnFailure = types.StringValue(contract.OnFailureRollback) }

func (m *stdoutIngestModel) computed() ([]*types.String, []*types.Map) {
	return []*types.String{&m.DatasourceUID, &m.EngineID, &m.TailWorkflowID}, nil
}
