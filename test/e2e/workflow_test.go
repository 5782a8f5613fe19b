package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// custom is a worker of a user, with a queue of its own and the SDK's default data converter. What its workflows answer is
// up to the test.
type custom struct {
	server *server
	queue  string
	id     string
	// answer is what the workflow Status returns, as JSON.
	answer atomic.Pointer[json.RawMessage]
	client client.Client
	stop   func()
}

func startCustom(t *testing.T) *custom {
	t.Helper()
	s := shared.get(t)
	name := uniqueName("workflow")
	c := &custom{server: s, queue: name + "-queue", id: name, client: s.dial(t)}
	c.say(`null`)
	c.start(t)
	return c
}

// say sets what Status returns.
func (c *custom) say(answer string) {
	data := json.RawMessage(answer)
	c.answer.Store(&data)
}

func (c *custom) start(t *testing.T) {
	t.Helper()
	w := sdkworker.New(c.client, c.queue, sdkworker.Options{})
	register := func(name string, f any) { w.RegisterWorkflowWithOptions(f, workflow.RegisterOptions{Name: name}) }
	register("Echo", func(_ workflow.Context, in any) (any, error) { return in, nil })
	register("NoArgument", func(workflow.Context) error { return nil })
	register("Fails", func(workflow.Context, any) (any, error) { return nil, errors.New("the pump is broken") })
	register("Huge", func(workflow.Context) (string, error) { return strings.Repeat("x", 3<<20), nil })
	register("Binary", func(workflow.Context) ([]byte, error) { return []byte{0, 1, 2}, nil })
	register("Status", func(workflow.Context) (json.RawMessage, error) { return *c.answer.Load(), nil })
	register("Waits", func(ctx workflow.Context, _ any) (string, error) {
		// A receive alone does not notice a cancellation.
		end := workflow.GetSignalChannel(ctx, "end")
		err := workflow.Await(ctx, func() bool { return end.Len() > 0 })
		return "ended", err
	})
	register("Deaf", func(ctx workflow.Context) error {
		quiet, _ := workflow.NewDisconnectedContext(ctx)
		workflow.GetSignalChannel(ctx, "end").Receive(quiet, nil)
		return nil
	})
	require.NoError(t, w.Start())
	c.stop = w.Stop
	t.Cleanup(w.Stop)
}

// use writes one orch_workflow of that worker; more are further attributes.
func (c *custom) use(t *testing.T, workflowType string, more ...string) *world {
	t.Helper()
	w := newWorld(t, c.server)
	c.write(w, workflowType, "", more...)
	return w
}

func (c *custom) write(w *world, workflowType, input string, more ...string) {
	if input != "" {
		input = "\n    input = " + input
	}
	w.write(fmt.Sprintf("%s\nprovider \"orch\" {\n  address = %q\n}\nresource \"orch_workflow\" \"it\" {\n  workflow_id = %q\n  setup = {\n    workflow = %q\n    task_queue = %q%s\n  }\n  %s\n}\n",
		requiredProviders, c.server.address(), c.id, workflowType, c.queue, input, strings.Join(more, "\n  ")))
}

func (c *custom) describe(t *testing.T, id string) *workflowservice.DescribeWorkflowExecutionResponse {
	t.Helper()
	d, err := c.client.DescribeWorkflowExecution(t.Context(), id, "")
	require.NoError(t, err)
	return d
}

func (c *custom) status(t *testing.T) enumspb.WorkflowExecutionStatus {
	t.Helper()
	return c.describe(t, c.id).GetWorkflowExecutionInfo().GetStatus()
}

// result is the attribute as Terraform shows it.
func resultOf(w *world) any {
	w.t.Helper()
	value, _ := w.attributes()["result"].(map[string]any)
	return value["value"]
}

