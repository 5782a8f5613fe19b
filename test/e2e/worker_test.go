package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/ports"
)

const (
	workerStart = 60 * time.Second
	workerStop  = 40 * time.Second
)

// server is one `orch-worker dev`: Temporal and workers in a process of its own.
type server struct {
	dir         string
	port, webUI int
	env         []string
	logPath     string

	cmd    *exec.Cmd
	exited chan struct{}
}

// shared serves every test that does not harm its server.
var shared sharedServer

type sharedServer struct {
	once   sync.Once
	server *server
	err    error
}

func (s *sharedServer) get(t *testing.T) *server {
	t.Helper()
	s.once.Do(s.begin)
	require.NoError(t, s.err)
	return s.server
}

// begin uses a directory of its own, because the server outlives the test that needs it first.
func (s *sharedServer) begin() {
	var dir string
	if dir, s.err = os.MkdirTemp("", "orch-e2e-"); s.err == nil {
		s.server, s.err = newServer(dir)
	}
}

func (s *sharedServer) stop() {
	if s.server == nil {
		return
	}
	if err := s.server.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e: the shared worker:", err)
	}
	_ = os.RemoveAll(s.server.dir)
}

// ownServer is a server for one test, with additions to its environment.
func ownServer(t *testing.T, env ...string) *server {
	t.Helper()
	s, err := newServer(t.TempDir(), env...)
	require.NoError(t, err)
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error("the test's own worker:", err)
		}
	})
	return s
}

// newServer starts a server, with its Web UI where the provider expects it.
func newServer(dir string, env ...string) (*server, error) {
	port, webUI, err := ports.Pair()
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir, port: port, webUI: webUI, env: env, logPath: filepath.Join(dir, "worker.log")}
	return s, s.start()
}

func (s *server) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// keyFile is where `dev` makes the encryption key, and where the provider finds it.
func (s *server) keyFile() string { return filepath.Join(s.dir, "keys", "encryption.key") }

// start starts the process, again after a kill, and waits until Temporal answers.
func (s *server) start() error {
	logFile, err := os.OpenFile(s.logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer logFile.Close()
	s.cmd = exec.Command(filepath.Join(setting.binDir, "orch-worker"), "dev", "--data-dir", filepath.Join(s.dir, "data"),
		"--port", strconv.Itoa(s.port), "--ui-port", strconv.Itoa(s.webUI))
	s.cmd.Env = append(cleanEnv(), "ORCH_ENCRYPTION_KEY_FILE="+s.keyFile())
	s.cmd.Env = append(s.cmd.Env, s.env...)
	s.cmd.Stdout, s.cmd.Stderr = logFile, logFile
	// Ctrl-C on the test run must reach the tests first.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	s.exited = exited
	go func(cmd *exec.Cmd) { _ = cmd.Wait(); close(exited) }(s.cmd)
	deadline := time.Now().Add(workerStart)
	for {
		err := s.healthy()
		if err == nil {
			return nil
		}
		select {
		case <-exited:
			return fmt.Errorf("orch-worker dev ended at once: %s\n%s", s.cmd.ProcessState, s.log())
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("orch-worker dev does not answer: %w\n%s", err, s.log())
		}
	}
}

func (s *server) healthy() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	c, err := client.DialContext(ctx, client.Options{HostPort: s.address(), Logger: quiet{}})
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.CheckHealth(ctx, &client.CheckHealthRequest{})
	return err
}

// kill is SIGKILL: what a crash, the OOM killer or a power cut looks like.
func (s *server) kill() error {
	if err := s.cmd.Process.Kill(); err != nil {
		return err
	}
	<-s.exited
	return nil
}

func (s *server) stop() error {
	if s.cmd == nil || s.cmd.Process == nil {
		return nil
	}
	select {
	case <-s.exited:
		return nil
	default:
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-s.exited:
		return nil
	case <-time.After(workerStop):
		return errors.Join(fmt.Errorf("orch-worker dev did not stop within %s of SIGTERM", workerStop), s.kill())
	}
}

func (s *server) log() string {
	data, err := os.ReadFile(s.logPath)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// logAbout are the lines of the log that mention a service, and the last ones.
func (s *server) logAbout(service string) string {
	lines := strings.Split(strings.TrimSpace(s.log()), "\n")
	var out []string
	for i, line := range lines {
		if i >= len(lines)-20 || strings.Contains(line, service) {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

// dial is a client as any program would have one: without our codec.
func (s *server) dial(t *testing.T) client.Client {
	t.Helper()
	c, err := client.DialContext(t.Context(), client.Options{HostPort: s.address(), Logger: quiet{}})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// quiet drops what the SDK logs.
type quiet struct{}

var _ log.Logger = quiet{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}

// orchWorker runs another command of the worker binary and returns its exit code and output.
func (s *server) orchWorker(t *testing.T, args ...string) (int, string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(setting.binDir, "orch-worker"), args...)
	cmd.Env = append(cleanEnv(), "ORCH_ENCRYPTION_KEY_FILE="+s.keyFile(), "TEMPORAL_ADDRESS="+s.address())
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("orch-worker %s: %v", strings.Join(args, " "), err)
	}
	if stderr.Len() > 0 {
		t.Logf("orch-worker %s: %s", strings.Join(args, " "), stderr.String())
	}
	return cmd.ProcessState.ExitCode(), stdout.String()
}

// cleanEnv is the environment without what would redirect Temporal or Terraform.
func cleanEnv() []string {
	var env []string
	for _, entry := range os.Environ() {
		if strings.HasPrefix(entry, "TEMPORAL_") || strings.HasPrefix(entry, "TF_") || strings.HasPrefix(entry, "ORCH_") ||
			strings.HasPrefix(entry, "XDG_") {
			continue
		}
		env = append(env, entry)
	}
	return env
}

// reservePort is a host port that nobody else is given.
func reservePort(t *testing.T) int {
	t.Helper()
	port, err := ports.Reserve()
	require.NoError(t, err)
	return port
}
