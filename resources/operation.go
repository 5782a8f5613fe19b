package resources

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
)

// operation is a setup workflow on behalf of a planned model. It keeps the model's computed values in step with what is
// known, and never contradicts what was planned as known: Terraform would reject that as the provider's fault.
type operation struct {
	model   *base
	planned types.Map // containers as planned
	stack   contract.Stack
	call    runner.Call
	message string
	diags   *diag.Diagnostics
	started bool
}

// setup prepares the setup workflow that makes m real. config is m as configured, which alone has the write-only values.
func (p *pipeline[M, In, PM]) setup(ctx context.Context, ref contract.Ref, m, config PM, op contract.Operation, timeout time.Duration, diags *diag.Diagnostics) *operation {
	b := m.common()
	in, stack := p.expand(ctx, ref, m, diags)
	request := b.request(ref, op, encoded(in, diags))
	request.Secrets = config.secrets(ctx, diags)
	if !b.verified() {
		request.Verify = new(bool)
	}
	if !diags.HasError() {
		p.derive(ref, b, in, stack)
	}
	return &operation{
		model: b, planned: b.Containers, stack: stack, message: p.row.Message, diags: diags,
		call: p.call(b, p.row.Kind.SetupWorkflow(), request, timeout),
	}
}

// run starts the workflow and waits for its end. started is called as soon as the model holds the run's IDs and no unknown
// value. The model is fit for state whatever the outcome.
func (o *operation) run(ctx context.Context, r Runner, started func()) (contract.Result, error) {
	o.model.Status = types.StringValue(contract.StatusInProgress)
	o.model.settle(ctx, o.diags)
	var result contract.Result
	run, err := r.Run(ctx, o.call, &result, func(run runner.Run) {
		o.started = true
		o.model.setRun(run)
		started()
	})
	if err != nil {
		return result, err
	}
	o.model.setRun(run)
	o.model.Status, o.model.Message = types.StringValue(contract.StatusReady), types.StringValue(result.Message)
	if o.model.EngineID.IsNull() {
		o.model.EngineID = orNull(result.EngineID)
	}
	o.model.setVerification(result.Verification)
	o.setContainers(ctx, result.Components)
	return result, nil
}

// setContainers stores what the workflow found. Where a container was planned to stay as it is and did not, the plan's word
// stands until the next refresh, and a warning tells.
func (o *operation) setContainers(ctx context.Context, states []contract.ComponentState) {
	planned := (&base{Containers: o.planned}).components(ctx, o.diags)
	byName := map[string]contract.ComponentState{}
	for _, s := range states {
		byName[s.Name] = s
	}
	all := map[string]container{}
	var surprises []string
	for _, c := range o.stack.Components {
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
	o.model.setComponents(ctx, all, o.diags)
	if len(surprises) > 0 {
		o.diags.AddWarning(fmt.Sprintf("%s: something changed during the apply", o.stack.Ref.ID()),
			"These containers are not what the plan expected:\n"+indent(surprises)+"\n"+
				"The next plan shows what is there now.")
	}
}
