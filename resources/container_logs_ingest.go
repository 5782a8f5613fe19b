package resources

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

type containerLogsIngestModel struct {
	base
	shared
	template
	Collector          types.Object `tfsdk:"collector"`
	LogPaths           types.List   `tfsdk:"log_paths"`
	LokiEndpoint       types.String `tfsdk:"loki_endpoint"`
	LogsPipelineID     types.String `tfsdk:"logs_pipeline_id"`
	ResourceAttributes types.Map    `tfsdk:"resource_attributes"`
}

const containerLogsIngestDescription = `Reads log files of the Docker host, those of containers or any others, and sends their lines to
Loki, with an OpenTelemetry Collector of its own.

The Collector's configuration is rendered when Terraform plans, from a default or from a template of yours, and the plan shows it as
` + "`config`" + `. An apply lets the Collector's own image validate it before anything is changed. The first apply then starts the
Collector; a later one copies the new configuration into the running container and has it reloaded, without a new container unless
folders, networks or the image change. If the Collector does not come up with it, the configuration before it is put back.

The folders of ` + "`log_paths`" + ` are mounted read-only into the container under their own paths, so the Collector reads files of the
host that the Docker Engine runs on. They must exist.`

func newContainerLogsIngest() resource.Resource {
	return define[containerLogsIngestModel](catalog.ContainerLogsIngest, containerLogsIngestDescription, merged(
		templateAttributes("`.ServiceName`, `.LogPaths` (all of `log_paths`, and by kind `.FileLogPaths` and `.DockerLogPaths`), "+
			"`.LokiEndpoint` (the OTLP endpoint) and `.ResourceAttributes`"),
		containerLogsIngestSchema(),
	))
}

func (m *containerLogsIngestModel) secrets() map[string]string {
	return nil
}

func (m *containerLogsIngestModel) derive(_ contract.Ref, in catalog.ContainerLogsIngestInput) {
	m.Config = types.StringPointerValue(in.Config)
}

func (m *containerLogsIngestModel) outdated(prior *containerLogsIngestModel) bool {
	return !m.Config.Equal(prior.Config)
}

func (m *containerLogsIngestModel) outside(prior *containerLogsIngestModel, diags *diag.Diagnostics) {
	m.changed(prior.template, fmt.Sprintf("container_logs_ingest %q", m.ServiceName.ValueString()), diags)
}

func (m *containerLogsIngestModel) complete(in *catalog.ContainerLogsIngestInput, diags *diag.Diagnostics) {
	m.read(&in.TemplateInput, diags)
}

func (m *containerLogsIngestModel) took(catalog.ContainerLogsIngestInput) {}
