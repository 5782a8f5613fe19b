package deployments_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	api "github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud/railway"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/railway"
)

// elsewhere is a client of somebody else's, with the same account.
func (w *railwayWorld) elsewhere() *api.Client { return api.New(w.url, railwayToken, false, nil) }

// somebodys makes a project with a service that orch has nothing to do with.
func (w *railwayWorld) somebodys(project, service string) api.Instance {
	w.t.Helper()
	c := w.elsewhere()
	p, err := c.CreateProject(w.t.Context(), api.ProjectCreate{Name: project})
	require.NoError(w.t, err)
	environments, err := c.Environments(w.t.Context(), p.ID)
	require.NoError(w.t, err)
	at := api.Instance{ProjectID: p.ID, EnvironmentID: environments[0].ID}
	if service != "" {
		s, err := c.CreateService(w.t.Context(), p.ID, at.EnvironmentID, service, map[string]string{"THEIRS": "kept"})
		require.NoError(w.t, err)
		at.ServiceID = s.ID
	}
	return at
}

func TestRailwayRefusesWhatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	w := newRailwayWorld(t, nil)
	w.somebodys("shop", "shop")
	_, err := w.setup()
	f := failure(t, err)
	require.Equal(t, contract.NotOwned, f.Class)
	require.Equal(t, "project", f.Attribute)
	require.Contains(t, f.Hint, "adopt_existing")
	require.True(t, f.Clean)
	removed, err := w.cleanup(nil)
	require.NoError(t, err)
	require.Empty(t, removed.Objects, "a cleanup that no state backs leaves alone what is somebody else's")
	require.Len(t, w.double.Projects(), 1)
}

func TestRailwayAdoptsAndRemovesOnlyTheService(t *testing.T) {
	t.Parallel()
	w := newRailwayWorld(t, nil)
	w.somebodys("shop", "shop")
	w.somebodys("other", "shop")
	w.request.Adopt = true
	result := w.mustSetUp()
	projects := w.double.Projects()
	require.Len(t, projects, 2)
	require.Equal(t, "kept", projects[0].Services[0].Variables["THEIRS"], "what others have set stays")
	require.Equal(t, "live", projects[0].Services[0].Variables["MODE"])
	require.Empty(t, w.status(result.Deployed).Drifted())

	w.request.Input = nil
	observed := w.status(nil)
	require.True(t, observed.Found, "an import finds it by its record")
	require.Equal(t, result.Deployed.IDs[`service`], observed.Deployed.IDs["service"])

	w.request.Input = w.input(map[string]any{"image": "ghcr.io/acme/shop:1"})
	removed, err := w.cleanup(result.Deployed)
	require.NoError(t, err)
	require.Equal(t, []string{"service shop"}, removed.Objects)
	projects = w.double.Projects()
	require.Len(t, projects, 2, "projects of others stay")
	require.Empty(t, projects[0].Services)
	require.Len(t, projects[1].Services, 1)
}

func TestRailwayAdoptIsClearAboutWhich(t *testing.T) {
	t.Parallel()
	w := newRailwayWorld(t, nil)
	w.somebodys("shop", "")
	w.somebodys("shop", "")
	w.request.Adopt = true
	_, err := w.setup()
	f := failure(t, err)
	require.Equal(t, contract.Conflict, f.Class)
	require.Contains(t, f.Cause, "2 projects")
}

func TestRailwayProjectToken(t *testing.T) {
	t.Parallel()
	w := newRailwayWorld(t, nil)
	at := w.somebodys("platform", "database")
	w.double.AddProjectToken("a-project-token", at.ProjectID, at.EnvironmentID)
	w.request.Secrets = map[string]string{contract.TokenSecret("railway"): "a-project-token"}
	result := w.mustSetUp()
	require.NotContains(t, result.Deployed.IDs, "workspace")
	require.Equal(t, at.ProjectID, result.Deployed.IDs["project"])
	require.Empty(t, w.status(result.Deployed).Drifted())
	removed, err := w.cleanup(result.Deployed)
	require.NoError(t, err)
	require.Equal(t, []string{"service shop"}, removed.Objects)
	require.Len(t, w.double.Projects()[0].Services, 1, "the database stays")

	w.request.Input = w.input(map[string]any{"image": "ghcr.io/acme/shop:1", "environment": "staging"})
	_, err = w.setup()
	require.Equal(t, "environment", failure(t, err).Attribute)
}

