package main

import (
	"context"
	"os"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud/github"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// sweepGitHub lists the repositories that orch has created: others may begin with the prefix too.
func sweepGitHub(ctx context.Context, token, prefix string) ([]leftover, error) {
	c := github.New(os.Getenv("ORCH_GITHUB_API_URL"), "", token, nil)
	repositories, err := c.Repositories(ctx)
	if err != nil {
		return nil, err
	}
	var found []leftover
	for _, r := range repositories {
		_, name, _ := strings.Cut(r.FullName, "/")
		if strings.HasPrefix(name, prefix) && strings.HasPrefix(r.Description, contract.RepositoryNote) {
			found = append(found, leftover{name, func(ctx context.Context) error { return c.DeleteRepository(ctx, r.FullName) }})
		}
	}
	return found, nil
}
