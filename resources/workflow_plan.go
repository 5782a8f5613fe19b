package resources

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/terraform"
)

// needsRun reports whether the resource is not as it should be, so that a workflow has to run.
func needsRun(m *workflowModel) bool {
	switch m.State.ValueString() {
	case contract.StatusReady, contract.StatusInProgress, runner.CustomRunning, runner.CustomCompleted:
		return false
	default:
		return true
	}
}

// ModifyPlan implements resource.ResourceWithModifyPlan. Without something to do for a workflow, all that is computed is as
// in state.
func (w *workflow) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		return
	}
	var m, prior workflowModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	m.ID = m.WorkflowID
	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
		imported, d := req.Private.GetKey(ctx, importedKey)
		resp.Diagnostics.Append(d...)
		change := m.compare(ctx, &prior, len(imported) > 0)
		resp.RequiresReplace = append(resp.RequiresReplace, change.replace...)
		switch {
		case len(change.replace) > 0 || change.update:
			m.unplanned()
		case needsRun(&prior):
			m.unplanned()
			findings := loadDrift(ctx, req.Private, &resp.Diagnostics)
			warnState(&resp.Diagnostics, &m, &prior, findings)
		default:
			m.keepComputed(&prior)
		}
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &m)...)
}

// workflowChange is what a new configuration asks for.
type workflowChange struct {
	// replace are the attributes whose change makes a new resource.
	replace []path.Path
	// update is set when the update workflow is to run.
	update bool
}

func (m *workflowModel) compare(ctx context.Context, prior *workflowModel, imported bool) workflowChange {
	setup := path.Root("setup")
	if m.Setup.IsUnknown() || m.Setup.IsNull() || prior.Setup.IsNull() {
		return workflowChange{replace: []path.Path{setup}}
	}
	var change workflowChange
	if !same(ctx, m.Setup, prior.Setup, "workflow") {
		change.replace = append(change.replace, setup.AtName("workflow"))
	}
	// Terraform fixes the paths of a replacement while values may still be unknown.
	var changed []path.Path
	if !same(ctx, m.Setup, prior.Setup, "input") {
		changed = append(changed, setup.AtName("input"))
	}
	if first := imported && prior.Triggers.IsNull(); !first && !m.Triggers.Equal(prior.Triggers) {
		changed = append(changed, path.Root("triggers"))
	}
	if m.Update.IsNull() {
		change.replace = append(change.replace, changed...)
		return change
	}
	change.update = len(changed) > 0 || m.Update.IsUnknown() || !prior.Update.IsNull() && !same(ctx, m.Update, prior.Update, "input")
	return change
}

// same reports whether an attribute of two known objects is known and means the same to a worker.
func same(ctx context.Context, a, b types.Object, name string) bool {
	left, right := a.Attributes()[name], b.Attributes()[name]
	if left == nil || right == nil {
		return false
	}
	return left.Equal(right) && !left.IsUnknown() || sameJSON(ctx, left, right)
}

// warnState says why a workflow will run although the configuration is the same.
func warnState(diags *diag.Diagnostics, m, prior *workflowModel, findings []finding) {
	what := fmt.Sprintf("Its state is %q.", prior.State.ValueString())
	var lines []string
	for _, f := range findings {
		lines = append(lines, f.What)
	}
	if len(lines) > 0 {
		what = "Found:\n" + indent(lines)
	}
	does := "the apply runs setup again"
	switch {
	case m.running():
		does = "the apply starts it again"
	case !m.Update.IsNull():
		does = "the apply runs update"
	}
	diags.AddWarning(fmt.Sprintf("The %s is not as it should be: %s", m.address(), does), what)
}

