package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud/render"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
)

// renderGood is the note of a service before an update. It stands in the history, so it holds no value of a secret.
type renderGood struct {
	Deploy  string         `json:"deploy"`
	Service render.Service `json:"service"`
	Mark    renderMark     `json:"mark"`
	// Env are the variables that are no secrets. A service that orch has not made does not tell which are.
	Env map[string]string `json:"env,omitempty"`
	// Known is set when the service was orch's.
	Known bool `json:"known"`
}

func renderNote(found *renderFound, live render.Deploy) renderGood {
	note := renderGood{Deploy: live.ID, Service: found.service, Mark: found.mark, Known: found.mark.ID != ""}
	note.Mark.Salt = "" // digests stand in the history too
	if note.Known {
		note.Env = applicationVariables(found.vars)
		for _, name := range found.mark.Secrets {
			delete(note.Env, name)
		}
	}
	return note
}

// Rollback implements Platform.
func (p renderPlatform) Rollback(ctx context.Context, call contract.DeploymentCall, progress engine.Progress) (contract.Undone, error) {
	c, err := p.client()
	if err != nil {
		return contract.Undone{}, err
	}
	owner := call.Before.Deployed.IDs[renderOwner]
	if !call.Before.Found {
		found, err := p.find(ctx, c, call, owner)
		if err != nil {
			return contract.Undone{}, err
		}
		removed, err := p.removeAll(ctx, c, call, found, call.Before.Deployed.IDs[renderRepository] == "", progress)
		return contract.Undone{Done: removed}, err
	}
	if len(call.Before.LastGood) == 0 {
		return contract.Undone{}, nil // what was there had never been live: nothing to go back to
	}
	var good renderGood
	if err := json.Unmarshal(call.Before.LastGood, &good); err != nil {
		return contract.Undone{}, contract.Fail(contract.Internal, "the note of the last good release cannot be read: %v", err)
	}
	found, err := p.find(ctx, c, call, owner)
	if err != nil || found == nil {
		return contract.Undone{}, err
	}
	return p.restore(ctx, c, found, good, progress)
}

// restore brings back the release, the settings and the variables. Render keeps what is live while a deploy fails, so there is
// often nothing to be deployed again.
func (p renderPlatform) restore(ctx context.Context, c *render.Client, found *renderFound, good renderGood, progress engine.Progress) (contract.Undone, error) {
	id := found.service.ID
	var undone contract.Undone
	live, err := p.restoreRelease(ctx, c, found, good, progress)
	if err != nil {
		return undone, err
	}
	if live != good.Deploy {
		undone.Done = append(undone.Done, fmt.Sprintf("went back to deploy %s, as %s", good.Deploy, live))
	} else {
		undone.Done = append(undone.Done, fmt.Sprintf("deploy %s is live as before", live))
	}
	if err := restoreSettings(ctx, c, found.service, good.Service); err != nil {
		return undone, err
	}
	if !good.Known {
		return undone, nil
	}
	note, err := restoreVariables(ctx, c, found, good, live)
	if err == nil && note != "" {
		undone.Done = append(undone.Done, note)
	}
	progress("restored %s", id)
	return undone, err
}

// restoreRelease makes sure that what was live is live, and returns under which deploy.
func (p renderPlatform) restoreRelease(ctx context.Context, c *render.Client, found *renderFound, good renderGood, progress engine.Progress) (string, error) {
	id := found.service.ID
	deploys, err := c.Deploys(ctx, id)
	if err != nil {
		return "", err
	}
	for _, d := range deploys {
		if d.ID == good.Deploy {
			break
		}
		// An attempt before this one may have gone back already.
		if d.Trigger == "rollback" && d.Phase() != render.Failed {
			_, err := waitForDeploy(ctx, c, found, d, progress)
			return d.ID, err
		}
		if d.Phase() == render.Running {
			progress("cancelling deploy %s", d.ID)
			if err := c.CancelDeploy(ctx, id, d.ID); err != nil {
				return "", err
			}
		}
	}
	if slices.ContainsFunc(deploys, func(d render.Deploy) bool { return d.ID == good.Deploy && d.Phase() == render.Live }) {
		return good.Deploy, nil
	}
	progress("going back to deploy %s", good.Deploy)
	started, err := c.Rollback(ctx, id, good.Deploy)
	if err != nil && !cloud.IsAmbiguous(err) {
		return "", err
	}
	if started == nil {
		newest, err := newer(ctx, c, id, deploys[0].ID, err)
		if err != nil {
			return "", err
		}
		started = &newest
	}
	_, err = waitForDeploy(ctx, c, found, *started, progress)
	return started.ID, err
}

