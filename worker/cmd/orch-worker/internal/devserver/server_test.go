package devserver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/ports"
	"github.com/temporal-orchestrator/terraform-provider-orch/worker/cmd/orch-worker/internal/devserver"
)

// childEnv makes the test binary run a server instead of tests, so that a test can kill it.
const childEnv = "ORCH_TEST_DEVSERVER"

// child is what childEnv holds.
type child struct {
	DataDir string
	Port    int
}

func TestMain(m *testing.M) {
	if raw := os.Getenv(childEnv); raw != "" {
		if err := runChild(raw); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func runChild(raw string) error {
	var c child
	if err := json.Unmarshal([]byte(raw), &c); err != nil {
		return err
	}
	o := devserver.Options{DataDir: c.DataDir, Port: c.Port, UIPort: -1}
	if _, err := devserver.Start(context.Background(), o); err != nil {
		return err
	}
	fmt.Println("ready")
	// The parent kills this process; it closes standard input when it ends itself.
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

func freePort(t testing.TB) int {
	t.Helper()
	port, err := ports.Reserve()
	require.NoError(t, err)
	return port
}

func options(t testing.TB) devserver.Options {
	return devserver.Options{DataDir: t.TempDir(), Port: freePort(t), UIPort: -1}
}

func start(t testing.TB, o devserver.Options) *devserver.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := devserver.Start(ctx, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop()) })
	return s
}

func dial(t testing.TB, address string) client.Client {
	t.Helper()
	c, err := client.Dial(client.Options{HostPort: address, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// steps runs n activities one after the other.
func steps(ctx workflow.Context, n int) (int, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	for i := range n {
		if err := workflow.ExecuteActivity(ctx, step, i).Get(ctx, nil); err != nil {
			return i, err
		}
	}
	return n, nil
}

func step(_ context.Context, i int) (int, error) { return i, nil }

func serve(t testing.TB, c client.Client, queue string) {
	t.Helper()
	w := worker.New(c, queue, worker.Options{})
	w.RegisterWorkflow(steps)
	w.RegisterActivity(step)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
}

func run(t testing.TB, c client.Client, id, queue string, n int) client.WorkflowRun {
	t.Helper()
	r, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: id, TaskQueue: queue}, steps, n)
	require.NoError(t, err)
	var done int
	require.NoError(t, r.Get(t.Context(), &done))
	require.Equal(t, n, done)
	return r
}

func TestHistoryAndIdentityOfTheClusterSurviveARestartOnOtherPorts(t *testing.T) {
	o := options(t)
	s := start(t, o)
	c := dial(t, s.Address())
	w := worker.New(c, "q", worker.Options{})
	w.RegisterWorkflow(steps)
	w.RegisterActivity(step)
	require.NoError(t, w.Start())
	first := run(t, c, "orch/orch/logs/app", "q", 2)
	before, err := c.WorkflowService().GetClusterInfo(t.Context(), &workflowservice.GetClusterInfoRequest{})
	require.NoError(t, err)
	w.Stop()
	c.Close()
	require.NoError(t, s.Stop())

	o.Port = freePort(t)
	s = start(t, o)
	c = dial(t, s.Address())
	after, err := c.WorkflowService().GetClusterInfo(t.Context(), &workflowservice.GetClusterInfoRequest{})
	require.NoError(t, err)
	require.Equal(t, before.GetClusterId(), after.GetClusterId())

	desc, err := c.DescribeWorkflowExecution(t.Context(), first.GetID(), first.GetRunID())
	require.NoError(t, err)
	require.Equal(t, enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, desc.GetWorkflowExecutionInfo().GetStatus())
	var done int
	require.NoError(t, c.GetWorkflow(t.Context(), first.GetID(), first.GetRunID()).Get(t.Context(), &done))
	require.Equal(t, 2, done)

	serve(t, c, "q")
	run(t, c, "orch/orch/logs/app", "q", 1)
}

func TestNamespaceKeepsClosedWorkflowsForSevenDays(t *testing.T) {
	o := options(t)
	o.Retention = 24 * time.Hour // what another tool would have made
	s := start(t, o)
	require.Equal(t, 24*time.Hour, retention(t, s.Address()))
	require.NoError(t, s.Stop())

	o.Retention = 0
	s = start(t, o)
	require.Equal(t, 7*24*time.Hour, retention(t, s.Address()))
	require.NoError(t, s.Stop())

	o.Retention = 48 * time.Hour
	s = start(t, o)
	require.Equal(t, 7*24*time.Hour, retention(t, s.Address()), "a longer retention is the user's and stays")
}

func retention(t *testing.T, address string) time.Duration {
	t.Helper()
	ns, err := dial(t, address).WorkflowService().DescribeNamespace(t.Context(),
		&workflowservice.DescribeNamespaceRequest{Namespace: devserver.DefaultNamespace})
	require.NoError(t, err)
	return ns.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration()
}

func TestRefusedOptions(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, taken.Close()) })
	_, port, err := net.SplitHostPort(taken.Addr().String())
	require.NoError(t, err)
	takenPort, err := strconv.Atoi(port)
	require.NoError(t, err)

	for name, tc := range map[string]struct {
		change func(*devserver.Options)
		want   []string
	}{
		"an address that others can reach": {func(o *devserver.Options) { o.IP = "0.0.0.0" }, []string{`"0.0.0.0"`, "loopback", "--ip 127.0.0.1"}},
		"a host name":                      {func(o *devserver.Options) { o.IP = "localhost" }, []string{`"localhost"`, "--ip 127.0.0.1"}},
		"no data directory":                {func(o *devserver.Options) { o.DataDir = "" }, []string{"--data-dir"}},
		"a taken port":                     {func(o *devserver.Options) { o.Port = takenPort }, []string{"port " + port, "already in use", "--port"}},
		"a taken UI port":                  {func(o *devserver.Options) { o.UIPort = takenPort }, []string{"port " + port, "already in use", "--ui-port"}},
		"the same port twice":              {func(o *devserver.Options) { o.UIPort = o.Port }, []string{"both", "--ui-port"}},
		"a port above 65535":               {func(o *devserver.Options) { o.Port = 70000 }, []string{"70000", "1 to 65535"}},
		"a retention below a day":          {func(o *devserver.Options) { o.Retention = time.Hour }, []string{"1h", "24h"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t)
			tc.change(&o)
			_, err := devserver.Start(t.Context(), o)
			require.Error(t, err)
			for _, part := range tc.want {
				require.ErrorContains(t, err, part)
			}
		})
	}
}

