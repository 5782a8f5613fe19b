package datasources

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/terraform"
)

// readTimeout is how long an inspection is waited for when the timeouts attribute does not say.
const readTimeout = 2 * time.Minute

type pipeline struct{ connected }

var _ datasource.DataSourceWithConfigure = (*pipeline)(nil)

func newPipeline() datasource.DataSource { return &pipeline{} }

type pipelineModel struct {
	Kind          types.String              `tfsdk:"kind"`
	ServiceName   types.String              `tfsdk:"service_name"`
	Scope         types.String              `tfsdk:"scope"`
	TaskQueue     types.String              `tfsdk:"task_queue"`
	Verify        types.Bool                `tfsdk:"verify"`
	Timeouts      timeouts.Value            `tfsdk:"timeouts"`
	ID            types.String              `tfsdk:"id"`
	Status        types.String              `tfsdk:"status"`
	Operation     types.String              `tfsdk:"operation"`
	Drift         []string                  `tfsdk:"drift"`
	Endpoints     map[string]string         `tfsdk:"endpoints"`
	DatasourceUID types.String              `tfsdk:"datasource_uid"`
	Containers    map[string]containerModel `tfsdk:"containers"`
	Verification  map[string]int64          `tfsdk:"verification"`
	Input         types.Dynamic             `tfsdk:"input"`
	EngineID      types.String              `tfsdk:"engine_id"`
	WebUIURL      types.String              `tfsdk:"web_ui_url"`
}

type containerModel struct {
	Name   types.String `tfsdk:"name"`
	Image  types.String `tfsdk:"image"`
	Digest types.String `tfsdk:"digest"`
	State  types.String `tfsdk:"state"`
	Health types.String `tfsdk:"health"`
	Drift  []string     `tfsdk:"drift"`
}

// Metadata implements datasource.DataSource.
func (*pipeline) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_pipeline"
}

// Schema implements datasource.DataSource.
func (*pipeline) Schema(ctx context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = pipelineSchema(ctx)
}

// Read implements datasource.DataSource.
func (p *pipeline) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m pipelineModel
	diags := &resp.Diagnostics
	diags.Append(req.Config.Get(ctx, &m)...)
	if diags.HasError() || !p.ready(diags) {
		return
	}
	l, ok := p.look(ctx, &m, diags)
	if !ok {
		return
	}
	observed, operation := l.observe(ctx, diags)
	if diags.HasError() {
		return
	}
	if !observed.Found && operation == "" {
		diags.AddError("There is no "+l.name(), fmt.Sprintf("The worker on task queue %q found no container of it on its Docker Engine (looked for %s).\n\n"+
			"Next: check kind, service_name, scope and task_queue. To see what there is, run on the Docker host:\n"+
			"  docker ps -a --filter label=%s=true --format '{{.Names}}'", l.queue, l.ref.ID(), contract.LabelManaged))
		return
	}
	l.fill(&m, observed, operation, diags)
	if !diags.HasError() {
		diags.Append(resp.State.Set(ctx, &m)...)
	}
}

// look is one look at a service.
type look struct {
	runner  Runner
	kind    contract.Kind
	ref     contract.Ref
	queue   string
	verify  bool
	timeout time.Duration
	// run is the one that was in flight, or the last status run.
	run runner.Run
}

func (p *pipeline) look(ctx context.Context, m *pipelineModel, diags *diag.Diagnostics) (*look, bool) {
	at := slices.IndexFunc(contract.Kinds(contract.Stacks), func(k contract.Kind) bool { return k.Name == m.Kind.ValueString() })
	if at < 0 {
		diags.AddAttributeError(path.Root("kind"), "Unknown kind of service", fmt.Sprintf("%q is none of: %s.", m.Kind.ValueString(), strings.Join(kindNames(), ", ")))
		return nil, false
	}
	if m.Scope.IsNull() {
		m.Scope = types.StringValue(p.conn.Scope)
	}
	kind := contract.Kinds(contract.Stacks)[at]
	ref := contract.NewRef(kind, m.Scope.ValueString(), m.ServiceName.ValueString())
	timeout, d := m.Timeouts.Read(ctx, readTimeout)
	diags.Append(d...)
	queue := p.conn.Runner.Queue(m.TaskQueue.ValueString(), ref.Service)
	m.TaskQueue = types.StringValue(queue)
	return &look{runner: p.conn.Runner, kind: kind, ref: ref, queue: queue, verify: m.Verify.ValueBool(), timeout: timeout}, !diags.HasError()
}

func kindNames() []string {
	var names []string
	for _, k := range contract.Kinds(contract.Stacks) {
		names = append(names, k.Name)
	}
	return names
}

func (l *look) name() string {
	return fmt.Sprintf("%s %q in scope %q", l.kind.Name, l.ref.Service, l.ref.Scope)
}

