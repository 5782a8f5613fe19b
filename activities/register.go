package activities

import (
	"go.temporal.io/sdk/activity"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// Registry is the part of a Temporal worker that takes activities.
type Registry interface {
	RegisterActivityWithOptions(a any, options activity.RegisterOptions)
}

// Set is a type of this package whose methods are activities.
type Set interface {
	Activities() []contract.Implementation
}

// Register makes the activities of the sets known to a worker under their wire names.
func Register(registry Registry, sets ...Set) {
	for _, set := range sets {
		for _, implementation := range set.Activities() {
			registry.RegisterActivityWithOptions(implementation.Function, activity.RegisterOptions{Name: implementation.Name})
		}
	}
}

// Activities lists the activities of Docker.
func (d *Docker) Activities() []contract.Implementation {
	return []contract.Implementation{
		contract.PrepareStack.By(d.PrepareStack),
		contract.EnsureComponent.By(d.EnsureComponent),
		contract.RestoreComponent.By(d.RestoreComponent),
		contract.CommitStack.By(d.CommitStack),
		contract.RollbackStack.By(d.RollbackStack),
		contract.InspectStack.By(d.InspectStack),
		contract.RemoveStack.By(d.RemoveStack),
		contract.VerifyStack.By(d.VerifyStack),
		contract.BuildImage.By(d.BuildImage),
		contract.VerifyCloudflare.By(d.VerifyCloudflare),
		contract.EnsureGrafana.By(d.EnsureGrafana),
		contract.InspectGrafana.By(d.InspectGrafana),
		contract.RemoveGrafana.By(d.RemoveGrafana),
	}
}

// Activities lists the activities of Deployments.
func (d *Deployments) Activities() []contract.Implementation {
	return []contract.Implementation{
		contract.PrepareDeployment.By(d.PrepareDeployment),
		contract.CreateDeployment.By(d.CreateDeployment),
		contract.ConfigureDeployment.By(d.ConfigureDeployment),
		contract.PushDeployment.By(d.PushDeployment),
		contract.ReleaseDeployment.By(d.ReleaseDeployment),
		contract.LocateDeployment.By(d.LocateDeployment),
		contract.CheckDeployment.By(d.CheckDeployment),
		contract.RollbackDeployment.By(d.RollbackDeployment),
		contract.InspectDeployment.By(d.InspectDeployment),
		contract.RemoveDeployment.By(d.RemoveDeployment),
	}
}

// Activities lists the activities of LogTails.
func (t *LogTails) Activities() []contract.Implementation {
	return []contract.Implementation{
		contract.PrepareLogTail.By(t.PrepareLogTail),
		contract.DiscoverLogFiles.By(t.DiscoverLogFiles),
		contract.DiscoverContainerLogs.By(t.DiscoverContainerLogs),
		contract.StartLogTail.By(t.StartLogTail),
		contract.CheckLogTail.By(t.CheckLogTail),
		contract.TailLogs.By(t.TailLogs),
		contract.InspectLogTail.By(t.InspectLogTail),
		contract.RestoreLogTail.By(t.RestoreLogTail),
		contract.RemoveLogTail.By(t.RemoveLogTail),
	}
}