func restoreSettings(ctx context.Context, c *render.Client, is, was render.Service) error {
	d := was.ServiceDetails
	in := render.Change{
		Repo: was.Repo, Branch: was.Branch, AutoDeploy: was.AutoDeploy, RootDir: &was.RootDir,
		ServiceDetails: &render.ChangeDetails{Runtime: d.Runtime, Plan: d.Plan, HealthCheckPath: &d.HealthCheckPath, PreDeployCommand: &d.EnvSpecificDetails.PreDeployCommand},
	}
	if was.ImagePath != "" {
		in.Image, in.RootDir = &render.Image{OwnerID: was.OwnerID, ImagePath: was.ImagePath}, nil
	}
	s := d.EnvSpecificDetails
	in.ServiceDetails.EnvSpecificDetails = &render.ChangeSpecific{BuildCommand: &s.BuildCommand, StartCommand: &s.StartCommand}
	if d.Runtime == "docker" || d.Runtime == "image" {
		in.ServiceDetails.EnvSpecificDetails = &render.ChangeSpecific{DockerCommand: &s.DockerCommand}
		if s.DockerfilePath != "" {
			in.ServiceDetails.EnvSpecificDetails.DockerfilePath = &s.DockerfilePath
		}
	}
	if _, err := c.PatchService(ctx, is.ID, in); err != nil {
		return err
	}
	if is.ServiceDetails.NumInstances != d.NumInstances && d.NumInstances > 0 {
		return c.Scale(ctx, is.ID, d.NumInstances)
	}
	return nil
}

// restoreVariables brings the variables back that are no secrets. The values of secrets before the update are known to nobody:
// those that there are stay, and the next apply sets what should be.
func restoreVariables(ctx context.Context, c *render.Client, found *renderFound, good renderGood, live string) (string, error) {
	values := maps.Clone(good.Env)
	if values == nil {
		values = map[string]string{}
	}
	var missing []string
	current := applicationVariables(found.vars)
	for _, name := range good.Mark.Secrets {
		if value, ok := current[name]; ok {
			values[name] = value
		} else {
			missing = append(missing, name)
		}
	}
	mark := good.Mark
	mark.Salt = found.mark.Salt
	if live != good.Deploy {
		mark.Live = live
		mark.StandsFor = good.Deploy
		if good.Mark.Live == good.Deploy {
			mark.StandsFor = good.Mark.StandsFor
		}
	}
	text, err := json.Marshal(mark)
	if err != nil {
		return "", err
	}
	values[contract.RenderMark] = string(text)
	if err := c.PutEnvVars(ctx, found.service.ID, sortedVariables(values)); err != nil {
		return "", err
	}
	if len(missing) > 0 {
		return "these secrets were removed by the update and come back with the next apply: " + strings.Join(missing, ", "), nil
	}
	return "", nil
}

// removeAll removes the service if it is the call's, and the repository if orch has created it.
func (p renderPlatform) removeAll(ctx context.Context, c *render.Client, call contract.DeploymentCall, found *renderFound, repository bool, progress engine.Progress) ([]string, error) {
	var removed []string
	if found != nil {
		if err := found.own(call); err != nil {
			return nil, err
		}
		if err := removeService(ctx, c, found.service.ID, progress); err != nil {
			return nil, err
		}
		removed = append(removed, fmt.Sprintf("service %s (%s)", found.service.Name, found.service.ID))
	}
	r := createdRepository(call)
	if r == nil && found != nil {
		r = found.mark.Repository
	}
	if r == nil || !repository {
		return removed, nil
	}
	gone, err := p.removeRepository(ctx, call, *r, progress)
	if gone {
		removed = append(removed, "repository "+r.Name)
	}
	return removed, err
}

// createdRepository is the repository that orch creates for a deployment; nil when there is none.
func createdRepository(call contract.DeploymentCall) *contract.Repository {
	if spec := call.Deployment.Render; spec != nil && spec.Repository != nil && spec.Repository.Create {
		return spec.Repository
	}
	return nil
}

func removeService(ctx context.Context, c *render.Client, id string, progress engine.Progress) error {
	progress("deleting service %s", id)
	if err := c.DeleteService(ctx, id); err != nil && !cloud.IsAmbiguous(err) {
		return err
	}
	gone, err := poll(ctx, renderRemoval, func() (bool, error) {
		service, err := c.Service(ctx, id)
		if cloud.IsStatus(err, http.StatusNotFound, http.StatusGone) {
			return true, nil
		}
		return err == nil && service == nil, err
	})
	if err == nil && !gone {
		err = contract.Fail(contract.Unavailable, "Render has accepted the deletion of %s, and it is still there after %s", id, renderRemoval)
	}
	return err
}
