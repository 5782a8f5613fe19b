package datasources

import "github.com/hashicorp/terraform-plugin-framework/datasource"

// All lists the constructor of every data source.
func All() []func() datasource.DataSource {
	return []func() datasource.DataSource{newPipeline, newStdoutIngest, newLogFiles, newWorkflow, newWorkflows, newTaskQueue, newCluster}
}
