package resources

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// stackModel is the model of a kind whose service is a stack of containers, a struct M that embeds base.
type stackModel[M, In any] interface {
	model[M, In]
	common() *base
	// secrets are the write-only values by "<component>/<secret>", nil where the kind has none. The model must be read from
	// the configuration: plan and state never hold them.
	secrets() map[string]string
}

// deriver is implemented by models with computed attributes of their own, which follow from the input and from what the
// provider reads where it runs.
type deriver[M, In any] interface {
	// derive sets them, and underive makes them unknown.
	derive(ref contract.Ref, in In)
	underive()
	// outdated reports whether what was derived from the same input before is not what it is now.
	outdated(prior *M) bool
	// outside makes unknown what has changed outside of the configuration, with a warning: Terraform plans again during the
	// apply, and it may have changed once more.
	outside(prior *M, diags *diag.Diagnostics)
}

// pipeline is the resource of every kind whose service is a stack of containers.
type pipeline[M, In any, PM stackModel[M, In]] struct {
	lifecycle[M, In, PM]
	row         catalog.Pipeline[In]
	description string
	blocks      map[string]schema.Attribute
}

var (
	_ resource.ResourceWithConfigure      = (*pipeline[logsPipelineModel, catalog.LogsPipelineInput, *logsPipelineModel])(nil)
	_ resource.ResourceWithImportState    = (*pipeline[logsPipelineModel, catalog.LogsPipelineInput, *logsPipelineModel])(nil)
	_ resource.ResourceWithModifyPlan     = (*pipeline[logsPipelineModel, catalog.LogsPipelineInput, *logsPipelineModel])(nil)
	_ resource.ResourceWithValidateConfig = (*pipeline[logsPipelineModel, catalog.LogsPipelineInput, *logsPipelineModel])(nil)
)

// define is the resource of a catalog row: M is its model, blocks the attributes that only this kind has.
func define[M, In any, PM stackModel[M, In]](row catalog.Pipeline[In], description string, blocks map[string]schema.Attribute) resource.Resource {
	p := &pipeline[M, In, PM]{row: row, description: description, blocks: blocks}
	p.lifecycle = lifecycle[M, In, PM]{
		family: p, kind: row.Kind, validate: row.Validate, message: row.Message,
		foreign: "Its containers' " + contract.LabelInput + " labels hold what this provider does not understand; another version has made them.",
	}
	for name, attribute := range merged(blocks, sharedAttributes()) {
		if attribute.IsOptional() || attribute.IsRequired() {
			p.inputs = append(p.inputs, name)
		}
	}
	slices.Sort(p.inputs)
	return p
}

// Schema implements resource.Resource.
func (p *pipeline[M, In, PM]) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = pipelineSchema(ctx, p.description, p.blocks)
}

