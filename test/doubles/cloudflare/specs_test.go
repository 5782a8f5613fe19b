//go:build specs

package cloudflare_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/stretchr/testify/require"

	client "github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud/cloudflare"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/cloudfault"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/cloudflare"
)

// Cloudflare's schema of 2024-08 differs from the API of today, or from itself, in these points. The rest must hold.
var (
	// notInSchema are paths that came later.
	notInSchema = []string{"/accounts/" + cloudflare.ExampleAccount + "/tokens/verify"}
	// contradictory are paths whose failures cannot be valid: they are all of the success and all of the failure at once.
	contradictory = []string{"/user/tokens/verify", "/dns_records", "/cfd_tunnel"}
	// nullable are values of which the schema says in words that they may be null.
	nullable = []string{"tunnel_deleted_at"}
)

// TestClientAndDoubleSpeakAsTheSchemaSays holds every request of the client and every answer of the double against the schema
// in the directory that SPECS names.
func TestClientAndDoubleSpeakAsTheSchemaSays(t *testing.T) {
	router := schema(t)
	double := cloudflare.New(cloudflare.Example(), slog.New(slog.DiscardHandler))
	faults := cloudfault.New(double)
	var mu sync.Mutex
	seen := map[string]int{}
	faults.Observe(func(e cloudfault.Exchange) {
		mu.Lock()
		defer mu.Unlock()
		path := strings.TrimPrefix(e.Request.URL.Path, cloudflare.Base)
		for _, later := range notInSchema {
			if path == later {
				return
			}
		}
		seen[path+" "+http.StatusText(e.Status)]++
		if err := valid(router, e, path); err != nil {
			t.Errorf("%s %s, %d: %v\n%s", e.Request.Method, e.Request.URL, e.Status, err, e.Answer)
		}
	})
	server := httptest.NewServer(faults)
	t.Cleanup(server.Close)

	check := contract.CloudflareCheck{
		BaseURL: server.URL + cloudflare.Base, AccountID: cloudflare.ExampleAccount, Zone: "example.com", Record: "chat.example.com", Tunnel: "chat",
	}
	verify := func(token string) error { return client.Verify(t.Context(), check, token, func(string, ...any) {}) }
	require.NoError(t, verify(cloudflare.ExampleToken))
	require.NoError(t, verify(cloudflare.ExampleAccountToken))
	check.Tunnel = cloudflare.ExampleTunnel
	require.NoError(t, verify(cloudflare.ExampleToken))
	require.Error(t, verify("nobody"))
	double.Update(func(s *cloudflare.State) { s.Tunnels[0].Connections = 0 })
	require.Error(t, verify(cloudflare.ExampleToken))
	double.Update(func(s *cloudflare.State) { s.Tokens[0].Permissions = []string{cloudflare.ReadZones} })
	require.Error(t, verify(cloudflare.ExampleToken))
	check.Record = ""
	require.Error(t, verify(cloudflare.ExampleToken))
	check.Zone = "example.org"
	require.Error(t, verify(cloudflare.ExampleToken))
	t.Log(seen)
	require.GreaterOrEqual(t, len(seen), 8, "exchanges of every kind were seen")
}

func schema(t *testing.T) routers.Router {
	t.Helper()
	dir := os.Getenv("SPECS")
	require.NotEmpty(t, dir, "SPECS must name the directory of the API schemas")
	document, err := openapi3.NewLoader().LoadFromFile(filepath.Join(dir, "cloudflare", "openapi.trimmed.json"))
	require.NoError(t, err)
	for _, name := range nullable {
		document.Components.Schemas[name].Value.Nullable = true
	}
	document.Servers = openapi3.Servers{{URL: cloudflare.Base}}
	router, err := gorillamux.NewRouter(document)
	require.NoError(t, err)
	return router
}

func valid(router routers.Router, e cloudfault.Exchange, path string) error {
	request := e.Request.Clone(context.Background())
	request.Body = io.NopCloser(bytes.NewReader(e.RequestBody))
	route, parameters, err := router.FindRoute(request)
	if err != nil {
		return err
	}
	for name := range request.URL.Query() {
		if route.Operation.Parameters.GetByInAndName("query", name) == nil && route.PathItem.Parameters.GetByInAndName("query", name) == nil {
			return errors.New("the schema has no query parameter " + name)
		}
	}
	options := &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}
	in := &openapi3filter.RequestValidationInput{Request: request, PathParams: parameters, Route: route, Options: options}
	if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil {
		return err
	}
	if e.Status >= http.StatusBadRequest {
		for _, part := range contradictory {
			if strings.Contains(path, part) {
				return nil
			}
		}
	}
	return openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: e.Status, Header: e.Header, Body: io.NopCloser(bytes.NewReader(e.Answer)), Options: options,
	})
}
