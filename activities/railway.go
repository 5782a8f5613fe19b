package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud/railway"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// Keys of Deployed.IDs on Railway. A workspace is there with a token that can see one; a project token has none.
const (
	railwayWorkspace   = "workspace"
	railwayProject     = "project"
	railwayEnvironment = "environment"
	railwayService     = "service"
	railwayDomain      = "domain"
)

// railwayPlatform is Platform on Railway. What it makes is found again by two marks: the description of a project that orch made, and a
// record among the service's variables.
type railwayPlatform struct{ api API }

func newRailway(api API) Platform { return railwayPlatform{api} }

// railwaySite is what one call finds on Railway. IDs of what is not there are empty.
type railwaySite struct {
	client *railway.Client
	call   contract.DeploymentCall
	// workspaces are those to look in; there is none with a project token.
	workspaces []railway.Workspace
	at         railway.Instance
	// project is the project's name, and own tells that orch made it.
	project string
	own     bool
	// foreign are projects of the wanted name that orch has not made.
	foreign []railway.Project
	// variables and record are the service's, nil and zero when there is no service.
	variables map[string]string
	record    railwayRecord
}

// railwayMark stands in the description of a project that orch made, on a line of its own.
func railwayMark(ref contract.Ref) string { return "Made by orch: " + ref.ID() }

func marked(p railway.Project, ref contract.Ref) bool {
	return slices.Contains(strings.Split(p.Description, "\n"), railwayMark(ref))
}

// open makes the client. Which kind a token is cannot be seen: an account's and a workspace's token see workspaces, a
// project's token does not, and has a header of its own. Later steps of a setup know from Prepare.
func (p railwayPlatform) open(ctx context.Context, call contract.DeploymentCall) (*railwaySite, error) {
	endpoint, err := p.api("railway")
	if err != nil {
		return nil, err
	}
	connect := func(projectToken bool) *railway.Client {
		return railway.New(endpoint.BaseURL, endpoint.Token, projectToken, endpoint.Governor)
	}
	s := &railwaySite{call: call}
	if ids := call.Deployed.IDs; len(ids) > 0 {
		s.client = connect(ids[railwayWorkspace] == "")
		if id := ids[railwayWorkspace]; id != "" {
			s.workspaces = []railway.Workspace{{ID: id}}
		} else {
			s.at.ProjectID, s.at.EnvironmentID = ids[railwayProject], ids[railwayEnvironment]
		}
		return s, nil
	}
	s.client = connect(false)
	all, err := s.client.Workspaces(ctx)
	if railwayClass(err) == contract.Denied {
		client := connect(true)
		at, projectErr := client.TokenProject(ctx)
		if projectErr == nil {
			s.client, s.at = client, at
			return s, nil
		}
		if railwayClass(projectErr) != contract.Denied {
			err = projectErr // what the token is good for is not known
		}
	}
	if err != nil {
		return nil, railwayTokenRefused(err)
	}
	s.workspaces, err = chosenWorkspaces(all, call)
	return s, err
}

// railwayTokenRefused says of a refused token where it comes from.
func railwayTokenRefused(err error) error {
	if railwayClass(err) != contract.Denied {
		return err
	}
	return contract.Fail(contract.Denied, "Railway does not accept the token: %v", err).On("token").Next("make one in the account's, the workspace's or the project's settings on Railway, and set RAILWAY_API_TOKEN where the worker runs, or refer to it with the attribute token")
}

// chosenWorkspaces are those that the deployment may be in: the one that the input names, or the only one. An import names
// none and looks in all of them.
func chosenWorkspaces(all []railway.Workspace, call contract.DeploymentCall) ([]railway.Workspace, error) {
	var names []string
	want := ""
	if call.Deployment.Railway != nil {
		want = call.Deployment.Railway.Workspace
	} else if call.Known != nil {
		want = call.Known.IDs[railwayWorkspace]
	}
	for _, w := range all {
		if w.ID == want || w.Name == want {
			return []railway.Workspace{w}, nil
		}
		names = append(names, fmt.Sprintf("%q", w.Name))
	}
	var failure *contract.StepFailure
	switch {
	case want != "":
		failure = contract.Fail(contract.NotFound, "the token sees no workspace %q, but %s", want, strings.Join(names, ", "))
	case len(all) == 0:
		failure = contract.Fail(contract.Denied, "the token sees no workspace")
	case len(all) > 1 && call.Deployment.Railway != nil:
		failure = contract.Fail(contract.InvalidInput, "the token sees several workspaces: %s", strings.Join(names, ", "))
		failure.Hint = "set workspace to the name or the ID of one"
	default:
		return all, nil
	}
	failure.Attribute = "workspace"
	return nil, failure
}

// find looks for project, environment and service, and reads the service's variables. What is not there leaves its ID empty.
func (s *railwaySite) find(ctx context.Context) error {
	if len(s.workspaces) > 0 {
		if err := s.findProject(ctx); err != nil {
			return err
		}
	}
	if s.at.ProjectID == "" {
		return nil
	}
	if err := s.findEnvironment(ctx); err != nil || s.at.EnvironmentID == "" {
		return err
	}
	if err := s.findService(ctx); err != nil || s.at.ServiceID == "" {
		return err
	}
	return s.read(ctx)
}

