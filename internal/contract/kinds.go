package contract

import "slices"

// Kind is what a user can name in HCL: its Terraform type, its short name in IDs and container names, and the stem of its
// workflow types.
type Kind struct {
	// Name is the Terraform type without the provider prefix, for example "logs_pipeline".
	Name string
	// Short is the segment used in workflow IDs, container and network names, for example "logs". It holds no hyphen.
	Short string
	// Stem is what the workflow types are made of, for example "LogsPipeline".
	Stem string
	// Setup is the setup workflow's type where that is not the stem and "Workflow".
	Setup string
	// Family is the workflow code that serves the kind.
	Family Family
}

// Family is one piece of workflow code, and what the kinds that it serves have in common.
type Family string

// The families.
const (
	// Stacks are containers on a Docker Engine, described by a row of the catalog.
	Stacks Family = "stack"
	// Deployments are applications on a cloud platform, described by a row of the catalog.
	Deployments Family = "deployment"
	// Tails follow logs and ship them for as long as they are not removed.
	Tails Family = "tail"
)

// Kinds, one for each orch_<name> resource. A new one also goes into the list that Kinds returns.
var (
	LogsPipeline        = Kind{Name: "logs_pipeline", Short: "logs", Stem: "LogsPipeline", Family: Stacks}
	MetricsPipeline     = Kind{Name: "metrics_pipeline", Short: "metrics", Stem: "MetricsPipeline", Family: Stacks}
	TracingPipeline     = Kind{Name: "tracing_pipeline", Short: "tracing", Stem: "TracingPipeline", Family: Stacks}
	DatabasePipeline    = Kind{Name: "database_pipeline", Short: "database", Stem: "DatabasePipeline", Family: Stacks}
	ContainerService    = Kind{Name: "container_service", Short: "container", Stem: "ContainerService", Family: Stacks}
	ChatService         = Kind{Name: "chat_service", Short: "chat", Stem: "Chat", Setup: "ChatSetupWorkflow", Family: Stacks}
	ContainerLogsIngest = Kind{Name: "container_logs_ingest", Short: "containerlogs", Stem: "ContainerLogsIngest", Family: Stacks}
	OTLPIngest          = Kind{Name: "otlp_ingest", Short: "otlp", Stem: "OTLPFromAppsIngest", Family: Stacks}

	FlyioDeployment   = Kind{Name: "flyio_deployment", Short: "flyio", Stem: "FlyioDeployment", Family: Deployments}
	RailwayDeployment = Kind{Name: "railway_deployment", Short: "railway", Stem: "RailwayDeployment", Family: Deployments}
	RenderDeployment  = Kind{Name: "render_deployment", Short: "render", Stem: "RenderDeployment", Family: Deployments}

	StdoutIngest = Kind{Name: "stdout_ingest", Short: "stdout", Stem: "ApplicationStdoutIngest", Family: Tails}
)

// Kinds lists the kinds of the given families, or all kinds when none is given.
func Kinds(families ...Family) []Kind {
	all := []Kind{
		LogsPipeline, MetricsPipeline, TracingPipeline, DatabasePipeline, ContainerService, ChatService, ContainerLogsIngest, OTLPIngest,
		FlyioDeployment, RailwayDeployment, RenderDeployment,
		StdoutIngest,
	}
	return slices.DeleteFunc(all, func(k Kind) bool { return len(families) > 0 && !slices.Contains(families, k.Family) })
}

// SetupWorkflow is the workflow type that creates and updates, for example "LogsPipelineWorkflow".
func (k Kind) SetupWorkflow() string {
	if k.Setup != "" {
		return k.Setup
	}
	return k.Stem + "Workflow"
}

// CleanupWorkflow is the workflow type that removes, for example "LogsPipelineCleanupWorkflow".
func (k Kind) CleanupWorkflow() string { return k.Stem + "CleanupWorkflow" }

// StatusWorkflow is the workflow type that only looks, for example "LogsPipelineStatusWorkflow".
func (k Kind) StatusWorkflow() string { return k.Stem + "StatusWorkflow" }

// TailWorkflow is the workflow type of a kind's long-running part, for example "ApplicationStdoutIngestTailWorkflow".
func (k Kind) TailWorkflow() string { return k.Stem + "TailWorkflow" }

// DiscoverWorkflow is the workflow type that only lists what a configuration would follow.
func (k Kind) DiscoverWorkflow() string { return k.Stem + "DiscoverWorkflow" }
