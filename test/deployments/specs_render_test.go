package deployments_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/cloudfault"
)

// renderSpec holds exchanges against Render's schema, and those with GitHub at the same address against GitHub's.
func renderSpec(t testing.TB, dir string) func(cloudfault.Exchange) {
	none := func(cloudfault.Exchange, string, string) string { return "" }
	// The trimmed schema leaves out scaling and logs; this one is whole.
	render := openAPI{doc: loadOpenAPI(t, filepath.Join(dir, "render", "render-public-api.json")), prefix: "/v1", excused: none}
	hub := openAPI{doc: loadOpenAPI(t, filepath.Join(dir, "github", "api.github.com.trimmed.json")), excused: none}
	require.NotNil(t, render.doc.Paths.Value("/services/{serviceId}/scale"))
	return func(e cloudfault.Exchange) {
		path := e.Request.URL.Path
		switch {
		case strings.HasPrefix(path, "/v1/"):
			render.check(t, e)
		case path == "/user", strings.HasPrefix(path, "/user/"), strings.HasPrefix(path, "/orgs/"), strings.HasPrefix(path, "/repos/"):
			hub.check(t, e)
		}
		// All else is Git's own protocol, or the application's.
	}
}