// observe looks twice: at the labels, which tell what the service was made from, and then at everything that must follow
// from it. While an operation is under way there is nothing to compare with.
func (l *look) observe(ctx context.Context, diags *diag.Diagnostics) (observed contract.Observed, operation string) {
	observed, err := l.status(ctx, contract.Request{})
	if err != nil {
		addFailure(diags, l.name(), err)
		return observed, ""
	}
	op, run, running, err := l.runner.InFlight(ctx, l.ref)
	if err != nil {
		addFailure(diags, l.name(), err)
		return observed, ""
	}
	if running {
		l.run = run
		if l.verify {
			diags.AddAttributeWarning(path.Root("verify"), "Nothing was verified",
				"An operation on "+l.name()+" is under way in workflow "+run.WorkflowID+"; what it has not finished cannot be expected to work.")
		}
		if op == contract.OpConverge {
			return observed, "converge" // started from outside Terraform
		}
		return observed, string(op)
	}
	if !observed.Found || len(observed.Input) == 0 {
		return observed, ""
	}
	request := contract.Request{Input: observed.Input, EngineID: observed.EngineID}
	if l.verify {
		// A canary of what is down would be waited for in vain until the timeout.
		if down := notReady(observed); len(down) > 0 {
			diags.AddAttributeError(path.Root("verify"), "Cannot verify "+l.name()+": not every component is ready",
				"  "+strings.Join(down, "\n  ")+"\n\nNext: apply the configuration that manages it, which repairs it. Without verify its status and drift can be read.")
			return observed, ""
		}
		request.Verify = &l.verify
	}
	compared, err := l.status(ctx, request)
	var step *runner.StepError
	if errors.As(err, &step) && step.Failure.Class == contract.InvalidInput && !l.verify {
		diags.AddWarning("What "+l.name()+" was made from is not valid any more",
			"It was made by another version, so it is compared with its own labels only.\n\n"+sentence(runner.Detail(err)))
		return observed, ""
	}
	if err != nil {
		addFailure(diags, l.name(), err)
		return observed, ""
	}
	compared.Input = observed.Input
	return compared, ""
}

// notReady lists the components that do not answer, a phrase each.
func notReady(o contract.Observed) []string {
	var out []string
	for _, c := range o.Components {
		if c.Health != contract.HealthReady {
			out = append(out, fmt.Sprintf("%s: %s, %s", c.Name, c.State, strings.ReplaceAll(c.Health, "_", " ")))
		}
	}
	return out
}

func (l *look) status(ctx context.Context, request contract.Request) (contract.Observed, error) {
	request.ServiceName, request.Scope, request.Operation = l.ref.Service, l.ref.Scope, contract.OpStatus
	var observed contract.Observed
	run, err := l.runner.Status(ctx, runner.Call{
		Kind: l.kind, WorkflowType: l.kind.StatusWorkflow(), Request: request, TaskQueue: l.queue, Timeout: l.timeout,
	}, &observed)
	l.run = run
	return observed, err
}

func (l *look) fill(m *pipelineModel, observed contract.Observed, operation string, diags *diag.Diagnostics) {
	m.ID, m.EngineID, m.WebUIURL = types.StringValue(l.ref.ID()), orNull(observed.EngineID), orNull(l.run.WebUIURL)
	m.Drift, m.Containers = []string{}, map[string]containerModel{}
	m.Drift = append(m.Drift, observed.Drifted()...)
	for _, c := range observed.Components {
		m.Containers[c.Name] = containerModel{
			Name: orNull(c.Container), Image: orNull(c.Image), Digest: orNull(c.Digest), State: orNull(c.State), Health: orNull(c.Health),
			Drift: append([]string{}, c.Drift...),
		}
		if len(c.Drift) == 0 && c.Health != contract.HealthReady {
			m.Drift = append(m.Drift, fmt.Sprintf("%s: %s, %s", c.Name, c.State, strings.ReplaceAll(c.Health, "_", " ")))
		}
	}
	m.Operation, m.Status = orNull(operation), types.StringValue(contract.StatusReady)
	switch {
	case operation != "":
		m.Status = types.StringValue(contract.StatusInProgress)
	case len(m.Drift) > 0:
		m.Status = types.StringValue(contract.StatusDegraded)
	}
	for _, proof := range observed.Verification {
		if m.Verification == nil {
			m.Verification = map[string]int64{}
		}
		m.Verification[proof.Signal] = proof.LatencyMS
	}
	var err error
	if m.Input, err = terraform.FromJSON(observed.Input); err != nil {
		addFailure(diags, "the input of "+l.name(), err)
	}
	m.Endpoints, m.DatasourceUID = l.reach(observed.Input)
}

// reach tells where the service answers. An input that this version does not understand has been warned about by then.
func (l *look) reach(input json.RawMessage) (map[string]string, types.String) {
	at := slices.IndexFunc(catalog.All(), func(e catalog.Entry) bool { return e.Kind == l.kind })
	if at < 0 || len(input) == 0 {
		return nil, types.StringNull()
	}
	endpoints, uid, err := catalog.All()[at].Reach(l.ref, input)
	if err != nil {
		return nil, types.StringNull()
	}
	return endpoints, orNull(uid)
}
