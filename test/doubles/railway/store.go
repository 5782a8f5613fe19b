package railway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// failure is what Railway answers with HTTP 200 and an errors array.
type failure struct{ message string }

func (e *failure) Error() string { return e.message }

func fail(format string, args ...any) error { return &failure{fmt.Sprintf(format, args...)} }

// Messages that clients go by, since the code says nothing.
const (
	notAuthorized    = "Not Authorized"
	noProject        = "Project not found"
	noInstance       = "ServiceInstance not found"
	noService        = "Service not found"
	noDeployment     = "Deployment not found"
	noEnvironment    = "Environment not found"
	noDomain         = "Failed to create service domain"
	noProjectToken   = "Project Token not found"
	tooQuick         = "You are creating projects too quickly. Please try again later."
	cannotRollBack   = "Cannot roll back to this deployment"
	cannotCancel     = "Cannot cancel this deployment"
	replicasLimit    = "Replica limit exceeded for this plan"
	maxReplicas      = 50
	maxHealthTimeout = 3600
)

// optional tells an absent field from one that is null.
type optional[T any] struct {
	set   bool
	value *T
}

// UnmarshalJSON is only called for a field that is there.
func (o *optional[T]) UnmarshalJSON(data []byte) error {
	o.set = true
	if bytes.Equal(data, []byte("null")) {
		return nil
	}
	return json.Unmarshal(data, &o.value)
}

// to is what a stored value becomes.
func (o optional[T]) to(stored *T) *T {
	if o.set {
		return o.value
	}
	return stored
}

type project struct {
	id, name, description, workspaceID string
	deletedAt                          *time.Time
	environments                       []*environment
	services                           []*service
}

type environment struct{ id, name string }

type service struct {
	id, name  string
	instances map[string]*instance // by environment
}

type instance struct {
	// visibleAt is when Railway begins to find the instance after its service was made.
	visibleAt   time.Time
	settings    settings
	branch      string
	variables   map[string]string
	deployments []*deployment // oldest first
	domains     []domain
}

type settings struct {
	image, repo                          string
	startCommand, region, healthcheckURL *string
	numReplicas, healthcheckTimeout      *int
	restartPolicyType                    string
	restartPolicyMaxRetries              int
}

type domain struct {
	id, name   string
	targetPort *int
}

// state is everything that the double keeps.
type state struct {
	cfg      Config
	now      func() time.Time
	count    int
	projects []*project
	// touched are what a step of a mutation left to do after a moment, none of which survives the process.
	caller caller
}

// caller is whom the token of the request in hand belongs to.
type caller struct {
	account bool
	project ProjectToken
}

// id is a new identifier of the form that Railway's have.
func (s *state) id() string {
	s.count++
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", s.count, s.count)
}

func (s *state) project(id string) (*project, error) {
	for _, p := range s.projects {
		if p.id == id && (p.deletedAt == nil || s.now().Before(p.deletedAt.Add(s.cfg.DeletionTime))) && s.sees(p) {
			return p, nil
		}
	}
	return nil, fail(noProject)
}

func (s *state) sees(p *project) bool { return s.caller.account || s.caller.project.ProjectID == p.id }

// live is a project that nobody has begun to delete.
func (s *state) live(id string) (*project, error) {
	p, err := s.project(id)
	if err == nil && p.deletedAt != nil {
		return nil, fail(noProject)
	}
	return p, err
}

func (p *project) environment(id string) (*environment, error) {
	for _, e := range p.environments {
		if e.id == id {
			return e, nil
		}
	}
	return nil, fail(noEnvironment)
}

// service finds a service of any project.
func (s *state) service(id string) (*project, *service, error) {
	for _, p := range s.projects {
		for _, svc := range p.services {
			if svc.id == id && p.deletedAt == nil && s.sees(p) {
				return p, svc, nil
			}
		}
	}
	return nil, nil, fail(noService)
}

