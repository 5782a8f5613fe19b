package deployments_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/cloudfault"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/github"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/render"
)

const renderOwnerID = "tea-00000000000000000001"

// renderWorld is a double of Render and one of GitHub at one address, with faults in front of them.
type renderWorld struct {
	t                        *testing.T
	render                   *render.Server
	github                   *github.Server
	faults                   *cloudfault.Faults
	url, source              string
	rates                    *cloud.Governors
	deleteRepository, adopts bool
}

func newRenderWorld(t *testing.T, change ...func(*render.Config, *github.Config)) *renderWorld {
	t.Helper()
	gc := github.Config{Token: token, Login: "octo", Orgs: []string{"acme"}, Dir: t.TempDir()}
	rc := render.Config{
		Token: token, Owners: []render.Owner{{ID: renderOwnerID, Name: "acme", Email: "a@acme.test", Type: "team"}}, Creates: 1000,
	}
	for _, c := range change {
		c(&rc, &gc)
	}
	log := slog.New(slog.DiscardHandler)
	hub, err := github.New(gc, log)
	require.NoError(t, err)
	direct := httptest.NewServer(hub)
	server := httptest.NewUnstartedServer(nil)
	rc.GitFrom, rc.GitTo = "http://"+server.Listener.Addr().String(), direct.URL
	w := &renderWorld{t: t, render: render.New(rc, log), github: hub, rates: &cloud.Governors{}, source: t.TempDir(), deleteRepository: true}
	both := http.NewServeMux()
	both.Handle("/v1/", w.render)
	both.Handle("/double/", w.render)
	both.Handle("/", w.github)
	w.faults = cloudfault.New(both)
	observe(t, "render", w.faults)
	server.Config.Handler = w.faults
	server.Start()
	w.url = server.URL
	t.Cleanup(func() {
		w.faults.Clear()
		server.Close()
		direct.Close()
		require.Empty(t, w.render.Unknown(), "requests that the double of Render does not know")
		require.Empty(t, w.github.Unknown(), "requests that the double of GitHub does not know")
	})
	w.write("Dockerfile", "FROM scratch\n")
	w.write("app/main.py", "print()\n")
	return w
}

