package datasources

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/terraform"
)

type stdoutIngest struct{ connected }

var _ datasource.DataSourceWithConfigure = (*stdoutIngest)(nil)

func newStdoutIngest() datasource.DataSource { return &stdoutIngest{} }

type stdoutIngestModel struct {
	ServiceName types.String   `tfsdk:"service_name"`
	Scope       types.String   `tfsdk:"scope"`
	TaskQueue   types.String   `tfsdk:"task_queue"`
	Timeouts    timeouts.Value `tfsdk:"timeouts"`

	ID              types.String  `tfsdk:"id"`
	Status          types.String  `tfsdk:"status"`
	Drift           []string      `tfsdk:"drift"`
	Input           types.Dynamic `tfsdk:"input"`
	EngineID        types.String  `tfsdk:"engine_id"`
	ReportedAt      types.String  `tfsdk:"reported_at"`
	Files           types.Int64   `tfsdk:"files"`
	Containers      types.Int64   `tfsdk:"containers"`
	LinesShipped    types.Int64   `tfsdk:"lines_shipped"`
	BytesShipped    types.Int64   `tfsdk:"bytes_shipped"`
	LinesBackfilled types.Int64   `tfsdk:"lines_backfilled"`
	LinesRejected   types.Int64   `tfsdk:"lines_rejected"`
	LinesRepaired   types.Int64   `tfsdk:"lines_repaired"`
	LinesSplit      types.Int64   `tfsdk:"lines_split"`
	LagBytes        types.Int64   `tfsdk:"lag_bytes"`
	LagSeconds      types.Float64 `tfsdk:"lag_seconds"`
	Failing         types.Bool    `tfsdk:"failing"`
	LastError       types.String  `tfsdk:"last_error"`
	LastErrorAt     types.String  `tfsdk:"last_error_at"`
}

// Metadata implements datasource.DataSource.
func (*stdoutIngest) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_" + contract.StdoutIngest.Name
}

// Schema implements datasource.DataSource.
func (*stdoutIngest) Schema(ctx context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = stdoutIngestSchema(ctx)
}

// Read implements datasource.DataSource.
func (s *stdoutIngest) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m stdoutIngestModel
	diags := &resp.Diagnostics
	diags.Append(req.Config.Get(ctx, &m)...)
	if diags.HasError() || !s.ready(diags) {
		return
	}
	if m.Scope.IsNull() {
		m.Scope = types.StringValue(s.conn.Scope)
	}
	ref := contract.NewRef(contract.StdoutIngest, m.Scope.ValueString(), m.ServiceName.ValueString())
	timeout, d := m.Timeouts.Read(ctx, readTimeout)
	diags.Append(d...)
	m.TaskQueue = types.StringValue(s.conn.Runner.Queue(m.TaskQueue.ValueString(), ref.Service))
	if diags.HasError() {
		return
	}
	what := contract.StdoutIngest.Name + " " + ref.Service
	var observed contract.IngestObserved
	_, err := s.conn.Runner.Status(ctx, runner.Call{
		Kind: contract.StdoutIngest, WorkflowType: contract.StdoutIngest.StatusWorkflow(), TaskQueue: m.TaskQueue.ValueString(), Timeout: timeout,
		Request: contract.Request{ServiceName: ref.Service, Scope: ref.Scope, Operation: contract.OpStatus},
	}, &observed)
	if err != nil {
		addFailure(diags, what, err)
		return
	}
	if !observed.Found {
		diags.AddError("There is no "+what, "The worker on task queue "+m.TaskQueue.ValueString()+" keeps nothing of "+ref.ID()+" in its data directory.\n\n"+
			"Next: check service_name, scope and task_queue.")
		return
	}
	m.ID, m.EngineID = types.StringValue(ref.ID()), orNull(observed.EngineID)
	m.Drift = append([]string{}, observed.Drifted()...)
	m.Status = types.StringValue(contract.StatusReady)
	if len(m.Drift) > 0 {
		m.Status = types.StringValue(contract.StatusDegraded)
	}
	if m.Input, err = terraform.FromJSON(observed.Input); err != nil {
		addFailure(diags, "the input of "+what, err)
		return
	}
	m.setFigures(observed.Tail)
	diags.Append(resp.State.Set(ctx, &m)...)
}

// setFigures stores what the tail said last; nil is a tail that has not said anything.
func (m *stdoutIngestModel) setFigures(t *contract.TailStatus) {
	if t == nil {
		return
	}
	m.ReportedAt = types.StringValue(t.At.Format(time.RFC3339))
	m.Files, m.Containers = types.Int64Value(int64(t.Files)), types.Int64Value(int64(t.Containers))
	m.LinesShipped, m.BytesShipped = types.Int64Value(t.Lines), types.Int64Value(t.Bytes)
	m.LinesBackfilled, m.LinesRejected = types.Int64Value(t.Backfilled), types.Int64Value(t.Rejected)
	m.LinesRepaired, m.LinesSplit = types.Int64Value(t.Repaired), types.Int64Value(t.Split)
	m.LagBytes, m.LagSeconds = types.Int64Value(t.LagBytes), types.Float64Value(t.LagSeconds)
	m.Failing, m.LastError = types.BoolValue(t.Failing), orNull(t.LastError)
	if t.LastErrorAt != nil {
		m.LastErrorAt = types.StringValue(t.LastErrorAt.Format(time.RFC3339))
	}
}
