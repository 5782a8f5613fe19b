package resources

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// deployable is a platform's Terraform model, a struct M that embeds deployBase.
type deployable[M, In any] interface {
	model[M, In]
	deployed() *deployBase
	// derive sets the computed attributes that only this platform has, and underive makes them unknown.
	derive(d contract.Deployment)
	underive()
}

// accessing is implemented by models whose deployments need more platforms than their own.
type accessing interface {
	// access adds how those platforms are reached. tokens takes write-only ones, by contract.TokenSecret; it is nil where there
	// is no configuration.
	access(ctx context.Context, access map[string]contract.Access, tokens map[string]string, diags *diag.Diagnostics)
}

// sourced is implemented by models whose deployments have source code on this machine, which may change while nothing in the
// configuration does.
type sourced interface {
	// planSource plans what identifies the source, unknown when it is not what prior was deployed from: it may change again until
	// the apply. changed reports that; prior is nil for a create. It is called when all inputs are known.
	planSource(ctx context.Context, prior any, diags *diag.Diagnostics) (changed bool)
	// resolveSource makes it known, for an apply.
	resolveSource(ctx context.Context, diags *diag.Diagnostics)
}

// removing is implemented by models that have settings for their removal.
type removing interface {
	removal(request *contract.Request)
}

// deployment is the resource of every kind that runs on a cloud platform.
type deployment[M, In any, PM deployable[M, In]] struct {
	lifecycle[M, In, PM]
	row         catalog.DeploymentRow[In]
	description string
	own         map[string]schema.Attribute
}

var (
	_ resource.ResourceWithConfigure      = (*deployment[flyioModel, catalog.FlyioInput, *flyioModel])(nil)
	_ resource.ResourceWithImportState    = (*deployment[flyioModel, catalog.FlyioInput, *flyioModel])(nil)
	_ resource.ResourceWithModifyPlan     = (*deployment[flyioModel, catalog.FlyioInput, *flyioModel])(nil)
	_ resource.ResourceWithValidateConfig = (*deployment[flyioModel, catalog.FlyioInput, *flyioModel])(nil)
)

// defineDeployment is the resource of a row: M is its model, inputs and others the attributes that only this platform has.
// Only a change of inputs, or of the inputs that all deployments have, deploys.
func defineDeployment[M, In any, PM deployable[M, In]](row catalog.DeploymentRow[In], description string, inputs, others map[string]schema.Attribute) resource.Resource {
	r := &deployment[M, In, PM]{row: row, description: description, own: merged(inputs, others)}
	r.lifecycle = lifecycle[M, In, PM]{
		family: r, kind: row.Kind, validate: row.Validate, message: row.Message,
		foreign: "The platform keeps what this provider does not understand; another version has deployed it.",
	}
	for name := range merged(inputs, deploymentInputs()) {
		if name != "secrets_wo" {
			r.inputs = append(r.inputs, name)
		}
	}
	slices.Sort(r.inputs)
	return r
}

// Schema implements resource.Resource.
func (r *deployment[M, In, PM]) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = deploymentSchema(ctx, r.description, r.row.NameAttribute, r.row.DefaultName, r.own)
}

// ValidateConfig implements resource.ResourceWithValidateConfig. The name is judged also where an input is not known yet.
func (r *deployment[M, In, PM]) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config M
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if name := PM(&config).name(); !name.IsNull() && !name.IsUnknown() && r.row.CheckName != nil {
		if err := r.row.CheckName(name.ValueString()); err != nil {
			resp.Diagnostics.AddAttributeError(attributePath(r.row.NameAttribute), "Invalid "+r.row.NameAttribute, Sentence(err.Error()))
		}
	}
	r.validateWriteOnly(PM(&config).deployed(), &resp.Diagnostics)
	r.lifecycle.ValidateConfig(ctx, req, resp)
}

// validateWriteOnly judges the names of the write-only secrets, as far as the variables next to them are known.
func (r *deployment[M, In, PM]) validateWriteOnly(b *deployBase, diags *diag.Diagnostics) {
	var in catalog.Deploy
	in.Env, in.Secrets = map[string]string{}, map[string]contract.SecretSource{}
	for name := range b.Env.Elements() {
		in.Env[name] = ""
	}
	for name := range b.Secrets.Elements() {
		in.Secrets[name] = contract.SecretSource{}
	}
	for _, problem := range r.row.WriteOnly(in, slices.Sorted(maps.Keys(b.SecretsWO.Elements()))) {
		addProblem(diags, problem)
	}
}

