package datasources

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/terraform"
)

type workflow struct{ connected }

var _ datasource.DataSourceWithConfigure = (*workflow)(nil)

func newWorkflow() datasource.DataSource { return &workflow{} }

type workflowModel struct {
	WorkflowID        types.String           `tfsdk:"workflow_id"`
	RunID             types.String           `tfsdk:"run_id"`
	ReadHistory       types.Bool             `tfsdk:"read_history"`
	Type              types.String           `tfsdk:"type"`
	Status            types.String           `tfsdk:"status"`
	TaskQueue         types.String           `tfsdk:"task_queue"`
	StartTime         types.String           `tfsdk:"start_time"`
	CloseTime         types.String           `tfsdk:"close_time"`
	ParentWorkflowID  types.String           `tfsdk:"parent_workflow_id"`
	NextRunID         types.String           `tfsdk:"next_run_id"`
	Memo              types.Dynamic          `tfsdk:"memo"`
	SensitiveMemo     types.Dynamic          `tfsdk:"sensitive_memo"`
	SearchAttributes  types.Dynamic          `tfsdk:"search_attributes"`
	Result            types.Dynamic          `tfsdk:"result"`
	SensitiveResult   types.Dynamic          `tfsdk:"sensitive_result"`
	ResultEncoding    types.String           `tfsdk:"result_encoding"`
	Failure           *failureModel          `tfsdk:"failure"`
	PendingActivities []pendingActivityModel `tfsdk:"pending_activities"`
	WorkflowTask      *workflowTaskModel     `tfsdk:"pending_workflow_task"`
	History           *historyModel          `tfsdk:"history"`
	WebUIURL          types.String           `tfsdk:"web_ui_url"`
}

type failureModel struct {
	Message  types.String `tfsdk:"message"`
	Type     types.String `tfsdk:"type"`
	Activity types.String `tfsdk:"activity"`
	By       types.String `tfsdk:"terminated_by"`
}

type pendingActivityModel struct {
	ID                types.String `tfsdk:"id"`
	Type              types.String `tfsdk:"type"`
	State             types.String `tfsdk:"state"`
	Attempt           types.Int64  `tfsdk:"attempt"`
	MaxAttempts       types.Int64  `tfsdk:"max_attempts"`
	LastFailure       types.String `tfsdk:"last_failure"`
	Progress          types.String `tfsdk:"progress"`
	Worker            types.String `tfsdk:"worker"`
	ScheduledTime     types.String `tfsdk:"scheduled_time"`
	LastStartedTime   types.String `tfsdk:"last_started_time"`
	LastHeartbeatTime types.String `tfsdk:"last_heartbeat_time"`
	NextAttemptTime   types.String `tfsdk:"next_attempt_time"`
}

type workflowTaskModel struct {
	State       types.String `tfsdk:"state"`
	Attempt     types.Int64  `tfsdk:"attempt"`
	LastFailure types.String `tfsdk:"last_failure"`
}

type historyModel struct {
	Length    types.Int64      `tfsdk:"length"`
	SizeBytes types.Int64      `tfsdk:"size_bytes"`
	Events    map[string]int64 `tfsdk:"events"`
}

// Metadata implements datasource.DataSource.
func (*workflow) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_workflow"
}

// Schema implements datasource.DataSource.
func (*workflow) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = workflowSchema()
}

// Read implements datasource.DataSource.
func (w *workflow) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m workflowModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !w.ready(&resp.Diagnostics) {
		return
	}
	id := m.WorkflowID.ValueString()
	events := m.ReadHistory.IsNull() || m.ReadHistory.ValueBool()
	d, err := w.conn.Runner.Describe(ctx, id, m.RunID.ValueString(), events)
	if err != nil {
		addFailure(&resp.Diagnostics, "workflow "+id, err)
		return
	}
	m.describe(d)
	m.setValues(d, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

func (m *workflowModel) describe(d *runner.Description) {
	m.RunID, m.Type, m.Status = types.StringValue(d.RunID), types.StringValue(d.Type), types.StringValue(d.Status)
	m.TaskQueue, m.WebUIURL = types.StringValue(d.TaskQueue), orNull(d.WebUIURL)
	m.StartTime, m.CloseTime = stamp(d.StartTime), stamp(d.CloseTime)
	m.ParentWorkflowID, m.NextRunID = orNull(d.ParentWorkflowID), orNull(d.NextRunID)
	m.History = &historyModel{Length: types.Int64Value(d.HistoryLength), SizeBytes: types.Int64Value(d.HistorySizeBytes), Events: d.Events}
	if f := d.Failure; f != nil {
		m.Failure = &failureModel{
			Message: types.StringValue(f.Message), Type: orNull(f.Type), Activity: orNull(f.Activity), By: orNull(f.By),
		}
	}
	if task := d.Task; task != nil {
		m.WorkflowTask = &workflowTaskModel{
			State: types.StringValue(task.State), Attempt: types.Int64Value(int64(task.Attempt)), LastFailure: orNull(task.LastFailure),
		}
	}
	m.PendingActivities = []pendingActivityModel{}
	for _, a := range d.Pending {
		maximum := types.Int64Null() // no limit
		if a.MaxAttempts > 0 {
			maximum = types.Int64Value(int64(a.MaxAttempts))
		}
		m.PendingActivities = append(m.PendingActivities, pendingActivityModel{
			ID: types.StringValue(a.ActivityID), Type: types.StringValue(a.Activity), State: types.StringValue(a.State),
			Attempt: types.Int64Value(int64(a.Attempt)), MaxAttempts: maximum,
			LastFailure: orNull(a.LastFailure), Progress: orNull(a.Progress), Worker: orNull(a.Worker),
			ScheduledTime: stamp(a.ScheduledTime), LastStartedTime: stamp(a.LastStartedTime),
			LastHeartbeatTime: stamp(a.LastHeartbeatTime), NextAttemptTime: stamp(a.NextAttemptTime),
		})
	}
}

// setValues stores the payloads. What cannot be read, for lack of a key, hides nothing else of the run: it is warned about.
func (m *workflowModel) setValues(d *runner.Description, diags *diag.Diagnostics) {
	var problems []string
	m.Memo, m.SensitiveMemo, problems = split(d.Memo)
	if len(problems) > 0 {
		diags.AddAttributeWarning(path.Root("memo"), "A part of the memo of workflow "+d.WorkflowID+" cannot be read", sentence(strings.Join(problems, "\n")))
	}
	// Search attributes are never encrypted: the server must read them.
	m.SearchAttributes, _, problems = split(d.SearchAttributes)
	if len(problems) > 0 {
		diags.AddAttributeWarning(path.Root("search_attributes"), "A search attribute of workflow "+d.WorkflowID+" cannot be read", sentence(strings.Join(problems, "\n")))
	}
	m.Result, m.SensitiveResult = types.DynamicNull(), types.DynamicNull()
	if d.Result == nil {
		return
	}
	m.ResultEncoding = orNull(d.Result.Encoding)
	result, err := terraform.FromJSON(d.Result.JSON)
	if d.Result.Problem != nil {
		err = d.Result.Problem
	}
	switch {
	case err != nil:
		diags.AddAttributeWarning(path.Root("result"), fmt.Sprintf("The result of workflow %s cannot be read", d.WorkflowID), sentence(err.Error()))
	case d.Result.Encrypted:
		m.SensitiveResult = result
	default:
		m.Result = result
	}
}
