package resources

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
)

// model is a kind's Terraform model, a struct M that embeds core, mostly by way of what the models of its family share.
type model[M, In any] interface {
	*M
	computable
	// name is the attribute that names the service, for example service_name or app_name.
	name() *types.String
	// defaults sets the settings of operations to what they are when nobody sets them, for import.
	defaults()
}

// computable is what all models have in common whatever their input.
type computable interface {
	asCore() *core
	// computed are the computed attributes besides core's that a workflow decides or that follow from the input.
	computed() (texts []*types.String, tables []*types.Map)
}

// family is what the kinds of one family add to the life of a resource: stacks of containers, deployments on cloud
// platforms, the stdout ingest. PM points to a model.
type family[PM any] interface {
	// plan decides everything computed in c.planned.
	plan(ctx context.Context, c change[PM], private privateReader, diags *diag.Diagnostics)
	// remember keeps in private state what a configuration alone has and later operations need. It is called by every create
	// and update, also by one that starts no workflow.
	remember(ctx context.Context, config PM, private privateWriter, diags *diag.Diagnostics)
	// setup completes the request of a create or an update, and the planned model by what follows from its input.
	setup(ctx context.Context, o *operation[PM], diags *diag.Diagnostics)
	// ask completes the request of a status or a cleanup of m, which is in state. A request without input asks what the service
	// was made from: m has little but a name then, and private nothing.
	ask(ctx context.Context, request *contract.Request, m PM, private privateReader, diags *diag.Diagnostics)
	// observe stores in m what the worker saw. The status is that of core; a family may know better.
	observe(ctx context.Context, m PM, observed contract.Observed, drift []finding, diags *diag.Diagnostics)
	// derive sets what follows from the input of m.
	derive(ctx context.Context, ref contract.Ref, m PM, diags *diag.Diagnostics)
	// absent says where an import has looked in vain, or nothing when there is what can be imported.
	absent(ref contract.Ref, observed contract.Observed) string
}

// operation is a create or an update that a workflow carries out.
type operation[PM any] struct {
	ref contract.Ref
	// planned becomes the state. config is the same as configured, which alone has the write-only values. prior is nil in a
	// create.
	planned, config, prior PM
	request                contract.Request
	// finish takes the result of a workflow that has ended well into planned. The family's setup sets it.
	finish func(contract.Result)
	// save keeps in private state what planned was made from; nil when there is nothing to keep.
	save func(private privateWriter)
}

// lifecycle is the life of a resource of every kind: one workflow at a time, which is started, waited for and stored. What
// differs between families is in family, what differs between kinds is in the model.
type lifecycle[M, In any, PM model[M, In]] struct {
	family   family[PM]
	kind     contract.Kind
	inputs   []string // attributes that the input is made from
	validate func(In) []catalog.Problem
	message  string // what a finished setup says
	foreign  string // why an input that an import finds may not be understood
	conn     Connection
}

// Metadata implements resource.Resource.
func (l *lifecycle[M, In, PM]) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_" + l.kind.Name
}

// Configure implements resource.ResourceWithConfigure. Terraform validates before it configures the provider, then there
// is no data yet.
func (l *lifecycle[M, In, PM]) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	if conn, ok := req.ProviderData.(Connection); ok {
		l.conn = conn
	}
}

// ValidateConfig implements resource.ResourceWithValidateConfig. The rules for values are the catalog's, which hold for
// services started through Temporal's API as well. They need the whole input: with a port unknown its default would be
// taken for it. ModifyPlan validates again what is not known here.
func (l *lifecycle[M, In, PM]) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	if !allKnown(req.Config.Raw, l.inputs) || holdsNull(req.Config.Raw, l.inputs) {
		return
	}
	var config M
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if !resp.Diagnostics.HasError() {
		l.validInput(ctx, &config, &resp.Diagnostics)
	}
}

// validInput is the input of m. What cannot work in it is reported on its attribute.
func (l *lifecycle[M, In, PM]) validInput(ctx context.Context, m PM, diags *diag.Diagnostics) In {
	in := toInput[In](ctx, m, diags)
	if diags.HasError() {
		return in
	}
	for _, problem := range l.validate(in) {
		addProblem(diags, problem)
	}
	return in
}

func addProblem(diags *diag.Diagnostics, problem catalog.Problem) {
	diags.AddAttributeError(attributePath(problem.Attribute), "Invalid "+asWritten(problem.Attribute), Sentence(problem.Message))
}

// encoded is an input as it goes to the worker: what was not written is absent.
func encoded(input any, diags *diag.Diagnostics) json.RawMessage {
	data, err := contract.Encode(input)
	if err != nil {
		diags.AddError("The input cannot be encoded", Detail(err))
	}
	return data
}

// connected reports whether there is a connection, and an error if not.
func connected(connection any, diags *diag.Diagnostics) bool {
	if connection == nil {
		diags.AddError("The provider is not configured", "Its configuration depends on values that are not known yet. Apply what they come from first, "+
			"for example with -target.")
	}
	return connection != nil
}

