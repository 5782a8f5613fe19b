package deployments_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// hcl is a resource orch_railway_deployment.app; more are further lines.
func (w *railwayWorld) hcl(more ...string) string {
	return "resource \"orch_railway_deployment\" \"app\" {\n  service_name = \"shop\"\n  api_url = \"" + w.url + "\"\n  public_url = \"" + w.app + "\"\n  " +
		strings.Join(more, "\n  ") + "\n}\n"
}

func TestRailwayThroughTerraform(t *testing.T) {
	t.Parallel()
	w := newRailwayWorld(t, nil)
	worker := startWorker(t, "RAILWAY_API_TOKEN="+railwayToken, "ORCH_SECRET_RW=very-secret-value", "ORCH_RAILWAY_API_URL="+w.url)
	tf := newTerraform(t, worker, "rw")
	one := []string{
		`image = "ghcr.io/acme/shop:1"`, `env = { MODE = "live" }`, `secrets = { API_KEY = { env = "ORCH_SECRET_RW" } }`,
		`health = { path = "/healthz", timeout_seconds = 20 }`, `restart = { policy = "always" }`,
	}
	tf.use(w.hcl(one...))
	out, exit := tf.plan()
	require.Equal(t, 2, exit)
	require.Contains(t, out, "healthcheckPath", "the settings are shown at plan")
	require.Contains(t, out, "ghcr.io/acme/shop:1")
	tf.apply()
	w.exactlyOne()
	a := tf.attributes()
	require.Equal(t, "ready", a["status"])
	require.Equal(t, "railway_deploy_complete", a["message"])
	require.Equal(t, []any{"generate_deployment_configs", "create_project", "set_variables", "deploy", "get_url", "check_health"}, a["steps"])
	require.Equal(t, w.app, a["url"])
	tf.assertEmptyPlan()

	imported := newTerraform(t, worker, "rw")
	imported.use(w.hcl(one...))
	imported.run("import", "orch_railway_deployment.app", "shop")
	imported.apply() // api_url is nothing that Railway knows
	imported.assertEmptyPlan()

	w.double.Stop("shop")
	out, exit = tf.plan()
	require.Equal(t, 2, exit)
	require.Contains(t, out, "was stopped on Railway")
	tf.apply()
	tf.assertEmptyPlan()

	tf.use(w.hcl(append([]string{`image = "ghcr.io/acme/shop:crashes"`}, one[1:]...)...))
	out, err := tf.try("apply", "-auto-approve")
	require.Error(t, err)
	require.Contains(t, out, "step deploy failed")
	require.Contains(t, out, "panic: no configuration")
	require.Contains(t, out, "runs again what deployment")
	require.NotContains(t, out, "very-secret-value")
	w.exactlyOne()

	tf.use(w.hcl(append([]string{`image = "ghcr.io/acme/shop:2"`, `replicas = 2`}, one[1:]...)...))
	tf.apply()
	tf.assertEmptyPlan()
	require.Equal(t, 2, w.double.Projects()[0].Services[0].Replicas)

	state, err := os.ReadFile(tf.cli.State())
	require.NoError(t, err)
	require.NotContains(t, string(state), "very-secret-value")
	tf.destroy()
	require.Empty(t, w.double.Projects())
	log, err := os.ReadFile(filepath.Join(worker.dir, "worker.log"))
	require.NoError(t, err)
	require.NotContains(t, string(log), railwayToken)
	require.NotContains(t, string(log), "very-secret-value")
}

func TestRailwayInterruptedUpdateGoesBack(t *testing.T) {
	t.Parallel()
	w := newRailwayWorld(t, nil)
	tf := newTerraform(t, startWorker(t, "RAILWAY_API_TOKEN="+railwayToken), "rw")
	one := w.hcl(`image = "ghcr.io/acme/shop:1"`)
	tf.use(one)
	tf.apply()
	tf.use(w.hcl(`image = "ghcr.io/acme/shop:stuck"`))
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	done := make(chan error, 1)
	var out bytes.Buffer
	go func() { done <- tf.cli.Run(ctx, &out, "apply", "-auto-approve", "-no-color") }()
	require.Eventually(t, func() bool { return w.double.Projects()[0].Services[0].Deployments == 2 }, 3*time.Minute, tick)
	interrupt()
	require.Error(t, <-done)
	service := w.double.Projects()[0].Services[0]
	require.Equal(t, "ghcr.io/acme/shop:1", service.Image, out.String())
	require.Equal(t, 1, service.Running)
	require.Equal(t, 1, w.mutations()["deploymentCancel"])
	tf.use(one)
	tf.assertEmptyPlan()
	tf.destroy()
}

func TestRailwayExample(t *testing.T) {
	t.Parallel()
	w := newRailwayWorld(t, nil)
	worker := startWorker(t, "RAILWAY_API_TOKEN="+railwayToken, "ORCH_SECRET_SHOP_API_KEY=very-secret-value", "ORCH_RAILWAY_API_URL="+w.url)
	example, err := os.ReadFile("../../examples/resources/orch_railway_deployment/resource.tf")
	require.NoError(t, err)
	tf := newTerraform(t, worker, "rw")
	// The name that the double gives it leads nowhere.
	tf.use(strings.Replace(string(example), "{\n", "{\n  public_url = \""+w.app+"\"\n", 1))
	tf.apply()
	require.Equal(t, "8080", w.double.Projects()[0].Services[0].Variables["PORT"])
	tf.assertEmptyPlan()
	tf.destroy()
	require.Empty(t, w.double.Projects())
}

func TestRailwayBadInputIsReportedAtPlan(t *testing.T) {
	t.Parallel()
	w := newRailwayWorld(t, nil)
	tf := newTerraform(t, &worker{t: t, dir: t.TempDir()}, "rw")
	for hcl, want := range map[string]string{
		``: "Either image or repository says what is deployed",
		`image = "a:1"` + "\n" + `region = "mars-1"`:                  "not one of Railway's regions",
		`image = "a:1"` + "\n" + `branch = "main"`:                    "branch is one of a repository",
		`image = "a:1"` + "\n" + `restart = { policy = "sometimes" }`: "not always, never or on_failure",
		`image = "a:1"` + "\n" + `env = { RAILWAY_X = "1" }`:          "begin with RAILWAY_",
		`repository = "not a repository"`:                             "not of the form owner/name",
		`image = "a:1"` + "\n" + `health = { interval_seconds = 3 }`:  "Railway has no interval_seconds",
	} {
		tf.use(w.hcl(hcl))
		out, err := tf.try("validate")
		require.Error(t, err, hcl)
		require.Contains(t, unwrap(out), want)
	}
}

// unwrap undoes the line breaks that Terraform puts into a message.
func unwrap(text string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("│", " ", "╷", " ", "╵", " ").Replace(text)), " ")
}
