package main

import (
	"log/slog"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/render"
)

func TestSweepRender(t *testing.T) {
	double := render.New(render.Config{Token: "a-token", Owners: []render.Owner{{ID: "tea-1", Name: "acme"}}}, slog.New(slog.DiscardHandler))
	server := httptest.NewServer(double)
	defer server.Close()
	t.Setenv("RENDER_API_KEY", "a-token")
	t.Setenv("ORCH_RENDER_API_URL", server.URL+"/v1")
	double.Make(server.URL, "tea-1", "orch-acc-1", "nginx:1")
	double.Make(server.URL, "tea-1", "shop", "nginx:1")
	require.NoError(t, sweep(t.Context(), "orch-acc-", true))
	require.Equal(t, []string{"shop"}, double.Names())
	require.Empty(t, double.Unknown())
}
