package deployments_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// flyioHCL is a resource orch_flyio_deployment.app; more are further lines.
func (w *world) flyioHCL(name string, more ...string) string {
	return "resource \"orch_flyio_deployment\" \"app\" {\n  app_name = \"" + name + "\"\n  api_url = \"" + w.url + "/v1\"\n  public_url = \"" + w.url + "/app/" + name + "\"\n  " +
		strings.Join(more, "\n  ") + "\n}\n"
}

func TestFlyioThroughTerraform(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	worker := startWorker(t, "FLY_API_TOKEN="+token, "ORCH_SECRET_DEP="+"reference-value", "ORCH_FLYIO_API_URL="+w.url+"/v1")
	tf := newTerraform(t, worker, "dep")
	first := w.flyioHCL("dep-tf", `image = "nginx:1"`, `env = { COLOR = "red" }`, `secrets_wo = { API_KEY = "written-only" }`, `secrets_wo_version = 1`,
		`secrets = { OTHER = { env = "ORCH_SECRET_DEP" } }`)
	tf.use(first)
	out, exit := tf.plan()
	require.Equal(t, 2, exit)
	require.Contains(t, out, `primary_region = "iad"`, "fly.toml is shown at plan")
	require.Contains(t, out, "fly_platform_version")
	require.NotContains(t, out, "written-only")
	tf.apply()
	record(t, worker, "orch/dep/flyio/dep-tf", "flyio-setup")
	a := tf.attributes()
	require.Equal(t, "ready", a["status"])
	require.Equal(t, "flyio_deploy_complete", a["message"])
	require.Equal(t, []any{"generate_deployment_configs", "create_app", "set_secrets", "deploy", "get_url", "check_health"}, a["steps"])
	require.Equal(t, w.url+"/app/dep-tf", a["url"])
	look, _ := w.fly.Look("dep-tf")
	require.Equal(t, map[string]string{"API_KEY": "written-only", "OTHER": "reference-value"}, look.Secrets)
	tf.assertEmptyPlan()

	for org, replaced := range map[string]bool{"personal": false, "acme": true} {
		tf.use(w.flyioHCL("dep-tf", `image = "nginx:1"`, `org = "`+org+`"`))
		out, exit = tf.plan()
		require.Equal(t, 2, exit)
		require.Equal(t, replaced, strings.Contains(out, "must be replaced"), "to write a default out destroys nothing\n%s", out)
	}
	tf.use(first)

	w.fly.Stop("dep-tf", 0)
	out, exit = tf.plan()
	require.Equal(t, 2, exit)
	require.Contains(t, out, "machine 1: is stopped")
	tf.apply()
	tf.assertEmptyPlan()

	tf.use(w.flyioHCL("dep-tf", `image = "crash:2"`, `health = { timeout_seconds = 5 }`))
	out, err := tf.try("apply", "-auto-approve")
	require.Error(t, err)
	require.Contains(t, out, "step deploy failed")
	require.Contains(t, out, "is back at version")
	record(t, worker, "orch/dep/flyio/dep-tf", "flyio-update-failed")
	look, _ = w.fly.Look("dep-tf")
	require.Equal(t, "nginx:1", look.Machines[0].Image)

	tf.use(w.flyioHCL("dep-tf", `image = "nginx:2"`, `machines = 2`))
	tf.apply()
	tf.assertEmptyPlan()
	look, _ = w.fly.Look("dep-tf")
	require.Empty(t, look.Secrets, "secrets that are not named any more are gone")
	require.Len(t, look.Machines, 2)

	imported := newTerraform(t, worker, "dep")
	imported.use(w.flyioHCL("dep-tf", `image = "nginx:2"`, `machines = 2`))
	imported.run("import", "orch_flyio_deployment.app", "dep-tf")
	out, err = imported.try("apply", "-auto-approve")
	require.NoError(t, err, out)
	imported.assertEmptyPlan()

	state, err := os.ReadFile(tf.cli.State())
	require.NoError(t, err)
	require.NotContains(t, string(state), "written-only")
	tf.destroy()
	record(t, worker, "orch/dep/flyio/dep-tf", "flyio-cleanup")
	require.Empty(t, w.fly.Apps())
	assertNowhere(t, worker.dir, token, "written-only", "reference-value")
}

