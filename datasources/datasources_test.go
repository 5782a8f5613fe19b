package datasources_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/big"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
	"github.com/temporal-orchestrator/terraform-provider-orch/provider"
)

func at(address, name string, value knownvalue.Check) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(address, tfjsonpath.New(name), value)
}

func text(s string) knownvalue.Check { return knownvalue.StringExact(s) }

func output(name string, value knownvalue.Check) statecheck.StateCheck {
	return statecheck.ExpectKnownOutputValue(name, value)
}

// fails is a step that ends in an error with this text, however it is wrapped.
func fails(config, says string) resource.TestStep {
	words := strings.Fields(says)
	for i, w := range words {
		words[i] = regexp.QuoteMeta(w)
	}
	return resource.TestStep{Config: config, ExpectError: regexp.MustCompile(strings.Join(words, `[\s│]+`))}
}

const app = "data.orch_pipeline.app"

func pipelineHCL(lines ...string) string {
	return "data \"orch_pipeline\" \"app\" {\n  kind = \"logs_pipeline\"\n  service_name = \"app\"\n  " + strings.Join(lines, "\n  ") + "\n}\n"
}

const logsInput = `{"bind_address":null,"labels":null,"pull_policy":null,"registry_mirror":null,"collector":{"http_port":14318},"loki":null,"grafana":null}`

// healthy is a logs pipeline; what was asked for decides what is told.
func healthy(r contract.Request) (contract.Observed, error) {
	o := contract.Observed{EngineID: "ENGINE:1", Found: true, Input: json.RawMessage(logsInput), Components: []contract.ComponentState{
		{Name: "loki", Container: "orch-logs-app-loki", Image: "grafana/loki:1", Digest: "sha256:1", State: "running", Health: contract.HealthReady},
	}}
	if r.Verify != nil && *r.Verify {
		o.Verification = []contract.Proof{{Signal: "log", LatencyMS: 42}}
	}
	return o, nil
}

func TestPipeline(t *testing.T) {
	t.Parallel()
	f := &fakeRunner{t: t, status: healthy}
	f.run(resource.TestStep{Config: pipelineHCL(), ConfigStateChecks: []statecheck.StateCheck{
		at(app, "id", text("orch/orch/logs/app")), at(app, "status", text("ready")), at(app, "scope", text("orch")),
		at(app, "task_queue", text("app-queue")), at(app, "operation", knownvalue.Null()), at(app, "drift", knownvalue.ListSizeExact(0)),
		at(app, "verification", knownvalue.Null()), at(app, "engine_id", text("ENGINE:1")), at(app, "web_ui_url", text("http://ui/status")),
		at(app, "endpoints", knownvalue.MapPartial(map[string]knownvalue.Check{"otlp_http": text("http://127.0.0.1:14318")})),
		at(app, "containers", knownvalue.MapExact(map[string]knownvalue.Check{"loki": knownvalue.ObjectExact(map[string]knownvalue.Check{
			"name": text("orch-logs-app-loki"), "image": text("grafana/loki:1"), "digest": text("sha256:1"), "state": text("running"),
			"health": text("ready"), "drift": knownvalue.ListSizeExact(0),
		})})),
		statecheck.ExpectKnownValue(app, tfjsonpath.New("input").AtMapKey("collector").AtMapKey("http_port"), knownvalue.NumberExact(big.NewFloat(14318))),
	}})
	if first := f.calls[0].Request; first.Input != nil || first.EngineID != "" {
		t.Errorf("the first look knows nothing yet: %+v", first)
	}
	if second := f.calls[1].Request; string(second.Input) != logsInput || second.EngineID != "ENGINE:1" || second.Verify != nil {
		t.Errorf("the second look compares with what the first has found: %+v", second)
	}
}

func TestPipelineOptions(t *testing.T) {
	t.Parallel()
	f := &fakeRunner{t: t, status: healthy}
	f.run(resource.TestStep{
		Config: pipelineHCL(`scope = "team_a"`, `task_queue = "other"`, `verify = true`, `timeouts = { read = "7m" }`),
		ConfigStateChecks: []statecheck.StateCheck{
			at(app, "id", text("orch/team_a/logs/app")), at(app, "task_queue", text("other")),
			at(app, "verification", knownvalue.MapExact(map[string]knownvalue.Check{"log": knownvalue.Int64Exact(42)})),
		},
	})
	for _, call := range f.calls {
		if call.TaskQueue != "other" || call.Request.Scope != "team_a" || call.Timeout != 7*time.Minute {
			t.Errorf("the call does not follow the configuration: %+v", call)
		}
	}
}

