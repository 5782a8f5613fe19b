package resources

import (
	"context"
	"encoding/json"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/terraform"
)

// Values of the attributes of orch_workflow.
const (
	modeComplete    = "complete"
	modeRunning     = "running"
	actionCancel    = "cancel"
	actionTerminate = "terminate"
	defaultReason   = "terraform destroy"
	stopTimeout     = 2 * time.Minute
)

// WorkflowRunner runs workflows that are not orch's; *runner.Client is the real one.
type WorkflowRunner interface {
	// RunCustom starts a workflow, or attaches to the run that does the same, and waits for its result.
	RunCustom(ctx context.Context, call runner.CustomCall, onStarted func(runner.Run)) (runner.Run, json.RawMessage, error)
	// LaunchCustom returns once the workflow has begun.
	LaunchCustom(ctx context.Context, call runner.CustomCall, onStarted func(runner.Run)) (runner.Run, error)
	// StatusCustom runs a workflow that only looks.
	StatusCustom(ctx context.Context, call runner.CustomCall) (json.RawMessage, error)
	// LookAtCustom describes the latest run of a workflow ID.
	LookAtCustom(ctx context.Context, id string) (state runner.CustomState, found bool, err error)
	// CustomResult and CustomInput are what a run returned, and what it was given.
	CustomResult(ctx context.Context, run runner.Run) (json.RawMessage, error)
	CustomInput(ctx context.Context, run runner.Run) (json.RawMessage, error)
	// StopCustom ends the open run of a workflow ID, if there is one.
	StopCustom(ctx context.Context, id string, terminate bool, reason string, wait time.Duration) error
}

// workflowModel is orch_workflow in plan and state.
type workflowModel struct {
	WorkflowID       types.String  `tfsdk:"workflow_id"`
	Mode             types.String  `tfsdk:"mode"`
	Setup            types.Object  `tfsdk:"setup"`
	Update           types.Object  `tfsdk:"update"`
	Status           types.Object  `tfsdk:"status"`
	Cleanup          types.Object  `tfsdk:"cleanup"`
	Triggers         types.Map     `tfsdk:"triggers"`
	FailurePattern   types.String  `tfsdk:"failure_pattern"`
	Memo             types.Dynamic `tfsdk:"memo"`
	SearchAttributes types.Dynamic `tfsdk:"search_attributes"`
	OnDestroy        types.Object  `tfsdk:"on_destroy"`
	OnInterrupt      types.String  `tfsdk:"on_interrupt"`

	ID          types.String  `tfsdk:"id"`
	State       types.String  `tfsdk:"state"`
	Result      types.Dynamic `tfsdk:"result"`
	OperationID types.String  `tfsdk:"operation_id"`
	RunID       types.String  `tfsdk:"run_id"`
	WebUIURL    types.String  `tfsdk:"web_ui_url"`
}

func (m *workflowModel) running() bool { return m.Mode.ValueString() == modeRunning }

func (m *workflowModel) address() string { return "workflow " + m.WorkflowID.ValueString() }

func (m *workflowModel) setRun(run runner.Run) {
	m.OperationID, m.RunID, m.WebUIURL = types.StringValue(run.WorkflowID), orNull(run.RunID), orNull(run.WebUIURL)
}

// settle makes everything computed fit for state before the run's end is known.
func (m *workflowModel) settle() {
	m.ID, m.State = m.WorkflowID, types.StringValue(contract.StatusInProgress)
	m.OperationID, m.RunID, m.WebUIURL = known(m.OperationID), known(m.RunID), known(m.WebUIURL)
	m.Result = types.DynamicNull()
}

// unplanned makes everything unknown that a run will decide.
func (m *workflowModel) unplanned() {
	unknown := types.StringUnknown()
	m.State, m.OperationID, m.RunID, m.WebUIURL, m.Result = unknown, unknown, unknown, unknown, types.DynamicUnknown()
}

func (m *workflowModel) keepComputed(old *workflowModel) {
	m.State, m.OperationID, m.RunID, m.WebUIURL, m.Result = old.State, old.OperationID, old.RunID, old.WebUIURL, old.Result
}

// workflow is the resource orch_workflow.
type workflow struct{ runner WorkflowRunner }

var (
	_ resource.ResourceWithConfigure   = (*workflow)(nil)
	_ resource.ResourceWithImportState = (*workflow)(nil)
	_ resource.ResourceWithModifyPlan  = (*workflow)(nil)
)

