package main

import (
	"context"
	"os"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud/render"
)

// sweepRender lists services of all workspaces that the token sees.
func sweepRender(ctx context.Context, token, prefix string) ([]leftover, error) {
	c := render.New(os.Getenv("ORCH_RENDER_API_URL"), token, nil)
	services, err := c.Services(ctx)
	if err != nil {
		return nil, err
	}
	var found []leftover
	for _, service := range services {
		if strings.HasPrefix(service.Name, prefix) {
			found = append(found, leftover{service.Name, func(ctx context.Context) error { return c.DeleteService(ctx, service.ID) }})
		}
	}
	return found, nil
}