func (w *renderWorld) write(name, content string) {
	w.t.Helper()
	path := filepath.Join(w.source, name)
	require.NoError(w.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(w.t, os.WriteFile(path, []byte(content), 0o600))
}

// image is an input that deploys an image, and repository one that pushes the source and has it built; more are attributes in
// JSON.
func (w *renderWorld) image(image string, more ...string) string {
	return object(append([]string{`"image":"` + image + `"`}, more...))
}

func (w *renderWorld) repository(more ...string) string {
	return object(append([]string{`"repository":{"name":"octo/shop","create":true,"private":false,"source":"` + w.source + `","git_url":"` + w.url + `"}`}, more...))
}

func object(attributes []string) string {
	text := "{"
	for i, a := range attributes {
		if i > 0 {
			text += ","
		}
		text += a
	}
	return text + "}"
}

func (w *renderWorld) request(op contract.Operation, input string, known *contract.Deployed) contract.Request {
	return contract.Request{
		ServiceName: "rnd-app", Operation: op, Input: json.RawMessage(input), Known: known, Adopt: w.adopts, DeleteRepository: w.deleteRepository,
		Access: map[string]contract.Access{"render": {BaseURL: w.url + "/v1"}, "github": {BaseURL: w.url}},
		Secrets: map[string]string{
			contract.TokenSecret("render"): token, contract.TokenSecret("github"): token,
		},
	}
}

func (w *renderWorld) setup(op contract.Operation, input string, known *contract.Deployed) (contract.Result, error) {
	w.t.Helper()
	return run[contract.Result](w.t, w.rates, contract.RenderDeployment.SetupWorkflow(), w.request(op, input, known))
}

func (w *renderWorld) create(input string) contract.Deployed {
	w.t.Helper()
	result, err := w.setup(contract.OpCreate, input, nil)
	require.NoError(w.t, err)
	require.Equal(w.t, "render_deploy_complete", result.Message)
	return *result.Deployed
}

func (w *renderWorld) status(input string, known *contract.Deployed) contract.Observed {
	w.t.Helper()
	observed, err := run[contract.Observed](w.t, w.rates, contract.RenderDeployment.StatusWorkflow(), w.request(contract.OpStatus, input, known))
	require.NoError(w.t, err)
	return observed
}

func (w *renderWorld) cleanup(input string, known *contract.Deployed) (contract.Removed, error) {
	w.t.Helper()
	return run[contract.Removed](w.t, w.rates, contract.RenderDeployment.CleanupWorkflow(), w.request(contract.OpDelete, input, known))
}

func (w *renderWorld) drift(input string, known *contract.Deployed) map[string]string {
	w.t.Helper()
	found := map[string]string{}
	for _, f := range w.status(input, known).Drift {
		found[f.About] = f.What
	}
	return found
}

// count is how many calls the double has seen.
func count(f *cloudfault.Faults, method, suffix string) int {
	n := 0
	for _, c := range f.Calls() {
		if c.Method == method && len(c.URL) >= len(suffix) && c.URL[len(c.URL)-len(suffix):] == suffix {
			n++
		}
	}
	return n
}

func TestRenderLifeOfAnImage(t *testing.T) {
	t.Parallel()
	w := newRenderWorld(t)
	one := w.image("docker.io/acme/shop:1", `"env":{"COLOR":"red"}`, `"num_instances":2`, `"plan":"standard"`)
	deployed := w.create(one)
	require.Equal(t, w.url+"/double/apps/rnd-app", deployed.URL)
	require.Contains(t, deployed.Image, "docker.io/acme/shop:1@sha256:")
	require.Equal(t, []string{"rnd-app"}, w.render.Names())
	require.Zero(t, count(w.faults, http.MethodPost, "/deploys"), "the creation has started the one deploy that is needed")
	require.Empty(t, w.drift(one, &deployed))

	again, err := w.setup(contract.OpCreate, one, nil)
	require.NoError(t, err)
	require.NotNil(t, again.Adopted)
	require.Equal(t, deployed, *again.Deployed)
	require.Zero(t, count(w.faults, http.MethodPost, "/deploys"), "adopting deploys nothing")

	two := w.image("docker.io/acme/shop:2", `"env":{"COLOR":"blue"}`)
	result, err := w.setup(contract.OpUpdate, two, &deployed)
	require.NoError(t, err)
	require.NotEqual(t, deployed.PlatformRelease, result.Deployed.PlatformRelease)
	require.Equal(t, 1, count(w.faults, http.MethodPost, "/deploys"))
	require.Empty(t, w.drift(two, result.Deployed))
	require.Contains(t, w.drift(one, &deployed), "image")

	removed, err := w.cleanup(two, result.Deployed)
	require.NoError(t, err)
	require.Equal(t, []string{"service rnd-app (" + deployed.IDs["service"] + ")"}, removed.Objects)
	require.Empty(t, w.render.Names())
	removed, err = w.cleanup(two, result.Deployed)
	require.NoError(t, err, "what is gone already is success")
	require.Empty(t, removed.Objects)
	require.False(t, w.status(two, result.Deployed).Found)
}

func TestRenderLifeOfARepository(t *testing.T) {
	t.Parallel()
	w := newRenderWorld(t)
	input := w.repository(`"env":{"COLOR":"red"}`)
	deployed := w.create(input)
	require.Equal(t, []string{"octo/shop"}, w.github.Repositories())
	require.Len(t, deployed.Commit, 40)
	require.Equal(t, 1, count(w.faults, http.MethodPost, "/git-receive-pack"))
	require.Zero(t, count(w.faults, http.MethodPost, "/deploys"))
	require.Empty(t, w.drift(input, &deployed))

	w.write("app/main.py", "print(2)\n")
	result, err := w.setup(contract.OpUpdate, input, &deployed)
	require.NoError(t, err)
	require.NotEqual(t, deployed.Commit, result.Deployed.Commit)
	require.Equal(t, 2, count(w.faults, http.MethodPost, "/git-receive-pack"))
	require.Equal(t, 1, count(w.faults, http.MethodPost, "/deploys"))

	w.deleteRepository = false
	_, err = w.cleanup(input, result.Deployed)
	require.NoError(t, err)
	require.Empty(t, w.render.Names())
	require.Equal(t, []string{"octo/shop"}, w.github.Repositories(), "a repository stays unless its deletion is asked for")

	deployed = w.create(input)
	require.Equal(t, result.Deployed.Commit, deployed.Commit, "the branch has this content already")
	require.Equal(t, 2, count(w.faults, http.MethodPost, "/git-receive-pack"))
	w.deleteRepository = true
	removed, err := w.cleanup("", nil)
	require.NoError(t, err)
	require.Contains(t, removed.Objects, "repository octo/shop", "a removal by name alone finds it")
	require.Empty(t, w.github.Repositories())
}

func TestRenderSecretsReachTheServiceAndNobodyElse(t *testing.T) {
	t.Parallel()
	w := newRenderWorld(t)
	input := w.image("docker.io/acme/shop:1")
	request := w.request(contract.OpCreate, input, nil)
	request.AppSecrets = map[string]string{"API_KEY": "first-value", "OLD": "old-value"}
	result, err := run[contract.Result](w.t, w.rates, contract.RenderDeployment.SetupWorkflow(), request)
	require.NoError(t, err)
	require.Zero(t, count(w.faults, http.MethodPost, "/deploys"), "the first deploy has the secrets already")
	require.Equal(t, "first-value", w.render.Variables("rnd-app")["API_KEY"])
	require.Len(t, result.Deployed.Secrets, 2)
	told, err := json.Marshal(result)
	require.NoError(t, err)
	require.NotContains(t, string(told), "first-value")
	require.Empty(t, w.drift(input, result.Deployed))

	w.render.SetVariable("rnd-app", "API_KEY", "meddled")
	w.render.SetVariable("rnd-app", "EXTRA", "x")
	require.Equal(t, map[string]string{"secret API_KEY": "has another value", "variable EXTRA": "is not configured"}, w.drift(input, result.Deployed))

	request = w.request(contract.OpUpdate, input, result.Deployed)
	request.AppSecrets = map[string]string{"API_KEY": "second-value"}
	result, err = run[contract.Result](w.t, w.rates, contract.RenderDeployment.SetupWorkflow(), request)
	require.NoError(t, err)
	vars := w.render.Variables("rnd-app")
	delete(vars, contract.RenderMark)
	require.Equal(t, map[string]string{"API_KEY": "second-value"}, vars)
	require.Equal(t, 1, count(w.faults, http.MethodPost, "/deploys"))
	require.Empty(t, w.drift(input, result.Deployed))
}

func TestRenderFailedFirstDeployIsRemoved(t *testing.T) {
	t.Parallel()
	for _, outcome := range []string{"build_failed", "update_failed"} {
		t.Run(outcome, func(t *testing.T) {
			t.Parallel()
			w := newRenderWorld(t)
			request := w.request(contract.OpCreate, w.repository(`"env":{"DOUBLE_OUTCOME":"`+outcome+`"}`), nil)
			request.AppSecrets = map[string]string{"LEAK": "never-to-be-seen"}
			_, err := run[contract.Result](w.t, w.rates, contract.RenderDeployment.SetupWorkflow(), request)
			f := failure(t, err)
			require.Equal(t, "deploy", f.Step)
			require.Equal(t, contract.Unhealthy, f.Class)
			require.True(t, f.Clean)
			require.Len(t, f.RolledBack, 2)
			require.NotEmpty(t, f.Evidence.Logs)
			require.NotContains(t, f.Describe(), "never-to-be-seen")
			require.Empty(t, w.render.Names())
			require.Empty(t, w.github.Repositories())
		})
	}
}

func TestRenderFailedUpdateGoesBack(t *testing.T) {
	t.Parallel()
	for name, env := range map[string]string{
		"does not build":              `{"DOUBLE_OUTCOME":"build_failed","COLOR":"blue"}`,
		"does not start":              `{"DOUBLE_OUTCOME":"update_failed","COLOR":"blue"}`,
		"is live and does not answer": `{"DOUBLE_HEALTH":"503","COLOR":"blue"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newRenderWorld(t)
			good := w.image("docker.io/acme/shop:1", `"env":{"COLOR":"red"}`)
			deployed := w.create(good)
			_, err := w.setup(contract.OpUpdate, w.image("docker.io/acme/shop:2", `"env":`+env, `"health":{"timeout_seconds":1}`, `"num_instances":3`), &deployed)
			f := failure(t, err)
			require.True(t, f.Clean, "%+v", f)
			require.NotEmpty(t, f.RolledBack)
			require.NotEmpty(t, f.Evidence.Logs, "what Render has kept of the build and of the application")
			require.Empty(t, w.drift(good, &deployed))
			answer, err := http.Get(deployed.URL + "/")
			require.NoError(t, err)
			require.NoError(t, answer.Body.Close())
			require.Equal(t, http.StatusOK, answer.StatusCode)

			result, err := w.setup(contract.OpUpdate, w.image("docker.io/acme/shop:3"), &deployed)
			require.NoError(t, err)
			require.Empty(t, w.drift(w.image("docker.io/acme/shop:3"), result.Deployed))
		})
	}
}

func TestRenderRefusesWhatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	w := newRenderWorld(t)
	w.render.Make(w.url, renderOwnerID, "rnd-app", "docker.io/somebody/else:1")
	input := w.image("docker.io/acme/shop:1")
	_, err := w.setup(contract.OpCreate, input, nil)
	f := failure(t, err)
	require.Equal(t, contract.NotOwned, f.Class)
	require.Equal(t, "service_name", f.Attribute)
	require.Contains(t, f.Hint, "adopt_existing")
	// The state of a create that was refused, or of one that nobody waited for, knows no id: it owns nothing.
	for _, known := range []*contract.Deployed{nil, {}} {
		_, err = w.cleanup(input, known)
		require.Equal(t, contract.NotOwned, failure(t, err).Class, "a cleanup that no state backs")
		require.False(t, w.status(input, known).Found)
		_, err = w.setup(contract.OpUpdate, input, known)
		require.Equal(t, contract.NotOwned, failure(t, err).Class)
	}
	require.Equal(t, []string{"rnd-app"}, w.render.Names())

	w.adopts = true
	deployed := w.create(input)
	w.adopts = false
	require.Empty(t, w.drift(input, &deployed))
	_, err = w.setup(contract.OpCreate, w.image("docker.io/acme/shop:2"), nil)
	f = failure(t, err)
	require.Equal(t, contract.Conflict, f.Class)
	require.Contains(t, f.Hint, "terraform import")
	request := w.request(contract.OpCreate, input, nil)
	request.Scope = "other"
	_, err = run[contract.Result](w.t, w.rates, contract.RenderDeployment.SetupWorkflow(), request)
	require.Contains(t, failure(t, err).Cause, "belongs to orch/orch/render/rnd-app")
}

func TestRenderRefusesRepositoriesOfOthers(t *testing.T) {
	t.Parallel()
	w := newRenderWorld(t)
	require.NoError(t, w.github.AddRepository("octo", "shop", "Octo's own", false))
	_, err := w.setup(contract.OpCreate, w.repository(), nil)
	f := failure(t, err)
	require.Equal(t, contract.NotOwned, f.Class)
	require.Equal(t, "repository.name", f.Attribute)
	require.Empty(t, w.render.Names())

	// With create = false it is pushed to, and never deleted.
	input := object([]string{`"repository":{"name":"octo/shop","source":"` + w.source + `","git_url":"` + w.url + `"}`})
	deployed := w.create(input)
	w.github.CommitFile("octo", "shop", "main", "README", "by hand")
	w.write("app/main.py", "print(3)\n")
	_, err = w.setup(contract.OpUpdate, input, &deployed)
	f = failure(t, err)
	require.Equal(t, "push_code", f.Step)
	require.Equal(t, contract.NotOwned, f.Class)
	require.Contains(t, f.Cause, "Somebody Else")
	w.adopts = true
	result, err := w.setup(contract.OpUpdate, input, &deployed)
	require.NoError(t, err)
	require.Equal(t, 3, w.github.Commits("octo", "shop", "main"), "the commit of somebody else stays in the history")
	w.github.Archive("octo", "shop", true)
	_, err = w.setup(contract.OpUpdate, input, result.Deployed)
	f = failure(t, err)
	require.Equal(t, "repository.name", f.Attribute)
	require.Contains(t, f.Cause, "is archived")
	_, err = w.cleanup(input, result.Deployed)
	require.NoError(t, err)
	require.Equal(t, []string{"octo/shop"}, w.github.Repositories())
}

// Render completes short references: that is no drift, and another registry is.
func TestRenderImagesByShortNames(t *testing.T) {
	t.Parallel()
	w := newRenderWorld(t, func(rc *render.Config, _ *github.Config) { rc.Complete = true })
	input := w.image("nginx")
	deployed := w.create(input)
	require.Empty(t, w.drift(input, &deployed))
	w.render.SetImage("rnd-app", "evil.example/nginx:latest")
	require.Contains(t, w.drift(input, &deployed), "image")
}

func TestRenderSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	w := newRenderWorld(t)
	bad := func(change func(*contract.Request)) contract.StepFailure {
		request := w.request(contract.OpCreate, w.repository(), nil)
		change(&request)
		_, err := run[contract.Result](w.t, w.rates, contract.RenderDeployment.SetupWorkflow(), request)
		require.Error(t, err)
		require.Empty(t, w.render.Names())
		require.Empty(t, w.github.Repositories())
		return failure(t, err)
	}
	f := bad(func(r *contract.Request) { r.Secrets[contract.TokenSecret("render")] = "a-wrong-token" })
	require.Equal(t, []any{contract.Denied, "token"}, []any{f.Class, f.Attribute})
	require.NotContains(t, f.Describe(), "a-wrong-token")
	f = bad(func(r *contract.Request) { r.Secrets[contract.TokenSecret("github")] = "a-wrong-token" })
	require.Equal(t, []any{contract.Denied, "github_token"}, []any{f.Class, f.Attribute})
	require.NotContains(t, f.Describe(), "a-wrong-token")
	f = bad(func(r *contract.Request) {
		r.Input = json.RawMessage(w.image("docker.io/acme/shop:1", `"owner":"nobody"`))
	})
	require.Equal(t, []any{contract.NotFound, "owner"}, []any{f.Class, f.Attribute})
	require.Contains(t, f.Cause, "acme (tea-")
	f = bad(func(r *contract.Request) {
		r.Input = json.RawMessage(w.image("docker.io/acme/shop:1", `"plan":"free"`))
	})
	require.Equal(t, []any{contract.Denied, "plan"}, []any{f.Class, f.Attribute})
	f = bad(func(r *contract.Request) {
		r.Input = json.RawMessage(w.image("docker.io/acme/shop:1", `"plan":"huge"`))
	})
	require.Equal(t, []any{contract.InvalidInput, "plan"}, []any{f.Class, f.Attribute})
	f = bad(func(r *contract.Request) {
		r.Input = json.RawMessage(object([]string{`"repository":{"name":"octo/shop","create":true,"private":true,"source":"` + w.source + `","git_url":"` + w.url + `"}`}))
	})
	require.Equal(t, "repository", f.Attribute)
	require.Contains(t, f.Hint, "GitHub App")
	f = bad(func(r *contract.Request) {
		r.Input, r.AppSecrets = json.RawMessage(w.image("docker.io/acme/shop:1", `"env":{"COLOR":"red"}`)), map[string]string{"COLOR": "blue"}
	})
	require.Equal(t, []any{contract.InvalidInput, "secrets_wo"}, []any{f.Class, f.Attribute})
	f = bad(func(r *contract.Request) {
		r.Input = json.RawMessage(object([]string{`"repository":{"name":"octo/shop","create":true,"source":"` + w.source + `","source_hash":"0123456789abcdef","git_url":"` + w.url + `"}`}))
	})
	require.Equal(t, "repository.source", f.Attribute)
	require.Contains(t, f.Cause, "is not what was planned")
}

func TestRenderDrift(t *testing.T) {
	t.Parallel()
	w := newRenderWorld(t)
	input := w.image("docker.io/acme/shop:1")
	deployed := w.create(input)
	w.render.Suspend("rnd-app")
	require.Equal(t, map[string]string{"service": "is suspended"}, w.drift(input, &deployed))
	result, err := w.setup(contract.OpUpdate, input, &deployed)
	require.NoError(t, err)
	deployed = *result.Deployed
	require.Empty(t, w.drift(input, &deployed))

	w.render.Deploy("rnd-app")
	drift := w.drift(input, &deployed)
	require.Len(t, drift, 1)
	for _, what := range drift {
		require.Equal(t, "is live instead of "+deployed.PlatformRelease+"; it was made elsewhere (manual)", what)
	}
	result, err = w.setup(contract.OpUpdate, input, &deployed)
	require.NoError(t, err)
	require.Zero(t, count(w.faults, http.MethodPost, "/deploys"), "what was deployed by hand is what is wanted")
	require.Empty(t, w.drift(input, result.Deployed))

	w.render.Delete("rnd-app")
	require.False(t, w.status(input, &deployed).Found)
}

func TestRenderImportTellsTheInput(t *testing.T) {
	t.Parallel()
	w := newRenderWorld(t)
	deployed := w.create(w.image("docker.io/acme/shop:1", `"num_instances":2`))
	observed := w.status("", nil)
	require.True(t, observed.Found)
	require.Contains(t, string(observed.Input), `"image":"docker.io/acme/shop:1"`)
	require.Equal(t, deployed.IDs, observed.Deployed.IDs)
	require.Equal(t, deployed.PlatformRelease, observed.Deployed.PlatformRelease)
}

func TestRenderCopesWithARealPlatform(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusBadRequest, http.StatusConflict} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			w := newRenderWorld(t, func(rc *render.Config, _ *github.Config) {
				rc.QueueDeploys, rc.GoneFor, rc.DuplicateStatus = true, 2, status
			})
			require.NoError(t, w.faults.Add(cloudfault.Rule{Method: http.MethodGet, Path: "/v1/services", Times: 2, Status: 503}))
			require.NoError(t, w.faults.Add(cloudfault.Rule{Method: http.MethodPost, Path: "/services$", Times: 1, Status: 429, Header: map[string]string{"Retry-After": "1"}}))
			deployed := w.create(w.image("docker.io/acme/shop:1"))
			result, err := w.setup(contract.OpUpdate, w.image("docker.io/acme/shop:2"), &deployed)
			require.NoError(t, err)
			_, err = w.cleanup("", result.Deployed)
			require.NoError(t, err)
			require.Empty(t, w.render.Names())
		})
	}
}

func TestRenderKeepsToTheBudgetOfCreations(t *testing.T) {
	t.Parallel()
	w := newRenderWorld(t, func(rc *render.Config, _ *github.Config) { rc.Creates = 1 })
	input := w.image("docker.io/acme/shop:1")
	// The answer to the one creation of the hour is lost: what it made is found, and not tried again.
	require.NoError(t, w.faults.Add(cloudfault.Rule{Method: http.MethodPost, Path: "/services$", Times: 1, Done: true, Reset: true}))
	deployed := w.create(input)
	require.Equal(t, 1, count(w.faults, http.MethodPost, "/services"))
	_, err := w.cleanup(input, &deployed)
	require.NoError(t, err)

	_, err = w.setup(contract.OpCreate, input, nil)
	f := failure(t, err)
	require.Contains(t, f.Hint, "20 creations of services an hour")
	require.Empty(t, w.render.Names())
}

// Done, but the answer was lost: every call that changes something, in turn.
func TestRenderConvergesWhenAnyAnswerIsLost(t *testing.T) {
	t.Parallel()
	for n := 1; ; n++ {
		w := newRenderWorld(t)
		require.NoError(t, w.faults.Add(cloudfault.Rule{Mutating: true, Skip: n - 1, Times: 1, Done: true, Reset: true}))
		w.liveThroughFaults()
		what := ""
		for _, c := range w.faults.Calls() {
			if c.Fault != "" {
				what = c.Method + " " + c.URL
			}
		}
		if what == "" {
			require.Greater(t, n, 11, "the table has a row for each call that changes something")
			return
		}
		t.Logf("lost the answer of %-62s one service, one repository; destroyed: none", what)
	}
}

// liveThroughFaults creates, updates and destroys, and checks what there is in between.
func (w *renderWorld) liveThroughFaults() {
	w.t.Helper()
	deployed := w.create(w.repository(`"env":{"COLOR":"red"}`))
	w.write("app/main.py", "print(2)\n")
	input := w.repository(`"env":{"COLOR":"blue"}`, `"plan":"standard"`, `"num_instances":2`)
	result, err := w.setup(contract.OpUpdate, input, &deployed)
	require.NoError(w.t, err)
	require.Equal(w.t, []string{"rnd-app"}, w.render.Names())
	require.Equal(w.t, []string{"octo/shop"}, w.github.Repositories())
	require.Equal(w.t, 2, w.github.Commits("octo", "shop", "main"))
	require.Empty(w.t, w.drift(input, result.Deployed))
	_, err = w.cleanup(input, result.Deployed)
	require.NoError(w.t, err)
	require.Empty(w.t, w.render.Names())
	require.Empty(w.t, w.github.Repositories())
}
