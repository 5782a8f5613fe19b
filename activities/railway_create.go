package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud/railway"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
)

// railwayGood is a release to go back to. It stands in the history, so it holds no variable: Railway keeps those.
type railwayGood struct {
	Deployment string             `json:"deployment"`
	Release    string             `json:"release"` // of the record; empty where orch had not deployed before
	Settings   railway.Configured `json:"settings"`
	// Port is where the domain led; nil where Railway found that out.
	Port *int64 `json:"port,omitempty"`
}

// Prepare implements Platform.
func (p railwayPlatform) Prepare(ctx context.Context, call contract.DeploymentCall, progress engine.Progress) (contract.DeploymentPrepared, error) {
	var prepared contract.DeploymentPrepared
	progress("looking at what is on Railway")
	s, err := p.open(ctx, call)
	if err != nil {
		return prepared, err
	}
	if err := s.find(ctx); err != nil {
		return prepared, err
	}
	if err := s.claim(); err != nil {
		return prepared, err
	}
	prepared.Found = s.own || s.at.ServiceID != ""
	prepared.Deployed = contract.Deployed{IDs: s.ids()}
	if s.at.ServiceID == "" {
		prepared.Continues = s.own
		return prepared, nil
	}
	return prepared, s.before(ctx, &prepared)
}

// claim refuses what is somebody else's, unless it is to be adopted.
func (s *railwaySite) claim() error {
	d := s.call.Deployment
	if s.at.ProjectID == "" && len(s.foreign) > 0 {
		switch {
		case !s.call.Adopt:
			failure := contract.Fail(contract.NotOwned, "Railway has a project %q already (%s), which orch did not make for %s", s.foreign[0].Name, s.foreign[0].ID, d.Ref.ID())
			failure.Attribute, failure.Hint = "project", "choose another project, or set adopt_existing = true to deploy into it"
			return failure
		case len(s.foreign) > 1:
			return severalProjects(fmt.Sprintf("Railway has %d projects %q, so which one to adopt is not clear", len(s.foreign), d.Railway.Project), s.foreign)
		}
		s.at.ProjectID, s.project = s.foreign[0].ID, s.foreign[0].Name
	}
	return nil
}

// before notes what a service is and what it runs, before anything is changed.
func (s *railwaySite) before(ctx context.Context, prepared *contract.DeploymentPrepared) error {
	d, ours := s.call.Deployment, s.own || s.record.ID == s.call.Deployment.Ref.ID()
	if !ours && s.call.Known != nil {
		ours = s.call.Known.IDs[railwayService] == s.at.ServiceID
	}
	if !ours && !s.call.Adopt {
		failure := contract.Fail(contract.NotOwned, "the project %q on Railway has a service %q already, which orch did not make for %s", s.project, d.Ref.Service, d.Ref.ID())
		failure.Attribute, failure.Hint = "service_name", "choose another service_name, or set adopt_existing = true to take the service over"
		return failure
	}
	deployments, err := s.client.Deployments(ctx, s.at)
	if err != nil {
		return err
	}
	prepared.Continues = ours && s.call.Operation == contract.OpCreate && s.record.Live.Deployment == ""
	if len(deployments) == 0 {
		return nil
	}
	newest := deployments[0]
	prepared.Deployed.PlatformRelease = newest.ID
	running := newestRunning(deployments)
	if s.call.Operation == contract.OpCreate && s.record.Live.Deployment != "" {
		if s.record.Release != d.Release && !s.call.Adopt {
			return otherRelease(d.Ref, s.record)
		}
		if s.live(running) {
			prepared.Adopted = &contract.Adoption{RunID: s.record.Live.RunID, Created: s.record.Live.Created}
		}
	}
	if running == nil {
		return nil
	}
	settings, err := s.client.Configured(ctx, s.at)
	if err != nil {
		return err
	}
	domains, err := s.client.Domains(ctx, s.at)
	if err != nil {
		return err
	}
	good := railwayGood{Deployment: running.ID, Settings: settings, Release: s.record.Release}
	if len(domains.Service) > 0 {
		good.Port = domains.Service[0].TargetPort
	}
	prepared.LastGood, err = json.Marshal(good)
	return err
}

func otherRelease(r contract.Ref, record railwayRecord) *contract.StepFailure {
	failure := contract.Fail(contract.Conflict, "%q exists already with other input: it was deployed by run %s at %s",
		r.Service, record.Live.RunID, record.Live.Created.Format("2006-01-02T15:04:05Z07:00"))
	failure.Attribute = "service_name"
	failure.Hint = fmt.Sprintf("take it over with `terraform import <resource address> %s`, or choose another service_name or scope", r.Service)
	return failure
}

