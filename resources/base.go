package resources

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
)

// core is the part of a model that every kind of every family has: what the life of a resource needs. Models embed it.
type core struct {
	// Settings of operations live in state only.
	TaskQueue   types.String   `tfsdk:"task_queue"`
	OnInterrupt types.String   `tfsdk:"on_interrupt"`
	Timeouts    timeouts.Value `tfsdk:"timeouts"`

	ID         types.String `tfsdk:"id"`
	Status     types.String `tfsdk:"status"`
	Message    types.String `tfsdk:"message"`
	Steps      types.List   `tfsdk:"steps"`
	WorkflowID types.String `tfsdk:"workflow_id"`
	RunID      types.String `tfsdk:"run_id"`
	WebUIURL   types.String `tfsdk:"web_ui_url"`
}

// asCore gives the generic code access to the core of any model.
func (c *core) asCore() *core { return c }

// ref is the service that c is about. The scope is part of the id, so that a provider whose scope was changed still finds
// what it made before.
func (c *core) ref(diags *diag.Diagnostics) contract.Ref {
	ref, err := contract.ParseID(c.ID.ValueString())
	if err != nil {
		diags.AddError("The id in state is not valid", Sentence(err.Error()))
	}
	return ref
}

// setRun stores which run is or was at work.
func (c *core) setRun(run runner.Run) {
	c.WorkflowID, c.RunID, c.WebUIURL = types.StringValue(run.WorkflowID), orNull(run.RunID), orNull(run.WebUIURL)
}

// base is the part of a model that every stack of containers has: core, the service's name, the settings of operations, and
// all that is computed. Models embed it.
type base struct {
	core
	ServiceName types.String `tfsdk:"service_name"`

	// Settings of operations live in state only: no container knows them.
	DeleteVolumes types.Bool   `tfsdk:"delete_volumes"`
	OnFailure     types.String `tfsdk:"on_failure"`
	Verify        types.Bool   `tfsdk:"verify"`

	Endpoints     types.Map    `tfsdk:"endpoints"`
	DatasourceUID types.String `tfsdk:"datasource_uid"`
	Containers    types.Map    `tfsdk:"containers"`
	Verification  types.Map    `tfsdk:"verification"`
	EngineID      types.String `tfsdk:"engine_id"`
}

// How long an operation is waited for when the timeouts attribute does not say.
const (
	createTimeout = 20 * time.Minute
	updateTimeout = 20 * time.Minute
	deleteTimeout = 10 * time.Minute
	readTimeout   = 2 * time.Minute
)

// container is an element of the containers attribute.
type container struct {
	Name   types.String `tfsdk:"name"`
	Image  types.String `tfsdk:"image"`
	Digest types.String `tfsdk:"digest"`
	State  types.String `tfsdk:"state"`
	Health types.String `tfsdk:"health"`
}

var containerType = types.ObjectType{AttrTypes: map[string]attr.Type{
	"name": types.StringType, "image": types.StringType, "digest": types.StringType,
	"state": types.StringType, "health": types.StringType,
}}

// common gives the generic code access to the base of any model.
func (b *base) common() *base { return b }

func (b *base) name() *types.String { return &b.ServiceName }

func (b *base) defaults() {
	b.DeleteVolumes, b.Verify, b.OnFailure = types.BoolValue(false), types.BoolValue(true), types.StringValue(contract.OnFailureRollback)
}

func (b *base) computed() ([]*types.String, []*types.Map) {
	return []*types.String{&b.DatasourceUID, &b.EngineID}, []*types.Map{&b.Endpoints, &b.Containers, &b.Verification}
}

// verified reports whether setups write and read back canaries.
func (b *base) verified() bool { return b.Verify.IsNull() || b.Verify.ValueBool() }

// setVerification stores how long each canary of a setup took.
func (b *base) setVerification(proofs []contract.Proof) {
	if len(proofs) == 0 {
		b.Verification = types.MapNull(types.Int64Type)
		return
	}
	latencies := make(map[string]attr.Value, len(proofs))
	for _, p := range proofs {
		latencies[p.Signal] = types.Int64Value(p.LatencyMS)
	}
	b.Verification = types.MapValueMust(types.Int64Type, latencies)
}

// components are the containers of b by component. An element with unknown attributes stays as it is.
func (b *base) components(ctx context.Context, diags *diag.Diagnostics) map[string]container {
	out := map[string]container{}
	if !b.Containers.IsNull() && !b.Containers.IsUnknown() {
		diags.Append(b.Containers.ElementsAs(ctx, &out, false)...)
	}
	return out
}

func (b *base) setComponents(ctx context.Context, all map[string]container, diags *diag.Diagnostics) {
	value, d := types.MapValueFrom(ctx, containerType, all)
	diags.Append(d...)
	b.Containers = value
}

// settleComponents replaces what is still unknown of the containers by null.
func (b *base) settleComponents(ctx context.Context, diags *diag.Diagnostics) {
	if b.Containers.IsNull() || b.Containers.IsUnknown() {
		return
	}
	all := b.components(ctx, diags)
	for name, c := range all {
		all[name] = container{Name: known(c.Name), Image: known(c.Image), Digest: known(c.Digest), State: known(c.State), Health: known(c.Health)}
	}
	b.setComponents(ctx, all, diags)
}

// found is a component as the worker reported it.
func found(c contract.ComponentState) container {
	return container{
		Name: orNull(c.Container), Image: orNull(c.Image), Digest: orNull(c.Digest),
		State: orNull(c.State), Health: orNull(c.Health),
	}
}

func orNull(text string) types.String {
	if text == "" {
		return types.StringNull()
	}
	return types.StringValue(text)
}

func known(v types.String) types.String {
	if v.IsUnknown() {
		return types.StringNull()
	}
	return v
}

// stringMap is a Terraform map of values.
func stringMap(values map[string]string) types.Map {
	elements := make(map[string]attr.Value, len(values))
	for name, value := range values {
		elements[name] = types.StringValue(value)
	}
	return types.MapValueMust(types.StringType, elements)
}

// stringList is a Terraform list of values.
func stringList(values []string) types.List {
	elements := make([]attr.Value, 0, len(values))
	for _, value := range values {
		elements = append(elements, types.StringValue(value))
	}
	return types.ListValueMust(types.StringType, elements)
}

// block is a nested attribute as T, or nil when it is absent. It must be known.
func block[T any](ctx context.Context, value types.Object, diags *diag.Diagnostics) *T {
	if value.IsNull() {
		return nil
	}
	var out T
	diags.Append(value.As(ctx, &out, basetypes.ObjectAsOptions{})...)
	return &out
}