func TestRailwayBadTokenAndWorkspaces(t *testing.T) {
	t.Parallel()
	w := newRailwayWorld(t, func(cfg *railway.Config) {
		cfg.Workspaces = []railway.Workspace{{ID: "w-1", Name: "Acme"}, {ID: "w-2", Name: "Private"}}
	})
	good := w.request.Secrets
	w.request.Secrets = map[string]string{contract.TokenSecret("railway"): "a-wrong-token"}
	_, err := w.setup()
	f := failure(t, err)
	require.Equal(t, contract.Denied, f.Class)
	require.Equal(t, "token", f.Attribute)
	require.NotContains(t, f.Describe(), "a-wrong-token")
	_, err = w.cleanup(nil)
	require.Equal(t, contract.Denied, failure(t, err).Class, "no access is no proof of absence")

	w.request.Secrets = good
	_, err = w.setup()
	f = failure(t, err)
	require.Equal(t, "workspace", f.Attribute)
	require.Contains(t, f.Cause, `"Acme", "Private"`)
	w.request.Input = w.input(map[string]any{"image": "ghcr.io/acme/shop:1", "workspace": "Private"})
	require.Equal(t, "w-2", w.mustSetUp().Deployed.IDs["workspace"])
}

func TestRailwayRepository(t *testing.T) {
	t.Parallel()
	w := newRailwayWorld(t, nil)
	w.request.Input = w.input(map[string]any{"repository": "acme/unknown"})
	_, err := w.setup()
	f := failure(t, err)
	require.Equal(t, "repository", f.Attribute)
	require.Contains(t, f.Hint, "GitHub App")
	require.Empty(t, w.double.Projects())

	w.request.Input = w.input(map[string]any{"repository": "acme/shop", "branch": "release"})
	result := w.mustSetUp()
	w.exactlyOne()
	service := w.double.Projects()[0].Services[0]
	require.Equal(t, "acme/shop", service.Repo)
	require.Equal(t, 1, service.Deployments, "connecting has deployed already")
	require.Empty(t, w.status(result.Deployed).Drifted())
	w.update(result, map[string]any{"repository": "acme/shop", "branch": "main"})
	result = w.mustSetUp()
	require.Empty(t, w.status(result.Deployed).Drifted())
}

func TestRailwayDrift(t *testing.T) {
	t.Parallel()
	w := newRailwayWorld(t, nil)
	result := w.mustSetUp()
	at := api.Instance{ProjectID: result.Deployed.IDs["project"], EnvironmentID: result.Deployed.IDs["environment"], ServiceID: result.Deployed.IDs["service"]}
	c, ctx := w.elsewhere(), t.Context()
	replicas := int64(4)
	require.NoError(t, c.Configure(ctx, at, contract.RailwaySettings{NumReplicas: &replicas, Source: &contract.RailwaySource{Image: "evil:1"}}))
	require.NoError(t, c.SetVariables(ctx, at, map[string]string{"MODE": "off", "API_KEY": "meddled", "EXTRA": "theirs"}, false))
	w.double.RemoveDomains("shop")
	drifted := strings.Join(w.status(result.Deployed).Drifted(), "\n")
	for _, want := range []string{
		"image: is evil:1 on Railway, and should be ghcr.io/acme/shop:1", "replicas: is 4 on Railway, and should be 1",
		"health.path: is not set on Railway, and should be /healthz", "env: MODE was changed", "secrets: API_KEY was changed",
		"domain: was removed",
	} {
		require.Contains(t, drifted, want)
	}
	require.NotContains(t, drifted, "meddled")

	_, err := c.Deploy(ctx, at)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		return strings.Contains(strings.Join(w.status(result.Deployed).Drifted(), "\n"), "which was deployed elsewhere")
	}, eventually, tick)
	w.double.Stop("shop")
	require.Contains(t, strings.Join(w.status(result.Deployed).Drifted(), "\n"), "was stopped on Railway")

	w.update(result, map[string]any{"image": "ghcr.io/acme/shop:1"})
	result = w.mustSetUp()
	require.Empty(t, w.status(result.Deployed).Drifted(), "the update repairs")
	require.Equal(t, "theirs", w.double.Projects()[0].Services[0].Variables["EXTRA"])

	require.NoError(t, c.DeleteService(ctx, at.ServiceID))
	require.Contains(t, w.status(result.Deployed).Drifted(), "service: was removed on Railway")
	result = w.mustSetUp()
	require.Empty(t, w.status(result.Deployed).Drifted())
	require.NoError(t, c.DeleteProject(ctx, at.ProjectID))
	require.False(t, w.status(result.Deployed).Found)
}

