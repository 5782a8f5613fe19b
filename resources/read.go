package resources

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// finding is something that is not as configured, and the component that it is about.
type finding struct {
	Component string `json:"component"`
	What      string `json:"what"`
}

// driftKey is where private state keeps the findings of the last refresh, for the plan that follows it.
const driftKey = "drift"

type privateReader interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
}

type privateWriter interface {
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

func loadDrift(ctx context.Context, private privateReader, diags *diag.Diagnostics) []finding {
	data, d := private.GetKey(ctx, driftKey)
	diags.Append(d...)
	var drift []finding
	if len(data) > 0 {
		if err := json.Unmarshal(data, &drift); err != nil {
			diags.AddError("The private state of the resource cannot be read", Sentence(err.Error()))
		}
	}
	return drift
}

func saveDrift(ctx context.Context, private privateWriter, drift []finding, diags *diag.Diagnostics) {
	if drift == nil {
		drift = []finding{}
	}
	data, err := json.Marshal(drift)
	if err != nil {
		diags.AddError("The private state of the resource cannot be written", Sentence(err.Error()))
		return
	}
	diags.Append(private.SetKey(ctx, driftKey, data)...)
}

// Read implements resource.Resource. It looks at the real thing: only what the worker saw with its own eyes counts as gone.
func (l *lifecycle[M, In, PM]) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var m M
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	ref := PM(&m).asCore().ref(&resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	if l.conn.Runner == nil {
		resp.Diagnostics.AddWarning(l.address(ref)+" was not refreshed",
			"The provider's configuration depends on values that are not known yet. The state shown is that of the last run.")
		return
	}
	drift, exists := l.refresh(ctx, ref, &m, req.Private, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	if !exists {
		resp.State.RemoveResource(ctx)
		return
	}
	saveDrift(ctx, resp.Private, drift, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// refresh brings m up to date with what is there, and tells what is not as m says. While an operation is under way there
// is nothing to compare with.
func (l *lifecycle[M, In, PM]) refresh(ctx context.Context, ref contract.Ref, m PM, private privateReader, diags *diag.Diagnostics) (drift []finding, exists bool) {
	c := m.asCore()
	if l.inProgress(ctx, ref, c, diags) || diags.HasError() {
		return nil, true
	}
	request := requestOf(ref, contract.OpStatus)
	request.Input = encoded(toInput[In](ctx, m, diags), diags)
	l.family.ask(ctx, &request, m, private, diags)
	observed := l.inspect(ctx, ref, c, request, diags)
	if diags.HasError() || !observed.Found {
		return nil, false
	}
	drift = l.take(ctx, m, observed, diags)
	if len(drift) > 0 && l.inProgress(ctx, ref, c, diags) {
		return nil, true // an operation began while the worker was looking
	}
	return drift, true
}

// inProgress reports whether an operation is under way, and stores it.
func (l *lifecycle[M, In, PM]) inProgress(ctx context.Context, ref contract.Ref, c *core, diags *diag.Diagnostics) bool {
	_, run, running, err := l.conn.Runner.InFlight(ctx, ref)
	if err != nil {
		addFailure(diags, "read", l.address(ref), err)
		return false
	}
	if running {
		c.setRun(run)
		c.Status = types.StringValue(contract.StatusInProgress)
	}
	return running
}

// inspect runs the status workflow. Without an input it tells what the service was made from.
func (l *lifecycle[M, In, PM]) inspect(ctx context.Context, ref contract.Ref, c *core, request contract.Request, diags *diag.Diagnostics) contract.Observed {
	timeout, d := c.Timeouts.Read(ctx, readTimeout)
	diags.Append(d...)
	var observed contract.Observed
	if diags.HasError() {
		return observed
	}
	if _, err := l.conn.Runner.Status(ctx, l.call(c, l.kind.StatusWorkflow(), request, timeout), &observed); err != nil {
		addFailure(diags, "read", l.address(ref), err)
	}
	return observed
}

// take stores in m what the worker saw and returns what is not as configured.
func (l *lifecycle[M, In, PM]) take(ctx context.Context, m PM, observed contract.Observed, diags *diag.Diagnostics) []finding {
	drift := findings(observed)
	c := m.asCore()
	c.Status = types.StringValue(contract.StatusReady)
	if len(drift) > 0 {
		c.Status = types.StringValue(contract.StatusDegraded)
	}
	l.family.observe(ctx, m, observed, drift, diags)
	if c.Message.IsNull() && c.Status.ValueString() == contract.StatusReady {
		c.Message = types.StringValue(l.message) // the setup was left running, and has finished since
	}
	return drift
}

// findings are what is not as configured, each with the part that it is about.
func findings(observed contract.Observed) []finding {
	var drift []finding
	for _, c := range observed.Components {
		for _, what := range c.Drift {
			drift = append(drift, finding{c.Name, what})
		}
		if len(c.Drift) == 0 && c.Health != contract.HealthReady {
			drift = append(drift, finding{c.Name, fmt.Sprintf("%s, %s", c.State, strings.ReplaceAll(c.Health, "_", " "))})
		}
	}
	for _, what := range observed.Grafana {
		drift = append(drift, finding{catalog.GrafanaName, what})
	}
	for _, f := range observed.Drift {
		drift = append(drift, finding{f.About, f.What})
	}
	return drift
}

// ImportState implements resource.ResourceWithImportState. The import ID is the service's name, which means the provider's
// scope, or a full id.
func (l *lifecycle[M, In, PM]) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	if !connected(l.conn.Runner, &resp.Diagnostics) {
		return
	}
	ref, err := importRef(l.kind, l.conn.Scope, req.ID)
	if err != nil {
		resp.Diagnostics.AddError("The import ID is not valid", Sentence(err.Error())+"\n\n"+importUsage(l.kind, l.conn.Scope))
		return
	}
	var m M
	// The state has no attributes to read before the first one is set.
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), ref.ID())...)
	resp.Diagnostics.Append(resp.State.Get(ctx, &m)...)
	c := PM(&m).asCore()
	c.ID, c.WorkflowID, *PM(&m).name() = types.StringValue(ref.ID()), types.StringValue(ref.ID()), types.StringValue(ref.Service)
	c.OnInterrupt = types.StringValue(contract.OnInterruptCancel)
	PM(&m).defaults()
	if op, run, running, err := l.conn.Runner.InFlight(ctx, ref); err != nil {
		addFailure(&resp.Diagnostics, "import", l.address(ref), err)
	} else if running {
		resp.Diagnostics.AddError("Cannot import "+l.address(ref)+" now",
			fmt.Sprintf("Its %s is under way in workflow %s. Import it when that is finished.%s", operationName(op), run.WorkflowID, link(run)))
	}
	request := requestOf(ref, contract.OpStatus)
	l.family.ask(ctx, &request, &m, nil, &resp.Diagnostics)
	observed := l.inspect(ctx, ref, c, request, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	if looked := l.family.absent(ref, observed); looked != "" {
		resp.Diagnostics.AddError("There is no "+l.address(ref)+" to import", looked)
		return
	}
	l.fromObserved(ctx, ref, &m, observed, &resp.Diagnostics)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	}
}