// expand is the stack that m asks for, and its input with everything made explicit that is to stay as it was planned.
func (p *pipeline[M, In, PM]) expand(ctx context.Context, ref contract.Ref, m PM, diags *diag.Diagnostics) (In, contract.Stack) {
	in := p.validInput(ctx, m, diags)
	if diags.HasError() {
		return in, contract.Stack{}
	}
	in, err := p.row.Completed(ref, in)
	var problem catalog.Problem
	if errors.As(err, &problem) {
		addProblem(diags, problem)
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

// setDerived sets what follows from the input.
func (p *pipeline[M, In, PM]) setDerived(ref contract.Ref, m PM, in In, stack contract.Stack) {
	b := m.common()
	if own, ok := any(m).(deriver[M, In]); ok {
		own.derive(ref, in)
	}
	b.Steps, b.Endpoints = stringList(stack.Steps()), stringMap(p.row.Endpoints(ref, in))
	b.DatasourceUID = types.StringNull()
	if p.row.DatasourceUID != nil {
		b.DatasourceUID = orNull(p.row.DatasourceUID(ref, in))
	}
}

// derive implements family.
func (p *pipeline[M, In, PM]) derive(ctx context.Context, ref contract.Ref, m PM, diags *diag.Diagnostics) {
	if in, stack := p.expand(ctx, ref, m, diags); !diags.HasError() {
		p.setDerived(ref, m, in, stack)
	}
}

// remember implements family. What a service was given secretly is in its volumes, where the worker finds it again.
func (p *pipeline[M, In, PM]) remember(context.Context, PM, privateWriter, *diag.Diagnostics) {}

// setup implements family. The model never contradicts what was planned as known: Terraform would reject that as the
// provider's fault.
func (p *pipeline[M, In, PM]) setup(ctx context.Context, o *operation[PM], diags *diag.Diagnostics) {
	m, b := o.planned, o.planned.common()
	built := asBuilder(m).hashContext(diags)
	in, stack := p.expand(ctx, o.ref, m, diags)
	o.request.Input, o.request.Secrets = encoded(in, diags), o.config.secrets()
	o.request.EngineID, o.request.OnFailure = b.EngineID.ValueString(), b.OnFailure.ValueString()
	if o.prior != nil {
		o.request.Prior = encoded(toInput[In](ctx, o.prior, diags), diags)
	}
	if !b.verified() {
		o.request.Verify = new(bool)
	}
	if diags.HasError() {
		return
	}
	p.setDerived(o.ref, m, in, stack)
	planned := b.components(ctx, diags)
	b.settleComponents(ctx, diags)
	o.save = func(private privateWriter) { saveContext(ctx, private, built, diags) }
	o.finish = func(result contract.Result) {
		if b.EngineID.IsNull() {
			b.EngineID = orNull(result.EngineID)
		}
		b.setVerification(result.Verification)
		b.setContainers(ctx, planned, stack, result.Components, diags)
		if o.prior != nil {
			addGap(ctx, diags, p.address(o.ref), asBuilder(m), result)
		}
	}
}

// ask implements family.
func (p *pipeline[M, In, PM]) ask(_ context.Context, request *contract.Request, m PM, _ privateReader, _ *diag.Diagnostics) {
	b := m.common()
	request.EngineID = b.EngineID.ValueString()
	// A refresh asks too: volumes that a destroy would remove must not be forgotten because the containers are gone.
	request.DeleteVolumes = b.DeleteVolumes.ValueBool()
}

// observe implements family.
func (p *pipeline[M, In, PM]) observe(ctx context.Context, m PM, observed contract.Observed, _ []finding, diags *diag.Diagnostics) {
	all := map[string]container{}
	for _, c := range observed.Components {
		all[c.Name] = found(c)
	}
	b := m.common()
	b.setComponents(ctx, all, diags)
	b.EngineID = orNull(observed.EngineID)
}

// absent implements family.
func (p *pipeline[M, In, PM]) absent(ref contract.Ref, observed contract.Observed) string {
	if observed.Found {
		return ""
	}
	return fmt.Sprintf("The worker on task queue %q found no container of it on its Docker Engine (looked for %s).\n\n%s\n\n"+
		"To see what there is, run on the Docker host:\n  docker ps -a --filter label=%s=true --format '{{.Names}}'",
		p.conn.Runner.Queue("", ref.Service), ref.ID(), importUsage(p.kind, p.conn.Scope), contract.LabelManaged)
}

// setContainers stores what the workflow found. Where a container was planned to stay as it is and did not, the plan's word
// stands until the next refresh, and a warning tells.
func (b *base) setContainers(ctx context.Context, planned map[string]container, stack contract.Stack, states []contract.ComponentState, diags *diag.Diagnostics) {
	byName := map[string]contract.ComponentState{}
	for _, s := range states {
		byName[s.Name] = s
	}
	all := map[string]container{}
	var surprises []string
	for _, c := range stack.Components {
		actual := found(byName[c.Name])
		want, ok := planned[c.Name]
		if !ok {
			want = container{Name: types.StringUnknown(), Image: types.StringUnknown(), Digest: types.StringUnknown(), State: types.StringUnknown(), Health: types.StringUnknown()}
		}
		var differs []string
		pick := func(attribute string, planned, actual types.String) types.String {
			if planned.IsUnknown() || planned.Equal(actual) {
				return actual
			}
			differs = append(differs, fmt.Sprintf("%s is %s instead of %s", attribute, actual, planned))
			return planned
		}
		all[c.Name] = container{
			Name: pick("name", want.Name, actual.Name), Image: pick("image", want.Image, actual.Image),
			Digest: pick("digest", want.Digest, actual.Digest), State: pick("state", want.State, actual.State),
			Health: pick("health", want.Health, actual.Health),
		}
		if len(differs) > 0 {
			surprises = append(surprises, c.Name+": "+strings.Join(differs, ", "))
		}
	}
	b.setComponents(ctx, all, diags)
	if len(surprises) > 0 {
		diags.AddWarning(fmt.Sprintf("%s: something changed during the apply", stack.Ref.ID()),
			"These containers are not what the plan expected:\n"+indent(surprises)+"\n"+
				"The next plan shows what is there now.")
	}
}
