package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud/github"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud/render"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
)

const (
	// renderSettle is how long what was just made may take to be listed.
	renderSettle = 10 * time.Second
	// renderRemoval is how long Render may take to delete a service that it has agreed to delete.
	renderRemoval = 3 * time.Minute
)

// Keys of Deployed.IDs.
const (
	renderOwner      = "owner"
	renderService    = "service"
	renderRepository = "repository"
)

// renderPlatform deploys on Render. A service is found by its name, which is unique in its workspace, and carries a variable
// that tells whose it is; a repository says so in its description.
type renderPlatform struct{ api API }

func newRender(api API) Platform { return renderPlatform{api} }

func (p renderPlatform) client() (*render.Client, error) {
	endpoint, err := p.api(contract.RenderDeployment.Short)
	if err != nil {
		return nil, err
	}
	return render.New(endpoint.BaseURL, endpoint.Token, endpoint.Governor), nil
}

func (p renderPlatform) github(r contract.Repository) (*github.Client, error) {
	endpoint, err := p.api("github")
	if err != nil {
		return nil, err
	}
	return github.New(endpoint.BaseURL, r.GitURL, endpoint.Token, endpoint.Governor), nil
}

// owner is the ID of the workspace that a call is about.
func (p renderPlatform) owner(ctx context.Context, c *render.Client, call contract.DeploymentCall) (string, error) {
	wanted := ""
	if spec := call.Deployment.Render; spec != nil {
		wanted = spec.Owner
	}
	owners, err := c.Owners(ctx)
	if cloud.IsStatus(err, http.StatusUnauthorized, http.StatusForbidden) {
		return "", contract.Fail(contract.Denied, "Render does not accept the token: %v", err).On("token").Next("make an API key in Render's account settings and set RENDER_API_KEY where the worker runs, or refer to it with the attribute token")
	}
	if err != nil {
		return "", err
	}
	var names []string
	for _, o := range owners {
		if o.ID == wanted || o.Name == wanted && wanted != "" {
			return o.ID, nil
		}
		names = append(names, fmt.Sprintf("%s (%s)", o.Name, o.ID))
	}
	if wanted == "" && len(owners) == 1 {
		return owners[0].ID, nil
	}
	failure := contract.Fail(contract.InvalidInput, "the token sees these workspaces: %s", strings.Join(names, ", "))
	if wanted != "" {
		failure.Class = contract.NotFound
		failure.Cause = fmt.Sprintf("there is no workspace %q; ", wanted) + failure.Cause
	}
	failure.Attribute, failure.Hint = "owner", "set owner to the name or ID of one of them"
	return "", failure
}

// found is a service with what its variables tell.
type renderFound struct {
	service render.Service
	vars    []render.EnvVar
	mark    renderMark
}

// find looks the service up: by its ID, which an earlier step has stored, else by its name. It is nil when there is none.
func (p renderPlatform) find(ctx context.Context, c *render.Client, call contract.DeploymentCall, owner string) (*renderFound, error) {
	var service *render.Service
	var err error
	if id := call.Deployed.IDs[renderService]; id != "" {
		service, err = c.Service(ctx, id)
	}
	if err == nil && service == nil {
		service, err = c.FindService(ctx, owner, call.Deployment.Ref.Service)
	}
	if err != nil || service == nil {
		return nil, err
	}
	vars, err := c.EnvVars(ctx, service.ID)
	if cloud.IsStatus(err, http.StatusNotFound, http.StatusGone) {
		return nil, nil //nolint:nilnil // a lookup that finds nothing is no failure, and a flag would say the same twice
	}
	if err != nil {
		return nil, err
	}
	return &renderFound{*service, vars, markOf(vars)}, nil
}

