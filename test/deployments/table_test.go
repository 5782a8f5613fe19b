package deployments_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	temporalclient "go.temporal.io/sdk/client"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/cloudfault"
)

// doubled is one deployment against doubles of its own.
type doubled struct {
	faults *cloudfault.Faults
	kind   contract.Kind
	// access is how the worker reaches the doubles, and env what else its environment must have.
	access map[string]contract.Access
	env    []string
	// input is HCL's in JSON: version 1 is created and version 2 an update of it.
	input func(version int) string
	// change is for what only this platform's requests have; nil changes nothing.
	change func(*contract.Request)
	// whole says what is wrong with what there is: exactly one of everything is whole.
	whole func(version int) error
	// left is what there still is after a destroy.
	left func() []string
	// describe says what a call is and whether it changes something; nil goes by its method and URL.
	describe func(cloudfault.Call) (text string, mutating bool)
}

// phases of a deployment's life, in which calls are made.
var phases = []string{"create", "update", "destroy"}

// atOnce bounds how many rows are at work at the same time: each waits for most of its time until Temporal has noticed that a
// worker is gone.
const atOnce = 12

// everyCall reports that workers are killed after calls that only read, too: three times as many rows, and minutes more.
func everyCall() bool { return os.Getenv("ORCH_TEST_KILLS") == "all" }

// row is what became of one fault.
type row struct {
	number               int
	phase, call, verdict string
	applies              int
	took                 time.Duration
}

// survives kills the worker after each call to the platform that changes something in turn, or after every single call (make
// test-kills), and has the answer of those that change something lost in turn. The worker is the real process and so is the server; what Terraform's provider does is done with its
// own client. After the next apply there must be exactly one of everything, and after a destroy nothing. It prints the table.
func survives(t *testing.T, platform string, begin func(t *testing.T, name string) doubled) {
	server := startWorker(t)
	calls := recordLife(t, server, platform, begin)
	rows := map[string][]row{"worker killed after the call": nil, "call done, answer lost": nil}
	var mu sync.Mutex
	slots := make(chan struct{}, atOnce)
	t.Run("rows", func(t *testing.T) {
		for i, c := range calls {
			for title := range rows {
				kill := strings.HasPrefix(title, "worker")
				if !c.mutating && (!kill || !everyCall()) {
					continue
				}
				t.Run(fmt.Sprintf("%s %03d %s", strings.Fields(title)[0], i+1, c.phase), func(t *testing.T) {
					t.Parallel()
					slots <- struct{}{}
					defer func() { <-slots }()
					r := strike(t, newLife(t, server, begin, fmt.Sprintf("dep-%s-%d", strings.Fields(title)[0], i+1)), c, kill)
					r.number = i + 1
					mu.Lock()
					defer mu.Unlock()
					rows[title] = append(rows[title], r)
				})
			}
		}
	})
	for title, all := range rows {
		printTable(t, platform+": "+title, all)
	}
}

// life is one deployment from its creation to its end, with a worker of its own.
type life struct {
	doubled
	t      *testing.T
	name   string
	client *runner.Client
	// temporal asks who polls.
	temporal temporalclient.Client
	server   *worker
	cmd      *exec.Cmd
	known    *contract.Deployed
}

func newLife(t *testing.T, server *worker, begin func(t *testing.T, name string) doubled, name string) *life {
	t.Helper()
	client, err := runner.New(runner.Config{Address: server.address(), Scope: "dep", KeyFile: server.keyFile()})
	require.NoError(t, err)
	temporal, err := temporalclient.Dial(temporalclient.Options{HostPort: server.address(), Logger: silent})
	require.NoError(t, err)
	l := &life{doubled: begin(t, name), t: t, name: name, client: client, temporal: temporal, server: server}
	l.startWorker()
	t.Cleanup(func() {
		l.killWorker()
		client.Close()
		temporal.Close()
	})
	return l
}

