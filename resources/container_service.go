package resources

import (
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
)

type containerServiceModel struct {
	base
	shared
	serviceModel
}

const containerServiceDescription = `Any container as a durable service on one Docker Engine: an image that exists, or one that is built from a context.

The apply is finished when the service answers its health check; if it does not, the error message says why, with the last lines of its log,
and what was made is removed again. A change starts the new container beside the old one and lets it take over when it is healthy, so that
clients on the service's network see no gap; a new version that does not become healthy leaves the old one serving.`

func newContainerService() resource.Resource {
	return define[containerServiceModel](catalog.ContainerService, containerServiceDescription, serviceSchema(catalog.ServiceName, catalog.ContainerService.Kind))
}

func (m *containerServiceModel) secrets() map[string]string {
	return m.values(catalog.ServiceName)
}

func (m *containerServiceModel) complete(in *catalog.ContainerServiceInput, diags *diag.Diagnostics) {
	m.locate(&in.ServiceInput, diags)
}

func (m *containerServiceModel) took(in catalog.ContainerServiceInput) {
	m.tookContext(in.ServiceInput)
}