// own makes sure that a service that exists may be worked on.
func (f *renderFound) own(call contract.DeploymentCall) error {
	ref := call.Deployment.Ref
	switch {
	case f.mark.ID == ref.ID():
		return nil
	case call.Known != nil && call.Known.IDs[renderService] == f.service.ID:
		return nil // its variables were replaced behind orch's back, and state knows it
	case f.mark.ID != "":
		failure := contract.Fail(contract.NotOwned, "service %s (%s) belongs to %s", ref.Service, f.service.ID, f.mark.ID)
		failure.Attribute, failure.Hint = "service_name", "choose another service_name, or destroy the other deployment first"
		return failure
	case call.Adopt:
		return nil
	}
	return contract.Fail(contract.NotOwned, "service %s (%s) exists already in the workspace, and orch has not made it", ref.Service, f.service.ID).On("service_name").Next("choose another service_name, or set adopt_existing = true to take the service over: its variables are replaced then")
}

// Prepare implements Platform.
func (p renderPlatform) Prepare(ctx context.Context, call contract.DeploymentCall, progress engine.Progress) (contract.DeploymentPrepared, error) {
	var none contract.DeploymentPrepared
	c, err := p.client()
	if err != nil {
		return none, err
	}
	progress("looking for service %s", call.Deployment.Ref.Service)
	owner, err := p.owner(ctx, c, call)
	if err != nil {
		return none, err
	}
	prepared := contract.DeploymentPrepared{Deployed: contract.Deployed{IDs: map[string]string{renderOwner: owner}}}
	if r := call.Deployment.Render.Repository; r != nil && r.Source != "" {
		if err := p.prepareRepository(ctx, call, *r, &prepared); err != nil {
			return none, err
		}
	}
	found, err := p.find(ctx, c, call, owner)
	if err != nil {
		return none, err
	}
	if found != nil {
		if err := p.prepareFound(ctx, c, call, found, &prepared); err != nil {
			return none, err
		}
	}
	return prepared, validBlueprint(ctx, c, call, owner)
}

// validBlueprint has Render look at the render.yaml, which tells more than the call that creates the service.
func validBlueprint(ctx context.Context, c *render.Client, call contract.DeploymentCall, owner string) error {
	problems, err := c.ValidateBlueprint(ctx, owner, []byte(call.Deployment.Config))
	if err != nil || len(problems) == 0 {
		return err
	}
	texts := make([]string, len(problems))
	for i, problem := range problems {
		texts[i] = problem.String()
	}
	return contract.Fail(contract.InvalidInput, "Render finds the generated render.yaml not valid: %s", strings.Join(texts, "; ")).Next("see the attribute config of the plan for the file")
}

// prepareFound decides what a service that exists means for the call, and what there is to go back to.
func (p renderPlatform) prepareFound(ctx context.Context, c *render.Client, call contract.DeploymentCall, found *renderFound, prepared *contract.DeploymentPrepared) error {
	if err := found.own(call); err != nil {
		return err
	}
	if found.service.ServiceDetails.Region != call.Deployment.Render.Region {
		failure := contract.Fail(contract.Conflict, "service %s is in the region %s, and Render cannot move it to %s",
			call.Deployment.Ref.Service, found.service.ServiceDetails.Region, call.Deployment.Render.Region)
		failure.Attribute, failure.Hint = "region", "destroy the deployment and create it anew, or keep the region"
		return failure
	}
	prepared.Found = true
	prepared.Deployed.IDs[renderService] = found.service.ID
	deploys, err := c.Deploys(ctx, found.service.ID)
	if err != nil {
		return err
	}
	live := slices.IndexFunc(deploys, func(d render.Deploy) bool { return d.Phase() == render.Live })
	same := found.mark.Release == call.Deployment.Release && found.mark.ID == call.Deployment.Ref.ID()
	if call.Operation == contract.OpCreate {
		switch {
		case found.mark.ID == call.Deployment.Ref.ID() && !same && !call.Adopt:
			return contract.Fail(contract.Conflict, "%s is deployed already, from another input", call.Deployment.Ref.ID()).On("service_name").Next("manage it with: terraform import ADDRESS %s; or set adopt_existing = true", call.Deployment.Ref.Service)
		case same && live >= 0 && found.mark.carries(deploys, live):
			prepared.Adopted = &contract.Adoption{RunID: found.mark.Run, Created: found.mark.Created}
		case same:
			prepared.Continues = true
		}
	}
	if live >= 0 && !prepared.Continues {
		prepared.LastGood, err = json.Marshal(renderNote(found, deploys[live]))
	}
	return err
}