// newestRunning is the newest deployment that is up, or nil.
func newestRunning(deployments []railway.Deployment) *railway.Deployment {
	for i, d := range deployments {
		if d.Status.Running() && !d.Stopped {
			return &deployments[i]
		}
	}
	return nil
}

// Create implements Platform. The service is made without a source, so that nothing is deployed before everything is set.
func (p railwayPlatform) Create(ctx context.Context, call contract.DeploymentCall, progress engine.Progress) (contract.Deployed, error) {
	s, err := p.enter(ctx, call)
	if err != nil {
		return call.Deployed, err
	}
	for _, step := range []struct {
		what string
		id   *string
		make func(context.Context) error
	}{
		{"project", &s.at.ProjectID, s.createProject},
		{"environment", &s.at.EnvironmentID, s.createEnvironment},
		{"service", &s.at.ServiceID, s.createService},
	} {
		if *step.id != "" {
			continue
		}
		progress("creating the %s", step.what)
		if err := step.make(ctx); err != nil {
			return call.Deployed, err
		}
	}
	deployed := call.Deployed
	deployed.IDs = s.ids()
	return deployed, nil
}

// createProject makes the project unless an earlier attempt has. Railway takes duplicates, so it is looked for before, and
// again when what became of the attempt is not known.
func (s *railwaySite) createProject(ctx context.Context) error {
	spec, ref := s.call.Deployment.Railway, s.call.Deployment.Ref
	if err := s.findProject(ctx); err != nil || s.at.ProjectID != "" {
		return err
	}
	project, err := s.client.CreateProject(ctx, railway.ProjectCreate{
		Name: spec.Project, Description: railwayMark(ref), WorkspaceID: s.workspaces[0].ID, DefaultEnvironmentName: s.environment(),
	})
	if err == nil {
		s.take(s.workspaces[0], project)
		return nil
	}
	return s.made(ctx, err, func() (bool, error) {
		err := s.findProject(ctx)
		return s.at.ProjectID != "", err
	})
}

// made looks for what a call was to make and may have made, for a while: what is new is not listed at once. The call's own error
// comes back when it is not there.
func (s *railwaySite) made(ctx context.Context, cause error, look func() (bool, error)) error {
	if !cloud.IsAmbiguous(cause) && railwayClass(cause) != contract.Conflict {
		return cause
	}
	err := settledIn(ctx, lookTime, func() error {
		found, err := look()
		if err == nil && !found {
			return contract.Fail(contract.NotFound, "not there yet")
		}
		return err
	})
	if railwayClass(err) == contract.NotFound {
		return cause
	}
	return err
}

// createEnvironment makes sure of the environment. In a project that is not orch's own it must be there: nobody could tell later
// whose it is.
func (s *railwaySite) createEnvironment(ctx context.Context) error {
	if len(s.workspaces) > 0 && s.project == "" {
		if err := settled(ctx, func() error { return s.findProject(ctx) }); err != nil {
			return err
		}
	}
	look := func() (bool, error) {
		err := s.findEnvironment(ctx)
		return s.at.EnvironmentID != "", err
	}
	var found bool
	err := settled(ctx, func() error {
		var err error
		found, err = look()
		return err
	})
	if err != nil || found {
		return err
	}
	if !s.own {
		failure := contract.Fail(contract.NotFound, "the project %q has no environment %q", s.project, s.environment())
		failure.Attribute, failure.Hint = "environment", "create the environment on Railway: orch makes environments in projects of its own only"
		return failure
	}
	environment, err := s.client.CreateEnvironment(ctx, s.at.ProjectID, s.environment())
	if err != nil {
		return s.made(ctx, err, look)
	}
	s.at.EnvironmentID = environment.ID
	return nil
}

// createService makes the service unless it is there. Its record comes with it: a service in a project that is not orch's own is
// never without a sign of whose it is.
func (s *railwaySite) createService(ctx context.Context) error {
	ref := s.call.Deployment.Ref
	err := settled(ctx, func() error { return s.findService(ctx) })
	if err != nil || s.at.ServiceID != "" {
		return err
	}
	record, err := railwayRecord{ID: ref.ID()}.variable()
	if err != nil {
		return err
	}
	return settled(ctx, func() error {
		service, err := s.client.CreateService(ctx, s.at.ProjectID, s.at.EnvironmentID, ref.Service, record)
		if err == nil {
			s.at.ServiceID = service.ID
			return nil
		}
		return s.made(ctx, err, func() (bool, error) {
			err := s.findService(ctx)
			return s.at.ServiceID != "", err
		})
	})
}

