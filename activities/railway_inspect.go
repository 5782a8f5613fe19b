package activities

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud/railway"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
)

// locate finds what belongs to the deployment, and leaves out what does not: a project of the same name counts only when the
// record of the service in it says so, or the state.
func (s *railwaySite) locate(ctx context.Context) error {
	if err := s.find(ctx); err != nil {
		return err
	}
	known := s.call.Known != nil && s.at.ServiceID != "" && s.call.Known.IDs[railwayService] == s.at.ServiceID
	if s.own || known || s.record.ID == s.call.Deployment.Ref.ID() {
		return nil
	}
	s.at.ServiceID = ""
	for _, p := range s.foreign {
		if err := s.search(ctx, p); err != nil || s.at.ServiceID != "" {
			return err
		}
	}
	return nil
}

// search looks in all environments of somebody else's project for the service.
func (s *railwaySite) search(ctx context.Context, p railway.Project) error {
	s.at, s.project = railway.Instance{ProjectID: p.ID}, p.Name
	if err := s.findService(ctx); err != nil || s.at.ServiceID == "" {
		return err
	}
	environments, err := s.client.Environments(ctx, p.ID)
	if err != nil {
		return err
	}
	service := s.at.ServiceID
	for _, e := range environments {
		s.at.EnvironmentID = e.ID
		variables, err := s.client.Variables(ctx, s.at)
		if railwayClass(err) == contract.NotFound {
			continue
		}
		if err != nil {
			return err
		}
		if record := recordIn(variables); record.ID == s.call.Deployment.Ref.ID() {
			s.variables, s.record, s.at.ServiceID = variables, record, service
			return nil
		}
	}
	s.at.ServiceID = ""
	return nil
}

// Inspect implements Platform.
func (p railwayPlatform) Inspect(ctx context.Context, call contract.DeploymentCall, _ engine.Progress) (contract.Observed, error) {
	var observed contract.Observed
	s, err := p.open(ctx, call)
	if err != nil {
		return observed, err
	}
	if err := s.locate(ctx); err != nil {
		return observed, err
	}
	if s.at.ServiceID == "" {
		if s.own {
			observed.Found, observed.Deployed = true, &contract.Deployed{IDs: s.ids()}
			observed.Drift = []contract.Finding{{About: "service", What: "was removed on Railway"}}
		}
		return observed, nil
	}
	observed.Found, observed.Input = true, s.record.Input
	observed.Deployed = &contract.Deployed{IDs: s.ids(), Release: s.record.Live.Release, Secrets: s.record.digests(s.variables)}
	settings, err := s.client.Configured(ctx, s.at)
	if err != nil {
		return observed, err
	}
	if settings.Source != nil {
		observed.Deployed.Image = settings.Source.Image
	}
	deployments, err := s.client.Deployments(ctx, s.at)
	if err != nil {
		return observed, err
	}
	if running := newestRunning(deployments); running != nil {
		observed.Deployed.PlatformRelease = running.ID
	}
	observed.Deployed.Settling = len(deployments) > 0 && !deployments[0].Status.Running() && !deployments[0].Status.Ended()
	domains, err := s.client.Domains(ctx, s.at)
	if err != nil {
		return observed, err
	}
	observed.Deployed.URL = call.Deployment.PublicURL
	if len(domains.Service) > 0 {
		observed.Deployed.IDs[railwayDomain] = domains.Service[0].ID
		if observed.Deployed.URL == "" {
			observed.Deployed.URL = "https://" + domains.Service[0].Domain
		}
	}
	if call.Deployment.Release != "" {
		observed.Drift = slices.Concat(s.settingsDrift(settings), s.variablesDrift(), s.deploymentsDrift(deployments), s.domainsDrift(domains))
	}
	return observed, nil
}

