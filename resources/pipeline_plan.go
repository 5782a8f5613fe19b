package resources

import (
	"context"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// planContext plans what an image is built from, and reports whether that has changed.
func (p *pipeline[M, In, PM]) planContext(ctx context.Context, c change[PM], private privateReader, diags *diag.Diagnostics) bool {
	s := asBuilder(c.planned)
	if s == nil {
		return false
	}
	var prior *serviceModel
	if c.prior != nil {
		prior = asBuilder(c.prior)
	}
	return s.planContext(ctx, prior, private, p.address(contract.Ref{Service: c.planned.name().ValueString()}), diags)
}

// plan implements family.
func (p *pipeline[M, In, PM]) plan(ctx context.Context, c change[PM], private privateReader, diags *diag.Diagnostics) {
	if p.planContext(ctx, c, private, diags) {
		c.inputsSame = false
	}
	if diags.HasError() {
		return
	}
	b := c.planned.common()
	own, derives := any(c.planned).(deriver[M, In])
	if derives {
		own.underive()
	}
	if c.prior == nil || !b.ServiceName.Equal(c.prior.common().ServiceName) {
		p.unplanned(ctx, c.planned, p.plannedID(c.planned))
		c.prior, c.drift = nil, nil
		p.planStack(ctx, c, diags)
		return
	}
	old := c.prior.common()
	degraded := old.Status.ValueString() == contract.StatusDegraded
	outdated := false
	if derives && c.inputsSame && !degraded {
		ref := old.ref(diags)
		in, _ := p.expand(ctx, ref, c.planned, diags)
		if diags.HasError() {
			return
		}
		own.derive(ref, in)
		outdated = own.outdated(c.prior)
	}
	if c.inputsSame && !degraded && !outdated {
		keepComputed(c.planned, c.prior)
		if !b.Verify.Equal(old.Verify) {
			p.planVerify(ctx, c.planned, diags)
		}
		return
	}
	p.unplanned(ctx, c.planned, old.ID)
	if !old.EngineID.IsNull() {
		b.EngineID = old.EngineID
	}
	if degraded {
		warnDrift(diags, p.address(contract.Ref{Service: b.ServiceName.ValueString()}), c.drift)
	} else {
		c.drift = nil
	}
	p.planStack(ctx, c, diags)
	if outdated && !diags.HasError() {
		own.outside(c.prior, diags)
	}
}

// unplanned makes everything unknown that a workflow will decide.
func (p *pipeline[M, In, PM]) unplanned(ctx context.Context, m PM, id types.String) {
	unplanned(ctx, m, id)
	if b := m.common(); p.row.Canaries == nil || !b.Verify.IsUnknown() && !b.verified() {
		b.Verification = types.MapNull(types.Int64Type)
	}
}

// planVerify plans the steps of a service whose verify changes and nothing else does: the next setup will have others.
func (p *pipeline[M, In, PM]) planVerify(ctx context.Context, m PM, diags *diag.Diagnostics) {
	b := m.common()
	if b.Verify.IsUnknown() {
		b.Steps = types.ListUnknown(types.StringType)
		return
	}
	_, stack := p.expand(ctx, b.ref(diags), m, diags)
	b.Steps = stringList(stack.Steps())
}

// planStack plans what follows from the input: steps, endpoints, the containers' names, and which containers stay as they
// are.
func (p *pipeline[M, In, PM]) planStack(ctx context.Context, c change[PM], diags *diag.Diagnostics) {
	m := c.planned
	b := m.common()
	if !c.inputsKnown {
		p.planReach(ctx, c, diags)
		return
	}
	if b.ID.IsUnknown() {
		p.planUnnamed(ctx, m, diags)
		return
	}
	ref := b.ref(diags)
	in, stack := p.expand(ctx, ref, m, diags)
	if diags.HasError() {
		return
	}
	p.setDerived(ref, m, in, stack)
	if b.Verify.IsUnknown() {
		b.Steps = types.ListUnknown(types.StringType)
	}
	kept := map[string]container{}
	if c.prior != nil {
		kept = p.untouched(ctx, stack, c.prior, c.drift, diags)
	}
	all := map[string]container{}
	for _, component := range stack.Components {
		plan, ok := kept[component.Name]
		if !ok {
			plan = container{
				Name: types.StringValue(component.Container), Image: types.StringValue(component.Image), Digest: types.StringUnknown(),
				State: types.StringUnknown(), Health: types.StringUnknown(),
			}
			if s := asBuilder(m); component.Build != nil && s != nil && s.ContextHash.IsUnknown() {
				plan.Image = types.StringUnknown() // the tag names the content
			}
		}
		all[component.Name] = plan
	}
	b.setComponents(ctx, all, diags)
}

// planReach plans where the service answers, and the names of its containers, although not all of its input is known, so that
// whoever refers to them does not seem to change as well.
func (p *pipeline[M, In, PM]) planReach(ctx context.Context, c change[PM], diags *diag.Diagnostics) {
	b := c.planned.common()
	if c.guess == nil || b.ID.IsUnknown() {
		return
	}
	ref := b.ref(diags)
	in := toInput[In](ctx, c.guess, diags)
	if diags.HasError() {
		return
	}
	b.Endpoints, b.DatasourceUID = stringMap(p.row.Endpoints(ref, in)), types.StringNull()
	if p.row.DatasourceUID != nil {
		b.DatasourceUID = orNull(p.row.DatasourceUID(ref, in))
	}
	if _, derives := any(c.planned).(deriver[M, In]); derives || len(p.validate(in)) > 0 {
		return // without what is not known there is no stack
	}
	stack, err := p.row.Stack(ref, in)
	if err != nil {
		return
	}
	unknown, all := types.StringUnknown(), map[string]container{}
	for _, component := range stack.Components {
		all[component.Name] = container{Name: types.StringValue(component.Container), Image: unknown, Digest: unknown, State: unknown, Health: unknown}
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
	p.setDerived(ref, m, in, stack)
	if b.ServiceName.IsUnknown() {
		b.Endpoints = endpoints
		if own, ok := any(m).(deriver[M, In]); ok {
			own.underive()
		}
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
	old, err := p.row.Stack(stack.Ref, toInput[In](ctx, prior, diags))
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
