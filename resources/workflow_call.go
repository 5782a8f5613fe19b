package resources

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"go.temporal.io/sdk/temporal"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/terraform"
)

// workflowOperation is setup, update, status or cleanup.
type workflowOperation struct {
	Workflow  types.String  `tfsdk:"workflow"`
	Input     types.Dynamic `tfsdk:"input"`
	TaskQueue types.String  `tfsdk:"task_queue"`
	Timeouts  types.Object  `tfsdk:"timeouts"`
	Retry     types.Object  `tfsdk:"retry"`
}

type workflowTimeouts struct {
	Wait      types.String `tfsdk:"wait"`
	Execution types.String `tfsdk:"execution"`
	Run       types.String `tfsdk:"run"`
	Task      types.String `tfsdk:"task"`
}

type workflowRetry struct {
	InitialInterval        types.String  `tfsdk:"initial_interval"`
	MaximumInterval        types.String  `tfsdk:"maximum_interval"`
	BackoffCoefficient     types.Float64 `tfsdk:"backoff_coefficient"`
	MaximumAttempts        types.Int64   `tfsdk:"maximum_attempts"`
	NonRetryableErrorTypes types.List    `tfsdk:"non_retryable_error_types"`
}

type workflowOnDestroy struct {
	Action  types.String `tfsdk:"action"`
	Reason  types.String `tfsdk:"reason"`
	Timeout types.String `tfsdk:"timeout"`
}

// call is the run of one of the operations, by the name of its attribute. A repair by setup is a setup like the first.
func (m *workflowModel) call(ctx context.Context, name string, diags *diag.Diagnostics) runner.CustomCall {
	row, ok := map[string]struct {
		object    types.Object
		operation contract.Operation
		suffix    string
	}{
		"setup": {m.Setup, contract.OpCreate, ""}, "update": {m.Update, contract.OpUpdate, "/update"},
		"status": {m.Status, contract.OpStatus, "/status"}, "cleanup": {m.Cleanup, contract.OpDelete, "/cleanup"},
	}[name]
	op := block[workflowOperation](ctx, row.object, diags)
	setup := block[workflowOperation](ctx, m.Setup, diags)
	if !ok || op == nil || setup == nil || diags.HasError() {
		return runner.CustomCall{}
	}
	call := runner.CustomCall{
		ID: m.WorkflowID.ValueString() + row.suffix, Type: op.Workflow.ValueString(), Operation: row.operation,
		OnInterrupt: m.OnInterrupt.ValueString(), TaskQueue: setup.TaskQueue.ValueString(),
	}
	if !op.TaskQueue.IsNull() {
		call.TaskQueue = op.TaskQueue.ValueString()
	}
	input, err := terraform.ToJSON(ctx, op.Input)
	if err != nil {
		diags.AddError("The input of "+m.address()+" cannot be encoded", Sentence(err.Error()))
	}
	call.Input = input
	if !m.Triggers.IsNull() {
		diags.Append(m.Triggers.ElementsAs(ctx, &call.Triggers, false)...)
	}
	op.limit(ctx, &call, diags)
	m.describe(ctx, &call, diags)
	return call
}

// limit sets timeouts and retries.
func (o *workflowOperation) limit(ctx context.Context, call *runner.CustomCall, diags *diag.Diagnostics) {
	if t := block[workflowTimeouts](ctx, o.Timeouts, diags); t != nil {
		call.Timeout, call.ExecutionTimeout = duration(t.Wait), duration(t.Execution)
		call.RunTimeout, call.TaskTimeout = duration(t.Run), duration(t.Task)
	}
	r := block[workflowRetry](ctx, o.Retry, diags)
	if r == nil {
		return
	}
	call.Retry = &temporal.RetryPolicy{
		InitialInterval: duration(r.InitialInterval), MaximumInterval: duration(r.MaximumInterval),
		BackoffCoefficient: r.BackoffCoefficient.ValueFloat64(), MaximumAttempts: int32(r.MaximumAttempts.ValueInt64()),
	}
	if !r.NonRetryableErrorTypes.IsNull() {
		diags.Append(r.NonRetryableErrorTypes.ElementsAs(ctx, &call.Retry.NonRetryableErrorTypes, false)...)
	}
}

// describe sets memo and search attributes.
func (m *workflowModel) describe(ctx context.Context, call *runner.CustomCall, diags *diag.Diagnostics) {
	memo, err := terraform.ToJSON(ctx, m.Memo)
	if err == nil && memo != nil {
		err = json.Unmarshal(memo, &call.Memo)
	}
	if err != nil {
		diags.AddError("The memo of "+m.address()+" cannot be encoded", Sentence(err.Error()))
	}
	attributes, err := terraform.ToJSON(ctx, m.SearchAttributes)
	if err == nil && attributes != nil {
		call.SearchAttributes, err = searchAttributes(attributes)
	}
	if err != nil {
		diags.AddError("The search attributes of "+m.address()+" cannot be encoded", Sentence(err.Error()))
	}
}

