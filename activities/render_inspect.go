package activities

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud/render"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
)

// Inspect implements Platform.
func (p renderPlatform) Inspect(ctx context.Context, call contract.DeploymentCall, progress engine.Progress) (contract.Observed, error) {
	c, err := p.client()
	if err != nil {
		return contract.Observed{}, err
	}
	progress("looking for service %s", call.Deployment.Ref.Service)
	found, err := p.look(ctx, c, call)
	if err != nil || found == nil {
		return contract.Observed{}, err
	}
	if known := call.Known; found.mark.ID != call.Deployment.Ref.ID() && (known == nil || known.IDs[renderService] == "") {
		return contract.Observed{}, nil // somebody else's, and there never was one of the deployment's own
	}
	deploys, err := c.Deploys(ctx, found.service.ID)
	if err != nil {
		return contract.Observed{}, err
	}
	observed := contract.Observed{Found: true, Input: found.mark.Input, Deployed: renderDeployed(call, found, deploys)}
	if call.Deployment.Release == "" {
		return observed, nil
	}
	observed.Drift = renderDrift(call, found.service)
	add := func(about, format string, args ...any) {
		observed.Drift = append(observed.Drift, contract.Finding{About: about, What: fmt.Sprintf(format, args...)})
	}
	if n := found.service.ServiceDetails.NumInstances; n != call.Deployment.Render.Instances {
		add("instances", "there are %d, not %d", n, call.Deployment.Render.Instances)
	}
	if found.service.Suspended == "suspended" {
		add("service", "is suspended")
	}
	driftedVariables(call, found, add)
	driftedRelease(call, found, deploys, &observed, add)
	return observed, nil
}

// look finds the service for a look or a removal: what state tells of it goes before its name. A call that knows no workspace
// looks in all of them.
func (p renderPlatform) look(ctx context.Context, c *render.Client, call contract.DeploymentCall) (*renderFound, error) {
	if call.Known != nil {
		call.Deployed.IDs = call.Known.IDs
	}
	owner := call.Deployed.IDs[renderOwner]
	if spec := call.Deployment.Render; owner == "" && spec != nil {
		var err error
		if owner, err = p.owner(ctx, c, call); err != nil {
			return nil, err
		}
	}
	if owner != "" {
		return p.find(ctx, c, call, owner)
	}
	owners, err := c.Owners(ctx)
	if err != nil {
		return nil, err
	}
	var other *renderFound
	for _, o := range owners {
		found, err := p.find(ctx, c, call, o.ID)
		switch {
		case err != nil:
			return nil, err
		case found != nil && found.mark.ID == call.Deployment.Ref.ID():
			return found, nil
		case found != nil:
			other = found
		}
	}
	return other, nil
}

// renderDeployed is what there is.
func renderDeployed(call contract.DeploymentCall, found *renderFound, deploys []render.Deploy) *contract.Deployed {
	deployed := &contract.Deployed{
		IDs: map[string]string{renderOwner: found.service.OwnerID, renderService: found.service.ID},
		URL: renderURL(call, found.service), Release: found.mark.Release, Secrets: found.mark.digests(found.vars),
	}
	if known := call.Known; known != nil && known.IDs[renderRepository] != "" {
		deployed.IDs[renderRepository] = known.IDs[renderRepository]
	}
	for _, d := range deploys {
		if d.Phase() == render.Live {
			deployed.PlatformRelease, deployed.Image, deployed.Commit = d.ID, deployedImage(d), d.CommitID()
			if found.mark.Live == d.ID {
				deployed.PlatformRelease = found.mark.StandsFor
			}
			break
		}
	}
	return deployed
}

// driftedVariables compares the variables with the input, and the secrets with what state tells of them.
func driftedVariables(call contract.DeploymentCall, found *renderFound, add func(about, format string, args ...any)) {
	if found.mark.ID != call.Deployment.Ref.ID() {
		add("variables", "%s is missing or another deployment's", contract.RenderMark)
		return
	}
	is := applicationVariables(found.vars)
	for _, name := range slices.Sorted(maps.Keys(call.Deployment.Env)) {
		if value, ok := is[name]; !ok {
			add("variable "+name, "is missing")
		} else if value != call.Deployment.Env[name] {
			add("variable "+name, "has another value")
		}
	}
	digests := found.mark.digests(found.vars)
	if known := call.Known; known != nil {
		for _, name := range slices.Sorted(maps.Keys(known.Secrets)) {
			if digest, ok := digests[name]; !ok {
				add("secret "+name, "is missing")
			} else if digest != known.Secrets[name] {
				add("secret "+name, "has another value")
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(is)) {
		if _, wanted := call.Deployment.Env[name]; !wanted && !slices.Contains(found.mark.Secrets, name) {
			add("variable "+name, "is not configured")
		}
	}
}

// driftedRelease looks whether what is live is what was deployed. A deploy that is under way is nobody's drift.
func driftedRelease(call contract.DeploymentCall, found *renderFound, deploys []render.Deploy, observed *contract.Observed, add func(about, format string, args ...any)) {
	wanted := ""
	if call.Known != nil {
		wanted = call.Known.PlatformRelease
	}
	if wanted == "" {
		return
	}
	if found.mark.StandsFor == wanted {
		wanted = found.mark.Live
	}
	for _, d := range deploys {
		switch {
		case d.ID == wanted && d.Phase() != render.Failed:
			observed.Deployed.Settling = d.Phase() == render.Running
			return
		case d.ID == wanted:
			add("deploy "+d.ID, "ended as %s", d.Status)
			return
		case d.Phase() == render.Live:
			add("deploy "+d.ID, "is live instead of %s; it was made elsewhere (%s)", wanted, d.Trigger)
			return
		}
	}
	add("deploy "+wanted, "is not live, and no other is")
}

// Remove implements Platform.
func (p renderPlatform) Remove(ctx context.Context, call contract.DeploymentCall, progress engine.Progress) (contract.Removed, error) {
	c, err := p.client()
	if err != nil {
		return contract.Removed{}, err
	}
	found, err := p.look(ctx, c, call)
	if err != nil {
		return contract.Removed{}, err
	}
	objects, err := p.removeAll(ctx, c, call, found, call.DeleteRepository, progress)
	return contract.Removed{Objects: objects}, err
}
