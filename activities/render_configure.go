package activities

import (
	"context"
	"maps"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud/render"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
)

// autoDeployOff is orch's setting: a push is followed by a deploy that the workflow waits for, not by one of Render's own.
const autoDeployOff = "no"

// renderChange is all of a service that can be changed, as it should be.
func renderChange(call contract.DeploymentCall, owner string) render.Change {
	spec := call.Deployment.Render
	health := call.Deployment.Health.Path
	in := render.Change{AutoDeploy: autoDeployOff, ServiceDetails: &render.ChangeDetails{
		Runtime: spec.Runtime, Plan: spec.Plan, HealthCheckPath: &health, PreDeployCommand: &spec.PreDeployCommand,
	}}
	if r := spec.Repository; r != nil {
		in.Repo, in.Branch, in.RootDir = r.URL(), r.Branch, &spec.RootDir
	} else {
		in.Image = &render.Image{OwnerID: owner, ImagePath: call.Deployment.Image}
	}
	specific := &render.ChangeSpecific{BuildCommand: &spec.BuildCommand, StartCommand: &spec.StartCommand}
	if spec.Dockered() {
		specific = &render.ChangeSpecific{DockerCommand: &spec.StartCommand}
		if spec.Dockerfile != "" {
			specific.DockerfilePath = &spec.Dockerfile
		}
	}
	in.ServiceDetails.EnvSpecificDetails = specific
	return in
}

// renderDrift compares a service with what it should be, and says what is different. A setting that Render fills in where
// nothing is given counts only when it is given.
func renderDrift(call contract.DeploymentCall, s render.Service) []contract.Finding {
	spec, details := call.Deployment.Render, s.ServiceDetails
	var found []contract.Finding
	compare := func(about, is, should string) {
		if is != should {
			found = append(found, contract.Finding{About: about, What: "is " + quoted(is) + ", not " + quoted(should)})
		}
	}
	given := func(about, is, should string) {
		if should != "" {
			compare(about, is, should)
		}
	}
	compare("plan", details.Plan, spec.Plan)
	compare("health check path", details.HealthCheckPath, call.Deployment.Health.Path)
	compare("runtime", details.Runtime, spec.Runtime)
	compare("automatic deploys", s.AutoDeploy, autoDeployOff)
	if r := spec.Repository; r != nil {
		compare("repository", s.Repo, r.URL())
		compare("branch", s.Branch, r.Branch)
		compare("root directory", s.RootDir, spec.RootDir)
	} else {
		if !sameImage(s.ImagePath, call.Deployment.Image) {
			compare("image", s.ImagePath, call.Deployment.Image)
		}
	}
	given("Dockerfile", details.EnvSpecificDetails.DockerfilePath, spec.Dockerfile)
	given("build command", details.EnvSpecificDetails.BuildCommand, spec.BuildCommand)
	command := details.EnvSpecificDetails.StartCommand
	if spec.Dockered() {
		command = details.EnvSpecificDetails.DockerCommand
	}
	compare("start command", command, spec.StartCommand)
	compare("pre-deploy command", details.EnvSpecificDetails.PreDeployCommand, spec.PreDeployCommand)
	return found
}

func quoted(text string) string {
	if text == "" {
		return "empty"
	}
	return `"` + text + `"`
}

// Configure implements Platform. Variables are set before the settings, and their mark names the newest deploy by then: when
// this is interrupted at any point, the next attempt sees that no deploy has carried all of it yet.
func (p renderPlatform) Configure(ctx context.Context, call contract.DeploymentCall, secrets map[string]string, progress engine.Progress) (contract.Deployed, error) {
	deployed := call.Deployed
	c, err := p.client()
	if err != nil {
		return deployed, err
	}
	found, err := p.must(ctx, c, call)
	if err != nil {
		return deployed, err
	}
	differs := renderDrift(call, found.service)
	want, err := renderVariables(call, secrets, found.mark)
	if err != nil {
		return deployed, err
	}
	same := maps.Equal(applicationVariables(want), applicationVariables(found.vars)) &&
		found.mark.ID == call.Deployment.Ref.ID() && found.mark.Release == call.Deployment.Release
	mark := markOf(want)
	if !same || len(differs) > 0 {
		progress("setting %d variables of %s", len(want)-1, found.service.ID)
		if mark, err = p.setVariables(ctx, c, call, found, secrets); err != nil {
			return deployed, err
		}
	}
	if len(differs) > 0 {
		progress("changing %d settings of %s", len(differs), found.service.ID)
		if _, err := c.PatchService(ctx, found.service.ID, renderChange(call, found.service.OwnerID)); err != nil {
			return deployed, renderRefused(err)
		}
	}
	if n := call.Deployment.Render.Instances; found.service.ServiceDetails.NumInstances != n {
		progress("scaling %s to %d", found.service.ID, n)
		if err := c.Scale(ctx, found.service.ID, n); err != nil {
			return deployed, err
		}
	}
	deployed.Secrets = mark.digests(want)
	return deployed, nil
}

// setVariables replaces all variables with those of the call and a new mark, which it returns.
func (p renderPlatform) setVariables(ctx context.Context, c *render.Client, call contract.DeploymentCall, found *renderFound, secrets map[string]string) (renderMark, error) {
	deploys, err := c.Deploys(ctx, found.service.ID)
	if err != nil {
		return renderMark{}, err
	}
	after := ""
	if len(deploys) > 0 {
		after = deploys[0].ID
	}
	mark, err := newMark(call, after)
	if err != nil {
		return renderMark{}, err
	}
	if found.mark.Salt != "" {
		mark.Salt, mark.Created = found.mark.Salt, found.mark.Created
	}
	vars, err := renderVariables(call, secrets, mark)
	if err != nil {
		return renderMark{}, err
	}
	return markOf(vars), c.PutEnvVars(ctx, found.service.ID, vars)
}

// must finds the service that an earlier step has made sure of.
func (p renderPlatform) must(ctx context.Context, c *render.Client, call contract.DeploymentCall) (*renderFound, error) {
	found, err := p.find(ctx, c, call, call.Deployed.IDs[renderOwner])
	if err == nil && found == nil {
		err = renderGone(call)
	}
	return found, err
}

func renderGone(call contract.DeploymentCall) error {
	return contract.Fail(contract.NotFound, "service %s is gone; somebody has deleted it meanwhile", call.Deployment.Ref.Service)
}
