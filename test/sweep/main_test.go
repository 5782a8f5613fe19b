package main

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/flyio"
)

func TestSweepRemovesOnlyWhatBeginsWithThePrefix(t *testing.T) {
	double := flyio.New(flyio.Options{Token: "a-token", Org: "personal"})
	server := httptest.NewServer(double)
	defer server.Close()
	t.Setenv("FLY_API_TOKEN", "a-token")
	t.Setenv("ORCH_FLYIO_API_URL", server.URL+"/v1")
	double.Make("orch-acc-1", "nginx:1", 1)
	double.Make("shop", "nginx:1", 1)
	require.Error(t, sweep(t.Context(), "", true))
	require.Error(t, sweep(t.Context(), "or", true))
	require.NoError(t, sweep(t.Context(), "orch-acc-", false))
	require.Len(t, double.Apps(), 2, "without -yes nothing is removed")
	require.NoError(t, sweep(t.Context(), "orch-acc-", true))
	require.Equal(t, []string{"shop"}, double.Apps())
}
