package deployments_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// worker starts a worker that reaches the doubles by its environment.
func (w *renderWorld) worker(more ...string) *worker {
	return startWorker(w.t, append([]string{
		"RENDER_API_KEY=" + token, "GITHUB_TOKEN=" + token, "ORCH_RENDER_API_URL=" + w.url + "/v1", "ORCH_GITHUB_API_URL=" + w.url,
		"ORCH_SECRET_RND=reference-value",
	}, more...)...)
}

// hcl is a resource orch_render_deployment.app that pushes the source; more are further lines.
func (w *renderWorld) hcl(name string, more ...string) string {
	return "resource \"orch_render_deployment\" \"app\" {\n  service_name = \"" + name + "\"\n  delete_repository = true\n  repository = {\n    name = \"octo/" + name +
		"\"\n    create = true\n    private = false\n    source = \"" + w.source + "\"\n    git_url = \"" + w.url + "\"\n  }\n  " + strings.Join(more, "\n  ") + "\n}\n"
}

func TestRenderThroughTerraform(t *testing.T) {
	t.Parallel()
	w := newRenderWorld(t)
	worker := w.worker()
	tf := newTerraform(t, worker, "rnd")
	secrets := []string{`secrets_wo = { DB = "written-only" }`, `secrets_wo_version = 1`, `secrets = { KEY = { env = "ORCH_SECRET_RND" } }`}
	one := w.hcl("rnd-tf", append(secrets, `env = { COLOR = "red" }`)...)
	tf.use(one)
	out, exit := tf.plan()
	require.Equal(t, 2, exit)
	require.Contains(t, out, "healthCheckPath: /", "render.yaml is shown at plan")
	require.NotContains(t, out, "written-only")
	tf.apply()
	a := tf.attributes()
	require.Equal(t, "ready", a["status"])
	require.Equal(t, "render_deploy_complete", a["message"])
	require.Equal(t, []any{"generate_deployment_configs", "create_service", "set_variables", "push_code", "deploy", "get_url", "check_health"}, a["steps"])
	require.Equal(t, w.url+"/double/apps/rnd-tf", a["url"])
	require.Equal(t, "written-only", w.render.Variables("rnd-tf")["DB"])
	require.Equal(t, "reference-value", w.render.Variables("rnd-tf")["KEY"])
	tf.assertEmptyPlan()

	commit := a["commit"]
	w.write("app/main.py", "print(2)\n")
	out, exit = tf.plan()
	require.Equal(t, 2, exit)
	require.Contains(t, out, "The source has changed")
	tf.apply()
	require.NotEqual(t, commit, tf.attributes()["commit"])
	tf.assertEmptyPlan()

	w.render.Suspend("rnd-tf")
	out, exit = tf.plan()
	require.Equal(t, 2, exit)
	require.Contains(t, out, "service: is suspended")
	tf.apply()
	tf.assertEmptyPlan()

	tf.use(w.hcl("rnd-tf", append(secrets, `env = { DOUBLE_OUTCOME = "build_failed" }`)...))
	out, err := tf.try("apply", "-auto-approve")
	require.Error(t, err)
	require.Contains(t, out, "step deploy failed")
	require.Contains(t, out, "is live as before")
	tf.use(one)
	tf.assertEmptyPlan()

	imported := newTerraform(t, worker, "rnd")
	relative, err := filepath.Rel(imported.cli.Dir(), w.source)
	require.NoError(t, err)
	imported.use(strings.Replace(one, w.source, relative, 1))
	imported.run("import", "orch_render_deployment.app", "rnd-tf")
	out, _ = imported.plan()
	require.NotContains(t, out, "~ repository", "the folder is the same, whichever way it is written")
	deploys := count(w.faults, http.MethodPost, "/deploys")
	imported.apply()
	require.Equal(t, deploys, count(w.faults, http.MethodPost, "/deploys"), "the settings of operations deploy nothing")
	imported.assertEmptyPlan()

	state, err := os.ReadFile(tf.cli.State())
	require.NoError(t, err)
	log, err := os.ReadFile(filepath.Join(worker.dir, "worker.log"))
	require.NoError(t, err)
	for _, secret := range []string{"written-only", "reference-value", token} {
		require.NotContains(t, string(state), secret)
		require.NotContains(t, string(log), secret)
	}
	tf.destroy()
	require.Empty(t, w.render.Names())
	require.Empty(t, w.github.Repositories())
}