// Create implements Platform. Render cannot create a service from an empty repository, so the code is there first.
func (p renderPlatform) Create(ctx context.Context, call contract.DeploymentCall, progress engine.Progress) (contract.Deployed, error) {
	deployed := call.Deployed
	c, err := p.client()
	if err != nil {
		return deployed, err
	}
	owner := deployed.IDs[renderOwner]
	found, err := p.find(ctx, c, call, owner)
	if err != nil {
		return deployed, err
	}
	if found == nil {
		if r := call.Deployment.Render.Repository; r != nil && r.Source != "" {
			if deployed, err = p.push(ctx, call, *r, progress); err != nil {
				return deployed, err
			}
		}
		progress("creating service %s", call.Deployment.Ref.Service)
		if found, err = p.create(ctx, c, call, owner); err != nil {
			return deployed, err
		}
	}
	if err := found.own(call); err != nil {
		return deployed, err
	}
	deployed.IDs = with(deployed.IDs, renderService, found.service.ID)
	return deployed, nil
}

// create makes the service, which also starts its first deploy: with all variables, so that no second one is needed. Whatever
// the answer was, what is there then decides: an answer may be lost, and how Render answers a name that is taken is not
// documented.
func (p renderPlatform) create(ctx context.Context, c *render.Client, call contract.DeploymentCall, owner string) (*renderFound, error) {
	mark, err := newMark(call, "")
	if err != nil {
		return nil, err
	}
	vars, err := renderVariables(call, call.AppSecrets, mark)
	if err != nil {
		return nil, err
	}
	in := renderChange(call, owner)
	in.Type, in.Name, in.OwnerID, in.EnvVars = render.TypeWebService, call.Deployment.Ref.Service, owner, vars
	in.ServiceDetails.Region, in.ServiceDetails.NumInstances = call.Deployment.Render.Region, call.Deployment.Render.Instances
	service, _, created := c.CreateService(ctx, in)
	if created == nil {
		return &renderFound{service, vars, markOf(vars)}, nil
	}
	if !cloud.IsAmbiguous(created) && !cloud.IsStatus(created, http.StatusBadRequest, http.StatusConflict) {
		return nil, renderRefused(created)
	}
	limit := renderSettle
	if !cloud.IsAmbiguous(created) {
		limit = 0 // refused: what took the name is there already
	}
	var found *renderFound
	_, err = poll(ctx, limit, func() (bool, error) {
		var err error
		found, err = p.find(ctx, c, call, owner)
		return found != nil, err
	})
	if err == nil && found == nil {
		err = renderRefused(created)
	}
	return found, err
}

// renderRefused says what to do about the refusals that have a known reason.
func renderRefused(err error) error {
	failure := asStepFailure(err)
	if failure == nil {
		return err
	}
	switch {
	case cloud.IsStatus(err, http.StatusPaymentRequired):
		failure.Attribute = "plan"
		failure.Hint = "add a way to pay to the workspace in Render's dashboard; the plan free cannot be created through the API"
	case cloud.IsStatus(err, http.StatusTooManyRequests) && strings.Contains(failure.Cause, " /services: "):
		failure.Hint = "Render allows 20 creations of services an hour; apply again later, what exists is kept"
	case strings.Contains(failure.Cause, "unfetchable"):
		failure.Attribute = "repository"
		failure.Hint = "Render can fetch public repositories, and private ones only where its GitHub App is installed: https://dashboard.render.com/settings, GitHub"
	}
	return failure
}
