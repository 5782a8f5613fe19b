package cloud_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud"
)

// Render says "Ratelimit-Remaining: 0" with the last of the hour's creations. Reading must go on all the same.
func TestABudgetThatIsSpentStopsOnlyTheCallsThatItCounts(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.Header().Set("Ratelimit-Remaining", "0")
			w.Header().Set("Ratelimit-Reset", "2144")
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(s.Close)
	c := cloud.New(cloud.Options{Platform: "Render", BaseURL: s.URL, Token: "rnd_secret"})
	create := cloud.Request{Method: http.MethodPost, Path: "/services", Limit: cloud.Limit{Key: "create", Every: time.Millisecond, Burst: 20}}

	_, err := c.Do(t.Context(), create, nil)
	require.NoError(t, err)
	_, err = c.Do(t.Context(), cloud.Request{Method: http.MethodGet, Path: "/services"}, nil)
	require.NoError(t, err)

	_, err = c.Do(t.Context(), create, nil)
	require.True(t, cloud.IsStatus(err, http.StatusTooManyRequests), "%v", err)
	require.ErrorContains(t, err, "asks to wait for 35m")
	require.False(t, cloud.IsAmbiguous(err), "it was never sent")
}
