package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// deployment holds the workflows of one cloud platform.
type deployment struct{ entry catalog.DeploymentEntry }

// deploymentOptions is the retry policy of the deployments: 2 s to 10 s, 3 attempts, 15 minutes an activity.
func deploymentOptions(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 15 * time.Minute,
		HeartbeatTimeout:    30 * time.Second,
		// A rollback must not race the step that it undoes.
		WaitForCancellation: true,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: 2 * time.Second, MaximumInterval: 10 * time.Second, MaximumAttempts: 3},
		Summary:             summary,
	})
}

// Setup deploys what the input says: generate, create, configure, push, release, locate, check. Each step is told what those
// before it have made. When one fails, the last good release comes back, and a first deployment is removed, unless
// on_failure = "keep".
func (d deployment) Setup(ctx workflow.Context, req contract.Request) (contract.Result, error) {
	call, err := d.call(ctx, req)
	if err != nil {
		return contract.Result{}, failed(err)
	}
	undo := &rollback{keep: req.OnFailure == contract.OnFailureKeep}
	adopted, err := d.setup(ctx, &call, req, undo)
	if err != nil {
		return contract.Result{}, failed(undo.run(ctx, err))
	}
	return contract.Result{Message: d.entry.Message, Deployed: &call.Deployed, Adopted: adopted}, nil
}

func (d deployment) setup(ctx workflow.Context, call *contract.DeploymentCall, req contract.Request, undo *rollback) (*contract.Adoption, error) {
	var err error
	call.Before, err = run(deploymentOptions(ctx, "prepare"), contract.PrepareDeployment, *call)
	if err != nil {
		return nil, stepFailed(stepPrepare, err)
	}
	// From here on what is there and was not there before is this run's own.
	call.Deployed = call.Before.Deployed
	undo.add(call.Deployment.Ref.Service, func(ctx workflow.Context) (contract.Undone, error) {
		return run(deploymentOptions(ctx, "roll back"), contract.RollbackDeployment, *call)
	})
	undo.owns = call.Before.Adopted == nil
	if call.Before.Continues {
		undo.leftover = "what an earlier run that was interrupted has made"
	}
	steps := call.Deployment.Steps
	for _, step := range []struct {
		name     string
		activity contract.Activity[contract.DeploymentCall, contract.Deployed]
	}{
		{steps.Create, contract.CreateDeployment},
		{steps.Configure, contract.ConfigureDeployment},
		{steps.Push, contract.PushDeployment},
		{steps.Release, contract.ReleaseDeployment},
		{steps.Locate, contract.LocateDeployment},
		{steps.Check, contract.CheckDeployment},
	} {
		if step.name == "" {
			continue
		}
		arg := *call
		if step.activity == contract.CreateDeployment || step.activity == contract.ConfigureDeployment {
			// The application's secrets go to the steps that need them, and no further.
			arg.AppSecrets = req.AppSecrets
		}
		deployed, err := run(deploymentOptions(ctx, step.name), step.activity, arg)
		if err != nil {
			return nil, stepFailed(step.name, err)
		}
		call.Deployed = deployed
	}
	return call.Before.Adopted, nil
}

// Cleanup removes the deployment and proves that it is gone. It never rolls back: running it again continues.
func (d deployment) Cleanup(ctx workflow.Context, req contract.Request) (contract.Removed, error) {
	call, err := d.look(ctx, req)
	if err != nil {
		return contract.Removed{}, failed(stepFailed("remove", err))
	}
	call.Operation = contract.OpDelete
	removed, err := run(deploymentOptions(ctx, "remove"), contract.RemoveDeployment, call)
	if err != nil {
		return contract.Removed{}, failed(stepFailed("remove", err))
	}
	removed.Message = fmt.Sprintf("%s removed", call.Deployment.Ref.ID())
	return removed, nil
}

// Status looks at what is there and compares it with the input; without an input it tells what is there, which is what an
// import needs.
func (d deployment) Status(ctx workflow.Context, req contract.Request) (contract.Observed, error) {
	call, err := d.look(ctx, req)
	if err != nil {
		return contract.Observed{}, failed(stepFailed("inspect", err))
	}
	call.Operation = contract.OpStatus
	observed, err := run(deploymentOptions(ctx, "inspect"), contract.InspectDeployment, call)
	if err != nil {
		return contract.Observed{}, failed(stepFailed("inspect", err))
	}
	return observed, nil
}

// call is what the activities of a setup are told.
func (d deployment) call(ctx workflow.Context, req contract.Request) (contract.DeploymentCall, error) {
	call := contract.DeploymentCall{
		Deployment: contract.Deployment{Ref: d.ref(req)}, Operation: req.Operation, RunID: workflow.GetInfo(ctx).WorkflowExecution.RunID,
		Access: req.Access, Secrets: req.Secrets, Known: req.Known, Adopt: req.Adopt, NoWait: req.NoWait,
		DeleteRepository: req.DeleteRepository,
	}
	spec, err := d.expand(ctx, call.Deployment.Ref, req)
	if err != nil {
		return call, err
	}
	if req.NoWait {
		spec.Steps.Check = ""
	}
	call.Deployment = spec
	return call, nil
}

// look is what the activities that are content with a name are told. An input of an older version that is not valid any more
// must not stand in the way of a removal.
func (d deployment) look(ctx workflow.Context, req contract.Request) (contract.DeploymentCall, error) {
	if err := d.ref(req).Validate(); err != nil {
		return contract.DeploymentCall{}, contract.Fail(contract.InvalidInput, "%v", err).On(d.entry.NameAttribute)
	}
	call, err := d.call(ctx, req)
	if err != nil && len(req.Input) > 0 && req.Operation == contract.OpStatus {
		return call, err
	}
	return call, nil
}

// ref is the deployment that a request is about; a start that names none means the default one.
func (d deployment) ref(req contract.Request) contract.Ref {
	if req.ServiceName == "" {
		req.ServiceName = d.entry.DefaultName
	}
	return req.Ref(d.entry.Kind)
}

// expand generates the deployment once and records it.
func (d deployment) expand(ctx workflow.Context, ref contract.Ref, req contract.Request) (contract.Deployment, error) {
	spec, err := recorded(ctx, req,
		func(made *contract.Deployment) expanded[contract.Deployment] {
			return expanded[contract.Deployment]{Deployment: made}
		},
		func() (contract.Deployment, error) { return d.entry.Expand(ref, req.Input) })
	if err != nil {
		return contract.Deployment{}, stepFailed("generate", err)
	}
	return spec, nil
}