// The whole life: every operation under its own ID, the input as the worker sees it, an empty plan after each apply.
func TestWorkflowLife(t *testing.T) {
	t.Parallel()
	c := startCustom(t)
	w := newWorld(t, c.server)
	input := `{ text = "<a&b>", whole = 12345678901234567890, part = 0.1, yes = true, none = null, list = [1, "two", [null]], empty = {} }`
	rest := []string{`update = { workflow = "Echo", input = ["updated"] }`, `cleanup = { workflow = "Echo", input = "bye" }`,
		`memo = { team = "chat", size = 3 }`, `search_attributes = { BuildIds = ["one"] }`, `triggers = { version = "1" }`}
	c.write(w, "Echo", input, rest...)
	w.apply()
	require.Equal(t, "ready", w.attribute("state"))
	result, ok := resultOf(w).(map[string]any)
	require.True(t, ok, "the result is an object: %v", w.attributes()["result"])
	require.Equal(t, "<a&b>", result["text"])
	require.Nil(t, result["none"])
	require.Len(t, result["list"], 3)
	w.assertEmptyPlan()

	history := c.client.GetWorkflowHistory(t.Context(), c.id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	first, err := history.Next()
	require.NoError(t, err)
	payload := first.GetWorkflowExecutionStartedEventAttributes().GetInput().GetPayloads()[0]
	require.Equal(t, "json/plain", string(payload.GetMetadata()[converter.MetadataEncoding]))
	require.JSONEq(t, `{"text":"<a&b>","whole":12345678901234567890,"part":0.1,"yes":true,"none":null,"list":[1,"two",[null]],"empty":{}}`, string(payload.GetData()))
	require.Contains(t, string(payload.GetData()), "12345678901234567890", "numbers keep their digits")
	require.Equal(t, `"chat"`, string(c.describe(t, c.id).GetWorkflowExecutionInfo().GetMemo().GetFields()["team"].GetData()))

	rest[4] = `triggers = { version = "2" }`
	c.write(w, "Echo", input, rest...)
	require.Equal(t, 2, w.plan().exit)
	require.Equal(t, []string{"update"}, w.planned().Actions)
	w.apply()
	require.Equal(t, []any{"updated"}, resultOf(w))
	require.Equal(t, c.id+"/update", w.attribute("operation_id"))
	w.assertEmptyPlan()
	w.destroy(asUsual)
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, c.describe(t, c.id+"/cleanup").GetWorkflowExecutionInfo().GetStatus())
}

// Without an update, a changed input makes a new resource; other settings change state only.
func TestWorkflowThatIsReplaced(t *testing.T) {
	t.Parallel()
	c := startCustom(t)
	w := newWorld(t, c.server)
	c.write(w, "Echo", `"one"`)
	w.apply()
	run := w.attribute("run_id")
	c.write(w, "Echo", `"one"`, `on_interrupt = "detach"`)
	w.apply()
	require.Equal(t, run, w.attribute("run_id"), "a setting runs no workflow")
	c.write(w, "Echo", `"two"`)
	require.Equal(t, 2, w.plan().exit)
	require.Equal(t, []string{"delete", "create"}, w.planned().Actions)
	w.apply()
	require.Equal(t, "two", resultOf(w))
	w.destroy()
}

// Values that are known only during the apply.
func TestWorkflowWithUnknownValues(t *testing.T) {
	t.Parallel()
	c := startCustom(t)
	w := newWorld(t, c.server)
	unknown := "resource \"terraform_data\" \"later\" {\n  input = { name = \"Ada\" }\n}\n"
	c.write(w, "Echo", `{ inside = terraform_data.later.output.name, whole = terraform_data.later.output }`, `cleanup = { workflow = "Echo", input = terraform_data.later.output }`,
		`memo = terraform_data.later.output`, `triggers = terraform_data.later.output`)
	hcl, err := os.ReadFile(filepath.Join(w.dir, configFile))
	require.NoError(t, err)
	w.write(string(hcl) + unknown)
	w.apply()
	w.assertEmptyPlan()
	w.destroy()
}