func newWorkflow() resource.Resource { return &workflow{} }

// Metadata implements resource.Resource.
func (*workflow) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_workflow"
}

// Schema implements resource.Resource.
func (*workflow) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = workflowSchema()
}

// Configure implements resource.ResourceWithConfigure.
func (w *workflow) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	conn, ok := req.ProviderData.(Connection)
	if !ok || conn.Runner == nil {
		return
	}
	if w.runner, ok = conn.Runner.(WorkflowRunner); !ok {
		resp.Diagnostics.AddError("The connection cannot run workflows", "This is a defect of the provider.")
	}
}

// Create implements resource.Resource.
func (w *workflow) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m workflowModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !connected(w.runner, &resp.Diagnostics) {
		return
	}
	call := m.call(ctx, "setup", &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	m.settle()
	started := false
	err := w.do(ctx, &m, call, &resp.Diagnostics, func() {
		// Stored before the wait: if this process is told to stop, what it started must not be lost.
		started = true
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	})
	switch {
	case detached(err):
		addDetached(&resp.Diagnostics, "setup", m.address(), err)
	case err != nil:
		addWorkflowFailure(&resp.Diagnostics, "create", &m, err)
		if !started || nothingLeft(err) || m.Cleanup.IsNull() && !stillOpen(err) {
			resp.State.RemoveResource(ctx)
			return
		}
		m.State = types.StringValue(runner.CustomFailed)
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// Update implements resource.Resource. ModifyPlan leaves state unknown when there is something to do for a workflow.
func (w *workflow) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var m, prior workflowModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if !m.State.IsUnknown() {
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
		return
	}
	if !connected(w.runner, &resp.Diagnostics) {
		return
	}
	call := m.call(ctx, m.changeBy(&prior), &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	if m.running() && call.ID == m.WorkflowID.ValueString() && prior.State.ValueString() == contract.StatusDegraded {
		// Where drift was found in a workflow that has no update, its successor takes its place.
		terminate, reason, wait := m.stop(ctx, &resp.Diagnostics)
		if err := w.runner.StopCustom(ctx, call.ID, terminate, reason, wait); err != nil {
			addFailure(&resp.Diagnostics, "update", m.address(), err)
			return
		}
	}
	m.settle()
	err := w.do(ctx, &m, call, &resp.Diagnostics, func() {})
	switch {
	case detached(err):
		addDetached(&resp.Diagnostics, "update", m.address(), err)
	case err != nil:
		addWorkflowFailure(&resp.Diagnostics, "update", &m, err)
		if !nothingLeft(err) {
			prior.State = types.StringValue(contract.StatusDegraded)
		}
		resp.Diagnostics.Append(resp.State.Set(ctx, &prior)...)
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// changeBy is the operation that makes m of prior. What was to run and has ended is started again: only what is there can
// be updated.
func (m *workflowModel) changeBy(prior *workflowModel) string {
	ended := m.running() && needsRun(prior) && prior.State.ValueString() != contract.StatusDegraded
	if m.Update.IsNull() || ended {
		return "setup"
	}
	return "update"
}

// do runs an operation and brings m up to date with what came of it.
func (w *workflow) do(ctx context.Context, m *workflowModel, call runner.CustomCall, diags *diag.Diagnostics, started func()) error {
	var run runner.Run
	onStarted := func(r runner.Run) {
		run = r
		m.setRun(r)
		started()
	}
	// Only setup goes on running; an update is waited for.
	if m.running() && call.ID == m.WorkflowID.ValueString() {
		if _, err := w.runner.LaunchCustom(ctx, call, onStarted); err != nil {
			return err
		}
		addAttached(diags, m, run)
		return w.lookAtRunning(ctx, m, diags)
	}
	_, result, err := w.runner.RunCustom(ctx, call, onStarted)
	if err = m.keepResult(result, err, diags); err != nil {
		return err
	}
	m.State = types.StringValue(contract.StatusReady)
	if m.running() {
		m.State = types.StringValue(runner.CustomRunning)
	}
	return nil
}

// lookAtRunning tells whether a workflow that has begun goes on.
func (w *workflow) lookAtRunning(ctx context.Context, m *workflowModel, diags *diag.Diagnostics) error {
	state, found, err := w.runner.LookAtCustom(ctx, m.WorkflowID.ValueString())
	if err != nil || !found {
		return err
	}
	m.setRun(state.Run)
	if state.Status != runner.CustomRunning {
		result, err := w.runner.CustomResult(ctx, state.Run)
		if err = m.keepResult(result, err, diags); err != nil {
			return err
		}
	}
	m.State = types.StringValue(state.Status)
	return nil
}

// Delete implements resource.Resource. State is kept whenever it is not certain that everything is done.
func (w *workflow) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var m workflowModel
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !connected(w.runner, &resp.Diagnostics) {
		return
	}
	if err := w.stopAll(ctx, &m, &resp.Diagnostics); err != nil {
		addFailure(&resp.Diagnostics, "delete", m.address(), err)
		return
	}
	if m.Cleanup.IsNull() {
		return
	}
	call := m.call(ctx, "cleanup", &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	_, result, err := w.runner.RunCustom(ctx, call, func(runner.Run) {})
	if err = m.keepResult(result, err, &resp.Diagnostics); err != nil {
		addWorkflowFailure(&resp.Diagnostics, "delete", &m, err)
	}
}

// stopAll ends what may still be open. An update that was left running is not to end after the cleanup.
func (w *workflow) stopAll(ctx context.Context, m *workflowModel, diags *diag.Diagnostics) error {
	if !m.running() && m.State.ValueString() == contract.StatusReady {
		return nil // all has ended; a run that has the ID now is somebody else's
	}
	terminate, reason, wait := m.stop(ctx, diags)
	for _, id := range []string{m.WorkflowID.ValueString() + "/update", m.WorkflowID.ValueString()} {
		if err := w.runner.StopCustom(ctx, id, terminate, reason, wait); err != nil {
			return err
		}
	}
	return nil
}

// ImportState implements resource.ResourceWithImportState. The import ID is the ID of a workflow that Temporal knows.
func (w *workflow) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	if !connected(w.runner, &resp.Diagnostics) {
		return
	}
	state, found, err := w.runner.LookAtCustom(ctx, req.ID)
	switch {
	case err != nil:
		addFailure(&resp.Diagnostics, "import", "workflow "+req.ID, err)
		return
	case !found:
		resp.Diagnostics.AddError("There is no workflow "+req.ID+" to import", "The import ID is a workflow ID that Temporal knows: one that runs, or whose "+
			"history has not been deleted yet. To list them:\n  temporal workflow list")
		return
	}
	// The state has no attributes to read before the first one is set.
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("workflow_id"), req.ID)...)
	var m workflowModel
	resp.Diagnostics.Append(resp.State.Get(ctx, &m)...)
	w.importRun(ctx, &m, state, &resp.Diagnostics)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.Private.SetKey(ctx, importedKey, []byte("true"))...)
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	}
}

