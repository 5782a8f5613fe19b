package main

import (
	"log/slog"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/github"
)

func TestSweepGitHubRemovesOnlyWhatOrchHasCreated(t *testing.T) {
	double, err := github.New(github.Config{Token: "a-token", Login: "octo", Dir: t.TempDir()}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	server := httptest.NewServer(double)
	defer server.Close()
	t.Setenv("GITHUB_TOKEN", "a-token")
	t.Setenv("ORCH_GITHUB_API_URL", server.URL)
	require.NoError(t, double.AddRepository("octo", "orch-acc-1", contract.RepositoryNote+"orch/orch/render/orch-acc-1", false))
	require.NoError(t, double.AddRepository("octo", "orch-acc-notes", "by hand", false))
	require.NoError(t, double.AddRepository("octo", "shop", contract.RepositoryNote+"orch/orch/render/shop", false))
	require.NoError(t, sweep(t.Context(), "orch-acc-", false))
	require.Len(t, double.Repositories(), 3, "without -yes nothing is removed")
	require.NoError(t, sweep(t.Context(), "orch-acc-", true))
	require.ElementsMatch(t, []string{"octo/orch-acc-notes", "octo/shop"}, double.Repositories())
	require.Empty(t, double.Unknown())
}