// Read implements resource.Resource.
func (w *workflow) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var m workflowModel
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if w.runner == nil {
		resp.Diagnostics.AddWarning("The "+m.address()+" was not refreshed",
			"The provider's configuration depends on values that are not known yet. The state shown is that of the last run.")
		return
	}
	drift, gone := w.observe(ctx, &m, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	if gone {
		resp.State.RemoveResource(ctx)
		return
	}
	saveDrift(ctx, resp.Private, drift, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// observe brings m up to date with what Temporal and the status workflow say.
func (w *workflow) observe(ctx context.Context, m *workflowModel, diags *diag.Diagnostics) (drift []finding, gone bool) {
	switch {
	case m.State.ValueString() == contract.StatusInProgress:
		drift = w.catchUp(ctx, m, diags)
	case m.running():
		drift, gone = w.lookAgain(ctx, m, diags)
	}
	inProgress := m.State.ValueString() == contract.StatusInProgress
	if gone || inProgress || needsRun(m) && !m.degradedByStatus() || m.Status.IsNull() || diags.HasError() {
		return drift, gone
	}
	return w.askStatus(ctx, m, diags)
}

// degradedByStatus reports that the status workflow decides about the state: it had found drift, which may be gone.
func (m *workflowModel) degradedByStatus() bool {
	return m.State.ValueString() == contract.StatusDegraded && !m.Status.IsNull()
}

// lookAgain compares a workflow that is to run with what Temporal says. An unknown ID is absence only while the workflow
// was running: the history of one that has ended is deleted after its retention.
func (w *workflow) lookAgain(ctx context.Context, m *workflowModel, diags *diag.Diagnostics) (drift []finding, gone bool) {
	state, found, err := w.runner.LookAtCustom(ctx, m.WorkflowID.ValueString())
	if err != nil {
		addFailure(diags, "read", m.address(), err)
		return nil, false
	}
	if !found {
		return nil, m.State.ValueString() == runner.CustomRunning
	}
	before := m.State.ValueString()
	if before == contract.StatusDegraded && state.Status == runner.CustomRunning {
		return nil, false // it runs, and its update has failed
	}
	m.State = types.StringValue(state.Status)
	if m.OperationID.Equal(m.WorkflowID) {
		m.setRun(state.Run)
	}
	if state.Status == runner.CustomRunning || state.Status == before {
		return w.why(ctx, m, state), false
	}
	result, err := w.runner.CustomResult(ctx, state.Run)
	return m.ended(result, err, diags), false
}

// why tells how a run ended that has been seen before.
func (w *workflow) why(ctx context.Context, m *workflowModel, state runner.CustomState) []finding {
	if !needsRun(m) {
		return nil
	}
	if _, err := w.runner.CustomResult(ctx, state.Run); err != nil {
		return []finding{{What: firstLine(err)}}
	}
	return nil
}

// ended stores the result of a run that has ended, or returns what went wrong.
func (m *workflowModel) ended(result json.RawMessage, err error, diags *diag.Diagnostics) []finding {
	err = m.keepResult(result, err, diags)
	if err == nil {
		return nil
	}
	var reported *reportedError
	if errors.As(err, &reported) {
		m.State = types.StringValue(runner.CustomFailed)
	}
	return []finding{{What: firstLine(err)}}
}

// catchUp looks how an operation ended that Terraform has not waited for.
func (w *workflow) catchUp(ctx context.Context, m *workflowModel, diags *diag.Diagnostics) []finding {
	state, found, err := w.runner.LookAtCustom(ctx, m.OperationID.ValueString())
	switch {
	case err != nil:
		addFailure(diags, "read", m.address(), err)
		return nil
	case !found:
		m.State = types.StringValue(contract.StatusDegraded)
		return []finding{{What: "Temporal no longer knows the run that was left running, so nobody can tell how it ended"}}
	}
	m.setRun(state.Run)
	if state.Status == runner.CustomRunning {
		if m.running() && m.OperationID.Equal(m.WorkflowID) {
			m.State = types.StringValue(runner.CustomRunning)
		}
		return nil
	}
	m.State = types.StringValue(state.Status)
	if state.Status == runner.CustomCompleted && !m.running() {
		m.State = types.StringValue(contract.StatusReady)
	}
	if state.Status == runner.CustomCompleted && m.running() && !m.OperationID.Equal(m.WorkflowID) {
		m.State = types.StringValue(runner.CustomRunning)
	}
	result, err := w.runner.CustomResult(ctx, state.Run)
	return m.ended(result, err, diags)
}

// askStatus runs the status workflow and reads its answer.
func (w *workflow) askStatus(ctx context.Context, m *workflowModel, diags *diag.Diagnostics) (drift []finding, gone bool) {
	call := m.call(ctx, "status", diags)
	if diags.HasError() {
		return nil, false
	}
	answer, err := w.runner.StatusCustom(ctx, call)
	looked := *m
	var notJSON *runner.NotJSONError
	if !errors.As(err, &notJSON) {
		err = looked.keepResult(answer, err, diags)
	}
	if err != nil {
		addFailure(diags, "read", m.address(), err)
		return nil, false
	}
	if string(answer) == "false" {
		return nil, true
	}
	var told struct {
		Exists *bool    `json:"exists"`
		Drift  []string `json:"drift"`
	}
	var object map[string]any
	if json.Unmarshal(answer, &object) != nil {
		return nil, false // neither an object nor false: all is well
	}
	if err := json.Unmarshal(answer, &told); err != nil {
		diags.AddError("The answer of the status workflow of "+m.address()+" cannot be read",
			Sentence(err.Error())+" exists is a truth value, and drift a list of strings; the answer was:\n  "+shortened(string(answer)))
		return nil, false
	}
	if told.Exists != nil && !*told.Exists {
		return nil, true
	}
	for _, what := range told.Drift {
		drift = append(drift, finding{What: what})
	}
	m.State = types.StringValue(contract.StatusReady)
	if m.running() {
		m.State = types.StringValue(runner.CustomRunning)
	}
	if len(drift) > 0 {
		m.State = types.StringValue(contract.StatusDegraded)
	}
	return drift, false
}

// sameJSON reports whether two values are known and the same to a worker, whatever their Terraform types.
func sameJSON(ctx context.Context, a, b attr.Value) bool {
	left, leftErr := terraform.ToJSON(ctx, a)
	right, rightErr := terraform.ToJSON(ctx, b)
	return leftErr == nil && rightErr == nil && bytes.Equal(left, right)
}
