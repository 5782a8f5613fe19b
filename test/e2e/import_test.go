package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/ports"
)

const address = "orch_logs_pipeline.it"

func TestImportFindsTheConfigurationAgain(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "import")
	p.lokiMore, p.collectorMore = []string{`retention = "72h"`, "cpus = 0.5"}, []string{"memory_mb = 200"}
	p.top = []string{`labels = { team = "a b", "x.y" = "" }`, `bind_address = "127.0.0.1"`, `pull_policy = "missing"`}
	maker := newWorld(t, shared.get(t))
	maker.use(p)
	maker.apply()
	made := lives(t, p.service)

	for name, id := range map[string]string{"name": p.service, "full id": p.ref().ID()} {
		w := newWorld(t, shared.get(t))
		w.use(p)
		imported := w.terraform("import", "-no-color", address, id)
		require.Zero(t, imported.exit, "import by %s: %s", name, imported.out)
		w.assertEmptyPlan()
	}
	recordLook(t, maker.server, p.ref(), contract.LogsPipeline.StatusWorkflow(), "status")
	require.Equal(t, made, lives(t, p.service))

	p.top = append(p.top, "delete_volumes = true")
	maker.use(p)
	maker.apply()
	maker.destroy()
	assertNothingLeft(t, p.service)
}

func TestImportOfWhatIsNotThereSaysSo(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "import-nothing")
	w := newWorld(t, shared.get(t))
	w.use(p)
	for _, id := range []string{p.service, p.ref().ID()} {
		imported := w.terraform("import", "-no-color", address, id)
		require.Equal(t, 1, imported.exit)
		require.Contains(t, unwrapped(imported.out), "There is no")
		require.Contains(t, unwrapped(imported.out), p.service)
	}
	for _, id := range []string{"Not A Name", "orch/orch/other/" + p.service, "a/b"} {
		imported := w.terraform("import", "-no-color", address, id)
		require.Equal(t, 1, imported.exit, id)
	}
	w.assertNoState()
}

// unwrapped undoes the line breaks and frame that Terraform draws around a message.
func unwrapped(out string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(out, "│", " ")), " ")
}

// holdDefaults makes the caller the only test of this machine that uses default ports and default image names, until its
// cleanups have run.
func holdDefaults(t *testing.T) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(os.TempDir(), "orch-e2e-defaults.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	require.NoError(t, err)
	t.Cleanup(func() { _ = file.Close() }) // which unlocks
	eventually(t, 3*commandLimit, "no other test uses the default ports", func() bool {
		return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
	})
}

// testImage is the label that test/images/build.sh gives every image.
const testImage = "io.orch.test.inputs"

// withDefaultImages makes the default image names, behind a mirror or not, run what the other tests run, for as long as the
// test lasts. An image that somebody has pulled under such a name stays; a name that a killed test has left is taken over, or
// a double would pass for the real thing from then on.
func withDefaultImages(t *testing.T, mirror string) {
	t.Helper()
	for name, image := range defaultImages(t) {
		if image == "" {
			image = name
		}
		name = mirror + name
		label, err := tryDocker("image", "inspect", "--format", `{{index .Config.Labels "`+testImage+`"}}`, name)
		if err == nil && (label == "" || name == image) {
			continue
		}
		docker(t, "tag", image, name)
		t.Cleanup(func() {
			if _, err := tryDocker("rmi", "--no-prune", name); err != nil {
				t.Error(err)
			}
		})
	}
}

func needDefaultPorts(t *testing.T) {
	t.Helper()
	for _, port := range defaultPorts(t) {
		what := fmt.Sprintf("the default port %d is free; see who has it with: docker ps; ss -ltnp 'sport = :%d'", port, port)
		eventually(t, 20*time.Second, what, func() bool { return ports.Free(port) })
	}
}

// Everything that uses default ports and default image names comes one after the other in one test: several would hold each
// other's places among those that run at the same time.
func TestOnDefaults(t *testing.T) {
	t.Parallel()
	holdDefaults(t)
	t.Run("start by a script", startByAScript)
	t.Run("ingests by service name alone", ingestsByServiceNameAlone)
	t.Run("examples", everyExampleApplies)
}

// The trigger scripts of the first version start workflows like this, from any SDK and without our codec.
func startByAScript(t *testing.T) {
	withDefaultImages(t, "")
	needDefaultPorts(t)
	p := newPipeline(t, "seed")
	s := shared.get(t)
	c := s.dial(t)
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
		ID: p.service + "-by-script", TaskQueue: contract.TaskQueue(p.service),
	}, "LogsPipelineWorkflow", map[string]string{"service_name": p.service})
	require.NoError(t, err)
	var answer struct{ Message string }
	require.NoError(t, run.Get(t.Context(), &answer))
	require.Equal(t, "Logs pipeline fully configured", answer.Message)
	recordRun(t, s, run.GetID(), run.GetRunID(), "setup-by-script")

	p.grpc, p.http, p.loki, p.grafana = 4317, 4318, 3100, 3000
	sendLine(t, p, "through the default ports")
	lokiHas(t, p, "through the default ports")

	w := newWorld(t, s)
	bare := strings.Join([]string{
		requiredProviders,
		"provider \"orch\" { address = \"" + s.address() + "\" }",
		"resource \"orch_logs_pipeline\" \"it\" {\n  service_name = \"" + p.service + "\"\n",
	}, "\n")
	w.write(bare + "}\n")
	imported := w.terraform("import", "-no-color", address, p.service)
	require.Zero(t, imported.exit, imported.out)
	w.assertEmptyPlan()
	w.write(bare + "  delete_volumes = true\n}\n")
	w.apply()
	w.destroy()
	assertNothingLeft(t, p.service)
}
