package runner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/ports"
)

// The tests talk to the real embedded server, as a process of its own: the provider's module must not know it.

// shared is the server of all tests that leave it alone; it is started by the first of them.
var shared struct {
	mu     sync.Mutex
	server *server
	err    error
}

func TestMain(m *testing.M) {
	os.Exit(runTests(m))
}

// runTests keeps the configuration of whoever runs the tests out of them.
func runTests(m *testing.M) (code int) {
	home, err := os.MkdirTemp("", "orch-runner-test")
	if err == nil {
		err = isolate(home)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	shared.server, shared.err = newServer(filepath.Join(home, "server"))
	code = m.Run()
	if shared.server != nil {
		shared.server.kill()
	}
	if err := os.RemoveAll(home); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// isolate empties the environment of what orch and Temporal read, and moves the home directory.
func isolate(home string) error {
	var err error
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "TEMPORAL_") || strings.HasPrefix(name, "ORCH_ENCRYPTION") {
			err = errors.Join(err, os.Unsetenv(name))
		}
	}
	return errors.Join(err, os.Setenv("HOME", home), os.Setenv("XDG_DATA_HOME", filepath.Join(home, "data")),
		os.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config")))
}

// server is a running `orch-worker dev`.
type server struct {
	dir, address string
	port, uiPort int
	cmd          *exec.Cmd
	exited       chan struct{}
	log          bytes.Buffer
}

func newServer(dir string) (*server, error) {
	port, uiPort, err := ports.Pair()
	if err != nil {
		return nil, err
	}
	return &server{dir: dir, address: "127.0.0.1:" + strconv.Itoa(port), port: port, uiPort: uiPort}, nil
}

// start runs the server and returns when it answers.
func (s *server) start() error {
	binary := filepath.Join("..", "..", "bin", "orch-worker")
	if dir := os.Getenv("ORCH_BIN_DIR"); dir != "" {
		binary = filepath.Join(dir, "orch-worker")
	}
	if _, err := os.Stat(binary); err != nil {
		return fmt.Errorf("these tests need the worker binary: %w; build it with: make build", err)
	}
	s.log.Reset()
	s.cmd = exec.Command(binary, "dev", "--port", strconv.Itoa(s.port), "--ui-port", strconv.Itoa(s.uiPort), "--data-dir", s.dir)
	// It makes a key file in its data home, which must not become that of the tests.
	s.cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+s.dir)
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := s.cmd.Start(); err != nil {
		return err
	}
	cmd, exited := s.cmd, make(chan struct{})
	s.exited = exited
	go func() { _ = cmd.Wait(); close(exited) }()

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		c, err := client.DialContext(ctx, client.Options{HostPort: s.address})
		if err == nil {
			_, err = c.DescribeTaskQueue(ctx, "any", 1)
			c.Close()
		}
		if err == nil {
			return nil
		}
		select {
		case <-exited:
			return fmt.Errorf("the server has ended:\n%s", s.log.String())
		default:
		}
		if !pause(ctx, 50*time.Millisecond) {
			s.kill()
			return fmt.Errorf("the server does not answer: %w\n%s", err, s.log.String())
		}
	}
}

func (s *server) kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	<-s.exited
	s.cmd = nil
}

// running returns the shared server, started.
func running(t *testing.T) *server {
	t.Helper()
	require.NoError(t, shared.err)
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.server.cmd == nil {
		require.NoError(t, shared.server.start())
	}
	return shared.server
}

// newClient is a client of a server, with patience for the workers of a busy machine; hasty has none.
func newClient(t *testing.T, s *server, change ...func(*Config)) *Client {
	t.Helper()
	cfg := Config{Address: s.address, WorkerGrace: 30 * time.Second}
	for _, f := range change {
		f(&cfg)
	}
	c, err := New(cfg)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// hasty gives up on workers quickly.
func hasty(cfg *Config) { cfg.WorkerGrace = 2 * time.Second }

// newCall is a setup of a service that no other test knows.
func newCall(t *testing.T, workflowType string) Call {
	t.Helper()
	name := strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name()))
	name = strings.Trim(name[:min(len(name), 50)], "-") + "-" + strconv.FormatInt(time.Now().UnixNano()%1e6, 36)
	return Call{
		Kind: contract.LogsPipeline, WorkflowType: workflowType, TaskQueue: name + "-queue", Timeout: time.Minute,
		Request: contract.Request{ServiceName: name, Operation: contract.OpCreate, Input: []byte(`{"loki":{"port":3100}}`)},
	}
}

// serve polls a queue with the workflows of workflows_test.go until the test ends or stop is called.
func serve(t *testing.T, s *server, queue string, change ...func(*Config)) (stop func()) {
	t.Helper()
	cfg := Config{Address: s.address, Identity: "test-worker"}
	for _, f := range change {
		f(&cfg)
	}
	options, _, err := ClientOptions(cfg)
	require.NoError(t, err)
	c, err := client.Dial(options)
	require.NoError(t, err)
	w := worker.New(c, queue, worker.Options{WorkerStopTimeout: time.Second})
	register(w)
	require.NoError(t, w.Start())
	stop = sync.OnceFunc(func() { w.Stop(); c.Close() })
	t.Cleanup(stop)
	return stop
}

// result is what an operation ended in.
type result struct {
	run    Run
	err    error
	result contract.Result
}

// begin runs a call in the background; it returns when the run was started or attached to.
func begin(ctx context.Context, t *testing.T, c *Client, call Call) (Run, <-chan result) {
	t.Helper()
	runs, done := make(chan Run, 8), make(chan result, 1)
	go func() {
		var r result
		r.run, r.err = c.Run(ctx, call, &r.result, func(run Run) { runs <- run })
		done <- r
	}()
	select {
	case run := <-runs:
		return run, done
	case r := <-done:
		t.Fatalf("not started: %v", r.err)
	case <-time.After(time.Minute):
		t.Fatal("not started within a minute")
	}
	return Run{}, nil
}

func await(t *testing.T, done <-chan result) result {
	t.Helper()
	select {
	case r := <-done:
		return r
	case <-time.After(90 * time.Second):
		t.Fatal("no end within 90 s")
		return result{}
	}
}

// eventually polls until ok says so.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, time.Minute, 50*time.Millisecond, what)
}
