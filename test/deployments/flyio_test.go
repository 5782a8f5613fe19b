package deployments_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/cloudfault"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/flyio"
)

func TestFlyioLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := w.input("nginx:1", `"env":{"COLOR":"red"}`, `"machines":2`)
	deployed := w.create(one)
	require.Equal(t, w.url+"/app/dep-app", deployed.URL)
	require.Len(t, deployed.Instances, 2)
	require.Contains(t, deployed.Image, "@sha256:")
	look, ok := w.fly.Look("dep-app")
	require.True(t, ok)
	require.Len(t, look.Machines, 2)
	require.Len(t, look.Addresses, 2)
	require.Equal(t, map[string]string{"COLOR": "red", "PORT": "8080"}, look.Machines[0].Env)
	require.Empty(t, w.status(&deployed, one).Drift)

	again, err := w.setup(contract.OpCreate, one)
	require.NoError(t, err)
	require.NotNil(t, again.Adopted)
	unchanged, _ := w.fly.Look("dep-app")
	require.Equal(t, look, unchanged, "adopting changes nothing")

	two := w.input("nginx:2")
	result, err := w.setup(contract.OpUpdate, two)
	require.NoError(t, err)
	look, _ = w.fly.Look("dep-app")
	require.Len(t, look.Machines, 1, "the second machine is not wanted any more")
	require.Equal(t, "nginx:2", look.Machines[0].Image)
	require.Equal(t, 2, look.Machines[0].Versions, "updated in place")
	require.Empty(t, w.status(result.Deployed, two).Drift)

	removed, err := w.cleanup(result.Deployed, two)
	require.NoError(t, err)
	require.Equal(t, []string{"app dep-app"}, removed.Objects)
	require.Empty(t, w.fly.Apps())
	removed, err = w.cleanup(result.Deployed, two)
	require.NoError(t, err, "what is gone already is success")
	require.Empty(t, removed.Objects)
	require.False(t, w.status(result.Deployed, two).Found)
}

func TestFlyioSecretsReachTheMachinesAndNobodyElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	input := w.input("nginx:1", `"secrets_wo_version":1`)
	request := w.request(contract.OpCreate, input)
	request.AppSecrets = map[string]string{"API_KEY": "first-value", "OLD": "old-value"}
	result, err := run[contract.Result](w.t, w.rates, contract.FlyioDeployment.SetupWorkflow(), request)
	require.NoError(t, err)
	require.Len(t, result.Deployed.Secrets, 2)
	look, _ := w.fly.Look("dep-app")
	require.Equal(t, "first-value", look.Secrets["API_KEY"])
	require.Equal(t, 1, look.Machines[0].SecretsVersion)
	require.Empty(t, w.status(result.Deployed, input).Drift)

	w.fly.SetSecret("dep-app", "API_KEY", "meddled")
	drift := w.status(result.Deployed, input).Drift
	require.Equal(t, []contract.Finding{{About: "secrets", What: "API_KEY was set to something else"}}, drift)

	request = w.request(contract.OpUpdate, input)
	request.AppSecrets, request.Known = map[string]string{"API_KEY": "second-value"}, result.Deployed
	result, err = run[contract.Result](w.t, w.rates, contract.FlyioDeployment.SetupWorkflow(), request)
	require.NoError(t, err)
	look, _ = w.fly.Look("dep-app")
	require.Equal(t, map[string]string{"API_KEY": "second-value"}, look.Secrets, "what is not named any more is unset")
	require.Equal(t, look.SecretsVersion, look.Machines[0].SecretsVersion, "the machine was updated to see it")
	require.Empty(t, w.status(result.Deployed, input).Drift)
}

func TestFlyioFailedFirstReleaseIsRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.setup(contract.OpCreate, w.input("crash:1"))
	f := failure(t, err)
	require.Equal(t, "deploy", f.Step)
	require.Equal(t, contract.Unhealthy, f.Class)
	require.True(t, f.Clean)
	require.Equal(t, []string{"app dep-app deleted"}, f.RolledBack)
	require.Equal(t, 1, f.Evidence.ExitCode)
	require.Empty(t, w.fly.Apps())
}

