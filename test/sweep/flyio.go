package main

import (
	"context"
	"os"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud/flyio"
)

// sweepFlyio lists apps of the organization FLY_ORG, which is personal when it is not set.
func sweepFlyio(ctx context.Context, token, prefix string) ([]leftover, error) {
	org := os.Getenv("FLY_ORG")
	if org == "" {
		org = "personal"
	}
	c := flyio.New(os.Getenv("ORCH_FLYIO_API_URL"), token, nil)
	apps, err := c.Apps(ctx, org)
	if err != nil {
		return nil, err
	}
	var found []leftover
	for _, app := range apps {
		if strings.HasPrefix(app.Name, prefix) {
			found = append(found, leftover{app.Name, func(ctx context.Context) error { return c.DeleteApp(ctx, app.Name) }})
		}
	}
	return found, nil
}