// importedKey is where private state keeps that a resource was imported: its triggers, which Temporal cannot tell, are then
// what the configuration says first.
const importedKey = "imported"

func (w *workflow) importRun(ctx context.Context, m *workflowModel, state runner.CustomState, diags *diag.Diagnostics) {
	var input types.Dynamic
	data, err := w.runner.CustomInput(ctx, state.Run)
	if err == nil {
		input, err = terraform.FromJSON(data)
	}
	if err != nil {
		addFailure(diags, "import", m.address(), err)
		return
	}
	m.settle()
	m.setRun(state.Run)
	m.OnInterrupt, m.Mode, m.State = types.StringValue(contract.OnInterruptCancel), types.StringValue(modeRunning), types.StringValue(state.Status)
	if state.Status == runner.CustomCompleted {
		m.Mode, m.State = types.StringValue(modeComplete), types.StringValue(contract.StatusReady)
	}
	kinds := m.Setup.AttributeTypes(ctx)
	values := map[string]attr.Value{"workflow": types.StringValue(state.Type), "task_queue": types.StringValue(state.TaskQueue), "input": input}
	for _, name := range []string{"timeouts", "retry"} {
		if kind, ok := kinds[name].(types.ObjectType); ok {
			values[name] = types.ObjectNull(kind.AttrTypes)
		}
	}
	setup, d := types.ObjectValue(kinds, values)
	diags.Append(d...)
	m.Setup = setup
	if state.Status != runner.CustomRunning {
		result, err := w.runner.CustomResult(ctx, state.Run)
		if err = m.keepResult(result, err, diags); err != nil && state.Status == runner.CustomCompleted {
			addFailure(diags, "import", m.address(), err)
		}
	}
}
