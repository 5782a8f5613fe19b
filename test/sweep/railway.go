package main

import (
	"context"
	"os"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud/railway"
)

// sweepRailway lists projects of all workspaces that the token sees.
func sweepRailway(ctx context.Context, token, prefix string) ([]leftover, error) {
	c := railway.New(os.Getenv("ORCH_RAILWAY_API_URL"), token, false, nil)
	workspaces, err := c.Workspaces(ctx)
	if err != nil {
		return nil, err
	}
	var found []leftover
	for _, w := range workspaces {
		projects, err := c.Projects(ctx, w.ID)
		if err != nil {
			return nil, err
		}
		for _, p := range projects {
			if strings.HasPrefix(p.Name, prefix) {
				found = append(found, leftover{p.Name, func(ctx context.Context) error { return c.DeleteProject(ctx, p.ID) }})
			}
		}
	}
	return found, nil
}