func TestFlyioFailedUpdateGoesBack(t *testing.T) {
	t.Parallel()
	for name, image := range map[string]string{"exits": "crash:2", "does not pass its checks": "sick:2", "has no image": "missing:2"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			good := w.input("nginx:1", `"machines":2`)
			deployed := w.create(good)
			request := w.request(contract.OpUpdate, w.input(image, `"machines":3`, `"health":{"timeout_seconds":2}`))
			request.Known = &deployed
			_, err := run[contract.Result](w.t, w.rates, contract.FlyioDeployment.SetupWorkflow(), request)
			f := failure(t, err)
			require.Equal(t, "deploy", f.Step)
			require.True(t, f.Clean, "%+v", f)
			look, _ := w.fly.Look("dep-app")
			require.Len(t, look.Machines, 2)
			for _, m := range look.Machines {
				require.Equal(t, "nginx:1", m.Image)
			}
			require.Eventually(t, func() bool { return len(w.status(&deployed, good).Drift) == 0 }, eventually, tick)
		})
	}
}

// Checks that are not told of yet have not passed: the second machine must not be replaced before the first is proven.
func TestFlyioWaitsForChecksThatAreNotToldOfYet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *flyio.Options) { o.Silent = 500 * time.Millisecond })
	deployed := w.create(w.input("nginx:1", `"machines":2`))
	request := w.request(contract.OpUpdate, w.input("sick:2", `"machines":2`, `"health":{"timeout_seconds":3}`))
	request.Known, request.OnFailure = &deployed, contract.OnFailureKeep
	_, err := run[contract.Result](w.t, w.rates, contract.FlyioDeployment.SetupWorkflow(), request)
	require.Equal(t, "deploy", failure(t, err).Step)
	look, _ := w.fly.Look("dep-app")
	require.Equal(t, []string{"sick:2", "nginx:1"}, []string{look.Machines[0].Image, look.Machines[1].Image})
}

func TestFlyioRefusesWhatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *flyio.Options) { o.Taken = []string{"dep-taken"} })
	request := w.request(contract.OpCreate, w.input("nginx:1"))
	request.ServiceName = "dep-taken"
	_, err := run[contract.Result](w.t, w.rates, contract.FlyioDeployment.SetupWorkflow(), request)
	f := failure(t, err)
	require.Equal(t, contract.NotOwned, f.Class)
	require.Equal(t, "app_name", f.Attribute)
	require.True(t, f.Clean)

	w.fly.Make("dep-app", "somebody:1", 1)
	_, err = w.setup(contract.OpCreate, w.input("nginx:1"))
	f = failure(t, err)
	require.Equal(t, contract.NotOwned, f.Class)
	require.Contains(t, f.Hint, "adopt_existing")
	// The state of a create that was refused, or of one that nobody waited for, knows no id: it owns nothing.
	empty := &contract.Deployed{}
	for _, known := range []*contract.Deployed{nil, empty} {
		_, err = w.cleanup(known, w.input("nginx:1"))
		require.Equal(t, contract.NotOwned, failure(t, err).Class, "a cleanup that no state backs")
		require.False(t, w.status(known, w.input("nginx:1")).Found)
		for _, op := range []contract.Operation{contract.OpUpdate, contract.OpConverge} {
			request = w.request(op, w.input("nginx:1"))
			request.Known = known
			_, err = run[contract.Result](w.t, w.rates, contract.FlyioDeployment.SetupWorkflow(), request)
			require.Equal(t, contract.NotOwned, failure(t, err).Class, "%q takes over what is somebody else's", op)
		}
	}
	look, ok := w.fly.Look("dep-app")
	require.True(t, ok)
	require.Equal(t, "somebody:1", look.Machines[0].Image)

	request = w.request(contract.OpCreate, w.input("nginx:1"))
	request.Adopt = true
	_, err = run[contract.Result](w.t, w.rates, contract.FlyioDeployment.SetupWorkflow(), request)
	require.NoError(t, err)
	look, _ = w.fly.Look("dep-app")
	require.Len(t, look.Machines, 1)
	require.Equal(t, "nginx:1", look.Machines[0].Image)
}

// An app that was deleted behind an update's back is made anew, and is this run's to undo.
func TestFlyioUpdateOfAnAppThatIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	deployed := w.create(w.input("nginx:1"))
	w.fly.Delete("dep-app")
	update := func(image string) (contract.Result, error) {
		request := w.request(contract.OpUpdate, w.input(image))
		request.Known = &deployed
		return run[contract.Result](w.t, w.rates, contract.FlyioDeployment.SetupWorkflow(), request)
	}
	_, err := update("crash:2")
	f := failure(t, err)
	require.Equal(t, "deploy", f.Step)
	require.True(t, f.Clean)
	require.Empty(t, w.fly.Apps())
	result, err := update("nginx:2")
	require.NoError(t, err)
	require.NotEqual(t, deployed.IDs["app"], result.Deployed.IDs["app"])
	require.Equal(t, []string{"dep-app"}, w.fly.Apps())
}