func (l *lifecycle[M, In, PM]) fromObserved(ctx context.Context, ref contract.Ref, m PM, observed contract.Observed, diags *diag.Diagnostics) {
	var in In
	if len(observed.Input) > 0 {
		if err := json.Unmarshal(observed.Input, &in); err != nil {
			diags.AddError("The input of "+l.address(ref)+" cannot be read", l.foreign+"\n\n"+Sentence(err.Error()))
			return
		}
	}
	fromInput(ctx, m, in, diags)
	l.family.derive(ctx, ref, m, diags)
	l.take(ctx, m, observed, diags)
}

// importRef is the service of a kind that an import ID means: a name means the provider's scope.
func importRef(kind contract.Kind, scope, id string) (contract.Ref, error) {
	if !strings.Contains(id, "/") {
		ref := contract.NewRef(kind, scope, id)
		return ref, ref.Validate()
	}
	ref, err := contract.ParseID(id)
	if err == nil && ref.Kind != kind.Short {
		err = fmt.Errorf("%q is of kind %q, and a %s is of kind %q", id, ref.Kind, kind.Name, kind.Short)
	}
	return ref, err
}

func importUsage(kind contract.Kind, scope string) string {
	return fmt.Sprintf("The import ID is the service's name, for example \"app\", which means scope %q, or a full id, for example %q.",
		scope, contract.NewRef(kind, scope, "app").ID())
}
