package resources

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// allKnown reports whether the attributes of that name are known, with everything in them.
func allKnown(object tftypes.Value, names []string) bool {
	values := attributesOf(object)
	return !slices.ContainsFunc(names, func(name string) bool { return !values[name].IsFullyKnown() })
}

// holdsNull reports whether a list, set or map in the attributes of that name has a null among its elements. The validators of
// the schema refuse it; to convert it would only add the framework's own error, which blames the provider.
func holdsNull(object tftypes.Value, names []string) bool {
	values, found := attributesOf(object), false
	for _, name := range names {
		walk(values[name], func(at *tftypes.AttributePath, value tftypes.Value) bool {
			if steps := at.Steps(); value.IsNull() && len(steps) > 0 {
				_, attribute := steps[len(steps)-1].(tftypes.AttributeName)
				found = found || !attribute
			}
			return !found
		})
	}
	return found
}

// placeless are inputs that have no say in where a service answers, on whatever level they are.
var placeless = map[string]bool{
	"image": true, "memory_mb": true, "cpus": true, "labels": true, "pull_policy": true, "registry_mirror": true,
	"retention": true, "retention_time": true, "retention_size": true, "scrape_interval": true, "scrape_targets": true,
	"heap_mb": true, "page_cache_mb": true, "plugins": true, "volume": true,
	"build": true, "entrypoint": true, "command": true, "env": true, "secrets": true, "volumes": true, "networks": true,
	"restart": true, "user": true, "read_only": true, "tmpfs": true, "stop_timeout": true, "health": true, "update": true, "cloudflare": true,
}

// onlyPlaceless reports whether all that is not known of these attributes is placeless.
func onlyPlaceless(object tftypes.Value, names []string) bool {
	values, only := attributesOf(object), true
	for _, name := range names {
		walk(values[name], func(at *tftypes.AttributePath, value tftypes.Value) bool {
			within := placeless[name]
			for _, step := range at.Steps() {
				inner, ok := step.(tftypes.AttributeName)
				within = within || ok && placeless[string(inner)]
			}
			only = only && (value.IsKnown() || within)
			return only && !within
		})
	}
	return only
}

// walk visits a value and all in it, deeper only where visit says so.
func walk(value tftypes.Value, visit func(at *tftypes.AttributePath, value tftypes.Value) bool) {
	err := tftypes.Walk(value, func(at *tftypes.AttributePath, value tftypes.Value) (bool, error) { return visit(at, value), nil })
	if err != nil {
		panic("resources: a value cannot be walked: " + err.Error()) // the framework has checked it against the schema
	}
}

// withoutUnknown makes what is placeless null where something in it is not known.
func withoutUnknown(at *tftypes.AttributePath, value tftypes.Value) (tftypes.Value, error) {
	if name, ok := at.LastStep().(tftypes.AttributeName); ok && placeless[string(name)] && !value.IsFullyKnown() {
		return tftypes.NewValue(value.Type(), nil), nil
	}
	return value, nil
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

// change is what a plan is about; prior is nil when the resource is being created.
type change[PM any] struct {
	planned, prior          PM
	inputsKnown, inputsSame bool
	// guess is planned without what is not known, when that is placeless; else nil.
	guess PM
	// sourceChanged is set when what is deployed lies in files that are not what prior was deployed from.
	sourceChanged bool
	drift         []finding
}

// ModifyPlan implements resource.ResourceWithModifyPlan. It decides everything computed: what follows from the
// configuration is known, what a workflow will observe is unknown, and without a change all is as in state.
func (l *lifecycle[M, In, PM]) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		return
	}
	var m M
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	c := change[PM]{planned: &m, inputsKnown: allKnown(req.Plan.Raw, l.inputs)}
	if !c.inputsKnown && onlyPlaceless(req.Plan.Raw, l.inputs) {
		c.guess = new(M)
		raw, err := tftypes.Transform(req.Plan.Raw, withoutUnknown)
		if err != nil {
			panic("resources: a value cannot be transformed: " + err.Error()) // the framework has checked it against the schema
		}
		resp.Diagnostics.Append((&tfsdk.Plan{Raw: raw, Schema: req.Plan.Schema}).Get(ctx, c.guess)...)
	}
	if !req.State.Raw.IsNull() {
		c.prior = new(M)
		resp.Diagnostics.Append(req.State.Get(ctx, c.prior)...)
		c.drift = loadDrift(ctx, req.Private, &resp.Diagnostics)
		c.inputsSame = sameAttributes(req.Plan.Raw, req.State.Raw, l.inputs)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	l.family.plan(ctx, c, req.Private, &resp.Diagnostics)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.Plan.Set(ctx, &m)...)
	}
}

// plannedID is the id of a service that is to be created.
func (l *lifecycle[M, In, PM]) plannedID(m PM) types.String {
	if m.name().IsUnknown() || l.conn.Scope == "" {
		return types.StringUnknown()
	}
	return types.StringValue(contract.NewRef(l.kind, l.conn.Scope, m.name().ValueString()).ID())
}

// unplanned makes everything unknown that a workflow will decide or that follows from the input.
func unplanned(ctx context.Context, m computable, id types.String) {
	c, unknown := m.asCore(), types.StringUnknown()
	c.ID, c.WorkflowID = id, id
	c.Status, c.Message, c.RunID, c.WebUIURL, c.Steps = unknown, unknown, unknown, unknown, types.ListUnknown(types.StringType)
	texts, tables := m.computed()
	for _, text := range texts {
		*text = unknown
	}
	for _, table := range tables {
		*table = types.MapUnknown(table.ElementType(ctx))
	}
}

// keepComputed copies what is computed from state: nothing is to be done, or only a setting of operations changes.
func keepComputed(m, old computable) {
	c, before := m.asCore(), old.asCore()
	c.ID, c.WorkflowID, c.RunID, c.WebUIURL = before.ID, before.WorkflowID, before.RunID, before.WebUIURL
	c.Status, c.Message, c.Steps = before.Status, before.Message, before.Steps
	texts, tables := m.computed()
	oldTexts, oldTables := old.computed()
	for i := range texts {
		*texts[i] = *oldTexts[i]
	}
	for i := range tables {
		*tables[i] = *oldTables[i]
	}
}

// settle replaces what is still unknown by null: state must not hold unknown values, also not that of an operation which
// is under way or has failed.
func settle(ctx context.Context, m computable) {
	c := m.asCore()
	texts, tables := m.computed()
	for _, text := range append(texts, &c.ID, &c.Status, &c.Message, &c.WorkflowID, &c.RunID, &c.WebUIURL) {
		*text = known(*text)
	}
	for _, table := range tables {
		if table.IsUnknown() {
			*table = types.MapNull(table.ElementType(ctx))
		}
	}
	if c.Steps.IsUnknown() {
		c.Steps = types.ListNull(types.StringType)
	}
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