// What goes wrong, and what is said of it.
func TestWorkflowThatFails(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, workflow, input string
		more, texts           []string
	}{
		{"fails", "Fails", `"x"`, nil, []string{"the pump is broken", "Workflow ID"}},
		{"unregistered type", "Missing", "", nil, []string{"Missing", "register type", "Echo"}},
		{"reports failure", "Echo", `"Error: no disk"`, []string{`failure_pattern = "^Error: "`}, []string{"Error: no disk", "failure_pattern"}},
		{"result of 3 MB", "Huge", "", nil, []string{"size", "limit"}},
		{"no JSON and a pattern", "Binary", "", []string{`failure_pattern = "^Error: "`}, []string{"no JSON", "binary/plain"}},
		{"unknown search attribute", "Echo", `"x"`, []string{`search_attributes = { Nowhere = "x" }`}, []string{"Nowhere"}},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := startCustom(t)
			w := newWorld(t, c.server)
			c.write(w, test.workflow, test.input, test.more...)
			failsWithin(t, w, time.Minute, test.texts...)
		})
	}
}

func TestWorkflowThatTimesOutOrIsTerminated(t *testing.T) {
	t.Parallel()
	c := startCustom(t)
	w := newWorld(t, c.server)
	w.write(strings.Replace(mustHCL(t, c, w, "Waits"), "task_queue", "timeouts = { execution = \"2s\" }\n    task_queue", 1))
	failsWithin(t, w, time.Minute, "timed out", c.id)

	w.write(strings.Replace(mustHCL(t, c, w, "Waits"), "task_queue", "timeouts = { wait = \"5s\" }\n    task_queue", 1))
	failsWithin(t, w, time.Minute, "has not ended within 5s", c.id)
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED, c.status(t))

	c.write(w, "Waits", `"x"`)
	apply := w.start("apply", "-auto-approve", "-json")
	c.untilRunning(t)
	require.NoError(t, c.client.TerminateWorkflow(t.Context(), c.id, "", "by an operator"))
	r := apply.wait()
	require.Equal(t, 1, r.exit)
	require.Contains(t, r.errors(), "terminated")
	require.Contains(t, r.errors(), "by an operator")
	w.assertNoState()
}

func mustHCL(t *testing.T, c *custom, w *world, workflowType string) string {
	t.Helper()
	c.write(w, workflowType, `"x"`)
	data, err := os.ReadFile(filepath.Join(w.dir, configFile))
	require.NoError(t, err)
	return string(data)
}

func (c *custom) untilRunning(t *testing.T) {
	t.Helper()
	eventually(t, time.Minute, c.id+" has begun", func() bool {
		d, err := c.client.DescribeWorkflowExecution(context.Background(), c.id, "")
		return err == nil && d.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING && d.GetWorkflowExecutionInfo().GetHistoryLength() >= 4
	})
}

// Results that are no object are no failure.
func TestWorkflowWithOddResults(t *testing.T) {
	t.Parallel()
	for _, workflowType := range []string{"NoArgument", "Binary"} {
		t.Run(workflowType, func(t *testing.T) {
			t.Parallel()
			c := startCustom(t)
			w := c.use(t, workflowType)
			r := w.apply()
			require.Equal(t, workflowType == "Binary", strings.Contains(r.warnings(), "binary/plain"), r.warnings())
			require.Nil(t, w.attributes()["result"])
			w.assertEmptyPlan()
			w.destroy()
		})
	}
}

// A long-running workflow is the resource; what happens to it behind Terraform's back shows in the plan.
func TestRunningWorkflow(t *testing.T) {
	t.Parallel()
	c := startCustom(t)
	w := newWorld(t, c.server)
	running := []string{`mode = "running"`, `on_destroy = { reason = "no longer needed" }`}
	c.write(w, "Waits", `"x"`, running...)
	w.apply()
	require.Equal(t, "running", w.attribute("state"))
	run := w.attribute("run_id")
	w.assertEmptyPlan()

	require.NoError(t, c.client.TerminateWorkflow(t.Context(), c.id, "", "by an operator"))
	planned := w.plan()
	require.Equal(t, 2, planned.exit)
	require.Equal(t, []string{"update"}, w.planned().Actions)
	require.Contains(t, planned.warnings(), "by an operator")
	w.apply()
	require.NotEqual(t, run, w.attribute("run_id"))
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, c.status(t))
	w.assertEmptyPlan()

	// Lost state: the same workflow is taken over, another one is refused.
	require.NoError(t, os.Remove(w.stateFile()))
	c.write(w, "Waits", `"y"`, running...)
	refused := w.tryApply()
	require.Equal(t, 1, refused.exit)
	require.Contains(t, refused.errors(), "terraform import")
	c.write(w, "Waits", `"x"`, running...)
	require.Contains(t, w.apply().warnings(), "Adopted")
	w.assertEmptyPlan()

	w.destroy()
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED, c.status(t))
	reason := ""
	events := c.client.GetWorkflowHistory(t.Context(), c.id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		require.NoError(t, err)
		reason += event.GetWorkflowExecutionCancelRequestedEventAttributes().GetCause()
	}
	require.Equal(t, "no longer needed", reason)
}