// startWorker starts the worker of this deployment's queue.
func (l *life) startWorker() {
	l.t.Helper()
	logFile, err := os.OpenFile(filepath.Join(l.server.dir, l.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(l.t, err)
	defer logFile.Close()
	l.cmd = exec.Command(binary(l.t, "orch-worker"), "run", "--task-queue", l.name+"-queue", "--address", l.server.address())
	l.cmd.Env = append(append(environment(), "ORCH_ENCRYPTION_KEY_FILE="+l.server.keyFile()), l.env...)
	l.cmd.Stdout, l.cmd.Stderr = logFile, logFile
	l.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(l.t, l.cmd.Start())
	// The server's own worker would serve the queue otherwise, and would not be killed; it has no token, so that shows.
	require.Eventually(l.t, l.polls, 3*time.Minute, tick, "the worker polls")
}

// polls reports that the worker's process polls for both kinds of tasks.
func (l *life) polls() bool {
	identity := fmt.Sprintf("/%d", l.cmd.Process.Pid)
	for _, kind := range []enumspb.TaskQueueType{enumspb.TASK_QUEUE_TYPE_WORKFLOW, enumspb.TASK_QUEUE_TYPE_ACTIVITY} {
		queue, err := l.temporal.DescribeTaskQueue(l.t.Context(), l.name+"-queue", kind)
		if err != nil || !slices.ContainsFunc(queue.GetPollers(), func(p *taskqueuepb.PollerInfo) bool { return strings.HasSuffix(p.GetIdentity(), identity) }) {
			return false
		}
	}
	return true
}

// killWorker is SIGKILL.
func (l *life) killWorker() {
	_ = syscall.Kill(-l.cmd.Process.Pid, syscall.SIGKILL)
	_ = l.cmd.Wait()
}

// do carries an operation out, as the provider does.
func (l *life) do(phase string) error {
	request := contract.Request{ServiceName: l.name, Scope: "dep", Access: l.access, Known: l.known, Input: json.RawMessage(l.input(1))}
	call := runner.Call{Kind: l.kind, WorkflowType: l.kind.SetupWorkflow(), TaskQueue: l.name + "-queue", Timeout: 4 * time.Minute}
	var result contract.Result
	var out any = &result
	switch phase {
	case "create":
		request.Operation = contract.OpCreate
	case "update":
		request.Operation, request.Input = contract.OpUpdate, json.RawMessage(l.input(2))
	default:
		request.Operation, call.WorkflowType, out = contract.OpDelete, l.kind.CleanupWorkflow(), new(contract.Removed)
	}
	if l.change != nil {
		l.change(&request)
	}
	call.Request = request
	_, err := l.client.Run(l.t.Context(), call, out, nil)
	if err == nil && result.Deployed != nil {
		l.known = result.Deployed
	}
	return err
}

// made is a call of a life without faults.
type made struct {
	phase, text string
	// within is its number within the phase, from 1.
	within   int
	mutating bool
}

// recordLife lives a life without faults and returns its calls.
func recordLife(t *testing.T, server *worker, platform string, begin func(t *testing.T, name string) doubled) []made {
	t.Helper()
	l := newLife(t, server, begin, "dep-whole")
	var calls []made
	for _, phase := range phases {
		before := len(l.faults.Calls())
		require.NoError(t, l.do(phase), phase)
		for i, c := range l.faults.Calls()[before:] {
			text, mutating := c.Method+" "+strings.ReplaceAll(c.URL, l.name, "NAME"), c.Mutating()
			if l.describe != nil {
				text, mutating = l.describe(c)
			}
			calls = append(calls, made{phase, text, i + 1, mutating})
		}
	}
	require.Empty(t, l.left())
	t.Logf("%s: %d calls in a life without faults", platform, len(calls))
	return calls
}

// strike lives a life with one fault in it.
func strike(t *testing.T, l *life, c made, kill bool) row {
	t.Helper()
	begin := time.Now()
	for _, phase := range phases {
		if phase == c.phase {
			break
		}
		require.NoError(t, l.do(phase), phase)
	}
	require.NoError(t, l.faults.Add(cloudfault.Rule{Call: len(l.faults.Calls()) + c.within, Done: true, Pause: kill, Reset: !kill}))
	r := row{phase: c.phase, call: c.text, applies: 1}
	done := make(chan error, 1)
	go func() { done <- l.do(c.phase) }()
	var err error
	if kill {
		select {
		case <-l.faults.Paused():
			l.killWorker()
			l.faults.Clear()
			l.startWorker()
			err = <-done
		case err = <-done:
			t.Errorf("the call was never made: %v", err)
		}
	} else {
		err = <-done
	}
	if err != nil {
		// The apply did not see it through: the next one must.
		r.applies++
		t.Logf("first apply: %v", err)
		require.NoError(t, l.do(c.phase), "the next apply")
	}
	r.verdict = l.verify(c.phase)
	r.took = time.Since(begin)
	return r
}

// verify looks at what there is after one more apply, and ends the life.
func (l *life) verify(phase string) string {
	l.t.Helper()
	if phase == "destroy" {
		require.Empty(l.t, l.left())
		return "none left"
	}
	version := map[string]int{"create": 1, "update": 2}[phase]
	require.NoError(l.t, l.whole(version))
	require.NoError(l.t, l.do(phase), "another apply")
	require.NoError(l.t, l.whole(version), "after another apply")
	require.NoError(l.t, l.do("destroy"))
	require.Empty(l.t, l.left())
	return "exactly one; none after destroy"
}

func printTable(t *testing.T, title string, rows []row) {
	t.Helper()
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(w, "#\tphase\tcall\tapplies\tleft\ttook\n")
	for _, phase := range phases {
		for number := range 200 {
			for _, r := range rows {
				if r.phase == phase && r.number == number {
					_, _ = fmt.Fprintf(w, "%d\t%s\t%s\t%d\t%s\t%.0fs\n", r.number, r.phase, r.call, r.applies, r.verdict, r.took.Seconds())
				}
			}
		}
	}
	require.NoError(t, w.Flush())
	t.Logf("%s (%d rows)\n%s", title, len(rows), b.String())
}
