package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud/flyio"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
)

const (
	// flyioSettle is how long what was just made or removed may take to be seen as such.
	flyioSettle = 30 * time.Second
	// flyioRemoval is how long Fly.io may take to delete an app that it has agreed to delete.
	flyioRemoval = 5 * time.Minute
	// flyioPoll is the first pause between two looks; pauses grow to flyioPollMost.
	flyioPoll, flyioPollMost = 250 * time.Millisecond, 2 * time.Second
)

// flyioPlatform deploys on Fly.io. An app is found by its name, which is unique among all apps of Fly.io; what belongs to
// it carries orch's metadata.
type flyioPlatform struct{ api API }

func newFlyio(api API) Platform { return flyioPlatform{api} }

func (p flyioPlatform) client() (*flyio.Client, error) {
	endpoint, err := p.api(contract.FlyioDeployment.Short)
	if err != nil {
		return nil, err
	}
	return flyio.New(endpoint.BaseURL, endpoint.Token, endpoint.Governor), nil
}

// poll asks until the answer is yes, the time is up or ctx ends.
func poll(ctx context.Context, limit time.Duration, ask func() (done bool, err error)) (bool, error) {
	deadline := time.Now().Add(limit)
	for pause := flyioPoll; ; pause = min(2*pause, flyioPollMost) {
		done, err := ask()
		if done || err != nil {
			return done, err
		}
		if time.Now().Add(pause).After(deadline) {
			return false, nil
		}
		if err := sleep(ctx, pause); err != nil {
			return false, err
		}
	}
}

// find is the app of that name. Fly.io answers a name that somebody else has in three ways; with a token that is good all of
// them mean that it is not this account's.
func (p flyioPlatform) find(ctx context.Context, c *flyio.Client, call contract.DeploymentCall) (app flyio.App, found bool, err error) {
	name := call.Deployment.Ref.Service
	app, err = c.App(ctx, name)
	switch {
	case cloud.IsStatus(err, http.StatusNotFound):
		return app, false, nil
	case cloud.IsStatus(err, http.StatusUnauthorized, http.StatusForbidden):
		return app, false, flyioTaken(name)
	case err != nil:
		return app, false, err
	}
	if spec := call.Deployment.Flyio; spec != nil && app.Organization.Slug != "" && app.Organization.Slug != spec.Org && spec.Org != flyio.PersonalOrg {
		return app, false, contract.Fail(contract.NotOwned, "app %s exists in the organization %s and not in %s", name, app.Organization.Slug, spec.Org).On("org")
	}
	if known := call.Known; known != nil && known.IDs["app"] != "" && app.ID != "" && known.IDs["app"] != app.ID {
		return app, false, contract.Fail(contract.NotOwned, "there is an app %s, but not the one that was deployed (its id is %s and was %s)", name, app.ID, known.IDs["app"]).Next("somebody has deleted the app and made another one of that name; delete it, or take this resource out of the state with terraform state rm")
	}
	return app, true, nil
}

func flyioTaken(name string) *contract.StepFailure {
	return contract.Fail(contract.NotOwned, "the name %s is taken on Fly.io by an app that this token has no access to; names are unique among all apps of Fly.io", name).On("app_name").Next("choose another app_name, or use a token of the organization that has the app")
}

// Prepare implements Platform.
func (p flyioPlatform) Prepare(ctx context.Context, call contract.DeploymentCall, progress engine.Progress) (contract.DeploymentPrepared, error) {
	c, err := p.client()
	if err != nil {
		return contract.DeploymentPrepared{}, err
	}
	progress("looking for app %s", call.Deployment.Ref.Service)
	if err := c.CheckToken(ctx); err != nil {
		return contract.DeploymentPrepared{}, flyioToken(err)
	}
	app, found, err := p.find(ctx, c, call)
	if err != nil || !found {
		return contract.DeploymentPrepared{}, err
	}
	machines, err := c.Machines(ctx, app.Name)
	if err != nil {
		return contract.DeploymentPrepared{}, err
	}
	prepared := contract.DeploymentPrepared{Found: true, Deployed: contract.Deployed{IDs: map[string]string{"app": app.ID}}}
	machines = alive(machines)
	prepared.Deployed.Instances = flyioInstances(call.Deployment, machines)
	prepared.Deployed.SecretsVersion = flyioSecretsVersion(machines)
	if call.Known != nil {
		prepared.Deployed.Secrets = maps.Clone(call.Known.Secrets)
	}
	if err := flyioOwned(call, app, machines, &prepared); err != nil {
		return contract.DeploymentPrepared{}, err
	}
	if len(machines) > 0 && !prepared.Continues {
		prepared.LastGood, err = json.Marshal(flyioVersions(machines))
	}
	return prepared, err
}