// searchAttributes gives each value the type that its form suggests.
func searchAttributes(data json.RawMessage) (temporal.SearchAttributes, error) {
	var values map[string]any
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.UseNumber()
	if err := decoder.Decode(&values); err != nil {
		return temporal.SearchAttributes{}, err
	}
	var updates []temporal.SearchAttributeUpdate
	for name, value := range values {
		switch v := value.(type) {
		case nil:
		case string:
			updates = append(updates, temporal.NewSearchAttributeKeyKeyword(name).ValueSet(v))
		case bool:
			updates = append(updates, temporal.NewSearchAttributeKeyBool(name).ValueSet(v))
		case json.Number:
			if whole, err := v.Int64(); err == nil {
				updates = append(updates, temporal.NewSearchAttributeKeyInt64(name).ValueSet(whole))
				continue
			}
			number, err := v.Float64()
			if err != nil {
				return temporal.SearchAttributes{}, fmt.Errorf("%s: %w", name, err)
			}
			updates = append(updates, temporal.NewSearchAttributeKeyFloat64(name).ValueSet(number))
		case []any:
			words := make([]string, len(v))
			for i, word := range v {
				text, ok := word.(string)
				if !ok {
					return temporal.SearchAttributes{}, fmt.Errorf("%s: a list holds strings only", name)
				}
				words[i] = text
			}
			updates = append(updates, temporal.NewSearchAttributeKeyKeywordList(name).ValueSet(words))
		default:
			return temporal.SearchAttributes{}, fmt.Errorf("%s: a search attribute is a string, number, truth value or list of strings", name)
		}
	}
	return temporal.NewSearchAttributes(updates...), nil
}

// stop is how a running workflow is ended.
func (m *workflowModel) stop(ctx context.Context, diags *diag.Diagnostics) (terminate bool, reason string, wait time.Duration) {
	reason, wait = defaultReason, stopTimeout
	if o := block[workflowOnDestroy](ctx, m.OnDestroy, diags); o != nil {
		terminate = o.Action.ValueString() == actionTerminate
		if !o.Reason.IsNull() {
			reason = o.Reason.ValueString()
		}
		if d := duration(o.Timeout); d > 0 {
			wait = d
		}
	}
	return terminate, reason, wait
}

// duration is zero when it is not set. Validation has seen to its form.
func duration(text types.String) time.Duration {
	d, err := time.ParseDuration(text.ValueString())
	if err != nil {
		return 0
	}
	return d
}

// reportedError says that a workflow has reported failure as its result.
type reportedError struct{ result, pattern string }

func (e *reportedError) Error() string {
	return fmt.Sprintf("the workflow returned %q, which failure_pattern %q takes for a failure", shortened(e.result), e.pattern)
}

// shortened keeps a result readable in a diagnostic.
func shortened(text string) string {
	const limit = 500
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}

// keepResult stores what a workflow returned. err is how it ended; a result that cannot be shown is no failure.
func (m *workflowModel) keepResult(result json.RawMessage, err error, diags *diag.Diagnostics) error {
	var notJSON *runner.NotJSONError
	if errors.As(err, &notJSON) && m.FailurePattern.IsNull() {
		diags.AddWarning("The result of "+m.address()+" cannot be shown", Detail(err)+"\n\nThe attribute result is null.")
		m.Result = types.DynamicNull()
		return nil
	}
	if err != nil {
		return err
	}
	value, err := terraform.FromJSON(result)
	if err != nil {
		return err
	}
	m.Result = value
	if m.FailurePattern.IsNull() {
		return nil
	}
	text := string(result)
	if s, ok := value.UnderlyingValue().(types.String); ok {
		text = s.ValueString()
	}
	pattern, err := regexp.Compile(m.FailurePattern.ValueString())
	if err == nil && pattern.MatchString(text) {
		return &reportedError{text, m.FailurePattern.ValueString()}
	}
	return err
}

// addWorkflowFailure reports a failed operation. What holds the ID without being ours can be imported.
func addWorkflowFailure(diags *diag.Diagnostics, verb string, m *workflowModel, err error) {
	var inFlight *runner.InFlightError
	if errors.As(err, &inFlight) && verb == "create" {
		diags.AddError(fmt.Sprintf("Cannot create %s: a run with this ID is open since %s", m.address(), inFlight.Since.UTC().Format(time.RFC3339)),
			Detail(err)+"\n\nIt was started with another type, input or triggers, or not by orch. To manage it as it is, import it:\n  terraform import ADDRESS "+m.WorkflowID.ValueString())
		return
	}
	addFailure(diags, verb, m.address(), err)
}

// addAttached warns that a create has started nothing.
func addAttached(diags *diag.Diagnostics, m *workflowModel, run runner.Run) {
	if run.Attached {
		diags.AddWarning("Adopted "+m.address()+", which was running already",
			fmt.Sprintf("Run %s was started with the same type, input and triggers, for example by an apply that was killed. It is managed by this configuration "+
				"now; if another configuration manages it too, give one of them another workflow_id.", run.RunID))
	}
}

// stillOpen reports that a failed operation may have left its run open.
func stillOpen(err error) bool {
	end, ok := ending(err)
	var task *runner.WorkflowTaskError
	var noWorker *runner.NoWorkerError
	var ended *runner.EndedError
	var step *runner.StepError
	var reported *reportedError
	var notJSON *runner.NotJSONError
	switch {
	case ok:
		return end.StillRunning
	case errors.As(err, &task):
		return !task.Terminated
	case errors.As(err, &noWorker):
		return !noWorker.Terminated
	default:
		return !errors.As(err, &ended) && !errors.As(err, &step) && !errors.As(err, &reported) && !errors.As(err, &notJSON)
	}
}