// Create implements resource.Resource.
func (l *lifecycle[M, In, PM]) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m, config M
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() || !connected(l.conn.Runner, &resp.Diagnostics) {
		return
	}
	c := PM(&m).asCore()
	ref := contract.NewRef(l.kind, l.conn.Scope, PM(&m).name().ValueString())
	c.ID = types.StringValue(ref.ID())
	timeout, d := c.Timeouts.Create(ctx, createTimeout)
	resp.Diagnostics.Append(d...)
	l.family.remember(ctx, &config, resp.Private, &resp.Diagnostics)
	op := &operation[PM]{ref: ref, planned: &m, config: &config, request: requestOf(ref, contract.OpCreate)}
	l.family.setup(ctx, op, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	started := false
	result, err := l.run(ctx, op, timeout, func() {
		// Stored before the wait: if this process is told to stop, what it started must not be lost.
		started = true
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
		op.saved(resp.Private)
	})
	switch {
	case detached(err):
		addDetached(&resp.Diagnostics, "creation", l.address(ref), err)
	case err != nil:
		addFailure(&resp.Diagnostics, "create", l.address(ref), err)
		if !started || nothingLeft(err) {
			resp.State.RemoveResource(ctx)
			return
		}
		c.Status = types.StringValue(contract.StatusDegraded)
	default:
		addAdoption(&resp.Diagnostics, l.address(ref), result.Adopted)
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// Update implements resource.Resource. ModifyPlan leaves status unknown when there is something to do for a workflow.
func (l *lifecycle[M, In, PM]) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var m, config, prior M
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	if resp.Diagnostics.HasError() {
		return
	}
	l.family.remember(ctx, &config, resp.Private, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	c := PM(&m).asCore()
	if !c.Status.IsUnknown() {
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
		return
	}
	ref := c.ref(&resp.Diagnostics)
	timeout, d := c.Timeouts.Update(ctx, updateTimeout)
	resp.Diagnostics.Append(d...)
	if resp.Diagnostics.HasError() || !connected(l.conn.Runner, &resp.Diagnostics) {
		return
	}
	op := &operation[PM]{ref: ref, planned: &m, config: &config, prior: &prior, request: requestOf(ref, contract.OpUpdate)}
	l.family.setup(ctx, op, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	started := false
	_, err := l.run(ctx, op, timeout, func() { started = true })
	switch {
	case detached(err):
		addDetached(&resp.Diagnostics, "update", l.address(ref), err)
	case err != nil:
		// What was replaced is back, so the prior values are the true ones.
		addFailure(&resp.Diagnostics, "update", l.address(ref), err)
		if started && !nothingLeft(err) {
			PM(&prior).asCore().Status = types.StringValue(contract.StatusDegraded)
		}
		resp.Diagnostics.Append(resp.State.Set(ctx, &prior)...)
		return
	}
	op.saved(resp.Private)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// run starts a setup and waits for its end. started is called as soon as the planned model holds the run's IDs and no unknown
// value. The model is fit for state whatever the outcome.
func (l *lifecycle[M, In, PM]) run(ctx context.Context, op *operation[PM], timeout time.Duration, started func()) (contract.Result, error) {
	c := op.planned.asCore()
	c.Status = types.StringValue(contract.StatusInProgress)
	settle(ctx, op.planned)
	var result contract.Result
	run, err := l.conn.Runner.Run(ctx, l.call(c, l.kind.SetupWorkflow(), op.request, timeout), &result, func(run runner.Run) {
		c.setRun(run)
		started()
	})
	if err != nil {
		return result, err
	}
	c.setRun(run)
	c.Status, c.Message = types.StringValue(contract.StatusReady), types.StringValue(result.Message)
	op.finish(result)
	return result, nil
}

func (o *operation[PM]) saved(private privateWriter) {
	if o.save != nil {
		o.save(private)
	}
}

// Delete implements resource.Resource. State is kept whenever it is not certain that everything is gone.
func (l *lifecycle[M, In, PM]) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var m M
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !connected(l.conn.Runner, &resp.Diagnostics) {
		return
	}
	c := PM(&m).asCore()
	ref := c.ref(&resp.Diagnostics)
	timeout, d := c.Timeouts.Delete(ctx, deleteTimeout)
	resp.Diagnostics.Append(d...)
	request := requestOf(ref, contract.OpDelete)
	// The input tells what the service has put elsewhere, for example into a Grafana that is not its own.
	request.Input = encoded(toInput[In](ctx, PM(&m), &resp.Diagnostics), &resp.Diagnostics)
	l.family.ask(ctx, &request, &m, req.Private, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	var removed contract.Removed
	if _, err := l.conn.Runner.Run(ctx, l.call(c, l.kind.CleanupWorkflow(), request, timeout), &removed, func(runner.Run) {}); err != nil {
		addFailure(&resp.Diagnostics, "delete", l.address(ref), err)
		return
	}
	addKeptVolumes(&resp.Diagnostics, l.address(ref), removed.KeptVolumes)
	addKeptImages(&resp.Diagnostics, l.address(ref), removed.KeptImages)
}

// requestOf is what every workflow of a service is told, whatever its family.
func requestOf(ref contract.Ref, op contract.Operation) contract.Request {
	return contract.Request{ServiceName: ref.Service, Scope: ref.Scope, Operation: op}
}

func (l *lifecycle[M, In, PM]) call(c *core, workflow string, request contract.Request, timeout time.Duration) runner.Call {
	return runner.Call{
		Kind: l.kind, WorkflowType: workflow, Request: request, Timeout: timeout,
		TaskQueue:   l.conn.Runner.Queue(c.TaskQueue.ValueString(), request.ServiceName),
		OnInterrupt: c.OnInterrupt.ValueString(),
	}
}

// address is how messages name a service: kind and name, which is what a person wrote.
func (l *lifecycle[M, In, PM]) address(ref contract.Ref) string {
	return fmt.Sprintf("%s %q", l.kind.Name, ref.Service)
}
