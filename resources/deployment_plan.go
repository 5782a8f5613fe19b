package resources

import (
	"context"
	"reflect"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// plan implements family.
func (r *deployment[M, In, PM]) plan(ctx context.Context, c change[PM], _ privateReader, diags *diag.Diagnostics) {
	m, b := c.planned, c.planned.deployed()
	if s, ok := any(m).(sourced); ok && c.inputsKnown && s.planSource(ctx, c.prior, diags) {
		c.inputsSame, c.sourceChanged = false, true
	}
	if c.prior != nil && c.inputsKnown && !c.inputsSame && !c.sourceChanged {
		// The same may be written in another way, for example a path.
		c.inputsSame = reflect.DeepEqual(toInput[In](ctx, c.prior, diags), toInput[In](ctx, m, diags))
	}
	if diags.HasError() {
		return
	}
	if c.prior == nil || !m.name().Equal(*c.prior.name()) {
		unplanned(ctx, m, r.plannedID(m))
		m.underive()
		r.planInput(ctx, c, diags)
		return
	}
	old := c.prior.deployed()
	degraded := old.Status.ValueString() == contract.StatusDegraded
	if c.inputsSame && !degraded {
		r.planInput(ctx, c, diags) // the platform's own attributes, and the steps when wait changes
		planned := b.Steps
		keepComputed(m, c.prior)
		if !b.Wait.Equal(old.Wait) {
			b.Steps = planned
		}
		return
	}
	unplanned(ctx, m, old.ID)
	m.underive()
	if degraded {
		warnDrift(diags, r.address(contract.Ref{Service: m.name().ValueString()}), c.drift)
	}
	r.planInput(ctx, c, diags)
}

// planInput plans what follows from the input.
func (r *deployment[M, In, PM]) planInput(ctx context.Context, c change[PM], diags *diag.Diagnostics) {
	m := c.planned
	if !c.inputsKnown && c.guess == nil || m.name().IsUnknown() || m.deployed().ID.IsUnknown() && r.conn.Scope == "" {
		return
	}
	ref := contract.NewRef(r.kind, r.conn.Scope, m.name().ValueString())
	if !m.deployed().ID.IsUnknown() {
		ref = m.asCore().ref(diags)
	}
	if diags.HasError() {
		return
	}
	if !c.inputsKnown {
		// Where the application answers may be known all the same.
		if in := toInput[In](ctx, c.guess, diags); r.row.URL != nil && !diags.HasError() {
			m.deployed().URL = types.StringValue(r.row.URL(ref, in))
		}
		return
	}
	r.expand(ctx, ref, m, diags)
	if c.sourceChanged {
		m.deployed().Release = types.StringUnknown() // it follows from the source too
	}
}
