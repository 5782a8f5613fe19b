package railway

import (
	"context"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// Services are all services of a project that are not deleted.
func (c *Client) Services(ctx context.Context, projectID string) ([]Service, error) {
	services, err := pages(ctx, c, queryServices, map[string]any{"projectId": projectID}, func(out struct {
		Project struct {
			Services connection[Service] `json:"services"`
		} `json:"project"`
	}) connection[Service] {
		return out.Project.Services
	})
	return living(services, func(s Service) bool { return s.DeletedAt == nil }), err
}

// CreateService makes a service without a source, which therefore deploys nothing yet. A name that is taken is a Conflict.
func (c *Client) CreateService(ctx context.Context, projectID, environmentID, name string, variables map[string]string) (Service, error) {
	input := map[string]any{"projectId": projectID, "environmentId": environmentID, "name": name, "variables": variables}
	out, err := do[struct {
		Service Service `json:"serviceCreate"`
	}](ctx, c, mutationServiceCreate, map[string]any{"input": input})
	return out.Service, err
}

// Connect makes a repository's branch a service's source. Railway deploys its newest commit, then and with every push.
func (c *Client) Connect(ctx context.Context, serviceID, repo, branch string) error {
	_, err := do[struct {
		Service struct {
			ID string `json:"id"`
		} `json:"serviceConnect"`
	}](ctx, c, mutationServiceConnect, map[string]any{"id": serviceID, "input": map[string]any{"repo": repo, "branch": branch}})
	return err
}

// DeleteService removes a service with all its instances.
func (c *Client) DeleteService(ctx context.Context, id string) error {
	return confirm(ctx, c, mutationServiceDelete, "serviceDelete", map[string]any{"id": id})
}

// Configured reads an instance. It is NotFound for a moment after the service was made.
func (c *Client) Configured(ctx context.Context, at Instance) (Configured, error) {
	type trigger struct {
		EnvironmentID string `json:"environmentId"`
		Repository    string `json:"repository"`
		Branch        string `json:"branch"`
	}
	out, err := do[struct {
		Instance struct {
			contract.RailwaySettings
			Service struct {
				RepoTriggers connection[trigger] `json:"repoTriggers"`
			} `json:"service"`
		} `json:"serviceInstance"`
	}](ctx, c, queryServiceInstance, map[string]any{"serviceId": at.ServiceID, "environmentId": at.EnvironmentID})
	configured := Configured{RailwaySettings: out.Instance.RailwaySettings}
	for _, t := range out.Instance.Service.RepoTriggers.nodes() {
		if t.EnvironmentID == at.EnvironmentID {
			configured.Branch = t.Branch
		}
	}
	return configured, err
}

// Configure changes an instance. Nothing is deployed by it.
func (c *Client) Configure(ctx context.Context, at Instance, settings contract.RailwaySettings) error {
	return confirm(ctx, c, mutationServiceInstanceUpdate, "serviceInstanceUpdate",
		map[string]any{"serviceId": at.ServiceID, "environmentId": at.EnvironmentID, "input": settings})
}

// Variables are an instance's as written: a reference to another variable is not resolved.
func (c *Client) Variables(ctx context.Context, at Instance) (map[string]string, error) {
	out, err := do[struct {
		Variables map[string]string `json:"variables"`
	}](ctx, c, queryVariables, variablesOf(at))
	return out.Variables, err
}

// SetVariables sets an instance's variables in one call and without a deployment. With replace those that are not given are
// removed.
func (c *Client) SetVariables(ctx context.Context, at Instance, variables map[string]string, replace bool) error {
	input := variablesOf(at)
	input["variables"], input["replace"], input["skipDeploys"] = variables, replace, true
	return confirm(ctx, c, mutationVariableCollectionUpsert, "variableCollectionUpsert", map[string]any{"input": input})
}

// Domains are the names that an instance answers under.
func (c *Client) Domains(ctx context.Context, at Instance) (Domains, error) {
	out, err := do[struct {
		Domains Domains `json:"domains"`
	}](ctx, c, queryDomains, variablesOf(at))
	return out.Domains, err
}

// CreateDomain gives an instance a name under up.railway.app, also when it has one already.
func (c *Client) CreateDomain(ctx context.Context, at Instance, targetPort *int64) (Domain, error) {
	input := map[string]any{"environmentId": at.EnvironmentID, "serviceId": at.ServiceID}
	if targetPort != nil {
		input["targetPort"] = *targetPort
	}
	out, err := do[struct {
		Domain Domain `json:"serviceDomainCreate"`
	}](ctx, c, mutationServiceDomainCreate, map[string]any{"input": input})
	return out.Domain, err
}

// DirectDomain leads one of Railway's domains to another port of the container; nil lets Railway find it out.
func (c *Client) DirectDomain(ctx context.Context, at Instance, domain Domain, targetPort *int64) error {
	return confirm(ctx, c, mutationServiceDomainUpdate, "serviceDomainUpdate", map[string]any{"input": map[string]any{
		"environmentId": at.EnvironmentID, "serviceId": at.ServiceID, "serviceDomainId": domain.ID, "domain": domain.Domain, "targetPort": targetPort,
	}})
}

func variablesOf(at Instance) map[string]any {
	return map[string]any{"projectId": at.ProjectID, "environmentId": at.EnvironmentID, "serviceId": at.ServiceID}
}