func TestADatabaseThatIsNoneIsReportedWithItsPath(t *testing.T) {
	o := options(t)
	path := filepath.Join(o.DataDir, "temporal.db")
	require.NoError(t, os.WriteFile(path, bytes.Repeat([]byte("not a database\n"), 1000), 0o600))
	_, err := devserver.Start(t.Context(), o)
	require.ErrorContains(t, err, path)
	require.ErrorContains(t, err, "damaged")
}

func TestDatabaseIsPrivateAlsoInADirectoryWithUnusualCharacters(t *testing.T) {
	o := options(t)
	o.DataDir = filepath.Join(o.DataDir, "a b?c#d%20e")
	start(t, o)
	dir, err := os.Stat(o.DataDir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), dir.Mode().Perm())
	files, err := filepath.Glob(filepath.Join(o.DataDir, "temporal.db*"))
	require.NoError(t, err)
	require.Len(t, files, 3, "database, write-ahead log and its index: %v", files)
	for _, name := range files {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
	}
}

func TestOnStartSeesTheQueueBeforeTheWorkflowIsAccepted(t *testing.T) {
	var (
		mu   sync.Mutex
		seen []devserver.StartRequest
		open []error
		c    client.Client
	)
	o := options(t)
	o.OnStart = func(ctx context.Context, s devserver.StartRequest) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, s)
		_, err := c.DescribeWorkflowExecution(ctx, s.WorkflowID, "")
		open = append(open, err)
	}
	s := start(t, o)
	c = dial(t, s.Address())

	_, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "one", TaskQueue: "a-queue"}, "TypeA", 1)
	require.NoError(t, err)
	_, err = c.SignalWithStartWorkflow(t.Context(), "two", "go", nil, client.StartWorkflowOptions{TaskQueue: "b-queue"}, "TypeB")
	require.NoError(t, err)
	// Nobody serves the queue, so the update does not get through; the start request has been shown by then.
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	op := c.NewWithStartWorkflowOperation(client.StartWorkflowOptions{
		ID: "three", TaskQueue: "c-queue", WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
	}, "TypeC")
	_, err = c.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: op,
		UpdateOptions:          client.UpdateWorkflowOptions{UpdateName: "u", WaitForStage: client.WorkflowUpdateStageAccepted},
	})
	require.Error(t, err)

	mu.Lock()
	defer mu.Unlock()
	require.Equal(t, []devserver.StartRequest{
		{Namespace: "default", TaskQueue: "a-queue", WorkflowType: "TypeA", WorkflowID: "one"},
		{Namespace: "default", TaskQueue: "b-queue", WorkflowType: "TypeB", WorkflowID: "two"},
		{Namespace: "default", TaskQueue: "c-queue", WorkflowType: "TypeC", WorkflowID: "three"},
	}, seen)
	for i, err := range open {
		require.Error(t, err, "workflow %d must not exist yet when OnStart is called", i)
	}
}

