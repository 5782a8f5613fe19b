package railway

import "context"

// Deploy starts a deployment and returns its id. Nothing keeps a second one from starting, so ask Deployments before a retry.
func (c *Client) Deploy(ctx context.Context, at Instance) (string, error) {
	out, err := do[struct {
		ID string `json:"serviceInstanceDeployV2"`
	}](ctx, c, mutationServiceInstanceDeploy, map[string]any{"serviceId": at.ServiceID, "environmentId": at.EnvironmentID})
	return out.ID, err
}

// Deployment is one deployment.
func (c *Client) Deployment(ctx context.Context, id string) (Deployment, error) {
	out, err := do[struct {
		Deployment Deployment `json:"deployment"`
	}](ctx, c, queryDeployment, map[string]any{"id": id})
	return out.Deployment, err
}

// Deployments are an instance's newest deployments, newest first.
func (c *Client) Deployments(ctx context.Context, at Instance) ([]Deployment, error) {
	out, err := do[struct {
		Deployments connection[Deployment] `json:"deployments"`
	}](ctx, c, queryDeployments, map[string]any{"input": variablesOf(at), "first": pageSize})
	return out.Deployments.nodes(), err
}

// Rollback starts a deployment with the image and the variables of an earlier one. Railway does not say its id.
func (c *Client) Rollback(ctx context.Context, id string) error {
	return confirm(ctx, c, mutationDeploymentRollback, "deploymentRollback", map[string]any{"id": id})
}

// Cancel stops a deployment that is not up yet.
func (c *Client) Cancel(ctx context.Context, id string) error {
	return confirm(ctx, c, mutationDeploymentCancel, "deploymentCancel", map[string]any{"id": id})
}

// BuildLogs are the last lines of a deployment's build, oldest first.
func (c *Client) BuildLogs(ctx context.Context, id string, limit int) ([]LogLine, error) {
	out, err := do[struct {
		Lines []LogLine `json:"buildLogs"`
	}](ctx, c, queryBuildLogs, map[string]any{"deploymentId": id, "limit": limit})
	return out.Lines, err
}

// RunLogs are the last lines that a deployment's containers wrote, oldest first.
func (c *Client) RunLogs(ctx context.Context, id string, limit int) ([]LogLine, error) {
	out, err := do[struct {
		Lines []LogLine `json:"deploymentLogs"`
	}](ctx, c, queryDeploymentLogs, map[string]any{"deploymentId": id, "limit": limit})
	return out.Lines, err
}