// expand is what m asks for, and sets what follows from it.
func (r *deployment[M, In, PM]) expand(ctx context.Context, ref contract.Ref, m PM, diags *diag.Diagnostics) In {
	in := r.validInput(ctx, m, diags)
	if diags.HasError() {
		return in
	}
	d, err := r.row.Deployment(ref, in)
	if err != nil {
		diags.AddError("The input cannot be expanded", Detail(err))
		return in
	}
	b := m.deployed()
	if b.Wait.IsUnknown() {
		b.Steps = types.ListUnknown(types.StringType)
	} else {
		if !b.Wait.ValueBool() {
			d.Steps.Check = ""
		}
		b.Steps = stringList(d.Steps.Names())
	}
	b.Config, b.Release = types.StringValue(d.Config), types.StringValue(d.Release)
	if r.row.URL != nil {
		b.URL = types.StringValue(r.row.URL(ref, in))
	}
	m.derive(d)
	return in
}

// derive implements family.
func (r *deployment[M, In, PM]) derive(ctx context.Context, ref contract.Ref, m PM, diags *diag.Diagnostics) {
	r.expand(ctx, ref, m, diags)
}

// access is how the worker reaches the platforms of m.
func (r *deployment[M, In, PM]) access(ctx context.Context, m PM, diags *diag.Diagnostics) map[string]contract.Access {
	b := m.deployed()
	access := map[string]contract.Access{r.kind.Short: {BaseURL: b.APIURL.ValueString(), Token: tokenSource(ctx, b.Token, diags)}}
	if more, ok := any(m).(accessing); ok {
		more.access(ctx, access, nil, diags)
	}
	return access
}

// setup implements family.
func (r *deployment[M, In, PM]) setup(ctx context.Context, o *operation[PM], diags *diag.Diagnostics) {
	m, b, given := o.planned, o.planned.deployed(), o.config.deployed()
	if s, ok := any(m).(sourced); ok {
		s.resolveSource(ctx, diags)
	}
	request := &o.request
	request.Input, request.Access = encoded(r.expand(ctx, o.ref, m, diags), diags), r.access(ctx, m, diags)
	request.Secrets, request.Adopt, request.NoWait = r.givenTokens(ctx, o.config, diags), b.AdoptExisting.ValueBool(), !b.Wait.ValueBool()
	if o.prior != nil {
		request.Known = o.prior.deployed().known(ctx, diags)
	}
	request.OnFailure = contract.OnFailureRollback
	if !b.RollbackOnFailure.ValueBool() {
		request.OnFailure = contract.OnFailureKeep
	}
	if !given.SecretsWO.IsNull() {
		diags.Append(given.SecretsWO.ElementsAs(ctx, &request.AppSecrets, false)...)
	}
	o.finish = func(result contract.Result) {
		if !b.Wait.ValueBool() {
			b.Status = types.StringValue(contract.StatusInProgress) // accepted is not yet up; the next refresh tells
		}
		b.setDeployed(ctx, result.Deployed, diags)
	}
}

// ask implements family. What an import asks about, nothing is known of.
func (r *deployment[M, In, PM]) ask(ctx context.Context, request *contract.Request, m PM, private privateReader, diags *diag.Diagnostics) {
	request.Access = r.access(ctx, m, diags)
	if request.Input == nil {
		return
	}
	request.Known, request.Secrets = m.deployed().known(ctx, diags), r.sealedTokens(ctx, private, diags)
	if more, ok := any(m).(removing); ok && request.Operation == contract.OpDelete {
		more.removal(request)
	}
}

// observe implements family. The digests of secrets stay those of the last setup: what was changed elsewhere must be seen
// again, until an update sets it right.
func (r *deployment[M, In, PM]) observe(ctx context.Context, m PM, observed contract.Observed, drift []finding, diags *diag.Diagnostics) {
	b := m.deployed()
	secrets, ids := b.SecretDigests, b.IDs
	b.setDeployed(ctx, observed.Deployed, diags)
	if !secrets.IsNull() {
		b.SecretDigests = secrets
	}
	if len(drift) > 0 && !ids.IsNull() {
		b.IDs = ids // an app that somebody has made anew is not taken for the one that was deployed
	}
	if len(drift) == 0 && observed.Deployed != nil && observed.Deployed.Settling {
		b.Status = types.StringValue(contract.StatusInProgress)
	}
}

// absent implements family.
func (r *deployment[M, In, PM]) absent(ref contract.Ref, observed contract.Observed) string {
	if observed.Found && len(observed.Input) > 0 {
		return ""
	}
	return fmt.Sprintf("The worker on task queue %q found nothing of that name that orch has deployed (looked for %s). What was deployed without orch "+
		"is taken over by a create with adopt_existing = true.\n\n%s",
		r.conn.Runner.Queue("", ref.Service), ref.ID(), importUsage(r.kind, r.conn.Scope))
}
