package resources

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// allKnown reports whether the attributes of that name are known, with everything in them.
func allKnown(object tftypes.Value, names []string) bool {
	values := attributesOf(object)
	return !slices.ContainsFunc(names, func(name string) bool { return !values[name].IsFullyKnown() })
}

// sameAttributes reports whether the attributes of that name are known and equal in both objects.
func sameAttributes(a, b tftypes.Value, names []string) bool {
	left, right := attributesOf(a), attributesOf(b)
	return !slices.ContainsFunc(names, func(name string) bool { return !left[name].Equal(right[name]) })
}

// attributesOf are the top-level attributes of a configuration, plan or state; none of one that is absent.
func attributesOf(object tftypes.Value) map[string]tftypes.Value {
	values := map[string]tftypes.Value{}
	if object.IsNull() || !object.IsKnown() {
		return values
	}
	if err := object.As(&values); err != nil {
		panic("resources: schema is not an object: " + err.Error()) // the framework has checked it against the schema
	}
	return values
}

// ModifyPlan implements resource.ResourceWithModifyPlan. It decides everything computed: what follows from the
// configuration is known, what a workflow will observe is unknown, and without a change all is as in state.
func (p *pipeline[M, In, PM]) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		return
	}
	var m M
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	change := change[M]{planned: &m, inputsKnown: allKnown(req.Plan.Raw, p.inputs)}
	if !req.State.Raw.IsNull() {
		change.prior = new(M)
		resp.Diagnostics.Append(req.State.Get(ctx, change.prior)...)
		change.drift = loadDrift(ctx, req.Private, &resp.Diagnostics)
		change.inputsSame = sameAttributes(req.Plan.Raw, req.State.Raw, p.inputs)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	p.planComputed(ctx, change, &resp.Diagnostics)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.Plan.Set(ctx, &m)...)
	}
}

// change is what a plan is about; prior is nil when the resource is being created.
type change[M any] struct {
	planned, prior          *M
	inputsKnown, inputsSame bool
	drift                   []finding
}

func (p *pipeline[M, In, PM]) planComputed(ctx context.Context, c change[M], diags *diag.Diagnostics) {
	b := PM(c.planned).common()
	if c.prior == nil || !b.ServiceName.Equal(PM(c.prior).common().ServiceName) {
		b.unplanned(p.plannedID(b))
		p.planStack(ctx, c.planned, nil, c.inputsKnown, nil, diags)
		return
	}
	old := PM(c.prior).common()
	degraded := old.Status.ValueString() == contract.StatusDegraded
	if c.inputsSame && !degraded {
		b.keepComputed(old)
		if !b.Verify.Equal(old.Verify) {
			p.planVerify(ctx, c.planned, diags)
		}
		return
	}
	b.unplanned(old.ID)
	if !old.EngineID.IsNull() {
		b.EngineID = old.EngineID
	}
	var drift []finding
	if degraded {
		drift = c.drift
		warnDrift(diags, fmt.Sprintf("%s %q", p.row.Kind.Name, b.ServiceName.ValueString()), drift)
	}
	p.planStack(ctx, c.planned, c.prior, c.inputsKnown, drift, diags)
}

// plannedID is the id of a service that is to be created.
func (p *pipeline[M, In, PM]) plannedID(b *base) types.String {
	if b.ServiceName.IsUnknown() || p.conn.Scope == "" {
		return types.StringUnknown()
	}
	return types.StringValue(contract.NewRef(p.row.Kind, p.conn.Scope, b.ServiceName.ValueString()).ID())
}

// unplanned makes everything unknown that a workflow will decide.
func (b *base) unplanned(id types.String) {
	unknown := types.StringUnknown()
	b.ID, b.WorkflowID = id, id
	b.Status, b.Message, b.EngineID, b.RunID, b.WebUIURL = unknown, unknown, unknown, unknown, unknown
	b.Steps, b.Endpoints = types.ListUnknown(types.StringType), types.MapUnknown(types.StringType)
	b.DatasourceUID, b.Containers = unknown, types.MapUnknown(containerType)
	b.Verification = types.MapUnknown(types.Int64Type)
	if !b.Verify.IsUnknown() && !b.verified() {
		b.Verification = types.MapNull(types.Int64Type)
	}
}

// keepComputed copies what is computed from state: nothing is to be done, or only a setting of operations changes.
func (b *base) keepComputed(old *base) {
	b.ID, b.WorkflowID, b.RunID, b.WebUIURL = old.ID, old.WorkflowID, old.RunID, old.WebUIURL
	b.Status, b.Message, b.EngineID = old.Status, old.Message, old.EngineID
	b.Steps, b.Endpoints, b.Containers = old.Steps, old.Endpoints, old.Containers
	b.DatasourceUID, b.Verification = old.DatasourceUID, old.Verification
}

