package activities

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud/railway"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
)

const (
	// firstGlance and longestGlance lie between two looks at a deployment. The free plan has 100 calls an hour.
	firstGlance, longestGlance = 500 * time.Millisecond, 5 * time.Second
	// held is how long a deployment may wait for somebody's approval.
	held = time.Minute
	// lastWords is the time to say why a deployment is late.
	lastWords = 10 * time.Second
	// logTail is how many lines of a log are shown.
	logTail = 20
)

// Push implements Platform. Railway fetches the code itself.
func (railwayPlatform) Push(_ context.Context, call contract.DeploymentCall, _ engine.Progress) (contract.Deployed, error) {
	return call.Deployed, nil
}

// Release implements Platform. Whatever was deployed since Prepare is this run's: an earlier attempt's, or what connecting a
// repository has started.
func (p railwayPlatform) Release(ctx context.Context, call contract.DeploymentCall, progress engine.Progress) (contract.Deployed, error) {
	s, err := p.enter(ctx, call)
	if err != nil {
		return call.Deployed, err
	}
	if err := s.read(ctx); err != nil {
		return call.Deployed, err
	}
	deployed := call.Deployed
	deployed.Release, deployed.Image = call.Deployment.Release, call.Deployment.Image
	all, err := s.client.Deployments(ctx, s.at)
	if err != nil {
		return call.Deployed, err
	}
	if s.live(newestRunning(all)) {
		deployed.PlatformRelease = s.record.Live.Deployment
		return deployed, nil
	}
	progress("deploying %s", call.Deployment.Ref.Service)
	newest, err := s.deploy(ctx)
	if err != nil {
		return call.Deployed, err
	}
	if !call.NoWait {
		if newest, err = s.await(ctx, call.Before.Deployed.PlatformRelease, progress); err != nil {
			return call.Deployed, err
		}
	}
	deployed.PlatformRelease = newest.ID
	return deployed, s.note(ctx, newest.ID)
}

// deploy starts a deployment unless one has been started.
func (s *railwaySite) deploy(ctx context.Context) (railway.Deployment, error) {
	var found railway.Deployment
	look := func() (bool, error) {
		newer, err := s.since(ctx, s.call.Before.Deployed.PlatformRelease)
		if err == nil && len(newer) > 0 {
			found = newer[0]
		}
		return found.ID != "", err
	}
	if ok, err := look(); err != nil || ok {
		return found, err
	}
	spec := s.call.Deployment.Railway
	if err := s.connect(ctx, spec.Repository, spec.Branch); err != nil {
		return found, err
	}
	if spec.Repository != "" {
		if ok, err := look(); err != nil || ok {
			return found, err
		}
	}
	id, err := s.client.Deploy(ctx, s.at)
	if err != nil {
		return found, s.made(ctx, err, look)
	}
	return railway.Deployment{ID: id}, nil
}

// connect makes the repository's branch the source, unless it is already.
func (s *railwaySite) connect(ctx context.Context, repository, branch string) error {
	if repository == "" {
		return nil
	}
	now, err := s.client.Configured(ctx, s.at)
	if err != nil {
		return err
	}
	if now.Source != nil && now.Source.Repo == repository && now.Branch == branch {
		return nil
	}
	err = s.client.Connect(ctx, s.at.ServiceID, repository, branch)
	if err != nil && railwayClass(err) == contract.InvalidInput {
		return contract.Fail(contract.InvalidInput, "%v", err).On("repository").Next("%s", "Railway's GitHub App must have access to "+repository+": see the account settings on Railway, under Integrations")
	}
	return err
}

// since are the deployments that are newer than that one, newest first; all of them without one.
func (s *railwaySite) since(ctx context.Context, deployment string) ([]railway.Deployment, error) {
	all, err := s.client.Deployments(ctx, s.at)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(all, func(d railway.Deployment) bool { return d.ID == deployment }); i >= 0 {
		all = all[:i]
	}
	return all, nil
}

// await waits until the newest deployment after that one is up. A newer one removes the one before, which is no failure.
func (s *railwaySite) await(ctx context.Context, after string, progress engine.Progress) (railway.Deployment, error) {
	var heldSince time.Time
	var d railway.Deployment
	for pause := firstGlance; ; pause = min(pause*3/2, longestGlance) {
		newer, err := s.since(ctx, after)
		if err != nil {
			return d, err
		}
		if len(newer) > 0 {
			d = newer[0]
			progress("deployment %s is %s", d.ID, d.Status)
		}
		switch {
		case d.Status.Running():
			return d, nil
		case d.Status.Ended():
			return d, s.ended(ctx, d)
		case !d.Status.Held():
			heldSince = time.Time{}
		case heldSince.IsZero():
			heldSince = time.Now()
		case time.Since(heldSince) > held:
			return d, contract.Fail(contract.Unhealthy, "deployment %s on Railway is %s and does not go on by itself", d.ID, d.Status).Next("look at the deployment on Railway: it waits for an approval, or for checks of the repository")
		}
		if deadline, ok := ctx.Deadline(); ok && time.Now().Add(pause+lastWords).After(deadline) {
			return d, s.late(ctx, d)
		}
		if err := sleep(ctx, pause); err != nil {
			return d, err
		}
	}
}

