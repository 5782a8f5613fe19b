package datasources

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
)

type workflows struct{ connected }

var _ datasource.DataSourceWithConfigure = (*workflows)(nil)

func newWorkflows() datasource.DataSource { return &workflows{} }

// Bounds of limit.
const (
	defaultLimit = 100
	maxLimit     = 10_000
)

type workflowsModel struct {
	Query      types.String   `tfsdk:"query"`
	Limit      types.Int64    `tfsdk:"limit"`
	OrderBy    types.String   `tfsdk:"order_by"`
	Descending types.Bool     `tfsdk:"descending"`
	Total      types.Int64    `tfsdk:"total"`
	Workflows  []summaryModel `tfsdk:"workflows"`
}

type summaryModel struct {
	WorkflowID       types.String `tfsdk:"workflow_id"`
	RunID            types.String `tfsdk:"run_id"`
	Type             types.String `tfsdk:"type"`
	Status           types.String `tfsdk:"status"`
	TaskQueue        types.String `tfsdk:"task_queue"`
	StartTime        types.String `tfsdk:"start_time"`
	CloseTime        types.String `tfsdk:"close_time"`
	HistoryLength    types.Int64  `tfsdk:"history_length"`
	ParentWorkflowID types.String `tfsdk:"parent_workflow_id"`
	WebUIURL         types.String `tfsdk:"web_ui_url"`
}

// Metadata implements datasource.DataSource.
func (*workflows) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_workflows"
}

// Schema implements datasource.DataSource.
func (*workflows) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = workflowsSchema()
}

// Read implements datasource.DataSource.
func (w *workflows) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m workflowsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !w.ready(&resp.Diagnostics) {
		return
	}
	wanted := runner.Listing{
		Query: m.Query.ValueString(), Limit: defaultLimit, Order: m.OrderBy.ValueString(),
		Descending: m.Descending.IsNull() || m.Descending.ValueBool(),
	}
	if !m.Limit.IsNull() {
		wanted.Limit = int(m.Limit.ValueInt64())
	}
	listed, err := w.conn.Runner.List(ctx, wanted)
	var query *runner.QueryError
	var tooMany *runner.TooManyError
	switch {
	case errors.As(err, &query) && wanted.Query != "":
		addFailure(&resp.Diagnostics, "workflows", err, "query")
	case errors.As(err, &tooMany):
		addFailure(&resp.Diagnostics, "workflows", err, "order_by")
	case err != nil:
		addFailure(&resp.Diagnostics, "workflows", err)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	m.Total = types.Int64Null()
	if listed.Total >= 0 {
		m.Total = types.Int64Value(listed.Total)
	}
	m.Workflows = []summaryModel{}
	for _, s := range listed.Runs {
		m.Workflows = append(m.Workflows, summaryModel{
			WorkflowID: types.StringValue(s.WorkflowID), RunID: types.StringValue(s.RunID), Type: types.StringValue(s.Type),
			Status: types.StringValue(s.Status), TaskQueue: orNull(s.TaskQueue), StartTime: stamp(s.StartTime), CloseTime: stamp(s.CloseTime),
			HistoryLength: types.Int64Value(s.HistoryLength), ParentWorkflowID: orNull(s.ParentWorkflowID), WebUIURL: orNull(s.WebUIURL),
		})
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}
