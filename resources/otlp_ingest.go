package resources

import (
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

func (m *otlpIngestModel) secrets() map[string]string {
	if m.TLS.IsNull() {
		return nil
	}
	return map[string]string{
		catalog.CollectorName + "/" + catalog.TLSCertificate: textOf(m.TLS, "certificate_wo").ValueString(),
		catalog.CollectorName + "/" + catalog.TLSPrivateKey:  textOf(m.TLS, "private_key_wo").ValueString(),
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

func (m *otlpIngestModel) complete(in *catalog.OTLPIngestInput, diags *diag.Diagnostics) {
	m.read(&in.TemplateInput, diags)
}

func (m *otlpIngestModel) took(catalog.OTLPIngestInput) {}