func TestPipelineThatIsNotReady(t *testing.T) {
	t.Parallel()
	f := &fakeRunner{t: t, status: func(r contract.Request) (contract.Observed, error) {
		o, err := healthy(r)
		if r.Input != nil {
			o.Components[0].State, o.Components[0].Health, o.Components[0].Drift = "exited", contract.HealthNotReady, []string{"stopped (exit code 137)"}
			o.Components = append(o.Components, contract.ComponentState{Name: "grafana", State: "running", Health: contract.HealthNotReady})
		}
		return o, err
	}}
	f.run(
		resource.TestStep{Config: pipelineHCL(), ConfigStateChecks: []statecheck.StateCheck{
			at(app, "status", text("degraded")),
			at(app, "drift", knownvalue.ListExact([]knownvalue.Check{text("loki: stopped (exit code 137)"), text("grafana: running, not ready")})),
		}},
		resource.TestStep{PreConfig: func() { f.inFlight = contract.OpUpdate }, Config: pipelineHCL("verify = true"), ConfigStateChecks: []statecheck.StateCheck{
			at(app, "status", text("in_progress")), at(app, "operation", text("update")), at(app, "web_ui_url", text("http://ui/in-flight")),
		}},
	)
}

func TestPipelineBeingCreatedMayHaveNothing(t *testing.T) {
	t.Parallel()
	f := &fakeRunner{t: t, inFlight: contract.OpCreate, status: func(contract.Request) (contract.Observed, error) {
		return contract.Observed{EngineID: "ENGINE:1"}, nil
	}}
	f.run(resource.TestStep{Config: pipelineHCL(), ConfigStateChecks: []statecheck.StateCheck{
		at(app, "status", text("in_progress")), at(app, "operation", text("create")), at(app, "endpoints", knownvalue.Null()),
		at(app, "containers", knownvalue.MapSizeExact(0)), at(app, "input", knownvalue.Null()),
	}})
}

func TestPipelineFailures(t *testing.T) {
	t.Parallel()
	answer := func(o contract.Observed, err error) func(contract.Request) (contract.Observed, error) {
		return func(contract.Request) (contract.Observed, error) { return o, err }
	}
	canary := &runner.StepError{Failure: &contract.StepFailure{Step: "verify", Class: contract.Unhealthy, Cause: "the log line did not come back"}}
	for name, tc := range map[string]struct {
		status       func(contract.Request) (contract.Observed, error)
		config, says string
	}{
		"unknown service":      {answer(contract.Observed{}, nil), pipelineHCL(), `There is no logs_pipeline "app" in scope "orch"`},
		"what to do about it":  {answer(contract.Observed{}, nil), pipelineHCL(), "check kind, service_name, scope and task_queue"},
		"unknown kind":         {nil, strings.Replace(pipelineHCL(), "logs_pipeline", "log_pipeline", 1), "value must be one of"},
		"wrong name":           {nil, strings.Replace(pipelineHCL(), `"app"`+"\n", `"A p p"`+"\n", 1), `service_name "A p p" is not valid`},
		"wrong scope":          {nil, pipelineHCL(`scope = "a-b"`), `Scope "a-b" is not valid`},
		"unreachable Temporal": {answer(contract.Observed{}, &runner.UnreachableError{Endpoint: runner.Endpoint{Address: "127.0.0.1:1"}, Reason: runner.Refused, Cause: errors.New("connection refused")}), pipelineHCL(), "refuses the connection"},
		"no worker":            {answer(contract.Observed{}, &runner.NoWorkerError{Queue: "app-queue", BundledCommand: "orch-worker run --task-queue app-queue"}), pipelineHCL(), `no worker is polling task queue "app-queue"`},
		"a component is down": {func(r contract.Request) (contract.Observed, error) {
			o, err := healthy(r)
			o.Components[0].State, o.Components[0].Health = "exited", contract.HealthNotReady
			return o, err
		}, pipelineHCL("verify = true"), "loki: exited, not ready"},
		"canary does not return": {func(r contract.Request) (contract.Observed, error) {
			if r.Verify != nil {
				return contract.Observed{}, canary
			}
			return healthy(r)
		}, pipelineHCL("verify = true"), "step verify failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			(&fakeRunner{t: t, status: tc.status}).run(fails(tc.config, tc.says))
		})
	}
}