// late is the failure of a deployment that does not come up in the time that a step has.
func (s *railwaySite) late(ctx context.Context, d railway.Deployment) error {
	return contract.Fail(contract.Unhealthy, "deployment %s on Railway is still %s at the end of the time that a deployment has", d.ID, d.Status).Next("look at the deployment on Railway, and apply again when it has come up").With(&contract.Evidence{Container: "deployment " + d.ID, State: string(d.Status), Logs: s.tail(ctx, d.ID)})
}

// ended is the failure of a deployment, with the end of the log that tells why.
func (s *railwaySite) ended(ctx context.Context, d railway.Deployment) error {
	failure := contract.Fail(contract.Unhealthy, "deployment %s on Railway ended as %s", d.ID, d.Status)
	if d.Status == railway.StatusSkipped {
		failure.Cause += ": the commit changes nothing that the service watches, or says that it is to be skipped"
	}
	failure.Evidence = &contract.Evidence{Container: "deployment " + d.ID, State: string(d.Status), Logs: s.tail(ctx, d.ID)}
	return failure
}

// tail is the end of the application's log, or of the build's where the application has not written any. Secrets are masked.
// Logs that cannot be had do not hide the failure that they were to explain.
func (s *railwaySite) tail(ctx context.Context, id string) []string {
	lines, err := s.client.RunLogs(ctx, id, logTail)
	if err != nil || len(lines) == 0 {
		if lines, err = s.client.BuildLogs(ctx, id, logTail); err != nil {
			return []string{"(the log could not be read: " + err.Error() + ")"}
		}
	}
	hidden := []string{s.record.Salt}
	for _, name := range s.record.Secrets {
		hidden = append(hidden, s.variables[name])
	}
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = contract.Mask(line.Message, hidden...)
	}
	return out
}

// live reports that a deployment is what the call asks for: deployed by orch, with all that is set.
func (s *railwaySite) live(d *railway.Deployment) bool {
	release := s.call.Deployment.Release
	return d != nil && d.ID == s.record.Live.Deployment && s.record.Live.Release == release && s.record.Release == release
}

// note keeps which deployment is up.
func (s *railwaySite) note(ctx context.Context, deployment string) error {
	s.record.Live = railwayLive{Deployment: deployment, Release: s.record.Release, RunID: s.call.RunID, Created: time.Now().UTC().Truncate(time.Second)}
	variable, err := s.record.variable()
	if err != nil {
		return err
	}
	return s.client.SetVariables(ctx, s.at, variable, false)
}

// Locate implements Platform.
func (p railwayPlatform) Locate(ctx context.Context, call contract.DeploymentCall, _ engine.Progress) (contract.Deployed, error) {
	deployed := call.Deployed
	s, err := p.enter(ctx, call)
	if err != nil {
		return deployed, err
	}
	domain, err := s.domain(ctx)
	if err != nil {
		return deployed, err
	}
	// Not before the release that listens there is up.
	if port := call.Deployment.Railway.Port; port != 0 {
		if err := s.direct(ctx, &port); err != nil {
			return deployed, err
		}
	}
	deployed.IDs = maps.Clone(deployed.IDs)
	deployed.IDs[railwayDomain] = domain.ID
	if deployed.URL = call.Deployment.PublicURL; deployed.URL == "" {
		deployed.URL = "https://" + domain.Domain
	}
	return deployed, nil
}

// direct leads the domain to a port, unless it does already.
func (s *railwaySite) direct(ctx context.Context, port *int64) error {
	domains, err := s.client.Domains(ctx, s.at)
	if err != nil || len(domains.Service) == 0 || orZero(domains.Service[0].TargetPort) == orZero(port) {
		return err
	}
	return s.client.DirectDomain(ctx, s.at, domains.Service[0], port)
}

// Check implements Platform. Railway's own check has passed when a deployment is up; here it must still be up.
func (p railwayPlatform) Check(ctx context.Context, call contract.DeploymentCall, progress engine.Progress) (contract.Deployed, error) {
	s, err := p.enter(ctx, call)
	if err != nil {
		return call.Deployed, err
	}
	if err := s.read(ctx); err != nil {
		return call.Deployed, err
	}
	if call.Deployed.PlatformRelease != call.Before.Deployed.PlatformRelease {
		_, err = s.await(ctx, call.Before.Deployed.PlatformRelease, progress)
		return call.Deployed, err
	}
	// Nothing was deployed: what runs is what it was.
	d, err := s.client.Deployment(ctx, call.Deployed.PlatformRelease)
	if err == nil && (!d.Status.Running() || d.Stopped) {
		err = s.ended(ctx, d)
	}
	return call.Deployed, err
}

// Evidence implements witness.
func (p railwayPlatform) Evidence(ctx context.Context, call contract.DeploymentCall) *contract.Evidence {
	s, err := p.enter(ctx, call)
	if err == nil {
		err = s.read(ctx)
	}
	if err != nil {
		return nil
	}
	id := call.Deployed.PlatformRelease
	return &contract.Evidence{Container: "deployment " + id, State: string(railway.StatusSuccess), Logs: s.tail(ctx, id)}
}
