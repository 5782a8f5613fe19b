package activities_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/activities"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// account is the part of Grafana that knows one user's password. Anything but the two calls it knows fails the test.
func account(t *testing.T, password *string) *httptest.Server {
	t.Helper()
	authorized := func(w http.ResponseWriter, r *http.Request) bool {
		if user, given, _ := r.BasicAuth(); user == "admin" && given == *password {
			return true
		}
		http.Error(w, `{"message":"Invalid username or password"}`, http.StatusUnauthorized)
		return false
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/user", func(w http.ResponseWriter, r *http.Request) { authorized(w, r) })
	mux.HandleFunc("PUT /api/user/password", func(w http.ResponseWriter, r *http.Request) {
		var change struct{ OldPassword, NewPassword, ConfirmNew string }
		if !authorized(w, r) || json.NewDecoder(r.Body).Decode(&change) != nil {
			return
		}
		if change.OldPassword != *password || change.ConfirmNew != change.NewPassword || len(change.NewPassword) < 4 {
			http.Error(w, `{"message":"New password is too short"}`, http.StatusBadRequest)
			return
		}
		*password = change.NewPassword
	})
	mux.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) { t.Errorf("unexpected %s %s", r.Method, r.URL) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

func TestRotationChangesThePasswordOnce(t *testing.T) {
	password := "first"
	server := account(t, &password)
	secret := contract.Secret{User: "admin"}
	for range 2 { // a retry after the answer was lost finds the new password in place
		require.NoError(t, activities.RotateGrafanaPassword(context.Background(), server.URL, secret, "first", "second"))
		require.Equal(t, "second", password)
	}
}

func TestRotationTellsWhyItCannot(t *testing.T) {
	password := "changed elsewhere"
	server := account(t, &password)
	secret := contract.Secret{User: "admin"}
	var failure *contract.StepFailure
	require.ErrorAs(t, activities.RotateGrafanaPassword(context.Background(), server.URL, secret, "first", "second"), &failure)
	require.Equal(t, contract.Denied, failure.Class)
	require.NotEmpty(t, failure.Hint)
	require.ErrorAs(t, activities.RotateGrafanaPassword(context.Background(), server.URL, secret, "changed elsewhere", "abc"), &failure)
	require.Equal(t, contract.InvalidInput, failure.Class)
	require.Contains(t, failure.Cause, "too short")
	server.Close()
	require.ErrorAs(t, activities.RotateGrafanaPassword(context.Background(), server.URL, secret, "a", "b"), &failure)
	require.Equal(t, contract.Unavailable, failure.Class)
}