const flow = "data.orch_workflow.it"

func workflowHCL(lines ...string) string {
	return "data \"orch_workflow\" \"it\" {\n  workflow_id = \"custom/1\"\n  " + strings.Join(lines, "\n  ") + "\n}\n"
}

const aRun = "0193b5b8-0000-7000-8000-000000000001"

var began = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func described(change func(*runner.Description)) func(string, string, bool) (*runner.Description, error) {
	return func(workflowID, _ string, events bool) (*runner.Description, error) {
		d := &runner.Description{Summary: runner.Summary{
			Run:  runner.Run{WorkflowID: workflowID, RunID: aRun, WebUIURL: "http://ui/run"},
			Type: "Order", TaskQueue: "orders", Status: "completed", StartTime: began, CloseTime: began.Add(time.Minute), HistoryLength: 5,
		}, HistorySizeBytes: 1000}
		if events {
			d.Events = map[string]int64{"WorkflowExecutionStarted": 1}
		}
		change(d)
		return d, nil
	}
}

func returned(value string) *runner.Value {
	return &runner.Value{JSON: json.RawMessage(value), Encoding: "json/plain"}
}

func TestWorkflow(t *testing.T) {
	t.Parallel()
	f := &fakeRunner{t: t, describe: described(func(d *runner.Description) {
		d.Result = returned(`{"url":"http://x","id":12345678901234567890,"tags":["a",1,true,null],"none":null,"empty":{},"ratio":0.1}`)
		d.Memo = map[string]runner.Value{
			"owner": *returned(`"team-a"`), "token": {JSON: json.RawMessage(`"hunter2"`), Encoding: "json/plain", Encrypted: true},
		}
		d.SearchAttributes = map[string]runner.Value{"Tier": *returned(`["gold"]`)}
		d.NextRunID = "next"
	})}
	f.run(resource.TestStep{
		Config: workflowHCL() + `
output "url" { value = data.orch_workflow.it.result.url }
output "id" { value = tostring(data.orch_workflow.it.result.id) }
output "tags" { value = jsonencode(data.orch_workflow.it.result.tags) }
output "none" { value = data.orch_workflow.it.result.none == null }
output "ratio" { value = data.orch_workflow.it.result.ratio == 0.1 }
output "owner" { value = data.orch_workflow.it.memo.owner }
output "hidden" { value = issensitive(data.orch_workflow.it.sensitive_memo.token) && !can(data.orch_workflow.it.memo.token) }
output "tier" { value = data.orch_workflow.it.search_attributes.Tier[0] }
`,
		ConfigStateChecks: []statecheck.StateCheck{
			at(flow, "run_id", text(aRun)), at(flow, "type", text("Order")), at(flow, "status", text("completed")), at(flow, "task_queue", text("orders")),
			at(flow, "start_time", text("2026-11-01T12:00:00Z")), at(flow, "close_time", text("2026-11-01T12:01:00Z")),
			at(flow, "next_run_id", text("next")), at(flow, "failure", knownvalue.Null()), at(flow, "result_encoding", text("json/plain")),
			at(flow, "sensitive_result", knownvalue.Null()), at(flow, "pending_activities", knownvalue.ListSizeExact(0)), at(flow, "web_ui_url", text("http://ui/run")),
			at(flow, "history", knownvalue.ObjectExact(map[string]knownvalue.Check{
				"length": knownvalue.Int64Exact(5), "size_bytes": knownvalue.Int64Exact(1000),
				"events": knownvalue.MapExact(map[string]knownvalue.Check{"WorkflowExecutionStarted": knownvalue.Int64Exact(1)}),
			})),
			output("url", text("http://x")), output("id", text("12345678901234567890")), output("tags", text(`["a",1,true,null]`)),
			output("none", knownvalue.Bool(true)), output("ratio", knownvalue.Bool(true)), output("owner", text("team-a")),
			output("hidden", knownvalue.Bool(true)), output("tier", text("gold")),
		},
	})
}