func (s *railwaySite) settingsDrift(got railway.Configured) []contract.Finding {
	var findings []contract.Finding
	want := s.call.Deployment.Railway
	differs := func(about string, is, should any) {
		if is != should {
			findings = append(findings, contract.Finding{About: about, What: fmt.Sprintf("is %s on Railway, and should be %s", shown(is), shown(should))})
		}
	}
	source := orZero(got.Source)
	if want.Repository != "" {
		differs("repository", source.Repo, want.Repository)
		differs("branch", got.Branch, want.Branch)
	} else {
		differs("image", source.Image, orZero(want.Settings.Source).Image)
	}
	differs("start_command", orZero(got.StartCommand), orZero(want.Settings.StartCommand))
	differs("health.path", orZero(got.HealthcheckPath), orZero(want.Settings.HealthcheckPath))
	differs("health.timeout_seconds", orZero(got.HealthcheckTimeout), orZero(want.Settings.HealthcheckTimeout))
	differs("restart.policy", got.RestartPolicyType, want.Settings.RestartPolicyType)
	differs("restart.max_retries", orZero(got.RestartPolicyMaxRetries), orZero(want.Settings.RestartPolicyMaxRetries))
	if want.Settings.Region != nil {
		differs("region", orZero(got.Region), *want.Settings.Region)
	}
	if got.NumReplicas != nil {
		differs("replicas", *got.NumReplicas, orZero(want.Settings.NumReplicas))
	}
	return findings
}

func shown(value any) string {
	if value == "" {
		return "not set"
	}
	return fmt.Sprintf("%v", value)
}

func orZero[T any](v *T) T {
	if v == nil {
		var zero T
		return zero
	}
	return *v
}

// variablesDrift compares the variables that orch has set. The values of secrets are only compared by digest, and not shown.
func (s *railwaySite) variablesDrift() []contract.Finding {
	var findings []contract.Finding
	add := func(about, what string) { findings = append(findings, contract.Finding{About: about, What: what}) }
	for _, name := range slices.Sorted(maps.Keys(s.call.Deployment.Env)) {
		switch value, set := s.variables[name]; {
		case !set:
			add("env", name+" was removed on Railway")
		case value != s.call.Deployment.Env[name]:
			add("env", name+" was changed on Railway")
		}
	}
	if s.call.Known == nil {
		return findings
	}
	digests := s.record.digests(s.variables)
	for _, name := range slices.Sorted(maps.Keys(s.call.Known.Secrets)) {
		switch digest, set := digests[name]; {
		case !set:
			add("secrets", name+" was removed on Railway")
		case digest != s.call.Known.Secrets[name]:
			add("secrets", name+" was changed on Railway")
		}
	}
	return findings
}

// deploymentsDrift tells when something else runs than what orch has deployed. A repository's pushes deploy by themselves.
func (s *railwaySite) deploymentsDrift(deployments []railway.Deployment) []contract.Finding {
	running, known := newestRunning(deployments), s.record.Live.Deployment
	switch {
	case running == nil && len(deployments) == 0:
		return []contract.Finding{{About: "deployment", What: "nothing is deployed"}}
	case running == nil && deployments[0].Stopped:
		return []contract.Finding{{About: "deployment", What: deployments[0].ID + " was stopped on Railway"}}
	case running == nil && deployments[0].Status.Ended():
		return []contract.Finding{{About: "deployment", What: fmt.Sprintf("%s is %s, and nothing runs", deployments[0].ID, deployments[0].Status)}}
	case running != nil && running.ID != known && s.call.Deployment.Railway.Repository == "":
		return []contract.Finding{{About: "deployment", What: fmt.Sprintf("%s runs, which was deployed elsewhere at %s", running.ID, running.CreatedAt.UTC().Format("2006-01-02 15:04:05"))}}
	default:
		return nil
	}
}

func (s *railwaySite) domainsDrift(domains railway.Domains) []contract.Finding {
	if len(domains.Service) == 0 {
		return []contract.Finding{{About: "domain", What: "was removed on Railway"}}
	}
	if is, should := orZero(domains.Service[0].TargetPort), s.call.Deployment.Railway.Port; should != 0 && is != should {
		return []contract.Finding{{About: "domain", What: fmt.Sprintf("leads to port %d on Railway, and should lead to %d", is, should)}}
	}
	return nil
}
