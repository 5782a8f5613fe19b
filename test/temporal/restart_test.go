//go:build cluster

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/demo/devenv"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/ports"
)

// These tests need the cluster of `make temporal-up`, and restart it: scripts/temporal.sh restarts runs them.
const (
	environmentAddress = "ORCH_CLUSTER_ADDRESS"
	environmentProject = "ORCH_CLUSTER_PROJECT"
	environmentBin     = "ORCH_BIN_DIR"
	// readyAfter makes a component slow enough to act in the middle of an apply.
	readyAfter = "12s"
	slowImage  = "orch.local/temporal-slow:1"
)

func needed(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	require.NotEmpty(t, value, "%s is not set; run: scripts/temporal.sh restarts", name)
	return value
}

func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	require.NoError(t, err, "docker %s: %s", strings.Join(args, " "), out)
	return strings.TrimSpace(string(out))
}

func eventually(t *testing.T, within time.Duration, what string, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, within, 100*time.Millisecond, what)
}

// slowLoki is an image that answers as a Loki after a while.
func slowLoki(t *testing.T) {
	t.Helper()
	dockerfile := filepath.Join(t.TempDir(), "Dockerfile")
	require.NoError(t, os.WriteFile(dockerfile, []byte(fmt.Sprintf(
		"FROM orch.local/box:1\nENTRYPOINT [\"/box\", \"serve\", \"--port\", \"3100\", \"--ready-after\", %q]\nCMD []\n", readyAfter)), 0o600))
	docker(t, "build", "--quiet", "--tag", slowImage, filepath.Dir(dockerfile))
}

func freePort(t *testing.T) string {
	t.Helper()
	port, err := ports.Reserve()
	require.NoError(t, err)
	return strconv.Itoa(port)
}

// pipeline is examples/demo on the cluster, with a worker of its own.
type pipeline struct {
	t         *testing.T
	service   string
	terraform devenv.Terraform
	arguments []string
}

func newPipeline(t *testing.T, service string) *pipeline {
	t.Helper()
	address, bin := needed(t, environmentAddress), needed(t, environmentBin)
	// Not the test's context: it ends before the cleanups, in which the worker is still needed.
	w, err := startWorker(context.Background(), cluster{address: address, namespace: "default", worker: filepath.Join(bin, "orch-worker")}, contract.TaskQueue(service))
	require.NoError(t, err)
	t.Cleanup(func() {
		if err := w.stop(); err != nil || t.Failed() {
			t.Logf("worker: %v\n%s", err, w.log.String())
		}
	})
	cli, err := devenv.FindTerraform()
	require.NoError(t, err)
	config, err := filepath.Abs("../../examples/demo")
	require.NoError(t, err)
	p := &pipeline{t: t, service: service, terraform: devenv.Terraform{
		CLI: cli, ProviderDir: bin, Config: config, Work: t.TempDir(),
		// The demo's provider block is empty: the environment names the cluster.
		Env: []string{"TEMPORAL_ADDRESS=" + address, "TEMPORAL_CONFIG_FILE=" + os.DevNull},
	}}
	require.NoError(t, p.terraform.Write())
	for name, value := range map[string]string{
		"service_name": service, "collector_image": "orch.local/doubles/collector:1", "loki_image": slowImage,
		"grafana_image": "orch.local/doubles/grafana:12.4.15", "otlp_grpc_port": freePort(t), "otlp_http_port": freePort(t),
		"loki_port": freePort(t), "grafana_port": freePort(t),
	} {
		p.arguments = append(p.arguments, "-var="+name+"="+value)
	}
	return p
}

func (p *pipeline) run(args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	return p.terraform.Run(ctx, nil, append(args, p.arguments...)...)
}

func (p *pipeline) containers() []string {
	return strings.Fields(docker(p.t, "ps", "--all", "--quiet", "--filter", "label="+contract.LabelService+"="+p.service))
}

// crash kills a container of the cluster and starts it again, as a machine that lost its power would.
func crash(t *testing.T, service string) {
	t.Helper()
	id := docker(t, "ps", "--quiet", "--filter", "label=com.docker.compose.project="+needed(t, environmentProject),
		"--filter", "label=com.docker.compose.service="+service)
	require.NotEmpty(t, id, "the cluster has no running container of %s; run: make temporal-up", service)
	docker(t, "kill", id)
	docker(t, "start", id)
	t.Cleanup(func() {
		eventually(t, 2*time.Minute, service+" is healthy again", func() bool {
			out, err := exec.Command("docker", "inspect", "--format", "{{.State.Health.Status}}", id).Output()
			return err == nil && strings.TrimSpace(string(out)) == "healthy"
		})
	})
}

func TestAnApplySurvivesARestartOfTheCluster(t *testing.T) {
	slowLoki(t)
	for name, services := range map[string][]string{
		"PostgreSQL": {"postgresql"},
		"Temporal":   {"temporal"},
		"both":       {"postgresql", "temporal"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPipeline(t, "restart-"+strings.ToLower(name))
			t.Cleanup(func() {
				require.NoError(t, p.run("destroy", "-auto-approve"))
				require.Empty(t, p.containers(), "destroy leaves nothing behind")
			})
			applied := make(chan error, 1)
			go func() { applied <- p.run("apply", "-auto-approve") }()
			eventually(t, time.Minute, "the apply is in the middle", func() bool { return len(p.containers()) >= 3 })
			for _, service := range services {
				crash(t, service)
			}
			require.Empty(t, applied, "the apply was over before the restart")
			require.NoError(t, <-applied)
			require.Len(t, p.containers(), 3, "each component once")
			require.NoError(t, p.run("plan", "-detailed-exitcode"), "the apply is followed by an empty plan")
		})
	}
}