func TestWorkflowThatIsOpen(t *testing.T) {
	t.Parallel()
	f := &fakeRunner{t: t, describe: described(func(d *runner.Description) {
		d.Status, d.CloseTime = runner.StatusRunning, time.Time{}
		d.Pending = []runner.PendingActivity{{
			Pending:    runner.Pending{Activity: "Charge", Attempt: 3, LastFailure: "the bank does not answer", Progress: "50 %"},
			ActivityID: "7", State: "scheduled", Worker: "w1", ScheduledTime: began, NextAttemptTime: began.Add(time.Second),
		}}
		d.Task = &runner.PendingTask{State: "started", Attempt: 1}
	})}
	f.run(resource.TestStep{Config: workflowHCL("read_history = false"), ConfigStateChecks: []statecheck.StateCheck{
		at(flow, "status", text("running")), at(flow, "close_time", knownvalue.Null()), at(flow, "result", knownvalue.Null()),
		at(flow, "result_encoding", knownvalue.Null()),
		statecheck.ExpectKnownValue(flow, tfjsonpath.New("history").AtMapKey("events"), knownvalue.Null()),
		at(flow, "pending_workflow_task", knownvalue.ObjectExact(map[string]knownvalue.Check{
			"state": text("started"), "attempt": knownvalue.Int64Exact(1), "last_failure": knownvalue.Null(),
		})),
		at(flow, "pending_activities", knownvalue.ListExact([]knownvalue.Check{knownvalue.ObjectExact(map[string]knownvalue.Check{
			"id": text("7"), "type": text("Charge"), "state": text("scheduled"), "attempt": knownvalue.Int64Exact(3), "max_attempts": knownvalue.Null(),
			"last_failure": text("the bank does not answer"), "progress": text("50 %"), "worker": text("w1"),
			"scheduled_time": text("2026-11-01T12:00:00Z"), "last_started_time": knownvalue.Null(), "last_heartbeat_time": knownvalue.Null(),
			"next_attempt_time": text("2026-11-01T12:00:01Z"),
		})})),
	}})
}

func TestWorkflowResults(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 3<<20)
	for name, tc := range map[string]struct {
		result  *runner.Value
		outputs string
		checks  []statecheck.StateCheck
	}{
		"null":  {returned("null"), "", []statecheck.StateCheck{at(flow, "result", knownvalue.Null())}},
		"false": {returned("false"), "", []statecheck.StateCheck{at(flow, "result", knownvalue.Bool(false))}},
		"list":  {returned(`[{"a":1},{"b":"c"}]`), `output "c" { value = data.orch_workflow.it.result[1].b }`, []statecheck.StateCheck{output("c", text("c"))}},
		"empty": {returned("{}"), "", []statecheck.StateCheck{at(flow, "result", knownvalue.ObjectExact(nil))}},
		"3 MB":  {returned(`"` + large + `"`), `output "n" { value = length(data.orch_workflow.it.result) }`, []statecheck.StateCheck{output("n", knownvalue.Int64Exact(3<<20))}},
		"3 MB of objects": {
			returned("[" + strings.TrimSuffix(strings.Repeat(`{"name":"`+large[:3000]+`","n":1},`, 1000), ",") + "]"),
			`output "n" { value = length(data.orch_workflow.it.result) }`, []statecheck.StateCheck{output("n", knownvalue.Int64Exact(1000))},
		},
		"beyond all numbers": {returned("1e9999999999"), "", []statecheck.StateCheck{at(flow, "result", text("1e9999999999"))}},
		"encrypted": {
			&runner.Value{JSON: json.RawMessage(`{"password":"hunter2"}`), Encoding: "json/plain", Encrypted: true},
			`output "hidden" { value = issensitive(data.orch_workflow.it.sensitive_result.password) }`,
			[]statecheck.StateCheck{at(flow, "result", knownvalue.Null()), output("hidden", knownvalue.Bool(true))},
		},
		"unreadable": {
			&runner.Value{Encoding: "binary/encrypted", Encrypted: true, Problem: errors.New("there is no key")}, "",
			[]statecheck.StateCheck{at(flow, "result", knownvalue.Null()), at(flow, "sensitive_result", knownvalue.Null()), at(flow, "result_encoding", text("binary/encrypted"))},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fakeRunner{t: t, describe: described(func(d *runner.Description) { d.Result = tc.result })}
			f.run(resource.TestStep{Config: workflowHCL() + tc.outputs, ConfigStateChecks: tc.checks})
		})
	}
}

