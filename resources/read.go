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
func (p *pipeline[M, In, PM]) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var m M
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	b := PM(&m).common()
	ref, err := b.ref()
	if err != nil {
		resp.Diagnostics.AddError("The id in state is not valid", Sentence(err.Error()))
		return
	}
	if p.conn.Runner == nil {
		resp.Diagnostics.AddWarning(p.address(ref)+" was not refreshed",
			"The provider's configuration depends on values that are not known yet. The state shown is that of the last run.")
		return
	}
	drift, exists := p.observe(ctx, ref, &m, &resp.Diagnostics)
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

// observe brings m up to date with what is there, and tells what is not as m says. While an operation is under way there
// is nothing to compare with.
func (p *pipeline[M, In, PM]) observe(ctx context.Context, ref contract.Ref, m PM, diags *diag.Diagnostics) (drift []finding, exists bool) {
	b := m.common()
	if p.inProgress(ctx, ref, b, diags) || diags.HasError() {
		return nil, true
	}
	observed := p.inspect(ctx, ref, b, encoded(m.toInput(ctx, diags), diags), diags)
	if diags.HasError() || !observed.Found {
		return nil, false
	}
	drift = b.setObserved(ctx, observed, diags)
	if len(drift) > 0 && p.inProgress(ctx, ref, b, diags) {
		return nil, true // an operation began while the worker was looking
	}
	if b.Message.IsNull() && len(drift) == 0 {
		b.Message = types.StringValue(p.row.Message) // the setup was left running, and has finished since
	}
	return drift, true
}

// inProgress reports whether an operation is under way, and stores it.
func (p *pipeline[M, In, PM]) inProgress(ctx context.Context, ref contract.Ref, b *base, diags *diag.Diagnostics) bool {
	_, run, running, err := p.conn.Runner.InFlight(ctx, ref)
	if err != nil {
		addFailure(diags, "read", p.address(ref), err)
		return false
	}
	if running {
		b.setRun(run)
		b.Status = types.StringValue(contract.StatusInProgress)
	}
	return running
}

// inspect runs the status workflow. Without an input it tells what the service was made from.
func (p *pipeline[M, In, PM]) inspect(ctx context.Context, ref contract.Ref, b *base, input json.RawMessage, diags *diag.Diagnostics) contract.Observed {
	timeout, d := b.Timeouts.Read(ctx, readTimeout)
	diags.Append(d...)
	request := b.request(ref, contract.OpStatus, input)
	request.OnFailure = ""
	var observed contract.Observed
	if _, err := p.conn.Runner.Status(ctx, p.call(b, p.row.Kind.StatusWorkflow(), request, timeout), &observed); err != nil {
		addFailure(diags, "read", p.address(ref), err)
	}
	return observed
}

// setObserved stores what the worker saw and returns what is not as configured.
func (b *base) setObserved(ctx context.Context, observed contract.Observed, diags *diag.Diagnostics) []finding {
	all := map[string]container{}
	var drift []finding
	for _, c := range observed.Components {
		all[c.Name] = found(c)
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
	b.setComponents(ctx, all, diags)
	b.EngineID = orNull(observed.EngineID)
	b.Status = types.StringValue(contract.StatusReady)
	if len(drift) > 0 {
		b.Status = types.StringValue(contract.StatusDegraded)
	}
	return drift
}

// ImportState implements resource.ResourceWithImportState. The import ID is the service's name, which means the provider's
// scope, or a full id.
func (p *pipeline[M, In, PM]) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	if !p.connected(&resp.Diagnostics) {
		return
	}
	ref, err := p.importRef(req.ID)
	if err != nil {
		resp.Diagnostics.AddError("The import ID is not valid", Sentence(err.Error())+"\n\n"+p.importUsage())
		return
	}
	var m M
	// The state has no attributes to read before the first one is set.
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), ref.ID())...)
	resp.Diagnostics.Append(resp.State.Get(ctx, &m)...)
	b := PM(&m).common()
	b.ID, b.ServiceName = types.StringValue(ref.ID()), types.StringValue(ref.Service)
	b.DeleteVolumes, b.Verify = types.BoolValue(false), types.BoolValue(true)
	b.OnFailure, b.OnInterrupt = types.StringValue(contract.OnFailureRollback), types.StringValue(contract.OnInterruptCancel)
	b.WorkflowID = b.ID
	if op, run, running, err := p.conn.Runner.InFlight(ctx, ref); err != nil {
		addFailure(&resp.Diagnostics, "import", p.address(ref), err)
	} else if running {
		resp.Diagnostics.AddError("Cannot import "+p.address(ref)+" now",
			fmt.Sprintf("Its %s is under way in workflow %s. Import it when that is finished.%s", operationName(op), run.WorkflowID, link(run)))
	}
	if resp.Diagnostics.HasError() {
		return
	}
	observed := p.inspect(ctx, ref, b, nil, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	if !observed.Found {
		queue := p.conn.Runner.Queue("", ref.Service)
		resp.Diagnostics.AddError("There is no "+p.address(ref)+" to import",
			fmt.Sprintf("The worker on task queue %q found no container of it on its Docker Engine (looked for %s).\n\n%s\n\n"+
				"To see what there is, run on the Docker host:\n  docker ps -a --filter label=%s=true --format '{{.Names}}'",
				queue, ref.ID(), p.importUsage(), contract.LabelManaged))
		return
	}
	p.fromObserved(ctx, ref, &m, observed, &resp.Diagnostics)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	}
}

func (p *pipeline[M, In, PM]) fromObserved(ctx context.Context, ref contract.Ref, m PM, observed contract.Observed, diags *diag.Diagnostics) {
	var in In
	if len(observed.Input) > 0 {
		if err := json.Unmarshal(observed.Input, &in); err != nil {
			diags.AddError("The input of "+p.address(ref)+" cannot be read",
				fmt.Sprintf("Its containers' %s labels hold what this provider does not understand; another version has made them.\n\n%s",
					contract.LabelInput, Sentence(err.Error())))
			return
		}
	}
	m.fromInput(ctx, in, diags)
	if in, stack := p.expand(ctx, ref, m, diags); !diags.HasError() {
		p.derive(ref, m.common(), in, stack)
	}
	m.common().setObserved(ctx, observed, diags)
}

// importRef is the service that an import ID means.
func (p *pipeline[M, In, PM]) importRef(id string) (contract.Ref, error) {
	if !strings.Contains(id, "/") {
		ref := contract.NewRef(p.row.Kind, p.conn.Scope, id)
		return ref, ref.Validate()
	}
	ref, err := contract.ParseID(id)
	if err == nil && ref.Kind != p.row.Kind.Short {
		err = fmt.Errorf("%q is of kind %q, and a %s is of kind %q", id, ref.Kind, p.row.Kind.Name, p.row.Kind.Short)
	}
	return ref, err
}

func (p *pipeline[M, In, PM]) importUsage() string {
	return fmt.Sprintf("The import ID is the service's name, for example \"app\", which means scope %q, or a full id, for example %q.",
		p.conn.Scope, contract.NewRef(p.row.Kind, p.conn.Scope, "app").ID())
}