// planVerify plans the steps of a service whose verify changes and nothing else does: the next setup will have others.
func (p *pipeline[M, In, PM]) planVerify(ctx context.Context, m PM, diags *diag.Diagnostics) {
	b := m.common()
	ref, err := b.ref()
	if err != nil || b.Verify.IsUnknown() {
		b.Steps = types.ListUnknown(types.StringType)
		return
	}
	_, stack := p.expand(ctx, ref, m, diags)
	b.Steps = stringList(stack.Steps())
}

// planStack plans what follows from the input: steps, endpoints, the containers' names, and which containers stay as they
// are. prior is nil when there is none.
func (p *pipeline[M, In, PM]) planStack(ctx context.Context, m, prior PM, inputsKnown bool, drift []finding, diags *diag.Diagnostics) {
	if !inputsKnown {
		return
	}
	b := m.common()
	ref, err := b.ref()
	if b.ID.IsUnknown() {
		p.planUnnamed(ctx, m, diags)
		return
	}
	if err != nil {
		diags.AddError("The id is not valid", Sentence(err.Error()))
		return
	}
	in, stack := p.expand(ctx, ref, m, diags)
	if diags.HasError() {
		return
	}
	p.derive(ref, b, in, stack)
	if b.Verify.IsUnknown() {
		b.Steps = types.ListUnknown(types.StringType)
	}
	kept := map[string]container{}
	if prior != nil {
		kept = p.untouched(ctx, stack, prior, drift, diags)
	}
	all := map[string]container{}
	for _, c := range stack.Components {
		plan, ok := kept[c.Name]
		if !ok {
			plan = container{
				Name: types.StringValue(c.Container), Image: types.StringValue(c.Image), Digest: types.StringUnknown(),
				State: types.StringUnknown(), Health: types.StringUnknown(),
			}
		}
		all[c.Name] = plan
	}
	b.setComponents(ctx, all, diags)
}

// planUnnamed plans what can be told while the scope or the name is not known: the steps, which no name is in, and where
// the service answers, which no scope is in.
func (p *pipeline[M, In, PM]) planUnnamed(ctx context.Context, m PM, diags *diag.Diagnostics) {
	b := m.common()
	ref := contract.Ref{Kind: p.row.Kind.Short, Service: b.ServiceName.ValueString()}
	in, stack := p.expand(ctx, ref, m, diags)
	if diags.HasError() {
		return
	}
	endpoints := b.Endpoints
	p.derive(ref, b, in, stack)
	if b.ServiceName.IsUnknown() {
		b.Endpoints = endpoints
	}
	if b.Verify.IsUnknown() {
		b.Steps = types.ListUnknown(types.StringType)
	}
	if !b.DatasourceUID.IsNull() {
		b.DatasourceUID = types.StringUnknown()
	}
}

// untouched are the containers of prior that an update towards stack leaves alone: same configuration and no drift.
func (p *pipeline[M, In, PM]) untouched(ctx context.Context, stack contract.Stack, prior PM, drift []finding, diags *diag.Diagnostics) map[string]container {
	old, err := p.row.Stack(stack.Ref, prior.toInput(ctx, diags))
	if err != nil || stack.PullPolicy == contract.PullAlways {
		// A pull can find another image under the same reference.
		return nil
	}
	kept := prior.common().components(ctx, diags)
	for name, c := range kept {
		before, was := old.Component(name)
		after, is := stack.Component(name)
		drifted := slices.ContainsFunc(drift, func(f finding) bool { return f.Component == name })
		whole := c.State.ValueString() == "running" && c.Health.ValueString() == contract.HealthReady
		if !was || !is || drifted || !whole || before.ConfigHash() != after.ConfigHash() {
			delete(kept, name)
		}
	}
	return kept
}

// warnDrift names what is to be repaired.
func warnDrift(diags *diag.Diagnostics, address string, drift []finding) {
	if len(drift) == 0 {
		return
	}
	var names, lines []string
	for _, f := range drift {
		if !slices.Contains(names, f.Component) {
			names = append(names, f.Component)
		}
		lines = append(lines, f.Component+": "+f.What)
	}
	diags.AddWarning(fmt.Sprintf("%s is degraded: %s", address, list(names)),
		// Terraform prints it again after the apply, because it plans again then: no word may be wrong there.
		"The refresh before this plan found:\n"+indent(lines)+"\nThe update repairs that and leaves the rest alone.")
}