func TestWorkflowFailures(t *testing.T) {
	t.Parallel()
	f := &fakeRunner{t: t, describe: described(func(d *runner.Description) {
		d.Status, d.Failure = "failed", &runner.RunFailure{Message: "no such customer", Type: "UnknownCustomer", Activity: "Charge"}
	})}
	f.run(resource.TestStep{Config: workflowHCL(), ConfigStateChecks: []statecheck.StateCheck{
		at(flow, "failure", knownvalue.ObjectExact(map[string]knownvalue.Check{
			"message": text("no such customer"), "type": text("UnknownCustomer"), "activity": text("Charge"), "terminated_by": knownvalue.Null(),
		})),
	}})
	f = &fakeRunner{t: t, describe: func(id, run string, _ bool) (*runner.Description, error) {
		return nil, &runner.UnknownWorkflowError{Endpoint: runner.Endpoint{Address: "a:1", Namespace: "default"}, WorkflowID: id, RunID: run}
	}}
	f.run(
		fails(workflowHCL(), `there is no workflow "custom/1" in namespace "default" of a:1`),
		fails(workflowHCL(`run_id = "`+aRun+`"`), "there is no run "+aRun),
		fails(workflowHCL(`run_id = "latest"`), "must be the ID of a run, a UUID"),
		fails(strings.Replace(workflowHCL(), "custom/1", "", 1), "string length must be at least 1"),
	)
}

func TestWorkflows(t *testing.T) {
	t.Parallel()
	const all = "data.orch_workflows.all"
	var wanted runner.Listing
	f := &fakeRunner{t: t, list: func(l runner.Listing) (*runner.Listed, error) {
		wanted = l
		return &runner.Listed{Total: 7, Runs: []runner.Summary{{
			Run: runner.Run{WorkflowID: "a", RunID: aRun}, Type: "Order", TaskQueue: "orders", Status: "running", StartTime: began,
		}}}, nil
	}}
	f.run(resource.TestStep{
		Config: `data "orch_workflows" "all" {}`,
		ConfigStateChecks: []statecheck.StateCheck{
			at(all, "total", knownvalue.Int64Exact(7)),
			at(all, "workflows", knownvalue.ListExact([]knownvalue.Check{knownvalue.ObjectExact(map[string]knownvalue.Check{
				"workflow_id": text("a"), "run_id": text(aRun), "type": text("Order"), "status": text("running"), "task_queue": text("orders"),
				"start_time": text("2026-11-01T12:00:00Z"), "close_time": knownvalue.Null(), "history_length": knownvalue.Int64Exact(0),
				"parent_workflow_id": knownvalue.Null(), "web_ui_url": knownvalue.Null(),
			})})),
		},
	})
	if want := (runner.Listing{Limit: 100, Descending: true}); wanted != want {
		t.Errorf("asked for %+v, want %+v", wanted, want)
	}
	f.run(resource.TestStep{Config: `data "orch_workflows" "all" {
  query      = "WorkflowType = 'x'"
  limit      = 5
  order_by   = "close_time"
  descending = false
}`})
	if want := (runner.Listing{Query: "WorkflowType = 'x'", Limit: 5, Order: "close_time"}); wanted != want {
		t.Errorf("asked for %+v, want %+v", wanted, want)
	}
	f.list = func(l runner.Listing) (*runner.Listed, error) {
		return nil, &runner.QueryError{Endpoint: runner.Endpoint{Address: "a:1"}, Query: l.Query, Cause: errors.New("syntax error at position 5")}
	}
	f.run(
		fails("data \"orch_workflows\" \"all\" {\n  query = \"nonsense\"\n}", "syntax error at position 5"),
		fails("data \"orch_workflows\" \"all\" {\n  limit = 0\n}", "must be between 1 and 10000"),
		fails("data \"orch_workflows\" \"all\" {\n  order_by = \"name\"\n}", "value must be one of"),
		fails("data \"orch_workflows\" \"all\" {\n  descending = true\n}", `Attribute "order_by" must be specified when "descending" is specified`),
	)
}

