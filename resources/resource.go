package resources

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
)

// model is a kind's Terraform model, a struct M that embeds base.
type model[M, In any] interface {
	*M
	common() *base
	// toInput is the input as written. It is only called when all of it is known.
	toInput(ctx context.Context, diags *diag.Diagnostics) In
	// fromInput is the inverse of toInput, for import.
	fromInput(ctx context.Context, in In, diags *diag.Diagnostics)
	// secrets are the write-only values by "<component>/<secret>", nil where the kind has none. The model must be read from
	// the configuration: plan and state never hold them.
	secrets(ctx context.Context, diags *diag.Diagnostics) map[string]string
}

// pipeline is the resource of every kind whose service is a stack of containers.
type pipeline[M, In any, PM model[M, In]] struct {
	row         catalog.Pipeline[In]
	description string
	blocks      map[string]schema.Attribute
	inputs      []string // attributes that the input is made from
	conn        Connection
}

var (
	_ resource.ResourceWithConfigure      = (*pipeline[logsPipelineModel, catalog.LogsPipelineInput, *logsPipelineModel])(nil)
	_ resource.ResourceWithImportState    = (*pipeline[logsPipelineModel, catalog.LogsPipelineInput, *logsPipelineModel])(nil)
	_ resource.ResourceWithModifyPlan     = (*pipeline[logsPipelineModel, catalog.LogsPipelineInput, *logsPipelineModel])(nil)
	_ resource.ResourceWithValidateConfig = (*pipeline[logsPipelineModel, catalog.LogsPipelineInput, *logsPipelineModel])(nil)
)

// define is the resource of a catalog row: M is its model, blocks the attributes that only this kind has.
func define[M, In any, PM model[M, In]](row catalog.Pipeline[In], description string, blocks map[string]schema.Attribute) resource.Resource {
	p := &pipeline[M, In, PM]{row: row, description: description, blocks: blocks}
	for _, attributes := range []map[string]schema.Attribute{blocks, sharedAttributes()} {
		for name := range attributes {
			p.inputs = append(p.inputs, name)
		}
	}
	slices.Sort(p.inputs)
	return p
}

// Metadata implements resource.Resource.
func (p *pipeline[M, In, PM]) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_" + p.row.Kind.Name
}

// Schema implements resource.Resource.
func (p *pipeline[M, In, PM]) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = pipelineSchema(ctx, p.description, p.blocks)
}

// Configure implements resource.ResourceWithConfigure. Terraform validates before it configures the provider, then there
// is no data yet.
func (p *pipeline[M, In, PM]) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	if conn, ok := req.ProviderData.(Connection); ok {
		p.conn = conn
	}
}

// ValidateConfig implements resource.ResourceWithValidateConfig. The rules for values are the catalog's, which hold for
// services started through Temporal's API as well. They need the whole input: with a port unknown its default would be
// taken for it. ModifyPlan validates again what is not known here.
func (p *pipeline[M, In, PM]) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	if !allKnown(req.Config.Raw, p.inputs) {
		return
	}
	var config M
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	p.validInput(ctx, &config, &resp.Diagnostics)
}

// validInput is the input of m. What cannot work in it is reported on its attribute.
func (p *pipeline[M, In, PM]) validInput(ctx context.Context, m PM, diags *diag.Diagnostics) In {
	in := m.toInput(ctx, diags)
	if diags.HasError() {
		return in
	}
	for _, problem := range p.row.Validate(in) {
		diags.AddAttributeError(attributePath(problem.Attribute), "Invalid "+asWritten(problem.Attribute), Sentence(problem.Message))
	}
	return in
}

// expand is the stack that m asks for.
func (p *pipeline[M, In, PM]) expand(ctx context.Context, ref contract.Ref, m PM, diags *diag.Diagnostics) (In, contract.Stack) {
	in := p.validInput(ctx, m, diags)
	if diags.HasError() {
		return in, contract.Stack{}
	}
	stack, err := p.row.Stack(ref, in)
	if err != nil {
		diags.AddError("The input cannot be expanded", Detail(err))
	}
	if !m.common().verified() {
		stack.Canaries = nil
	}
	return in, stack
}

// derive sets what follows from the input.
func (p *pipeline[M, In, PM]) derive(ref contract.Ref, b *base, in In, stack contract.Stack) {
	b.Steps, b.Endpoints = stringList(stack.Steps()), stringMap(p.row.Endpoints(ref, in))
	b.DatasourceUID = types.StringNull()
	if p.row.DatasourceUID != nil {
		b.DatasourceUID = orNull(p.row.DatasourceUID(ref, in))
	}
}

// encoded is an input as it goes to the worker.
func encoded(input any, diags *diag.Diagnostics) json.RawMessage {
	data, err := json.Marshal(input)
	if err != nil {
		diags.AddError("The input cannot be encoded", Detail(err))
	}
	return data
}