// findProject goes by the ID in state, then by the mark, then by the name. Only a list is proof that a project is gone: asked
// for one that it does not have, Railway answers that access is denied.
func (s *railwaySite) findProject(ctx context.Context) error {
	ref, name, known := s.call.Deployment.Ref, s.call.Deployment.Ref.Service, ""
	if s.call.Deployment.Railway != nil {
		name = s.call.Deployment.Railway.Project
	}
	if s.call.Known != nil {
		known = s.call.Known.IDs[railwayProject]
	}
	var own []railway.Project
	s.foreign = nil
	for _, w := range s.workspaces {
		projects, err := s.client.Projects(ctx, w.ID)
		if err != nil {
			return err
		}
		for _, p := range projects {
			if p.ID == known {
				s.take(w, p)
				return nil
			}
			if marked(p, ref) {
				own = append(own, p)
				s.take(w, p)
			} else if p.Name == name || s.call.Deployment.Railway == nil && known == "" {
				// Without an input the name of the project is not known: an import looks into all of them.
				s.foreign = append(s.foreign, p)
			}
		}
	}
	if len(own) > 1 {
		return severalProjects(fmt.Sprintf("%d projects on Railway say that they were made for %s", len(own), ref.ID()), own)
	}
	return nil
}

func (s *railwaySite) take(w railway.Workspace, p railway.Project) {
	s.workspaces = []railway.Workspace{w}
	s.at.ProjectID, s.project, s.own = p.ID, p.Name, marked(p, s.call.Deployment.Ref)
}

func severalProjects(cause string, projects []railway.Project) *contract.StepFailure {
	var ids []string
	for _, p := range projects {
		ids = append(ids, p.Name+" ("+p.ID+")")
	}
	failure := contract.Fail(contract.Conflict, "%s: %s", cause, strings.Join(ids, ", "))
	failure.Attribute, failure.Hint = "project", "delete or rename all but one of them on Railway"
	return failure
}

// defaultEnvironment is the one that Railway makes with a project.
const defaultEnvironment = "production"

// findEnvironment goes by the name, or without one by the ID in state. A project token has one environment.
func (s *railwaySite) findEnvironment(ctx context.Context) error {
	want, known := s.environment(), ""
	if s.call.Known != nil {
		known = s.call.Known.IDs[railwayEnvironment]
	}
	if s.at.EnvironmentID != "" && want == "" {
		return nil
	}
	all, err := s.client.Environments(ctx, s.at.ProjectID)
	if err != nil {
		return err
	}
	for _, e := range all {
		if s.at.EnvironmentID == e.ID && want != e.Name {
			return contract.Fail(contract.InvalidInput, "the project token is for the environment %q", e.Name).On("environment")
		}
		if e.Name == want || want == "" && (e.ID == known || known == "" && s.at.EnvironmentID == "") {
			s.at.EnvironmentID = e.ID
			return nil
		}
	}
	return nil
}

// environment is the wanted environment's name, empty when any will do: the project token's, or for an import.
func (s *railwaySite) environment() string {
	switch spec := s.call.Deployment.Railway; {
	case spec == nil:
		return ""
	case spec.Environment == "" && len(s.workspaces) > 0:
		return defaultEnvironment
	default:
		return spec.Environment
	}
}

// findService goes by the ID in state, then by the name: a service that somebody has renamed is the same service.
func (s *railwaySite) findService(ctx context.Context) error {
	services, err := s.client.Services(ctx, s.at.ProjectID)
	if err != nil {
		return err
	}
	for _, service := range services {
		if known := s.call.Known; known != nil && known.IDs[railwayService] == service.ID {
			s.at.ServiceID = service.ID
			return nil
		}
		if service.Name == s.call.Deployment.Ref.Service {
			s.at.ServiceID = service.ID
		}
	}
	return nil
}

// read reads the service's variables and the record among them.
func (s *railwaySite) read(ctx context.Context) error {
	return settled(ctx, func() error {
		var err error
		s.variables, err = s.client.Variables(ctx, s.at)
		s.record = recordIn(s.variables)
		return err
	})
}

// ids are what the site consists of, as it is kept in state.
func (s *railwaySite) ids() map[string]string {
	ids := map[string]string{}
	if len(s.workspaces) == 1 {
		ids[railwayWorkspace] = s.workspaces[0].ID
	}
	for key, id := range map[string]string{
		railwayProject: s.at.ProjectID, railwayEnvironment: s.at.EnvironmentID, railwayService: s.at.ServiceID,
	} {
		if id != "" {
			ids[key] = id
		}
	}
	return ids
}

// railwayClass is what an error of the client means.
func railwayClass(err error) contract.ErrorClass {
	var failed *cloud.Error
	if errors.As(err, &failed) {
		return failed.Failure().Class
	}
	return classOf(err)
}

// settleTime is how long what was just made may not be found yet.
const settleTime = 30 * time.Second

// lookTime is how long is looked for what a call may have made.
const lookTime = 10 * time.Second

// settled calls work again while what it asks for is not found: Railway shows new projects and services after a moment.
func settled(ctx context.Context, work func() error) error { return settledIn(ctx, settleTime, work) }

func settledIn(ctx context.Context, limit time.Duration, work func() error) error {
	deadline := time.Now().Add(limit)
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := work()
		if railwayClass(err) != contract.NotFound || time.Now().Add(pause).After(deadline) {
			return err
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}