// assertNowhere looks for values in everything that a worker wrote: its log and Temporal's database, with all histories.
func assertNowhere(t *testing.T, dir string, values ...string) {
	t.Helper()
	files := 0
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		for _, value := range values {
			require.NotContains(t, string(data), value, path)
		}
		files++
		return err
	}))
	require.Greater(t, files, 1, "log and database")
}

// Ctrl-C in the middle of a release: the workflow is cancelled, and what it made is gone.
func TestFlyioInterruptedApplyRollsBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tf := newTerraform(t, startWorker(t, "FLY_API_TOKEN="+token), "dep")
	tf.use(w.flyioHCL("dep-interrupt", `image = "stuck:1"`))
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	done := make(chan error, 1)
	var out bytes.Buffer
	go func() { done <- tf.cli.Run(ctx, &out, "apply", "-auto-approve", "-no-color") }()
	require.Eventually(t, func() bool {
		look, _ := w.fly.Look("dep-interrupt")
		return len(look.Machines) == 1
	}, 3*time.Minute, tick)
	interrupt()
	require.Error(t, <-done)
	require.Empty(t, w.fly.Apps(), out.String())
	require.Nil(t, tf.attributes())
}

func TestFlyioWriteOnlyToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tf := newTerraform(t, startWorker(t), "dep")
	tf.use(w.flyioHCL("dep-wo", `image = "nginx:1"`, `token_wo = "`+token+`"`, `token_wo_version = 1`))
	tf.apply()
	tf.assertEmptyPlan()
	state, err := os.ReadFile(tf.cli.State())
	require.NoError(t, err)
	require.NotContains(t, string(state), token)
	tf.destroy()
	require.Empty(t, w.fly.Apps())
}

func TestFlyioWithoutWaiting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tf := newTerraform(t, startWorker(t, "FLY_API_TOKEN="+token), "dep")
	tf.use(w.flyioHCL("dep-nowait", `image = "nginx:1"`, `wait = false`))
	tf.apply()
	require.NotContains(t, tf.attributes()["steps"], "check_health")
	tf.assertEmptyPlan()
	tf.destroy()
	require.Empty(t, w.fly.Apps())
}

func TestFlyioBadInputIsRefusedByValidate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tf := newTerraform(t, &worker{t: t, dir: t.TempDir()}, "dep")
	for hcl, want := range map[string]string{
		`image = ""`:                                                              "Invalid image",
		"image = \"nginx:1\"\n  memory_mb = 300":                                  "Invalid memory_mb",
		"image = \"nginx:1\"\n  token_wo = \"x\"":                                 "token_wo_version",
		"image = \"nginx:1\"\n  secrets_wo = { A = \"x\" }":                       "secrets_wo_version",
		"image = \"nginx:1\"\n  secrets = { A = { env = \"X\", file = \"/y\" } }": "env",
		"image = \"nginx:1\"\n  health = { path = \"health\" }":                   "Invalid health.path",
		"image = \"nginx:1\"\n  env = { A = \"1\" }\n  secrets_wo_version = 1\n  secrets_wo = { A = \"x\" }": "A is in env too",
		"image = \"nginx:1\"\n  secrets_wo_version = 1\n  secrets_wo = { \"a-b\" = \"x\" }":                  "cannot be a variable's name",
	} {
		tf.use(w.flyioHCL("dep-bad", hcl))
		out, err := tf.try("validate")
		require.Error(t, err, hcl)
		require.Contains(t, out, want)
	}
	tf.use(w.flyioHCL("dep_bad", `image = "nginx:1"`))
	out, err := tf.try("validate")
	require.Error(t, err)
	require.Contains(t, out, "Invalid app_name")
}
