package deployments_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/demo/devenv"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/ports"
)

// worker is one `orch-worker dev`: Temporal and a worker in a process of its own.
type worker struct {
	t        *testing.T
	dir      string
	port, ui int
	env      []string
	cmd      *exec.Cmd
	exited   chan struct{}
}

// binary is a program that `make build` makes.
func binary(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("ORCH_BIN_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", "bin")
	}
	path, err := filepath.Abs(filepath.Join(dir, name))
	require.NoError(t, err)
	_, err = os.Stat(path)
	require.NoError(t, err, "run: make build")
	return path
}

// startWorker starts a worker; env is added to its environment.
func startWorker(t *testing.T, env ...string) *worker {
	t.Helper()
	w := &worker{t: t, dir: t.TempDir(), env: env}
	var err error
	w.port, w.ui, err = ports.Pair()
	require.NoError(t, err)
	t.Cleanup(func() {
		w.kill()
		if t.Failed() {
			t.Logf("worker's log:\n%s", w.log())
		}
	})
	w.start()
	return w
}

// log is the end of what the worker has written.
func (w *worker) log() string {
	data, _ := os.ReadFile(filepath.Join(w.dir, "worker.log"))
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}

func (w *worker) start() {
	w.t.Helper()
	log, err := os.OpenFile(filepath.Join(w.dir, "worker.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(w.t, err)
	defer log.Close()
	w.cmd = exec.Command(binary(w.t, "orch-worker"), "dev", "--data-dir", filepath.Join(w.dir, "data"), "--port", fmt.Sprint(w.port), "--ui-port", fmt.Sprint(w.ui))
	w.cmd.Env = append(environment(), "ORCH_ENCRYPTION_KEY_FILE="+w.keyFile())
	w.cmd.Env = append(w.cmd.Env, w.env...)
	w.cmd.Stdout, w.cmd.Stderr = log, log
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(w.t, w.cmd.Start())
	w.exited = make(chan struct{})
	go func(cmd *exec.Cmd, exited chan struct{}) { _ = cmd.Wait(); close(exited) }(w.cmd, w.exited)
	var ended, listens bool
	require.Eventually(w.t, func() bool {
		select {
		case <-w.exited:
			ended = true
		default:
			c, err := net.DialTimeout("tcp", w.address(), time.Second)
			if listens = err == nil; listens {
				c.Close()
			}
		}
		return ended || listens
	}, 3*time.Minute, 50*time.Millisecond, "orch-worker dev listens")
	require.True(w.t, listens, "orch-worker dev has ended")
}

// kill is SIGKILL.
func (w *worker) kill() {
	if w.cmd == nil || w.cmd.Process == nil {
		return
	}
	_ = syscall.Kill(-w.cmd.Process.Pid, syscall.SIGKILL)
	<-w.exited
}

func (w *worker) address() string { return fmt.Sprintf("127.0.0.1:%d", w.port) }

func (w *worker) keyFile() string { return filepath.Join(w.dir, "encryption.key") }

// environment is that of the tests without what would redirect Temporal, Terraform or a platform.
func environment() []string {
	var env []string
	for _, entry := range os.Environ() {
		clean := true
		for _, prefix := range []string{"TEMPORAL_", "TF_", "ORCH_", "XDG_", "FLY_", "RAILWAY_", "RENDER_", "GITHUB_"} {
			clean = clean && !strings.HasPrefix(entry, prefix)
		}
		if clean {
			env = append(env, entry)
		}
	}
	return env
}

// terraform is a configuration directory with the real CLI and provider.
type terraform struct {
	t    *testing.T
	cli  devenv.Terraform
	head string
}

// newTerraform is a configuration that is applied through w.
func newTerraform(t *testing.T, w *worker, scope string) *terraform {
	t.Helper()
	cli, err := devenv.FindTerraform()
	require.NoError(t, err)
	dir := t.TempDir()
	return &terraform{
		t: t,
		cli: devenv.Terraform{
			CLI: cli, ProviderDir: filepath.Dir(binary(t, "terraform-provider-orch")), Config: filepath.Join(dir, "hcl"), Work: filepath.Join(dir, "work"),
			Env: []string{"ORCH_ENCRYPTION_KEY_FILE=" + w.keyFile(), "HOME=" + dir},
		},
		head: fmt.Sprintf("terraform {\n  required_providers {\n    orch = { source = \"temporal-orchestrator/orch\" }\n  }\n}\nprovider \"orch\" {\n  address = %q\n  scope = %q\n}\n",
			w.address(), scope),
	}
}

// use makes hcl the configuration.
func (tf *terraform) use(hcl string) {
	tf.t.Helper()
	require.NoError(tf.t, os.MkdirAll(tf.cli.Config, 0o700))
	require.NoError(tf.t, os.WriteFile(filepath.Join(tf.cli.Config, "main.tf"), []byte(tf.head+hcl), 0o600))
	require.NoError(tf.t, tf.cli.Write())
}

// try runs a command and returns what it printed.
func (tf *terraform) try(args ...string) (string, error) {
	var out bytes.Buffer
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tf.t.Context()), 4*time.Minute)
	defer cancel()
	err := tf.cli.Run(ctx, &out, append(args, "-no-color")...)
	return out.String(), err
}

func (tf *terraform) run(args ...string) string {
	tf.t.Helper()
	out, err := tf.try(args...)
	require.NoError(tf.t, err, "%s", out)
	return out
}

func (tf *terraform) apply() string   { tf.t.Helper(); return tf.run("apply", "-auto-approve") }
func (tf *terraform) destroy() string { tf.t.Helper(); return tf.run("destroy", "-auto-approve") }

// assertEmptyPlan plans, and expects that nothing is to be done.
func (tf *terraform) assertEmptyPlan() {
	tf.t.Helper()
	out, err := tf.try("plan", "-detailed-exitcode")
	require.NoError(tf.t, err, "the plan after an apply must be empty:\n%s", out)
}

// planExit is the exit code of a plan: 0 is empty, 2 is a change.
func (tf *terraform) plan() (string, int) {
	out, err := tf.try("plan", "-detailed-exitcode")
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out, exit.ExitCode()
	}
	require.NoError(tf.t, err, "%s", out)
	return out, 0
}

// attributes are those of the one resource in state; nil when there is none.
func (tf *terraform) attributes() map[string]any {
	tf.t.Helper()
	all, err := tf.cli.Resources(context.WithoutCancel(tf.t.Context()))
	require.NoError(tf.t, err)
	if len(all) == 0 {
		return nil
	}
	out := map[string]any{}
	require.NoError(tf.t, json.Unmarshal(all[0].Values, &out))
	return out
}
