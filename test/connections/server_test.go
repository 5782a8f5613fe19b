package connections

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
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/ports"
)

const (
	// startLimit is for a busy machine; a free one needs two seconds.
	startLimit = 90 * time.Second
	stopLimit  = 30 * time.Second
	pollEvery  = 100 * time.Millisecond
)

// binary is the path of a program of bin/.
func binary(t testing.TB, name, build string) string {
	t.Helper()
	dir := os.Getenv("ORCH_BIN_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", "bin")
	}
	path, err := filepath.Abs(filepath.Join(dir, name))
	require.NoError(t, err)
	_, err = os.Stat(path)
	require.NoError(t, err, "%s is missing; next: %s", name, build)
	return path
}

// buffer collects the output of a process that is still writing.
type buffer struct {
	mu   sync.Mutex
	data bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.String()
}

// process is a program that runs until the test ends.
type process struct {
	out    buffer
	exited chan struct{}
	cmd    *exec.Cmd
}

func start(t testing.TB, environment []string, name string, args ...string) *process {
	t.Helper()
	p := &process{exited: make(chan struct{}), cmd: exec.Command(name, args...)}
	p.cmd.Env = append(cleanEnvironment(t), environment...)
	p.cmd.Dir = t.TempDir()
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	require.NoError(t, p.cmd.Start())
	go func() {
		_ = p.cmd.Wait() // ProcessState says how it ended
		close(p.exited)
	}()
	t.Cleanup(func() {
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Error(err)
		}
		select {
		case <-p.exited:
		case <-time.After(stopLimit):
			t.Errorf("%s does not stop, killing it", filepath.Base(name))
			_ = p.cmd.Process.Kill()
			<-p.exited
		}
		if t.Failed() {
			t.Logf("%s %s: %s\n%s", filepath.Base(name), strings.Join(args, " "), p.cmd.ProcessState, tail(p.out.String()))
		}
	})
	return p
}

func tail(text string) string {
	const most = 4000
	return text[max(0, len(text)-most):]
}

// cleanEnvironment holds nothing that says where a Temporal is.
func cleanEnvironment(t testing.TB) []string {
	t.Helper()
	home := t.TempDir()
	environment := []string{"HOME=" + home, "XDG_CONFIG_HOME=" + home, "XDG_DATA_HOME=" + home}
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		switch {
		case strings.HasPrefix(name, "TEMPORAL_"), strings.HasPrefix(name, "ORCH_"), strings.HasPrefix(name, "XDG_"), name == "HOME":
		default:
			environment = append(environment, entry)
		}
	}
	return environment
}

func freePort(t testing.TB) string {
	t.Helper()
	port, err := ports.Reserve()
	require.NoError(t, err)
	return strconv.Itoa(port)
}

// startTemporal starts a Temporal server with settings of its configuration template, and returns its address.
func startTemporal(t testing.TB, settings ...string) (address string, p *process) {
	t.Helper()
	dynamic, err := filepath.Abs("../../deploy/temporal/dynamicconfig/development-sql.yaml")
	require.NoError(t, err)
	data, port := t.TempDir(), freePort(t)
	environment := []string{
		"DB=sqlite", "DBNAME=" + filepath.Join(data, "temporal.db"), "VISIBILITY_DBNAME=" + filepath.Join(data, "visibility.db"),
		"BIND_ON_IP=127.0.0.1", "FRONTEND_GRPC_PORT=" + port, "DYNAMIC_CONFIG_FILE_PATH=" + dynamic, "NUM_HISTORY_SHARDS=1",
		// The server's own workers have a frontend of their own: they have neither certificate nor token.
		"USE_INTERNAL_FRONTEND=true", "TEMPORAL_SERVICES=frontend,internal-frontend,history,matching,worker", "LOG_LEVEL=error",
	}
	for _, name := range []string{
		"FRONTEND_MEMBERSHIP_PORT", "FRONTEND_HTTP_PORT", "INTERNAL_FRONTEND_GRPC_PORT", "INTERNAL_FRONTEND_MEMBERSHIP_PORT",
		"INTERNAL_FRONTEND_HTTP_PORT", "MATCHING_GRPC_PORT", "MATCHING_MEMBERSHIP_PORT", "HISTORY_GRPC_PORT", "HISTORY_MEMBERSHIP_PORT",
		"WORKER_GRPC_PORT", "WORKER_MEMBERSHIP_PORT",
	} {
		environment = append(environment, name+"="+freePort(t))
	}
	p = start(t, append(environment, settings...), binary(t, "temporal-server", "scripts/temporal-server.sh"), "start")
	return "127.0.0.1:" + port, p
}

// prepare waits for the server and makes the namespace; cfg is a connection that may.
func prepare(t testing.TB, p *process, cfg runner.Config, namespace string) {
	t.Helper()
	options, _, err := runner.ClientOptions(cfg)
	require.NoError(t, err)
	sdk, err := client.NewLazyClient(options)
	require.NoError(t, err)
	defer sdk.Close()
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	register := func() error {
		_, err := sdk.WorkflowService().RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
			Namespace: namespace, WorkflowExecutionRetentionPeriod: durationpb.New(24 * time.Hour),
		})
		var exists *serviceerror.NamespaceAlreadyExists
		if errors.As(err, &exists) {
			return nil
		}
		return err
	}
	// Known to the frontend, but also to the parts that start workflows.
	started := func() error {
		_, err := sdk.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: "prepare", TaskQueue: "prepare"}, "Prepare")
		return err
	}
	for _, step := range []func() error{register, started} {
		for err = step(); err != nil; err = step() {
			select {
			case <-p.exited:
				require.Fail(t, "the Temporal server ended", "%s\n%s", p.cmd.ProcessState, tail(p.out.String()))
			case <-ctx.Done():
				require.Fail(t, "the Temporal server is not ready", "%v\n%s", err, tail(p.out.String()))
			case <-time.After(pollEvery):
			}
		}
	}
	require.NoError(t, sdk.TerminateWorkflow(ctx, "prepare", "", "it was only to see whether it starts"))
}

// address of a port that nobody listens on.
func nobody(t testing.TB) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%s", freePort(t))
}
