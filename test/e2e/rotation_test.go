package e2e

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
}

// withSecret makes a block take a write-only value from the variable secret.
func (r *resource) withSecret(block, attribute, version string) {
	r.head = []string{"variable \"secret\" {\n  type      = string\n  sensitive = true\n  ephemeral = true\n}"}
	r.set(block, attribute, "var.secret")
	r.set(block, attribute+"_version", version)
}

// rotations are the secrets that a pipeline's software has stored in its data, or reads at start.
var rotations = []struct {
	kind                        contract.Kind
	component, block, attribute string
	// opens reports whether the software lets somebody in with that secret.
	opens func(t *testing.T, r *resource, secret string) bool
}{
	{contract.DatabasePipeline, catalog.Neo4jName, "neo4j", "password_wo", func(t *testing.T, r *resource, secret string) bool {
		t.Helper()
		_, err := tryCypher(t, r, secret, "RETURN $marker", "x")
		if err != nil {
			require.ErrorContains(t, err, "Unauthorized")
		}
		return err == nil
	}},
	{contract.DatabasePipeline, catalog.QdrantName, "qdrant", "api_key_wo", func(t *testing.T, r *resource, secret string) bool {
		t.Helper()
		status, answer := call(t, http.MethodGet, r.url("qdrant.http_port")+"/collections", qdrantKey(secret), nil)
		if status != http.StatusOK {
			require.Equal(t, http.StatusUnauthorized, status, answer)
		}
		return status == http.StatusOK
	}},
	{contract.MetricsPipeline, catalog.GrafanaName, "grafana", "admin_password_wo", func(t *testing.T, r *resource, secret string) bool {
		t.Helper()
		status, _, err := get(r.url("grafana.port")+"/api/user", catalog.GrafanaAdminUser, secret)
		require.NoError(t, err)
		if status != http.StatusOK {
			require.Equal(t, http.StatusUnauthorized, status)
		}
		return status == http.StatusOK
	}},
}

// A raised version changes the secret of software that has data already; the data stays, and the secret stands nowhere.
func TestSecretsRotateAndTheDataStays(t *testing.T) {
	t.Parallel()
	for _, rotation := range rotations {
		t.Run(rotation.component, func(t *testing.T) {
			t.Parallel()
			r := newResource(t, rotation.kind, "rotate")
			w := newWorld(t, shared.get(t))
			w.useAll(r)
			w.apply()
			generated := secretOf(t, w.server, r, rotation.component)
			require.True(t, rotation.opens(t, r, generated))
			stores := newStores()
			for _, component := range r.components(t) {
				if s, ok := stores[component]; ok {
					s.write(t, w, r)
				}
			}

			last := generated
			for i, secret := range []string{"first-s3cret-of-the-test", "second-s3cret-of-the-test"} {
				w.env = append(w.env, "TF_VAR_secret="+secret)
				r.withSecret(rotation.block, rotation.attribute, string(rune('1'+i)))
				w.useAll(r)
				require.Equal(t, 2, w.plan().exit)
				w.apply()
				require.True(t, rotation.opens(t, r, secret), "the new one opens it")
				require.False(t, rotation.opens(t, r, last), "the old one does not")
				require.Equal(t, secret, secretOf(t, w.server, r, rotation.component))
				w.assertEmptyPlan()
				last = secret
			}
			for _, component := range r.components(t) {
				if s, ok := stores[component]; ok {
					s.read(t, w, r)
				}
			}
			assertKept(t, w, r, "first-s3cret-of-the-test", last)
			w.destroy()
			assertNothingLeft(t, r.service)
		})
	}
}

// assertKept looks for secrets in state, output and what docker tells.
func assertKept(t *testing.T, w *world, r *resource, secrets ...string) {
	t.Helper()
	state, err := os.ReadFile(w.stateFile())
	require.NoError(t, err)
	places := map[string]string{"state": string(state), "docker inspect": inspectAll(t, r.service), "the worker's log": w.server.log()}
	for _, ran := range w.ran {
		places["output of "+strings.Join(ran.args, " ")] += ran.out
	}
	for place, content := range places {
		for _, secret := range secrets {
			require.False(t, strings.Contains(content, secret), "%s holds the secret", place)
		}
	}
}
