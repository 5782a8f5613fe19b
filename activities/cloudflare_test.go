package activities_test

import (
	"log/slog"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/activities"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/secret"
	double "github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/cloudflare"
)

func TestCloudflareIsCheckedWithTheTokenThatIsGiven(t *testing.T) {
	server := httptest.NewServer(double.New(double.Example(), slog.New(slog.DiscardHandler)))
	t.Cleanup(server.Close)
	t.Setenv("ORCH_SECRET_CLOUDFLARE", double.ExampleToken)
	env := newEnv()
	activities.Register(env, &activities.Docker{Engine: &engineDouble{id: "here"}, Secrets: secret.DefaultAllowList()})
	check := func(engineID, given string, source contract.SecretSource) error {
		_, err := env.ExecuteActivity(contract.VerifyCloudflare.Name, contract.CloudflareCall{
			EngineID: engineID, Secret: given, Check: contract.CloudflareCheck{BaseURL: server.URL + double.Base, Token: source, Zone: "example.com"},
		})
		return err
	}
	require.NoError(t, check("here", double.ExampleToken, contract.SecretSource{}))
	require.NoError(t, check("here", "", contract.SecretSource{Env: "ORCH_SECRET_CLOUDFLARE"}))

	for name, c := range map[string]struct {
		engineID, given string
		source          contract.SecretSource
		class           contract.ErrorClass
		attribute       string
	}{
		"another engine's worker": {"there", double.ExampleToken, contract.SecretSource{}, contract.WrongEngine, ""},
		"no token":                {"here", "", contract.SecretSource{}, contract.InvalidInput, "cloudflare.token"},
		"not on the allow-list":   {"here", "", contract.SecretSource{Env: "HOME"}, contract.Denied, "cloudflare.token"},
		"not set":                 {"here", "", contract.SecretSource{Env: "ORCH_SECRET_NONE"}, contract.NotFound, "cloudflare.token"},
		"not valid":               {"here", "wrong", contract.SecretSource{}, contract.Denied, "cloudflare.token"},
	} {
		t.Run(name, func(t *testing.T) {
			failure := failureOf(t, check(c.engineID, c.given, c.source))
			require.Equal(t, c.class, failure.Class)
			require.Equal(t, c.attribute, failure.Attribute)
		})
	}
}