// The personal organization may be told under the owner's own slug.
func TestFlyioPersonalOrganizationOfAnotherSlug(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *flyio.Options) { o.Slug = "jane-doe-123" })
	deployed := w.create(w.input("nginx:1"))
	require.True(t, w.status(&deployed, w.input("nginx:1")).Found)
	_, err := w.cleanup(&deployed, w.input("nginx:1"))
	require.NoError(t, err)
}

func TestFlyioBadTokenAndOtherOrg(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	request := w.request(contract.OpCreate, w.input("nginx:1"))
	request.Secrets[contract.TokenSecret("flyio")] = "a-wrong-token"
	_, err := run[contract.Result](w.t, w.rates, contract.FlyioDeployment.SetupWorkflow(), request)
	f := failure(t, err)
	require.Equal(t, contract.Denied, f.Class)
	require.Equal(t, "token", f.Attribute)
	require.NotContains(t, f.Describe(), "a-wrong-token")

	w.create(w.input("nginx:1"))
	_, err = w.setup(contract.OpUpdate, w.input("nginx:1", `"org":"other"`))
	require.Equal(t, "org", failure(t, err).Attribute)
}

func TestFlyioDrift(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	input := w.input("nginx:1", `"machines":2`)
	deployed := w.create(input)
	about := func() map[string]string {
		found := map[string]string{}
		for _, f := range w.status(&deployed, input).Drift {
			found[f.About] += f.What + "; "
		}
		return found
	}
	w.fly.Stop("dep-app", 0)
	require.Equal(t, map[string]string{"machine 1": "is stopped; check servicecheck-00-http-8080 is critical: connect: connection refused; "}, about())
	w.fly.Destroy("dep-app", 0)
	require.Equal(t, map[string]string{"machine 1": "is not there; "}, about())
	w.fly.Change("dep-app", 0, func(c map[string]any) {
		c["image"] = "nginx:9"
		c["env"] = map[string]any{"PORT": "8080", "COLOR": "blue"}
	})
	require.Eventually(t, func() bool {
		return about()["machine 2"] == "has other values of COLOR; runs image nginx:9 instead of nginx:1; "
	}, eventually, tick)

	request := w.request(contract.OpUpdate, input)
	request.Known = &deployed
	result, err := run[contract.Result](w.t, w.rates, contract.FlyioDeployment.SetupWorkflow(), request)
	require.NoError(t, err)
	deployed = *result.Deployed
	require.Empty(t, about(), "the update repairs")

	w.fly.Delete("dep-app")
	require.False(t, w.status(&deployed, input).Found)
	w.fly.Make("dep-app", "somebody:1", 1)
	require.Contains(t, about()["app"], "made anew")
	_, err = w.cleanup(&deployed, input)
	require.Equal(t, contract.NotOwned, failure(t, err).Class, "an app of the same name is not the same app")
}

func TestFlyioStoppedMachineIsStartedAndTheRestLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	input := w.input("nginx:1", `"machines":2`, `"secrets_wo_version":1`)
	secrets := map[string]string{"API_KEY": "a-value"}
	request := w.request(contract.OpCreate, input)
	request.AppSecrets = secrets
	result, err := run[contract.Result](w.t, w.rates, contract.FlyioDeployment.SetupWorkflow(), request)
	require.NoError(t, err)
	w.fly.Stop("dep-app", 1)
	request = w.request(contract.OpUpdate, input)
	// Terraform's state has the digests, and no version of the secrets.
	known := *result.Deployed
	known.SecretsVersion = 0
	request.Known, request.AppSecrets = &known, secrets
	_, err = run[contract.Result](w.t, w.rates, contract.FlyioDeployment.SetupWorkflow(), request)
	require.NoError(t, err)
	look, _ := w.fly.Look("dep-app")
	for _, m := range look.Machines {
		require.Equal(t, "started", m.State)
		require.Equal(t, 1, m.Versions, "no config was touched")
	}
}