func TestRenderWithoutWaiting(t *testing.T) {
	t.Parallel()
	w := newRenderWorld(t)
	tf := newTerraform(t, w.worker(), "rnd")
	tf.use("resource \"orch_render_deployment\" \"app\" {\n  image = \"docker.io/acme/shop:1\"\n  wait = false\n}\n")
	tf.apply()
	require.NotContains(t, tf.attributes()["steps"], "check_health")
	require.Equal(t, []string{"render-deploy"}, w.render.Names())
	tf.assertEmptyPlan()
	tf.destroy()
	require.Empty(t, w.render.Names())
}

func TestRenderWriteOnlyTokens(t *testing.T) {
	t.Parallel()
	w := newRenderWorld(t)
	tf := newTerraform(t, startWorker(t), "rnd")
	tf.use(w.hcl("rnd-wo", `api_url = "`+w.url+`/v1"`, `github_api_url = "`+w.url+`"`, `token_wo = "`+token+`"`, `token_wo_version = 1`,
		`github_token_wo = "`+token+`"`, `github_token_wo_version = 1`))
	tf.apply()
	tf.assertEmptyPlan()
	state, err := os.ReadFile(tf.cli.State())
	require.NoError(t, err)
	require.NotContains(t, string(state), token)
	tf.destroy()
	require.Empty(t, w.render.Names())
	require.Empty(t, w.github.Repositories())
}

func TestRenderExample(t *testing.T) {
	t.Parallel()
	w := newRenderWorld(t)
	dir, err := filepath.Abs("../../examples/resources/orch_render_deployment")
	require.NoError(t, err)
	example, err := os.ReadFile(filepath.Join(dir, "resource.tf"))
	require.NoError(t, err)
	tf := newTerraform(t, w.worker("ORCH_SECRET_SHOP_API_KEY=very-secret-value"), "rnd")
	// The double fetches as Render does where its GitHub App is not installed.
	tf.use(strings.Replace(string(example), `"./app"`, `"`+filepath.Join(dir, "app")+`"`+"\n    private = false\n    git_url = \""+w.url+`"`, 1))
	tf.apply()
	require.Equal(t, []string{"octo/shop"}, w.github.Repositories())
	require.ElementsMatch(t, []string{"proxy", "shop"}, w.render.Names())
	tf.assertEmptyPlan()
	tf.destroy()
	require.Empty(t, w.render.Names())
	require.Empty(t, w.github.Repositories())
}

func TestRenderBadInputIsReportedAtPlan(t *testing.T) {
	t.Parallel()
	w := newRenderWorld(t)
	tf := newTerraform(t, w.worker(), "rnd")
	for attributes, want := range map[string]string{
		`image = "a:1"` + "\n  region = \"mars\"":                        `"mars" is not one of`,
		`image = "a:1"` + "\n  num_instances = 0":                        "is not between 1 and 100",
		`image = "a:1"` + "\n  build_command = \"make\"":                 "an image is not built",
		`repository = { name = "shop" }`:                                 "is not the name of a repository",
		`repository = { name = "octo/shop", create = true }`:             "needs a folder",
		`repository = { name = "octo/shop" }` + "\n  runtime = \"node\"": "needs one",
		`image = "a:1"` + "\n  env = { ORCH_DEPLOYMENT = \"x\" }":        "own variable",
		`repository = { name = "octo/shop", source = "/dev/null" }`:      "is no folder",
		`image = "a:1"` + "\n  repository = { name = \"octo/shop\" }":    "Invalid Attribute Combination",
	} {
		tf.use("resource \"orch_render_deployment\" \"app\" {\n  " + attributes + "\n}\n")
		out, err := tf.try("plan")
		require.Error(t, err, attributes)
		require.Contains(t, strings.Join(strings.Fields(strings.ReplaceAll(out, "│", "")), " "), want)
	}
	require.Empty(t, w.render.Names())
}