// Configure implements Platform: variables in one call, the settings, and the domain, whose name the application is told.
func (p railwayPlatform) Configure(ctx context.Context, call contract.DeploymentCall, secrets map[string]string, progress engine.Progress) (contract.Deployed, error) {
	s, err := p.enter(ctx, call)
	if err != nil {
		return call.Deployed, err
	}
	progress("setting variables and settings of %s", call.Deployment.Ref.Service)
	if err := s.read(ctx); err != nil {
		return call.Deployed, err
	}
	variables, err := s.set(ctx, secrets)
	if err != nil {
		return call.Deployed, err
	}
	domain, err := s.domain(ctx)
	if err != nil {
		return call.Deployed, err
	}
	deployed := call.Deployed
	deployed.IDs = maps.Clone(call.Deployed.IDs)
	deployed.IDs[railwayDomain] = domain.ID
	deployed.Secrets = s.record.digests(variables)
	return deployed, nil
}

// set brings variables and settings to what they should be, and returns the variables. Railway deploys nothing for it. Before
// anything is changed the record says that what runs is not what is set: a run that is killed in between leaves no doubt.
func (s *railwaySite) set(ctx context.Context, secrets map[string]string) (map[string]string, error) {
	d, was := s.call.Deployment, s.record
	var settings railway.Configured
	err := settled(ctx, func() error {
		var err error
		settings, err = s.client.Configured(ctx, s.at)
		return err
	})
	if err != nil {
		return nil, err
	}
	otherwise := len(s.settingsDrift(settings)) > 0
	var variables map[string]string
	s.record, variables = was.next(d, secrets, s.variables)
	switch {
	case otherwise || !maps.Equal(variables, settable(s.variables)):
		s.record.Live.Release = ""
	case was.Live.Release == was.Release && was.Release != "":
		s.record.Live.Release = d.Release // another input, and nothing that Railway would see of it
	}
	stored, err := s.record.variable()
	if err != nil {
		return nil, err
	}
	all := maps.Clone(variables)
	maps.Copy(all, stored)
	if stored[contract.RailwayRecord] != s.variables[contract.RailwayRecord] || s.record.Live.Release == "" {
		// Replaced is only where something has to go: it would take what Railway does not tell of, such as a sealed variable.
		if err := s.client.SetVariables(ctx, s.at, all, goes(settable(s.variables), variables)); err != nil {
			return nil, err
		}
	}
	if otherwise {
		err = s.client.Configure(ctx, s.at, d.Railway.Settings)
	}
	return variables, err
}

// goes reports that one of the variables that there are is not wanted.
func goes(are, wanted map[string]string) bool {
	for name := range are {
		if _, stays := wanted[name]; !stays {
			return true
		}
	}
	return false
}

// enter opens the client for a service that exists.
func (p railwayPlatform) enter(ctx context.Context, call contract.DeploymentCall) (*railwaySite, error) {
	s, err := p.open(ctx, call)
	if err != nil {
		return nil, err
	}
	ids := call.Deployed.IDs
	s.at = railway.Instance{ProjectID: ids[railwayProject], EnvironmentID: ids[railwayEnvironment], ServiceID: ids[railwayService]}
	return s, nil
}

// domain makes sure that the service has exactly one domain of Railway's: each call makes another one, so it is looked for before.
func (s *railwaySite) domain(ctx context.Context) (railway.Domain, error) {
	var domain railway.Domain
	look := func() (bool, error) {
		domains, err := s.client.Domains(ctx, s.at)
		if err == nil && len(domains.Service) > 0 {
			domain = domains.Service[0]
		}
		return domain.ID != "", err
	}
	if found, err := look(); err != nil || found {
		return domain, err
	}
	var port *int64
	if n := s.call.Deployment.Railway.Port; n != 0 {
		port = &n
	}
	var made railway.Domain
	err := settled(ctx, func() error {
		var err error
		made, err = s.client.CreateDomain(ctx, s.at, port)
		return err
	})
	if err != nil {
		return domain, s.made(ctx, err, look)
	}
	return made, nil
}
