package cloudflare_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/cloudflare"
)

func ask(t *testing.T, double http.Handler, method, path, authorization string) (status, code int) {
	t.Helper()
	request := httptest.NewRequest(method, cloudflare.Base+path, nil)
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	recorder := httptest.NewRecorder()
	double.ServeHTTP(recorder, request)
	var answer struct {
		Success bool
		Errors  []struct{ Code int }
	}
	require.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &answer), recorder.Body.String())
	require.Equal(t, recorder.Code == http.StatusOK, answer.Success)
	if len(answer.Errors) > 0 {
		code = answer.Errors[0].Code
	}
	return recorder.Code, code
}

func TestDoubleRefusesWhatCloudflareWould(t *testing.T) {
	const user, account = "Bearer " + cloudflare.ExampleToken, "Bearer " + cloudflare.ExampleAccountToken
	for name, c := range map[string]struct {
		method, path, authorization string
		status, code                int
		unknown                     bool
	}{
		"well":                     {"GET", "/user/tokens/verify", user, 200, 0, false},
		"no authorization":         {"GET", "/zones", "", 400, 6003, false},
		"malformed authorization":  {"GET", "/zones", cloudflare.ExampleToken, 400, 6003, false},
		"unknown token":            {"GET", "/user/tokens/verify", "Bearer x", 401, 1000, false},
		"unknown token elsewhere":  {"GET", "/zones", "Bearer x", 403, 9109, false},
		"an account's as a user's": {"GET", "/user/tokens/verify", account, 401, 1000, false},
		"a user's as an account's": {"GET", "/accounts/" + cloudflare.ExampleAccount + "/tokens/verify", user, 401, 1000, false},
		"malformed account":        {"GET", "/accounts/mine/cfd_tunnel", user, 404, 7003, false},
		"malformed zone":           {"GET", "/zones/mine/dns_records", user, 404, 7003, false},
		"unknown tunnel":           {"GET", "/accounts/" + cloudflare.ExampleAccount + "/cfd_tunnel/x", user, 404, 1002, false},
		"unknown route":            {"GET", "/user", user, 404, 7000, true},
		"another method":           {"POST", "/zones", user, 404, 7000, true},
		"unknown parameter":        {"GET", "/zones?nome=x", user, 400, 1004, true},
		"a parameter twice":        {"GET", "/zones?name=x&name=y", user, 400, 1004, true},
	} {
		t.Run(name, func(t *testing.T) {
			double := cloudflare.New(cloudflare.Example(), slog.New(slog.DiscardHandler))
			status, code := ask(t, double, c.method, c.path, c.authorization)
			require.Equal(t, c.status, status)
			require.Equal(t, c.code, code)
			require.Equal(t, c.unknown, len(double.Unknown()) > 0)
		})
	}
}

func TestStateCanBeReplacedWhileTheDoubleRuns(t *testing.T) {
	double := cloudflare.New(cloudflare.Example(), slog.New(slog.DiscardHandler))
	put := func(body string) int {
		recorder := httptest.NewRecorder()
		double.ServeHTTP(recorder, httptest.NewRequest(http.MethodPut, "/double/state", strings.NewReader(body)))
		return recorder.Code
	}
	require.Equal(t, http.StatusBadRequest, put(`{"tokenz":[]}`))
	require.Equal(t, http.StatusNoContent, put(`{"tokens":[{"value":"other","id":"1","status":"active"}]}`))
	status, _ := ask(t, double, http.MethodGet, "/user/tokens/verify", "Bearer "+cloudflare.ExampleToken)
	require.Equal(t, http.StatusUnauthorized, status)
	status, _ = ask(t, double, http.MethodGet, "/user/tokens/verify", "Bearer other")
	require.Equal(t, http.StatusOK, status)
}
