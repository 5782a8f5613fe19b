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

type otlpIngestModel struct {
	base
	shared
	template
	Collector          types.Object `tfsdk:"collector"`
	OTLPEndpoint       types.String `tfsdk:"otlp_endpoint"`
	LogsEndpoint       types.String `tfsdk:"logs_endpoint"`
	MetricsEndpoint    types.String `tfsdk:"metrics_endpoint"`
	TracesEndpoint     types.String `tfsdk:"traces_endpoint"`
	CORSOrigins        types.List   `tfsdk:"cors_origins"`
	TLS                types.Object `tfsdk:"tls"`
	ResourceAttributes types.Map    `tfsdk:"resource_attributes"`
	Environment        types.Map    `tfsdk:"environment"`
}

type otlpCollectorModel struct {
	limits
	GRPCPort types.Int64 `tfsdk:"grpc_port"`
	HTTPPort types.Int64 `tfsdk:"http_port"`
}

type tlsModel struct {
	Certificate        types.String `tfsdk:"certificate_wo"`
	CertificateVersion types.Int64  `tfsdk:"certificate_wo_version"`
	PrivateKey         types.String `tfsdk:"private_key_wo"`
	PrivateKeyVersion  types.Int64  `tfsdk:"private_key_wo_version"`
}

const otlpIngestDescription = `Receives logs, metrics and traces that applications send by OTLP, and sends each signal on to the
endpoint that is given for it, with an OpenTelemetry Collector of its own.

The Collector's configuration is rendered when Terraform plans, from a default or from a template of yours, and the plan shows it as
` + "`config`" + `. An apply lets the Collector's own image validate it before anything is changed. A later change is copied into the running
container and reloaded, without a new container unless ports, networks, certificate or image change. If the Collector does not come up
with it, the configuration before it is put back.

The apply is finished when a canary of each signal has passed through: it is read back from the pipeline that it ends up in, or, where
the endpoint is none of this provider's, the Collector's own metrics say that the endpoint has taken it.

Give ` + "`environment`" + ` to the containers of applications. As ` + "`env`" + ` of an ` + "`orch_container_service` or `orch_chat_service`" + ` it joins them to the
ingest's network; others must be put on the network ` + "`<scope>-otlp-<service_name>`" + `. Applications on the host send to
` + "`endpoints.otlp_http`" + `.`

func newOTLPIngest() resource.Resource {
	return define[otlpIngestModel](catalog.OTLPIngest, otlpIngestDescription, merged(
		templateAttributes("`.ServiceName`, `.Routes` (a list with `.Signal` and `.Endpoint`), `.LogsEndpoint`, `.MetricsEndpoint`, "+
			"`.TracesEndpoint`, `.CORSOrigins`, `.TLS` (with `.CertificateFile` and `.PrivateKeyFile`) and `.ResourceAttributes`"),
		otlpIngestSchema(),
	))
}

func (m *otlpIngestModel) toInput(ctx context.Context, diags *diag.Diagnostics) catalog.OTLPIngestInput {
	in := catalog.OTLPIngestInput{
		Shared: m.shared.input(ctx, diags), TemplateInput: m.template.input(diags),
		OTLPEndpoint: m.OTLPEndpoint.ValueStringPointer(), LogsEndpoint: m.LogsEndpoint.ValueStringPointer(),
		MetricsEndpoint: m.MetricsEndpoint.ValueStringPointer(), TracesEndpoint: m.TracesEndpoint.ValueStringPointer(),
		CORSOrigins: elements[[]string](ctx, m.CORSOrigins, diags), ResourceAttributes: elements[map[string]string](ctx, m.ResourceAttributes, diags),
	}
	if c := block[otlpCollectorModel](ctx, m.Collector, diags); c != nil {
		in.Collector = &catalog.OTLPCollectorInput{
			Container: c.limits.input(), GRPCPort: c.GRPCPort.ValueInt64Pointer(), HTTPPort: c.HTTPPort.ValueInt64Pointer(),
		}
	}
	if t := block[tlsModel](ctx, m.TLS, diags); t != nil {
		in.TLS = &catalog.TLSInput{
			CertificateVersion: t.CertificateVersion.ValueInt64Pointer(), PrivateKeyVersion: t.PrivateKeyVersion.ValueInt64Pointer(),
		}
	}
	return in
}

func (m *otlpIngestModel) fromInput(ctx context.Context, in catalog.OTLPIngestInput, diags *diag.Diagnostics) {
	m.shared, m.template = newShared(in.Shared), newTemplate(in.TemplateInput)
	m.OTLPEndpoint, m.LogsEndpoint = types.StringPointerValue(in.OTLPEndpoint), types.StringPointerValue(in.LogsEndpoint)
	m.MetricsEndpoint, m.TracesEndpoint = types.StringPointerValue(in.MetricsEndpoint), types.StringPointerValue(in.TracesEndpoint)
	m.CORSOrigins, m.ResourceAttributes = orNullList(in.CORSOrigins), orNullMap(in.ResourceAttributes)
	var c *otlpCollectorModel
	if in.Collector != nil {
		c = &otlpCollectorModel{
			limits:   newLimits(in.Collector.Container),
			GRPCPort: types.Int64PointerValue(in.Collector.GRPCPort), HTTPPort: types.Int64PointerValue(in.Collector.HTTPPort),
		}
	}
	m.Collector = object(ctx, m.Collector, c, diags)
	var t *tlsModel
	if in.TLS != nil {
		t = &tlsModel{
			CertificateVersion: types.Int64PointerValue(in.TLS.CertificateVersion), PrivateKeyVersion: types.Int64PointerValue(in.TLS.PrivateKeyVersion),
		}
	}
	m.TLS = object(ctx, m.TLS, t, diags)
}

func (m *otlpIngestModel) secrets(ctx context.Context, diags *diag.Diagnostics) map[string]string {
	t := block[tlsModel](ctx, m.TLS, diags)
	if t == nil {
		return nil
	}
	return map[string]string{
		catalog.CollectorName + "/" + catalog.TLSCertificate: t.Certificate.ValueString(),
		catalog.CollectorName + "/" + catalog.TLSPrivateKey:  t.PrivateKey.ValueString(),
	}
}

func (m *otlpIngestModel) derive(ref contract.Ref, in catalog.OTLPIngestInput) {
	m.Config, m.Environment = types.StringPointerValue(in.Config), stringMap(in.Environment(ref))
}

func (m *otlpIngestModel) underive() {
	m.template.underive()
	m.Environment = types.MapUnknown(types.StringType)
}

func (m *otlpIngestModel) outdated(prior *otlpIngestModel) bool { return !m.Config.Equal(prior.Config) }

func (m *otlpIngestModel) outside(prior *otlpIngestModel, diags *diag.Diagnostics) {
	m.changed(prior.template, fmt.Sprintf("otlp_ingest %q", m.ServiceName.ValueString()), diags)
}