func TestFlyioCopesWithARealPlatform(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *flyio.Options) {
		o.Appear, o.Vanish, o.Lag = 700*time.Millisecond, 700*time.Millisecond, 300*time.Millisecond
		o.Start, o.Pass = 500*time.Millisecond, 500*time.Millisecond
	})
	require.NoError(t, w.faults.Add(cloudfault.Rule{Method: http.MethodGet, Path: "ip_assignments", Times: 1, Status: 503}))
	require.NoError(t, w.faults.Add(cloudfault.Rule{Method: http.MethodPost, Path: "machines$", Times: 1, Status: 429, Header: map[string]string{"Retry-After": "1"}}))
	deployed := w.create(w.input("nginx:1", `"machines":2`))
	// An update stops what runs before it starts what comes, and somebody may have a lease of what goes.
	require.NoError(t, w.faults.Add(cloudfault.Rule{Method: http.MethodDelete, Path: "machines/[^/]*force", Times: 1, Status: 409, Answer: `{"error":"machine is leased"}`}))
	request := w.request(contract.OpUpdate, w.input("nginx:2"))
	request.Known = &deployed
	_, err := run[contract.Result](w.t, w.rates, contract.FlyioDeployment.SetupWorkflow(), request)
	require.NoError(t, err)
	_, err = w.cleanup(&deployed, "")
	require.NoError(t, err)
	require.Empty(t, w.fly.Apps())
}

func TestFlyioImportTellsTheInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	input := w.input("nginx:1", `"machines":1`)
	w.create(input)
	observed := w.status(nil, "")
	require.True(t, observed.Found)
	require.Contains(t, string(observed.Input), `"image":"nginx:1"`)
	require.NotNil(t, observed.Deployed)
}

func TestFlyioMovesToAnotherRegion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	deployed := w.create(w.input("nginx:1"))
	request := w.request(contract.OpUpdate, w.input("sick:1", `"region":"fra"`, `"health":{"timeout_seconds":1}`))
	request.Known = &deployed
	_, err := run[contract.Result](w.t, w.rates, contract.FlyioDeployment.SetupWorkflow(), request)
	require.True(t, failure(t, err).Clean)
	look, _ := w.fly.Look("dep-app")
	require.Len(t, look.Machines, 1, "the new machine is gone and the old one was never touched")
	require.Equal(t, "iad", look.Machines[0].Region)
	require.Equal(t, 1, look.Machines[0].Versions)

	input := w.input("nginx:1", `"region":"fra"`)
	request = w.request(contract.OpUpdate, input)
	request.Known = &deployed
	result, err := run[contract.Result](w.t, w.rates, contract.FlyioDeployment.SetupWorkflow(), request)
	require.NoError(t, err)
	look, _ = w.fly.Look("dep-app")
	require.Len(t, look.Machines, 1)
	require.Equal(t, "fra", look.Machines[0].Region)
	require.Empty(t, w.status(result.Deployed, input).Drift)
}

func TestFlyioImmediate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	input := w.input("nginx:1", `"strategy":"immediate"`, `"machines":3`)
	deployed := w.create(input)
	require.Len(t, deployed.Instances, 3)
	require.Empty(t, w.status(&deployed, input).Drift)
}

func TestFlyioWithoutRoomSaysWhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, w.faults.Add(cloudfault.Rule{Method: http.MethodPost, Path: "machines$", Status: 422,
		Answer: `{"error":"insufficient resources available to fulfill request: could not reserve resource","status":"insufficient_capacity"}`}))
	_, err := w.setup(contract.OpCreate, w.input("nginx:1"))
	f := failure(t, err)
	require.Equal(t, "region", f.Attribute)
	require.Contains(t, f.Hint, "no room in iad")
	require.True(t, f.Clean)
}

func TestFlyioMissingTokenSaysWhatToDo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	request := w.request(contract.OpCreate, w.input("nginx:1"))
	request.Secrets = nil
	_, err := run[contract.Result](w.t, w.rates, contract.FlyioDeployment.SetupWorkflow(), request)
	f := failure(t, err)
	require.Equal(t, "token", f.Attribute)
	require.Contains(t, f.Describe(), "FLY_API_TOKEN")
	require.Empty(t, w.faults.Calls())
}

// The platform may tell a config in other words than it was given: as long as it is the same version, nobody has changed it.
func TestFlyioToleratesOtherWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *flyio.Options) { o.Reword = true })
	input := w.input("nginx:1")
	deployed := w.create(input)
	require.Empty(t, w.status(&deployed, input).Drift)
	w.fly.Stop("dep-app", 0)
	request := w.request(contract.OpUpdate, input)
	request.Known = &deployed
	result, err := run[contract.Result](w.t, w.rates, contract.FlyioDeployment.SetupWorkflow(), request)
	require.NoError(t, err)
	look, _ := w.fly.Look("dep-app")
	require.Equal(t, 1, look.Machines[0].Versions, "started, not deployed again")
	w.fly.Change("dep-app", 0, func(c map[string]any) { c["image"] = "nginx:9" })
	require.NotEmpty(t, w.status(result.Deployed, input).Drift)
}