// flyioToken says of a refused token where it comes from.
func flyioToken(err error) error {
	if !cloud.IsStatus(err, http.StatusUnauthorized, http.StatusForbidden) {
		return err
	}
	return contract.Fail(contract.Denied, "Fly.io does not accept the token: %v", err).On("token").Next("make one with `fly tokens create org` and set FLY_API_TOKEN where the worker runs, or refer to it with the attribute token")
}

// flyioOwned decides whether an app that exists may be worked on: state knows its id, or one of its Machines is marked. An app
// without Machines and volumes holds nothing that could be lost: an interrupted create leaves one, and nothing in it could say
// whose it is.
func flyioOwned(call contract.DeploymentCall, app flyio.App, machines []flyio.Machine, prepared *contract.DeploymentPrepared) error {
	id, own, same := call.Deployment.Ref.ID(), 0, 0
	for _, m := range machines {
		metadata := flyioMetadata(m)
		switch owner := metadata[contract.FlyioMetadataID]; {
		case owner == id:
			own++
		case owner != "":
			failure := contract.Fail(contract.NotOwned, "app %s belongs to %s", app.Name, owner)
			failure.Attribute, failure.Hint = "app_name", "choose another app_name, or destroy the other deployment first"
			return failure
		}
		if metadata[contract.FlyioMetadataRelease] == call.Deployment.Release && metadata[contract.FlyioMetadataID] == id {
			same++
		}
	}
	switch {
	case flyioForeign(call, app, machines):
		if call.Adopt {
			return nil
		}
		failure := contract.Fail(contract.NotOwned, "app %s exists already, with %d machines and %d volumes that orch has not made", app.Name, len(machines), app.VolumeCount)
		failure.Attribute, failure.Hint = "app_name", "choose another app_name, or set adopt_existing = true to take the app over: its machines are replaced then"
		return failure
	case call.Operation != contract.OpCreate:
		return nil
	case own == len(machines) && same == own && own == call.Deployment.Flyio.Machines:
		prepared.Adopted = &contract.Adoption{RunID: flyioMetadata(machines[0])[contract.FlyioMetadataRun], Created: machines[0].CreatedAt}
	case same == own:
		prepared.Continues = true
	case !call.Adopt:
		failure := contract.Fail(contract.Conflict, "%s is deployed already, from another input", id)
		failure.Attribute, failure.Hint = "app_name", fmt.Sprintf("manage it with: terraform import ADDRESS %s; or set adopt_existing = true", call.Deployment.Ref.Service)
		return failure
	}
	return nil
}

// flyioForeign reports that an app holds something, and that nothing says that it is the call's: neither state, which may be of
// a create that was refused, nor a mark.
func flyioForeign(call contract.DeploymentCall, app flyio.App, machines []flyio.Machine) bool {
	if known := call.Known; known != nil && known.IDs["app"] != "" && known.IDs["app"] == app.ID {
		return false
	}
	return (len(machines) > 0 || app.VolumeCount > 0) && !slices.ContainsFunc(machines, func(m flyio.Machine) bool {
		return flyioMetadata(m)[contract.FlyioMetadataID] == call.Deployment.Ref.ID()
	})
}

// Create implements Platform.
func (p flyioPlatform) Create(ctx context.Context, call contract.DeploymentCall, progress engine.Progress) (contract.Deployed, error) {
	deployed, name := call.Deployed, call.Deployment.Ref.Service
	c, err := p.client()
	if err != nil {
		return deployed, err
	}
	if !call.Before.Found {
		call.Known = nil // the app that state knows is gone, and the one that comes has another id
	}
	app, found, err := p.find(ctx, c, call)
	if err != nil {
		return deployed, err
	}
	if !found {
		progress("creating app %s", name)
		created := c.CreateApp(ctx, name, call.Deployment.Flyio.Org)
		// Whatever the answer was, what is there now decides: an answer may be lost, and a name may be taken by somebody whose app
		// is not shown. A refusal is repeated by the next look; anything else is looked for until it shows.
		if created != nil && !cloud.IsAmbiguous(created) && !cloud.IsStatus(created, http.StatusUnprocessableEntity, http.StatusConflict) {
			return deployed, created
		}
		if app, err = p.appear(ctx, c, call, created); err != nil {
			return deployed, err
		}
	}
	deployed.IDs = with(deployed.IDs, "app", app.ID)
	return deployed, nil
}

