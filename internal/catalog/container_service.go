package catalog

import "github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"

// ServiceName is the component of orch_container_service.
const ServiceName = "service"

// ContainerServiceInput is the input of orch_container_service as written: nil where an attribute is absent.
type ContainerServiceInput struct {
	ServiceInput
}

// ContainerService runs any image as a durable service.
var ContainerService = Pipeline[ContainerServiceInput]{
	Kind:    contract.ContainerService,
	Message: "container service ready",
	Minimal: minimalService,
	Shared:  func(in ContainerServiceInput) Shared { return in.Shared },
	Components: func(ref contract.Ref, in ContainerServiceInput) []contract.Component {
		return []contract.Component{service(ref, ServiceName, in.ServiceInput)}
	},
	Recorded: func(in ContainerServiceInput) ContainerServiceInput {
		in.ServiceInput = in.recorded()
		return in
	},
	Endpoints: func(ref contract.Ref, in ContainerServiceInput) map[string]string {
		return serviceEndpoints(ref, ServiceName, in.ServiceInput)
	},
	Check: func(in ContainerServiceInput) []Problem { return checkService(in.ServiceInput) },
}
