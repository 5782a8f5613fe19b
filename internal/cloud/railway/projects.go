package railway

import (
	"context"
	"maps"
)

// pageSize is how many rows of a list are asked for at a time.
const pageSize = 50

// Workspaces are those that an account or workspace token may see. A project token may not ask.
func (c *Client) Workspaces(ctx context.Context) ([]Workspace, error) {
	out, err := do[struct {
		APIToken struct {
			Workspaces []Workspace `json:"workspaces"`
		} `json:"apiToken"`
	}](ctx, c, queryWorkspaces, nil)
	return out.APIToken.Workspaces, err
}

// TokenProject is the project and environment that a project token is for; the instance names no service.
func (c *Client) TokenProject(ctx context.Context) (Instance, error) {
	out, err := do[struct {
		ProjectToken Instance `json:"projectToken"`
	}](ctx, c, queryTokenProject, nil)
	return out.ProjectToken, err
}

// Projects are all projects of a workspace that are not deleted.
func (c *Client) Projects(ctx context.Context, workspaceID string) ([]Project, error) {
	projects, err := pages(ctx, c, queryProjects, map[string]any{"workspaceId": workspaceID}, func(out struct {
		Projects connection[Project] `json:"projects"`
	}) connection[Project] {
		return out.Projects
	})
	return living(projects, func(p Project) bool { return p.DeletedAt == nil }), err
}

// CreateProject makes a project, also when there is one of that name already.
func (c *Client) CreateProject(ctx context.Context, input ProjectCreate) (Project, error) {
	out, err := do[struct {
		Project Project `json:"projectCreate"`
	}](ctx, c, mutationProjectCreate, map[string]any{"input": input})
	return out.Project, err
}

// DeleteProject begins to delete a project with all that is in it; it is gone when Projects no longer has it.
func (c *Client) DeleteProject(ctx context.Context, id string) error {
	return confirm(ctx, c, mutationProjectDelete, "projectDelete", map[string]any{"id": id})
}

// Environments are all environments of a project that are not deleted.
func (c *Client) Environments(ctx context.Context, projectID string) ([]Environment, error) {
	environments, err := pages(ctx, c, queryEnvironments, map[string]any{"projectId": projectID}, func(out struct {
		Environments connection[Environment] `json:"environments"`
	}) connection[Environment] {
		return out.Environments
	})
	return living(environments, func(e Environment) bool { return e.DeletedAt == nil }), err
}

// CreateEnvironment makes an environment with nothing in it.
func (c *Client) CreateEnvironment(ctx context.Context, projectID, name string) (Environment, error) {
	input := map[string]any{"projectId": projectID, "name": name, "skipInitialDeploys": true}
	out, err := do[struct {
		Environment Environment `json:"environmentCreate"`
	}](ctx, c, mutationEnvironmentCreate, map[string]any{"input": input})
	return out.Environment, err
}

// pages collects a list that comes in pages.
func pages[Out, T any](ctx context.Context, c *Client, query string, variables map[string]any, page func(Out) connection[T]) ([]T, error) {
	variables = maps.Clone(variables)
	variables["first"] = pageSize
	var all []T
	for {
		out, err := do[Out](ctx, c, query, variables)
		if err != nil {
			return nil, err
		}
		p := page(out)
		all = append(all, p.nodes()...)
		if !p.PageInfo.HasNextPage || p.PageInfo.EndCursor == "" {
			return all, nil
		}
		variables["after"] = p.PageInfo.EndCursor
	}
}

// living leaves out what is marked as deleted and still listed.
func living[T any](all []T, alive func(T) bool) []T {
	var out []T
	for _, one := range all {
		if alive(one) {
			out = append(out, one)
		}
	}
	return out
}