func (s *state) instance(serviceID, environmentID string) (*instance, error) {
	_, svc, err := s.service(serviceID)
	if err != nil {
		return nil, fail(noInstance)
	}
	i := svc.instances[environmentID]
	if i == nil || s.now().Before(i.visibleAt) {
		return nil, fail(noInstance)
	}
	i.advance(s.now())
	return i, nil
}

func (s *state) createProject(in projectCreateArgs) (any, error) {
	if !s.caller.account {
		return nil, fail(notAuthorized)
	}
	workspace := in.Input.WorkspaceID
	if workspace == "" {
		workspace = s.cfg.Workspaces[0].ID
	}
	if !slices.ContainsFunc(s.cfg.Workspaces, func(w Workspace) bool { return w.ID == workspace }) {
		return nil, fail(notAuthorized)
	}
	if s.cfg.MaxProjects > 0 && len(s.projects) >= s.cfg.MaxProjects {
		return nil, fail(tooQuick)
	}
	name, first := in.Input.Name, in.Input.DefaultEnvironmentName
	if name == "" {
		name = "unnamed"
	}
	if first == "" {
		first = "production"
	}
	p := &project{id: s.id(), name: name, description: in.Input.Description, workspaceID: workspace}
	p.environments = []*environment{{id: s.id(), name: first}}
	s.projects = append(s.projects, p)
	return p.object(), nil
}

func (s *state) deleteProject(in byID) (any, error) {
	if !s.caller.account {
		return nil, fail(notAuthorized)
	}
	p, err := s.live(in.ID)
	if err != nil {
		return nil, err
	}
	at := s.now()
	p.deletedAt = &at
	return true, nil
}

func (s *state) createEnvironment(in environmentCreateArgs) (any, error) {
	p, err := s.live(in.Input.ProjectID)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(p.environments, func(e *environment) bool { return e.name == in.Input.Name }) {
		return nil, fail("An environment named %q already exists in this project", in.Input.Name)
	}
	e := &environment{id: s.id(), name: in.Input.Name}
	p.environments = append(p.environments, e)
	return e.object(), nil
}

func (s *state) createService(in serviceCreateArgs) (any, error) {
	p, err := s.live(in.Input.ProjectID)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(p.services, func(svc *service) bool { return svc.name == in.Input.Name }) {
		return nil, fail("A service named %q already exists in this project", in.Input.Name)
	}
	if in.Input.EnvironmentID != "" {
		if _, err := p.environment(in.Input.EnvironmentID); err != nil {
			return nil, err
		}
	}
	svc := &service{id: s.id(), name: in.Input.Name, instances: map[string]*instance{}}
	p.services = append(p.services, svc)
	for _, e := range p.environments {
		i := &instance{visibleAt: s.now().Add(s.cfg.Lag), variables: maps.Clone(in.Input.Variables)}
		i.settings.restartPolicyType, i.settings.restartPolicyMaxRetries = "ON_FAILURE", 10
		if i.variables == nil {
			i.variables = map[string]string{}
		}
		svc.instances[e.id] = i
		if src := in.Input.Source; src != nil {
			i.settings.image, i.settings.repo, i.branch = src.Image, src.Repo, in.Input.Branch
			s.deploy(i, nil)
		}
	}
	return svc.object(p), nil
}

func (s *state) deleteService(in byID) (any, error) {
	p, svc, err := s.service(in.ID)
	if err != nil {
		return nil, err
	}
	p.services = slices.DeleteFunc(p.services, func(one *service) bool { return one == svc })
	return true, nil
}

func (s *state) connect(in serviceConnectArgs) (any, error) {
	p, svc, err := s.service(in.ID)
	if err != nil {
		return nil, err
	}
	if in.Input.Repo != "" && !slices.Contains(s.cfg.Repos, in.Input.Repo) {
		return nil, fail("Repository %s not found. Please check that the Railway GitHub App has access to it.", in.Input.Repo)
	}
	for _, i := range svc.instances {
		i.advance(s.now())
		i.settings.image, i.settings.repo, i.branch = in.Input.Image, in.Input.Repo, in.Input.Branch
		s.deploy(i, nil)
	}
	return svc.object(p), nil
}