func TestTaskQueue(t *testing.T) {
	t.Parallel()
	const q = "data.orch_task_queue.q"
	config := "data \"orch_task_queue\" \"q\" {\n  name = \"orders\"\n}"
	f := &fakeRunner{t: t, queue: &runner.QueueDescription{
		Pollers: []runner.Poller{
			{Identity: "w1", Kind: "activity", LastAccess: began, Alive: true},
			{Identity: "w1", Kind: "workflow", LastAccess: began},
		},
		Backlogs: map[string]runner.Backlog{"workflow": {Count: 3, Age: 1500 * time.Millisecond, AddRate: 2}, "activity": {}},
	}}
	f.run(resource.TestStep{Config: config, ConfigStateChecks: []statecheck.StateCheck{
		at(q, "polled", knownvalue.Bool(false)), // nobody alive takes workflow tasks
		at(q, "pollers", knownvalue.ListExact([]knownvalue.Check{
			knownvalue.ObjectExact(map[string]knownvalue.Check{"identity": text("w1"), "kind": text("activity"), "last_access_time": text("2026-11-01T12:00:00Z"), "alive": knownvalue.Bool(true)}),
			knownvalue.ObjectExact(map[string]knownvalue.Check{"identity": text("w1"), "kind": text("workflow"), "last_access_time": text("2026-11-01T12:00:00Z"), "alive": knownvalue.Bool(false)}),
		})),
		at(q, "backlog", knownvalue.MapPartial(map[string]knownvalue.Check{"workflow": knownvalue.ObjectExact(map[string]knownvalue.Check{
			"count": knownvalue.Int64Exact(3), "age_seconds": knownvalue.Float64Exact(1.5), "add_rate": knownvalue.Float64Exact(2), "dispatch_rate": knownvalue.Float64Exact(0),
		})})),
	}})
	f.queue.Pollers[1].Alive = true
	f.run(resource.TestStep{Config: config, ConfigStateChecks: []statecheck.StateCheck{at(q, "polled", knownvalue.Bool(true))}})
	f = &fakeRunner{t: t, err: &runner.UnreachableError{Endpoint: runner.Endpoint{Address: "a:1"}, Reason: runner.Denied, Cause: errors.New("no")}}
	f.run(fails(config, "denies access"))
}

func TestCluster(t *testing.T) {
	t.Parallel()
	const c = "data.orch_cluster.this"
	f := &fakeRunner{t: t, cluster: &runner.Cluster{ServerVersion: "1.32.1", Capabilities: map[string]bool{"nexus": true}, Namespaces: []runner.Namespace{
		{Name: "default", ID: "id", State: "registered", Retention: 36 * time.Hour, Capabilities: map[string]bool{}},
	}}}
	f.run(resource.TestStep{Config: `data "orch_cluster" "this" {}`, ConfigStateChecks: []statecheck.StateCheck{
		at(c, "server_version", text("1.32.1")), at(c, "address", text("127.0.0.1:7233")), at(c, "namespace", text("default")), at(c, "tls", knownvalue.Bool(false)),
		at(c, "web_ui_url", text("http://127.0.0.1:8233")), at(c, "cluster_name", knownvalue.Null()), at(c, "history_shard_count", knownvalue.Null()),
		at(c, "capabilities", knownvalue.MapExact(map[string]knownvalue.Check{"nexus": knownvalue.Bool(true)})),
		at(c, "namespaces", knownvalue.MapExact(map[string]knownvalue.Check{"default": knownvalue.ObjectExact(map[string]knownvalue.Check{
			"id": text("id"), "description": knownvalue.Null(), "state": text("registered"), "retention_hours": knownvalue.Float64Exact(36),
			"capabilities": knownvalue.MapSizeExact(0),
		})})),
	}})
	f = &fakeRunner{t: t, err: &runner.UnreachableError{Endpoint: runner.Endpoint{Address: "a:1"}, Reason: runner.Refused, Cause: errors.New("no")}}
	f.run(fails(`data "orch_cluster" "this" {}`, "refuses the connection"))
}