// One that ends well by itself is done: its result is kept, and nothing is to do. One that fails at once is an error.
func TestRunningWorkflowThatEnds(t *testing.T) {
	t.Parallel()
	c := startCustom(t)
	w := newWorld(t, c.server)
	c.write(w, "Waits", `"x"`, `mode = "running"`)
	w.apply()
	require.NoError(t, c.client.SignalWorkflow(t.Context(), c.id, "", "end", nil))
	eventually(t, time.Minute, "it has ended", func() bool { return c.status(t) == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED })
	w.assertEmptyPlan()
	w.apply("-refresh-only")
	require.Equal(t, "completed", w.attribute("state"))
	require.Equal(t, "ended", resultOf(w))
	w.destroy()

	c.write(w, "Fails", `"x"`, `mode = "running"`)
	failsWithin(t, w, time.Minute, "the pump is broken")
	c.write(w, "Missing", `"x"`, `mode = "running"`)
	failsWithin(t, w, time.Minute, "register type", "Missing")
}

// A workflow that its retry policy runs again, and one that a failed cleanup keeps in state.
func TestWorkflowRetriesAndCleanupFails(t *testing.T) {
	t.Parallel()
	c := startCustom(t)
	w := newWorld(t, c.server)
	w.write(strings.Replace(mustHCL(t, c, w, "Fails"), "task_queue", "retry = { maximum_attempts = 2, initial_interval = \"1s\" }\n    task_queue", 1))
	failsWithin(t, w, time.Minute, "the pump is broken")
	require.Equal(t, int32(2), c.attempt(t))

	c.write(w, "Echo", `"x"`, `cleanup = { workflow = "Fails", input = "x" }`)
	w.apply()
	r := w.terraform("destroy", "-auto-approve", "-json")
	require.Equal(t, 1, r.exit)
	require.Contains(t, r.errors(), "the pump is broken")
	require.NotNil(t, w.attributes())
	c.write(w, "Echo", `"x"`)
	w.apply()
	w.destroy()
}

// attempt is which attempt of its retry policy the latest run is.
func (c *custom) attempt(t *testing.T) int32 {
	t.Helper()
	history := c.client.GetWorkflowHistory(t.Context(), c.id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	first, err := history.Next()
	require.NoError(t, err)
	return first.GetWorkflowExecutionStartedEventAttributes().GetAttempt()
}

func TestRunningWorkflowThatIgnoresCancellation(t *testing.T) {
	t.Parallel()
	c := startCustom(t)
	w := c.use(t, "Deaf", `mode = "running"`, `on_destroy = { timeout = "2s" }`)
	w.apply()
	r := w.terraform("destroy", "-auto-approve", "-json")
	require.Equal(t, 1, r.exit)
	require.Contains(t, r.errors(), "has not ended within")
	require.NotNil(t, w.attributes(), "it stays in state")
	c.write(w, "Deaf", "", `mode = "running"`, `on_destroy = { action = "terminate" }`)
	w.apply()
	w.destroy()
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED, c.status(t))
}