func (s *state) updateInstance(in serviceInstanceUpdateArgs) (any, error) {
	i, err := s.instance(in.ServiceID, in.EnvironmentID)
	if err != nil {
		return nil, err
	}
	to := i.settings
	if src := in.Input.Source; src != nil {
		to.image, to.repo = src.Image, src.Repo
	}
	to.startCommand = in.Input.StartCommand.to(to.startCommand)
	to.region = in.Input.Region.to(to.region)
	to.healthcheckURL = in.Input.HealthcheckPath.to(to.healthcheckURL)
	to.healthcheckTimeout = in.Input.HealthcheckTimeout.to(to.healthcheckTimeout)
	to.numReplicas = in.Input.NumReplicas.to(to.numReplicas)
	if in.Input.RestartPolicyType != "" {
		to.restartPolicyType = in.Input.RestartPolicyType
	}
	if in.Input.RestartPolicyMaxRetries != nil {
		to.restartPolicyMaxRetries = *in.Input.RestartPolicyMaxRetries
	}
	switch {
	case to.numReplicas != nil && *to.numReplicas > maxReplicas:
		return nil, fail(replicasLimit)
	case to.healthcheckTimeout != nil && *to.healthcheckTimeout > maxHealthTimeout:
		return nil, fail("Invalid healthcheckTimeout")
	case to.region != nil && !slices.Contains(Regions, *to.region):
		return nil, fail("Invalid region %q", *to.region)
	case to.healthcheckURL != nil && !strings.HasPrefix(*to.healthcheckURL, "/"):
		return nil, fail("Invalid healthcheckPath")
	}
	i.settings = to
	return true, nil
}

func (s *state) readVariables(in variablesArgs) (any, error) {
	i, err := s.instance(in.ServiceID, in.EnvironmentID)
	if err != nil {
		return nil, err
	}
	out := map[string]string{"RAILWAY_SERVICE_ID": in.ServiceID, "RAILWAY_ENVIRONMENT_ID": in.EnvironmentID, "RAILWAY_PROJECT_ID": in.ProjectID}
	maps.Copy(out, i.variables)
	return out, nil
}

func (s *state) upsertVariables(in variableUpsertArgs) (any, error) {
	i, err := s.instance(in.Input.ServiceID, in.Input.EnvironmentID)
	if err != nil {
		return nil, err
	}
	next := map[string]string{}
	if !in.Input.Replace {
		maps.Copy(next, i.variables)
	}
	for name, value := range in.Input.Variables {
		if strings.HasPrefix(name, "RAILWAY_") {
			return nil, fail("Variable %s is provided by Railway", name)
		}
		next[name] = value
	}
	i.variables = next
	if !in.Input.SkipDeploys {
		s.deploy(i, nil)
	}
	return true, nil
}

func (s *state) createDomain(in domainCreateArgs) (any, error) {
	p, svc, err := s.service(in.Input.ServiceID)
	if err != nil {
		return nil, err
	}
	i, err := s.instance(in.Input.ServiceID, in.Input.EnvironmentID)
	if err != nil {
		return nil, fail(noDomain)
	}
	e, err := p.environment(in.Input.EnvironmentID)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%s-%s-%x.up.railway.app", svc.name, e.name, s.count)
	d := domain{id: s.id(), name: name, targetPort: in.Input.TargetPort}
	i.domains = append(i.domains, d)
	return d.object(), nil
}

func (s *state) updateDomain(in domainUpdateArgs) (any, error) {
	i, err := s.instance(in.Input.ServiceID, in.Input.EnvironmentID)
	if err != nil {
		return nil, err
	}
	for n, d := range i.domains {
		if d.id == in.Input.ServiceDomainID {
			if d.name != in.Input.Domain {
				return nil, fail("the double does not rename domains")
			}
			i.domains[n].targetPort = in.Input.TargetPort
			return true, nil
		}
	}
	return nil, fail("Service domain not found")
}