func TestAWorkflowIDCanBeUsedAgainWithinASecond(t *testing.T) {
	s := start(t, options(t))
	c := dial(t, s.Address())
	serve(t, c, "q")
	// A server that refuses does so within a second, and the SDK tries again until it is over: then two runs never end in less
	// than that. On a busy machine they sometimes do not, either.
	for range 20 {
		begin := time.Now()
		run(t, c, "orch/orch/logs/app", "q", 0)
		run(t, c, "orch/orch/logs/app", "q", 0)
		if time.Since(begin) < 900*time.Millisecond {
			return
		}
	}
	t.Fatal("two runs of one ID always took longer than a second")
}

func TestAKilledServerComesBackOnItsFile(t *testing.T) {
	o := options(t)
	kill := startChild(t, o)
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(o.Port))
	c := dial(t, address)
	accepted, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "survivor", TaskQueue: "q"}, steps, 3)
	require.NoError(t, err)
	kill()

	start(t, o)
	serve(t, c, "q")
	var done int
	require.NoError(t, c.GetWorkflow(t.Context(), "survivor", accepted.GetRunID()).Get(t.Context(), &done))
	require.Equal(t, 3, done)
}

// startChild runs a server in a process of its own and returns what kills it.
func startChild(t *testing.T, o devserver.Options) (kill func()) {
	t.Helper()
	raw, err := json.Marshal(child{o.DataDir, o.Port})
	require.NoError(t, err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+string(raw))
	cmd.Stderr = os.Stderr
	_, err = cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var once sync.Once
	kill = func() {
		once.Do(func() {
			require.NoError(t, cmd.Process.Kill())
			var exit *exec.ExitError
			require.ErrorAs(t, cmd.Wait(), &exit)
		})
	}
	t.Cleanup(kill)
	line := make([]byte, len("ready"))
	_, err = io.ReadFull(out, line)
	require.NoError(t, err)
	require.Equal(t, "ready", string(line))
	return kill
}

func TestWebUIShowsItselfAndTheServer(t *testing.T) {
	o := options(t)
	o.UIPort = freePort(t)
	s := start(t, o)
	require.Contains(t, get(t, s.UIURL()), "<!doctype html>")
	require.Contains(t, get(t, s.UIURL()+"/api/v1/namespaces/default"), `"name": "default"`)

	require.NoError(t, s.Stop())
	_, err := net.DialTimeout("tcp", strings.TrimPrefix(s.UIURL(), "http://"), time.Second)
	require.Error(t, err)
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, errors.Join(err, resp.Body.Close()))
	require.Equal(t, http.StatusOK, resp.StatusCode, "%s", body)
	return string(body)
}

func TestAStartThatIsCancelledLeavesThePortFree(t *testing.T) {
	o := options(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := devserver.Start(ctx, o)
	require.ErrorIs(t, err, context.Canceled)
	start(t, o)
}
