package main

import (
	"log/slog"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	api "github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud/railway"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/railway"
)

func TestSweepOfRailway(t *testing.T) {
	double := railway.New(railway.Config{Token: "a-token"}, slog.New(slog.DiscardHandler))
	server := httptest.NewServer(double)
	defer server.Close()
	t.Setenv("FLY_API_TOKEN", "")
	t.Setenv("RAILWAY_API_TOKEN", "a-token")
	t.Setenv("ORCH_RAILWAY_API_URL", server.URL)
	c := api.New(server.URL, "a-token", false, nil)
	for _, name := range []string{"orch-acc-1", "shop"} {
		_, err := c.CreateProject(t.Context(), api.ProjectCreate{Name: name})
		require.NoError(t, err)
	}
	require.NoError(t, sweep(t.Context(), "orch-acc-", false))
	require.Len(t, double.Projects(), 2, "without -yes nothing is removed")
	require.NoError(t, sweep(t.Context(), "orch-acc-", true))
	projects := double.Projects()
	require.Len(t, projects, 1)
	require.Equal(t, "shop", projects[0].Name)
}