// A workflow that was started by somebody else.
func TestWorkflowImport(t *testing.T) {
	t.Parallel()
	c := startCustom(t)
	_, err := c.client.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: c.id, TaskQueue: c.queue}, "Waits", map[string]any{"a": []int{1, 2}})
	require.NoError(t, err)
	c.untilRunning(t)
	w := newWorld(t, c.server)
	c.write(w, "Waits", `{ a = [1, 2] }`, `mode = "running"`)
	r := w.terraform("import", "orch_workflow.it", c.id)
	require.Zero(t, r.exit, r.out)
	w.assertEmptyPlan()
	run := w.attribute("run_id")
	c.write(w, "Waits", `{ a = [1, 2] }`, `mode = "running"`, `triggers = { version = "1" }`)
	w.apply()
	require.Equal(t, run, w.attribute("run_id"), "an import cannot know the triggers, so the first ones must not end what runs")
	w.assertEmptyPlan()
	c.write(w, "Waits", `{ a = [1, 2] }`, `mode = "running"`, `triggers = { version = "2" }`)
	w.apply()
	require.NotEqual(t, run, w.attribute("run_id"), "a change of them counts")
	w.destroy()
	missing := w.terraform("import", "orch_workflow.it", c.id+"-nowhere")
	require.Equal(t, 1, missing.exit)
	require.Contains(t, missing.out, "There is no workflow")
}

// What the status workflow says decides.
func TestWorkflowStatus(t *testing.T) {
	t.Parallel()
	c := startCustom(t)
	w := c.use(t, "NoArgument", `status = { workflow = "Status" }`)
	w.apply()
	w.assertEmptyPlan()
	c.say(`{"drift":["the disk is gone"]}`)
	drifted := w.plan()
	require.Equal(t, 2, drifted.exit)
	require.Contains(t, drifted.warnings(), "the disk is gone")
	require.Equal(t, []string{"update"}, w.planned().Actions)
	c.say(`{"exists":true,"more":1}`)
	w.assertEmptyPlan()
	c.say(`{"drift":"no list"}`)
	unreadable := w.plan()
	require.Equal(t, 1, unreadable.exit)
	require.Contains(t, unreadable.errors(), "cannot be read")
	c.say(`false`)
	require.Equal(t, 2, w.plan().exit)
	require.Equal(t, []string{"create"}, w.planned().Actions)
	c.say(`null`)
	w.destroy()
}

// In mode complete without a status, a history that is gone is no sign that the resource is.
func TestWorkflowWhoseHistoryIsGone(t *testing.T) {
	t.Parallel()
	c := startCustom(t)
	w := newWorld(t, c.server)
	c.write(w, "Echo", `"x"`)
	w.apply()
	run := c.describe(t, c.id).GetWorkflowExecutionInfo().GetExecution()
	// The server does it in the background, and may drop the wish while it still writes the run's end.
	eventually(t, 2*time.Minute, "the history is gone", func() bool {
		_, err := c.client.WorkflowService().DeleteWorkflowExecution(t.Context(), &workflowservice.DeleteWorkflowExecutionRequest{
			Namespace: client.DefaultNamespace, WorkflowExecution: run,
		})
		var gone *serviceerror.NotFound
		return errors.As(err, &gone)
	})
	w.assertEmptyPlan()
	w.destroy()
}

// A killed apply has stored nothing, or what it had started: the next one attaches to the same run.
func TestWorkflowAfterKilledApply(t *testing.T) {
	t.Parallel()
	c := startCustom(t)
	w := newWorld(t, c.server)
	c.write(w, "Waits", `"x"`)
	killed := w.start("apply", "-auto-approve", "-json")
	c.untilRunning(t)
	killed.killAll()
	killed.wait()
	run := c.describe(t, c.id).GetWorkflowExecutionInfo().GetExecution().GetRunId()
	_ = os.Remove(filepath.Join(w.dir, ".terraform.tfstate.lock.info"))
	log := filepath.Join(t.TempDir(), "terraform.log")
	again := w.startWith([]string{"TF_LOG=INFO", "TF_LOG_PATH=" + log}, "apply", "-auto-approve", "-json", "-lock=false")
	eventually(t, time.Minute, "the second apply has attached", func() bool {
		data, err := os.ReadFile(log)
		return err == nil && strings.Contains(string(data), "attached to the run")
	})
	require.NoError(t, c.client.SignalWorkflow(t.Context(), c.id, "", "end", nil))
	require.Zero(t, again.wait().exit)
	require.Equal(t, run, w.attribute("run_id"))
	w.destroy()
}