// connected reports whether there is a connection, and an error if not.
func (p *pipeline[M, In, PM]) connected(diags *diag.Diagnostics) bool {
	if p.conn.Runner == nil {
		diags.AddError("The provider is not configured", "Its configuration depends on values that are not known yet. Apply what they come from first, "+
			"for example with -target.")
	}
	return p.conn.Runner != nil
}

// Create implements resource.Resource.
func (p *pipeline[M, In, PM]) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m, config M
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() || !p.connected(&resp.Diagnostics) {
		return
	}
	b := PM(&m).common()
	ref := contract.NewRef(p.row.Kind, p.conn.Scope, b.ServiceName.ValueString())
	b.ID = types.StringValue(ref.ID())
	b.EngineID = known(b.EngineID)
	timeout, d := b.Timeouts.Create(ctx, createTimeout)
	resp.Diagnostics.Append(d...)
	op := p.setup(ctx, ref, &m, &config, contract.OpCreate, timeout, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	result, err := op.run(ctx, p.conn.Runner, func() {
		// Stored before the wait: if this process is told to stop, what it started must not be lost.
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	})
	switch {
	case detached(err):
		addDetached(&resp.Diagnostics, "creation", p.address(ref), err)
	case err != nil:
		addFailure(&resp.Diagnostics, "create", p.address(ref), err)
		if !op.started || nothingLeft(err) {
			resp.State.RemoveResource(ctx)
			return
		}
		b.Status = types.StringValue(contract.StatusDegraded)
	default:
		addAdoption(&resp.Diagnostics, p.address(ref), result.Adopted)
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// Update implements resource.Resource. ModifyPlan leaves status unknown when there is something to do for a workflow.
func (p *pipeline[M, In, PM]) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var m, config, prior M
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	if resp.Diagnostics.HasError() {
		return
	}
	b := PM(&m).common()
	if !b.Status.IsUnknown() {
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
		return
	}
	ref, err := b.ref()
	if err != nil {
		resp.Diagnostics.AddError("The id in state is not valid", Sentence(err.Error()))
	}
	timeout, d := b.Timeouts.Update(ctx, updateTimeout)
	resp.Diagnostics.Append(d...)
	if resp.Diagnostics.HasError() || !p.connected(&resp.Diagnostics) {
		return
	}
	op := p.setup(ctx, ref, &m, &config, contract.OpUpdate, timeout, &resp.Diagnostics)
	op.call.Request.Prior = encoded(PM(&prior).toInput(ctx, &resp.Diagnostics), &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	_, err = op.run(ctx, p.conn.Runner, func() {})
	switch {
	case detached(err):
		addDetached(&resp.Diagnostics, "update", p.address(ref), err)
	case err != nil:
		// What was replaced is back, so the prior values are the true ones.
		addFailure(&resp.Diagnostics, "update", p.address(ref), err)
		if op.started && !nothingLeft(err) {
			PM(&prior).common().Status = types.StringValue(contract.StatusDegraded)
		}
		resp.Diagnostics.Append(resp.State.Set(ctx, &prior)...)
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// Delete implements resource.Resource. State is kept whenever it is not certain that everything is gone.
func (p *pipeline[M, In, PM]) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var m M
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !p.connected(&resp.Diagnostics) {
		return
	}
	b := PM(&m).common()
	ref, err := b.ref()
	if err != nil {
		resp.Diagnostics.AddError("The id in state is not valid", Sentence(err.Error()))
	}
	timeout, d := b.Timeouts.Delete(ctx, deleteTimeout)
	resp.Diagnostics.Append(d...)
	if resp.Diagnostics.HasError() {
		return
	}
	// The input tells what the service has put into a Grafana that is not its own.
	request := b.request(ref, contract.OpDelete, encoded(PM(&m).toInput(ctx, &resp.Diagnostics), &resp.Diagnostics))
	if resp.Diagnostics.HasError() {
		return
	}
	request.DeleteVolumes, request.OnFailure = b.DeleteVolumes.ValueBool(), ""
	var removed contract.Removed
	_, err = p.conn.Runner.Run(ctx, p.call(b, p.row.Kind.CleanupWorkflow(), request, timeout), &removed, func(runner.Run) {})
	if err != nil {
		addFailure(&resp.Diagnostics, "delete", p.address(ref), err)
		return
	}
	addKeptVolumes(&resp.Diagnostics, p.address(ref), removed.KeptVolumes)
}

func (p *pipeline[M, In, PM]) call(b *base, workflow string, request contract.Request, timeout time.Duration) runner.Call {
	return runner.Call{
		Kind: p.row.Kind, WorkflowType: workflow, Request: request, Timeout: timeout,
		TaskQueue:   p.conn.Runner.Queue(b.TaskQueue.ValueString(), request.ServiceName),
		OnInterrupt: b.OnInterrupt.ValueString(),
	}
}

// address is how messages name a service: kind and name, which is what a person wrote.
func (p *pipeline[M, In, PM]) address(ref contract.Ref) string {
	return fmt.Sprintf("%s %q", p.row.Kind.Name, ref.Service)
}