func TestRailwayImportTellsTheInput(t *testing.T) {
	t.Parallel()
	w := newRailwayWorld(t, nil)
	result := w.mustSetUp()
	want := w.request.Input
	w.request.Input = nil
	observed := w.status(nil)
	require.True(t, observed.Found)
	require.Equal(t, result.Deployed.IDs, observed.Deployed.IDs)
	var given, told map[string]any
	require.NoError(t, json.Unmarshal(want, &given))
	require.NoError(t, json.Unmarshal(observed.Input, &told))
	for name, value := range given {
		require.EqualValues(t, value, drop(told[name]), name)
	}
	require.NotContains(t, string(observed.Input), "very-secret-value")
}

// drop takes the null attributes out of a block.
func drop(value any) any {
	block, ok := value.(map[string]any)
	if !ok {
		return value
	}
	for name, inner := range block {
		if inner == nil {
			delete(block, name)
		}
	}
	return block
}

func TestRailwayCreateOverItsOwn(t *testing.T) {
	t.Parallel()
	w := newRailwayWorld(t, nil)
	w.mustSetUp()
	before := w.mutations()
	result := w.mustSetUp()
	require.NotNil(t, result.Adopted, "the very same is adopted")
	require.Equal(t, before["serviceInstanceDeployV2"], w.mutations()["serviceInstanceDeployV2"], "and not deployed again")
	w.request.Input = w.input(map[string]any{"image": "ghcr.io/acme/shop:2"})
	_, err := w.setup()
	f := failure(t, err)
	require.Equal(t, contract.Conflict, f.Class)
	require.Contains(t, f.Hint, "terraform import")
	w.exactlyOne()
}

func TestRailwayKeepsAProjectWithServicesOfOthers(t *testing.T) {
	t.Parallel()
	w := newRailwayWorld(t, nil)
	result := w.mustSetUp()
	ids := result.Deployed.IDs
	database, err := w.elsewhere().CreateService(t.Context(), ids["project"], ids["environment"], "database", nil)
	require.NoError(t, err)
	_, err = w.cleanup(result.Deployed)
	f := failure(t, err)
	require.Equal(t, contract.Conflict, f.Class)
	require.Contains(t, f.Cause, `"database"`)
	require.NoError(t, w.elsewhere().DeleteService(t.Context(), database.ID))
	_, err = w.cleanup(result.Deployed)
	require.NoError(t, err)
}

func TestRailwayRollbackThatRailwayRefuses(t *testing.T) {
	t.Parallel()
	w := newRailwayWorld(t, nil)
	first := w.mustSetUp()
	w.double.Expire("shop")
	w.update(first, map[string]any{"image": "ghcr.io/acme/shop:crashes"})
	_, err := w.setup()
	f := failure(t, err)
	require.False(t, f.Clean)
	require.Contains(t, f.RollbackFailed[0], "cannot go back to deployment")
}

func TestRailwayWithoutWaiting(t *testing.T) {
	t.Parallel()
	w := newRailwayWorld(t, nil)
	w.request.NoWait = true
	w.request.Input = w.input(map[string]any{"image": "ghcr.io/acme/shop:stuck"})
	result := w.mustSetUp()
	require.NotEmpty(t, result.Deployed.PlatformRelease)
	require.Empty(t, w.status(result.Deployed).Drifted(), "a deployment under way is no drift")
}