func TestWorkflowInterruptedAndDetached(t *testing.T) {
	t.Parallel()
	c := startCustom(t)
	w := newWorld(t, c.server)
	c.write(w, "Waits", `"x"`, `on_interrupt = "detach"`)
	apply := w.start("apply", "-auto-approve", "-json")
	c.untilRunning(t)
	apply.interrupt()
	apply.wait()
	require.Equal(t, "in_progress", w.attribute("state"))
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, c.status(t))
	require.NoError(t, c.client.SignalWorkflow(t.Context(), c.id, "", "end", nil))
	eventually(t, time.Minute, "it has ended", func() bool { return c.status(t) == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED })
	w.apply()
	require.Equal(t, "ready", w.attribute("state"))
	require.Equal(t, "ended", resultOf(w))
	w.destroy()
}

// The queue that nobody polls is told within seconds, and nothing is left of the run.
func TestWorkflowWithoutWorker(t *testing.T) {
	t.Parallel()
	c := &custom{server: shared.get(t), id: uniqueName("workflow"), client: shared.get(t).dial(t)}
	c.queue = c.id + "-nobodys"
	for _, mode := range []string{"complete", "running"} {
		w := c.use(t, "Echo", fmt.Sprintf("mode = %q", mode))
		failsWithin(t, w, time.Minute, "no worker is polling", c.queue, `"Echo"`)
		require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED, c.status(t))
	}
}

func TestWorkflowConfigurationThatIsWrong(t *testing.T) {
	t.Parallel()
	cases := []struct{ line, text string }{
		{`failure_pattern = "("`, "Invalid regular expression"},
		{`on_destroy = { timeout = "soon" }`, "Invalid duration"},
		{`memo = "text"`, "Not an object"},
		{`memo = { "orch.operation" = "x" }`, "Name that is taken"},
		{`mode = "sometimes"`, "mode"},
	}
	all := map[string]refusal{}
	for _, test := range cases {
		all[test.line] = refusal{fmt.Sprintf("resource \"orch_workflow\" %q {\n  workflow_id = \"x\"\n  setup = { workflow = \"Echo\", task_queue = \"q\" }\n  %s\n}\n",
			labelOf(test.line), test.line), "", test.text}
	}
	assertRefused(t, all)
}

// The examples with orch_workflow, served by the worker of examples/custom-worker.
func TestCustomWorkerExample(t *testing.T) {
	t.Parallel()
	s := ownServer(t)
	binary := filepath.Join(t.TempDir(), "custom-worker")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", binary, ".")
	build.Dir = filepath.Join(examplesDir, "custom-worker")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	process := exec.Command(binary, "--task-queue", "greetings", "--address", s.address())
	process.Env = append(cleanEnv(), "ORCH_ENCRYPTION_KEY_FILE="+s.keyFile())
	var log strings.Builder
	process.Stdout, process.Stderr = &log, &log
	require.NoError(t, process.Start())
	t.Cleanup(func() {
		_ = process.Process.Signal(syscall.SIGTERM)
		if err := process.Wait(); err != nil || t.Failed() {
			t.Log("custom-worker:", err, log.String())
		}
	})
	for _, dir := range []string{"custom-worker/terraform", "resources/orch_workflow"} {
		w := newWorld(t, s)
		w.env = append(w.env, "TEMPORAL_ADDRESS="+s.address())
		w.useExample(filepath.Join(examplesDir, dir))
		_ = os.Remove(filepath.Join(w.dir, "import-by-string-id.tf"))
		w.apply()
		result, ok := resultOf(w).(map[string]any)
		require.True(t, ok)
		require.Equal(t, []any{"Hello, Ada!", "Hello, Grace!"}, result["greetings"])
		w.assertEmptyPlan()
		if dir == "custom-worker/terraform" {
			w.apply("-var", `names=["Alan"]`)
			result, _ := resultOf(w).(map[string]any)
			require.Equal(t, []any{"Bonjour, Alan !"}, result["greetings"])
		}
		w.destroy()
	}
}
