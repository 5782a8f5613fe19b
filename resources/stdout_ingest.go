package resources

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// stdoutIngest is the resource orch_stdout_ingest, a family of its own: nothing of it is on the Docker Engine.
type stdoutIngest struct {
	lifecycle[stdoutIngestModel, catalog.StdoutIngestInput, *stdoutIngestModel]
}

var (
	_ resource.ResourceWithConfigure      = (*stdoutIngest)(nil)
	_ resource.ResourceWithImportState    = (*stdoutIngest)(nil)
	_ resource.ResourceWithModifyPlan     = (*stdoutIngest)(nil)
	_ resource.ResourceWithValidateConfig = (*stdoutIngest)(nil)
)

func newStdoutIngest() resource.Resource {
	s := &stdoutIngest{}
	s.lifecycle = lifecycle[stdoutIngestModel, catalog.StdoutIngestInput, *stdoutIngestModel]{
		family: s, kind: contract.StdoutIngest, inputs: stdoutIngestInputs, validate: catalog.StdoutIngestInput.Validate,
		message: "ingest started", foreign: "Another version of orch has made it.",
	}
	return s
}

// Schema implements resource.Resource.
func (*stdoutIngest) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = stdoutIngestSchema(ctx)
}

// plan implements family.
func (s *stdoutIngest) plan(ctx context.Context, c change[*stdoutIngestModel], _ privateReader, diags *diag.Diagnostics) {
	m, old := c.planned, c.prior
	if old == nil || !m.ServiceName.Equal(old.ServiceName) {
		unplanned(ctx, m, s.plannedID(m))
	} else {
		degraded := old.Status.ValueString() == contract.StatusDegraded
		if c.inputsSame && !degraded {
			keepComputed(m, old)
			return
		}
		if degraded {
			warnDrift(diags, s.address(contract.Ref{Service: m.ServiceName.ValueString()}), c.drift)
		}
		unplanned(ctx, m, old.ID)
		if !old.EngineID.IsNull() {
			m.EngineID = old.EngineID
		}
	}
	switch {
	case !c.inputsKnown:
	case m.ID.IsUnknown():
		s.validInput(ctx, m, diags)
	default:
		s.derive(ctx, m.ref(diags), m, diags)
	}
}

// remember implements family. An ingest has no secrets.
func (*stdoutIngest) remember(context.Context, *stdoutIngestModel, privateWriter, *diag.Diagnostics) {
}

// setup implements family.
func (s *stdoutIngest) setup(ctx context.Context, o *operation[*stdoutIngestModel], diags *diag.Diagnostics) {
	m := o.planned
	o.request.EngineID, o.request.OnFailure, o.request.Input = m.EngineID.ValueString(), m.OnFailure.ValueString(), encoded(toInput[catalog.StdoutIngestInput](ctx, m, diags), diags)
	if o.prior != nil {
		o.request.Prior = encoded(toInput[catalog.StdoutIngestInput](ctx, o.prior, diags), diags)
	}
	s.derive(ctx, o.ref, m, diags)
	o.finish = func(result contract.Result) {
		if m.EngineID.IsNull() {
			m.EngineID = orNull(result.EngineID)
		}
	}
}

// ask implements family.
func (*stdoutIngest) ask(_ context.Context, request *contract.Request, m *stdoutIngestModel, _ privateReader, _ *diag.Diagnostics) {
	request.EngineID = m.EngineID.ValueString()
}

// observe implements family.
func (*stdoutIngest) observe(_ context.Context, m *stdoutIngestModel, observed contract.Observed, _ []finding, _ *diag.Diagnostics) {
	m.EngineID = orNull(observed.EngineID)
}

// derive implements family.
func (s *stdoutIngest) derive(ctx context.Context, ref contract.Ref, m *stdoutIngestModel, diags *diag.Diagnostics) {
	in := s.validInput(ctx, m, diags)
	m.Steps, m.DatasourceUID, m.TailWorkflowID = stringList(in.Steps()), orNull(in.DatasourceUID(ref)), types.StringValue(ref.TailID())
}

// absent implements family.
func (s *stdoutIngest) absent(ref contract.Ref, observed contract.Observed) string {
	if observed.Found && len(observed.Input) > 0 {
		return ""
	}
	return fmt.Sprintf("The worker on task queue %q keeps nothing of %s in its data directory.", s.conn.Runner.Queue("", ref.Service), ref.ID())
}
