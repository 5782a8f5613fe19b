package resources

import "github.com/hashicorp/terraform-plugin-framework/resource"

// All lists the constructor of every resource.
func All() []func() resource.Resource {
	return []func() resource.Resource{
		newLogsPipeline,
		newMetricsPipeline,
		newTracingPipeline,
		newDatabasePipeline,
		newContainerService,
		newChatService,
		newContainerLogsIngest,
		newOTLPIngest,
		newFlyioDeployment,
		newRailwayDeployment,
		newStdoutIngest,
		newRenderDeployment,
		newWorkflow,
	}
}