// A value that is known after apply only puts the reading off.
func TestUnknownValuesAreReadDuringApply(t *testing.T) {
	t.Parallel()
	f := &fakeRunner{t: t, status: healthy, describe: described(func(*runner.Description) {}), queue: &runner.QueueDescription{},
		list: func(runner.Listing) (*runner.Listed, error) { return &runner.Listed{}, nil }}
	f.run(resource.TestStep{Config: `
resource "terraform_data" "name" { input = "app" }
data "orch_pipeline" "app" {
  kind         = "logs_pipeline"
  service_name = terraform_data.name.output
  verify       = terraform_data.name.output == "app"
}
data "orch_workflow" "it" { workflow_id = terraform_data.name.output }
data "orch_workflows" "all" { query = terraform_data.name.output }
data "orch_task_queue" "q" { name = terraform_data.name.output }
`, ConfigStateChecks: []statecheck.StateCheck{at(app, "status", text("ready")), at(flow, "status", text("completed"))}})
}

// A name that becomes known during the apply is judged then.
func TestUnknownNameThatTurnsOutToBeWrong(t *testing.T) {
	t.Parallel()
	f := &fakeRunner{t: t}
	f.run(fails("resource \"terraform_data\" \"name\" { input = \"App\" }\n"+
		"data \"orch_pipeline\" \"app\" {\n  kind = \"logs_pipeline\"\n  service_name = terraform_data.name.output\n}\n", "Invalid service name"),
		fails(`data "orch_pipeline" "app" {
  kind         = "logs_pipeline"
  service_name = "app"
  scope        = "team-a"
}`, "Invalid scope"),
		resource.TestStep{Config: `resource "terraform_data" "name" {}`}) // the destroy at the end validates the last configuration
}

// While the provider's configuration is unknown there is nobody to ask.
func TestProviderThatIsNotConfiguredYet(t *testing.T) {
	t.Parallel()
	f := &fakeRunner{t: t, cluster: &runner.Cluster{}}
	const head = "resource \"terraform_data\" \"server\" { input = \"127.0.0.1:7233\" }\nprovider \"orch\" { address = terraform_data.server.output }\n"
	f.run(
		fails(head+`data "orch_cluster" "this" {}`, "There is no connection to Temporal yet"),
		resource.TestStep{Config: head + "data \"orch_cluster\" \"this\" {\n  depends_on = [terraform_data.server]\n}"},
	)
	if f.configured.Address != "127.0.0.1:7233" {
		t.Errorf("the provider was configured with %q", f.configured.Address)
	}
}

// Descriptions are the only user documentation, so every attribute needs one, and those that may be left out tell what
// happens then.
func TestEveryAttributeIsDescribed(t *testing.T) {
	t.Parallel()
	s, err := providerserver.NewProtocol6WithError(provider.New("test")())()
	if err != nil {
		t.Fatal(err)
	}
	schemas, err := s.GetProviderSchema(context.Background(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil || len(schemas.DataSourceSchemas) != 7 {
		t.Fatalf("%d data sources: %v", len(schemas.DataSourceSchemas), err)
	}
	var walk func(path string, attributes []*tfprotov6.SchemaAttribute)
	walk = func(path string, attributes []*tfprotov6.SchemaAttribute) {
		for _, a := range attributes {
			if !strings.HasSuffix(a.Description, ".") {
				t.Errorf("%s%s: %q is not a sentence", path, a.Name, a.Description)
			}
			if a.Optional && !strings.Contains(a.Description, "Default: ") {
				t.Errorf("%s%s does not tell its default: %q", path, a.Name, a.Description)
			}
			if a.NestedType != nil {
				walk(path+a.Name+".", a.NestedType.Attributes)
			}
		}
	}
	for name, schema := range schemas.DataSourceSchemas {
		if !strings.HasSuffix(schema.Block.Description, ".") {
			t.Errorf("%s: %q is not a sentence", name, schema.Block.Description)
		}
		walk(name+".", schema.Block.Attributes)
	}
}