// appear waits until an app can be seen after its creation, which ended with created. Shortly after it, a look may still be
// refused or find nothing.
func (p flyioPlatform) appear(ctx context.Context, c *flyio.Client, call contract.DeploymentCall, created error) (flyio.App, error) {
	name := call.Deployment.Ref.Service
	limit := flyioSettle
	if created != nil && !cloud.IsAmbiguous(created) {
		limit = flyioPollMost // a name that is taken: another's app does not appear later
	}
	var app flyio.App
	seen, err := poll(ctx, limit, func() (bool, error) {
		var err error
		app, err = c.App(ctx, name)
		if cloud.IsStatus(err, http.StatusNotFound, http.StatusUnauthorized, http.StatusForbidden) {
			return false, nil
		}
		return err == nil, err
	})
	switch {
	case err != nil:
		return app, err
	case seen:
		app, _, err = p.find(ctx, c, call)
		return app, err
	case created != nil && !cloud.IsAmbiguous(created):
		return app, flyioTaken(name)
	case created != nil:
		return app, created
	default:
		return app, contract.Fail(contract.Unavailable, "app %s was created and cannot be seen after %s", name, flyioSettle)
	}
}

// with is a copy of a map with one more entry.
func with(values map[string]string, name, value string) map[string]string {
	out := maps.Clone(values)
	if out == nil {
		out = map[string]string{}
	}
	out[name] = value
	return out
}

// Push implements Platform: Fly.io runs images.
func (p flyioPlatform) Push(_ context.Context, call contract.DeploymentCall, _ engine.Progress) (contract.Deployed, error) {
	return call.Deployed, nil
}

// Locate implements Platform. The API tells no URL: an app with a public service answers under its name.
func (p flyioPlatform) Locate(_ context.Context, call contract.DeploymentCall, _ engine.Progress) (contract.Deployed, error) {
	deployed := call.Deployed
	deployed.URL = call.Deployment.PublicURL
	if deployed.URL == "" {
		deployed.URL = "https://" + call.Deployment.Ref.Service + ".fly.dev"
	}
	return deployed, nil
}

// Remove implements Platform. Deleting the app deletes all that is in it.
func (p flyioPlatform) Remove(ctx context.Context, call contract.DeploymentCall, progress engine.Progress) (contract.Removed, error) {
	c, err := p.client()
	if err != nil {
		return contract.Removed{}, err
	}
	if err := c.CheckToken(ctx); err != nil {
		return contract.Removed{}, flyioToken(err)
	}
	call.Deployment.Flyio = nil // the organization of the input is not what decides here
	app, found, err := p.find(ctx, c, call)
	if err != nil || !found {
		return contract.Removed{}, err
	}
	if call.Known == nil || call.Known.IDs["app"] == "" {
		if err := flyioAllOwn(ctx, c, call, app); err != nil {
			return contract.Removed{}, err
		}
	}
	progress("deleting app %s", app.Name)
	if err := p.deleteApp(ctx, c, app.Name); err != nil {
		return contract.Removed{}, err
	}
	return contract.Removed{Objects: []string{"app " + app.Name}}, nil
}

// flyioAllOwn makes sure that an app holds nothing but what is the call's. No state says that the app is, so the app must.
func flyioAllOwn(ctx context.Context, c *flyio.Client, call contract.DeploymentCall, app flyio.App) error {
	machines, err := c.Machines(ctx, app.Name)
	if err != nil {
		return err
	}
	machines = alive(machines)
	for _, m := range machines {
		if flyioMetadata(m)[contract.FlyioMetadataID] != call.Deployment.Ref.ID() {
			return contract.Fail(contract.NotOwned, "app %s has machine %s, which orch has not made for %s", app.Name, m.ID, call.Deployment.Ref.ID())
		}
	}
	if len(machines) == 0 && app.VolumeCount > 0 {
		return contract.Fail(contract.NotOwned, "app %s has %d volumes and no machine, so nothing says that it belongs to %s", app.Name, app.VolumeCount, call.Deployment.Ref.ID())
	}
	return nil
}

// deleteApp deletes an app and waits until it is gone. A lost answer needs no look before the wait, which is one.
func (p flyioPlatform) deleteApp(ctx context.Context, c *flyio.Client, name string) error {
	err := c.DeleteApp(ctx, name)
	if err != nil && !cloud.IsStatus(err, http.StatusNotFound) && !cloud.IsAmbiguous(err) {
		return err
	}
	limit := flyioRemoval
	if err != nil {
		limit = flyioSettle // the next attempt asks again
	}
	gone, pollErr := poll(ctx, limit, func() (bool, error) {
		_, err := c.App(ctx, name)
		// The token was good when the deletion began: an app that is no longer allowed is no longer there.
		if cloud.IsStatus(err, http.StatusNotFound, http.StatusUnauthorized, http.StatusForbidden) {
			return true, nil
		}
		return false, err
	})
	switch {
	case pollErr != nil:
		return pollErr
	case !gone:
		return contract.Fail(contract.Unavailable, "app %s is still there %s after its deletion was asked for", name, limit)
	}
	return nil
}
