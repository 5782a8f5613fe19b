package catalog

// All lists every kind of service. Workflows are registered from it.
func All() []Entry {
	return []Entry{
		LogsPipeline.Entry(),
		MetricsPipeline.Entry(),
		TracingPipeline.Entry(),
		DatabasePipeline.Entry(),
		ContainerService.Entry(),
		ChatService.Entry(),
		ContainerLogsIngest.Entry(),
		OTLPIngest.Entry(),
	}
}

// Deployments lists every deployment. Workflows are registered from it.
func Deployments() []DeploymentEntry {
	return []DeploymentEntry{
		FlyioDeployment.Entry(),
		RailwayDeployment.Entry(),
		RenderDeployment.Entry(),
	}
}
