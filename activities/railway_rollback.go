package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud/railway"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
)

// Rollback implements Platform.
func (p railwayPlatform) Rollback(ctx context.Context, call contract.DeploymentCall, progress engine.Progress) (contract.Undone, error) {
	var undone contract.Undone
	switch {
	case call.Before.Adopted != nil:
		return undone, nil
	case !call.Before.Found:
		// Looked for by its marks: the step that failed may have made something and not said so.
		call.Known, call.Deployed = nil, contract.Deployed{}
		removed, err := p.Remove(ctx, call, progress)
		return contract.Undone{Done: removed.Objects}, err
	case len(call.Before.LastGood) == 0:
		return undone, nil
	}
	var good railwayGood
	if err := json.Unmarshal(call.Before.LastGood, &good); err != nil {
		return undone, contract.Fail(contract.Internal, "read the last good release: %v", err)
	}
	call.Deployed = call.Before.Deployed
	s, err := p.enter(ctx, call)
	if err != nil {
		return undone, err
	}
	if err := s.read(ctx); err != nil {
		return undone, err
	}
	return s.back(ctx, good, progress)
}

// back brings the last good deployment up again. Railway restores its image and its variables, the record among them; the
// settings are orch's to restore.
func (s *railwaySite) back(ctx context.Context, good railwayGood, progress engine.Progress) (contract.Undone, error) {
	var undone contract.Undone
	if err := s.direct(ctx, good.Port); err != nil {
		return undone, err
	}
	newer, err := s.since(ctx, s.call.Before.Deployed.PlatformRelease)
	restored := s.record.Release == good.Release
	if err != nil || restored && len(newer) == 0 {
		return undone, err
	}
	progress("going back to deployment %s", good.Deployment)
	if err := s.client.Configure(ctx, s.at, good.Settings.RailwaySettings); err != nil {
		return undone, err
	}
	if source := good.Settings.Source; source != nil {
		if err := s.connect(ctx, source.Repo, good.Settings.Branch); err != nil {
			return undone, err
		}
	}
	// Variables that are restored already, and a deployment under way, are what an attempt before this one has begun; unless the
	// failed run was to repair this very release.
	after, repair := s.call.Before.Deployed.PlatformRelease, s.call.Deployment.Release == good.Release
	if !restored || repair || newer[0].Status.Ended() {
		if after, err = s.restore(ctx, good, restored, newer); err != nil {
			return undone, err
		}
	}
	if after != "" {
		up, err := s.await(ctx, after, progress)
		if err != nil {
			return undone, err
		}
		if err := s.restored(ctx, good, up.ID); err != nil {
			return undone, err
		}
	}
	undone.Done = []string{fmt.Sprintf("%s runs again what deployment %s was", s.call.Deployment.Ref.Service, good.Deployment)}
	return undone, nil
}

// restore has Railway roll back, and returns the deployment after which the new one comes; empty when the good one is still up
// and nothing else has changed. What is under way is cancelled first.
func (s *railwaySite) restore(ctx context.Context, good railwayGood, restored bool, newer []railway.Deployment) (string, error) {
	for _, d := range newer {
		if d.Status.Running() || d.Status.Ended() {
			continue
		}
		// One that has ended in between cannot be cancelled, and need not be.
		if err := s.client.Cancel(ctx, d.ID); err != nil && railwayClass(err) == contract.Unavailable {
			return "", err
		}
	}
	was, err := s.client.Deployment(ctx, good.Deployment)
	if err != nil || restored && was.Status.Running() && !was.Stopped {
		return "", err
	}
	if !was.CanRollback {
		return "", contract.Fail(contract.Conflict, "Railway cannot go back to deployment %s, which is %s: it may be too old for the plan", was.ID, was.Status)
	}
	all, err := s.client.Deployments(ctx, s.at)
	if err != nil || len(all) == 0 {
		return "", err
	}
	err = s.client.Rollback(ctx, good.Deployment)
	if err == nil {
		return all[0].ID, nil
	}
	return all[0].ID, s.made(ctx, err, func() (bool, error) {
		newer, err := s.since(ctx, all[0].ID)
		return len(newer) > 0, err
	})
}

// restored notes the deployment that the good release runs in now, next to the record that Railway has restored. A service that
// was adopted has none. Were the variables not restored, the record would say so and the next plan show it.
func (s *railwaySite) restored(ctx context.Context, good railwayGood, deployment string) error {
	if err := s.read(ctx); err != nil || s.record.ID == "" {
		return err
	}
	if s.record.Release != good.Release {
		return nil
	}
	return s.note(ctx, deployment)
}

// Remove implements Platform: the project with all that is in it when orch made it, else the service.
func (p railwayPlatform) Remove(ctx context.Context, call contract.DeploymentCall, progress engine.Progress) (contract.Removed, error) {
	var removed contract.Removed
	s, err := p.open(ctx, call)
	if err != nil {
		return removed, err
	}
	if err := s.locate(ctx); err != nil {
		return removed, err
	}
	switch {
	case s.own:
		progress("deleting the project %s", s.project)
		if err := s.deleteProject(ctx); err != nil {
			return removed, err
		}
		removed.Objects = []string{"project " + s.project}
	case s.at.ServiceID != "":
		progress("deleting the service %s", call.Deployment.Ref.Service)
		if err := s.deleteService(ctx); err != nil {
			return removed, err
		}
		removed.Objects = []string{"service " + call.Deployment.Ref.Service}
	}
	return removed, nil
}

// deleteProject deletes the project and waits until Railway no longer lists it. A project that holds services of others stays.
func (s *railwaySite) deleteProject(ctx context.Context) error {
	services, err := s.client.Services(ctx, s.at.ProjectID)
	if err != nil {
		return err
	}
	for _, service := range services {
		if service.Name != s.call.Deployment.Ref.Service && service.ID != s.at.ServiceID {
			return contract.Fail(contract.Conflict, "the project %q holds the service %q, which orch did not put there", s.project, service.Name).Next("delete the service on Railway or move it to another project; deleting the project would delete it too")
		}
	}
	return s.gone(ctx, s.client.DeleteProject(ctx, s.at.ProjectID), func() (bool, error) {
		projects, err := s.client.Projects(ctx, s.workspaces[0].ID)
		return !slices.ContainsFunc(projects, func(p railway.Project) bool { return p.ID == s.at.ProjectID }), err
	})
}

func (s *railwaySite) deleteService(ctx context.Context) error {
	return s.gone(ctx, s.client.DeleteService(ctx, s.at.ServiceID), func() (bool, error) {
		services, err := s.client.Services(ctx, s.at.ProjectID)
		return !slices.ContainsFunc(services, func(service railway.Service) bool { return service.ID == s.at.ServiceID }), err
	})
}

// gone waits until what was to be deleted is no longer there. What another attempt has deleted, Railway does not find, or says
// that access to it is denied, so a failure counts only when the thing is still there.
func (s *railwaySite) gone(ctx context.Context, cause error, look func() (bool, error)) error {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		done, err := look()
		switch {
		case err != nil:
			return err
		case done:
			return nil
		case cause != nil:
			return cause
		}
		if deadline, ok := ctx.Deadline(); ok && time.Now().Add(pause+lastWords).After(deadline) {
			return contract.Fail(contract.Unavailable, "Railway has not finished deleting %s in the time that a removal has", s.call.Deployment.Ref.ID())
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}
