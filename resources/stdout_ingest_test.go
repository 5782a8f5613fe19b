package resources_test

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"sync"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
	"github.com/temporal-orchestrator/terraform-provider-orch/provider"
	"github.com/temporal-orchestrator/terraform-provider-orch/resources"
)

// ingestRunner carries operations out on one ingest in memory.
type ingestRunner struct {
	mu    sync.Mutex
	input json.RawMessage // nil when there is no ingest
	drift []contract.Finding
	fail  *contract.StepFailure
	calls []contract.Request
}

func (f *ingestRunner) Queue(string, string) string { return "app-queue" }

func (f *ingestRunner) InFlight(context.Context, contract.Ref) (contract.Operation, runner.Run, bool, error) {
	return "", runner.Run{}, false, nil
}

func (f *ingestRunner) Status(_ context.Context, call runner.Call, result any) (runner.Run, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	seen, ok := result.(*contract.Observed) // what all families have of contract.IngestObserved; the figures are the data source's
	if !ok || call.WorkflowType != "ApplicationStdoutIngestStatusWorkflow" {
		return runner.Run{}, errors.New("an unexpected status: " + call.WorkflowType)
	}
	seen.EngineID, seen.Found, seen.Input, seen.Drift = engineID, f.input != nil, f.input, f.drift
	return runner.Run{}, nil
}

func (f *ingestRunner) Run(_ context.Context, call runner.Call, result any, onStarted func(runner.Run)) (runner.Run, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	run := runner.Run{WorkflowID: call.Request.Ref(contract.StdoutIngest).ID(), RunID: "run"}
	onStarted(run)
	f.calls = append(f.calls, call.Request)
	if f.fail != nil {
		return run, &runner.StepError{Failure: f.fail, Run: run}
	}
	if call.WorkflowType == "ApplicationStdoutIngestCleanupWorkflow" {
		f.input = nil
		return run, nil
	}
	made, ok := result.(*contract.Result)
	if !ok {
		return run, errors.New("an unexpected workflow: " + call.WorkflowType)
	}
	f.input, f.drift = call.Request.Input, nil
	made.Message, made.EngineID = "ingest started: discovered=1 enriched=1 status=running", engineID
	return run, nil
}

func (f *ingestRunner) factories() map[string]func() (tfprotov6.ProviderServer, error) {
	connect := func(runner.Config) (resources.Runner, error) { return f, nil }
	return map[string]func() (tfprotov6.ProviderServer, error){"orch": providerserver.NewProtocol6WithError(provider.NewWith("test", connect)())}
}

func ingestHCL(attributes string) string {
	return "resource \"orch_stdout_ingest\" \"it\" {\n  service_name = \"app\"\n" + attributes + "\n}\n"
}

const ingestAddress = "orch_stdout_ingest.it"

func TestStdoutIngestLivesFromCreateToDestroy(t *testing.T) {
	t.Parallel()
	f := &ingestRunner{}
	full := ingestHCL(`
  files      = { include = ["/var/log/app/**/*.log"], exclude = ["*.gz"], max_depth = 2 }
  containers = { labels = { team = "chat" }, names = ["app-*"], service = "app" }
  endpoint   = "http://127.0.0.1:14318"
  headers    = { X-Scope-OrgID = { value = "team" }, Authorization = { env = "ORCH_SECRET_OTLP" } }
  labels     = { team = "chat" }
  grafana    = { url = "http://127.0.0.1:3000", pipeline_id = "orch/orch/logs/app" }
  batch_size = 500
  flush_interval_seconds = 0.5
  timeout_seconds        = 5
  start_at   = "end"`)
	inPlace := resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(ingestAddress, plancheck.ResourceActionUpdate)}}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: f.factories(),
		Steps: []resource.TestStep{{
			Config: ingestHCL(""),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(ingestAddress, attribute("id"), text("orch/orch/stdout/app")),
				statecheck.ExpectKnownValue(ingestAddress, attribute("tail_workflow_id"), text("orch/orch/stdout/app/tail")),
				statecheck.ExpectKnownValue(ingestAddress, attribute("message"), text("ingest started: discovered=1 enriched=1 status=running")),
				statecheck.ExpectKnownValue(ingestAddress, attribute("status"), text("ready")),
				statecheck.ExpectKnownValue(ingestAddress, attribute("datasource_uid"), knownvalue.Null()),
				statecheck.ExpectKnownValue(ingestAddress, attribute("engine_id"), text(engineID)),
			},
		}, {
			Config: full, ConfigPlanChecks: inPlace,
			ConfigStateChecks: []statecheck.StateCheck{statecheck.ExpectKnownValue(ingestAddress, attribute("datasource_uid"), text("orch-stdout-app"))},
		}, {
			ResourceName: ingestAddress, ImportState: true, ImportStateId: "app", ImportStateVerify: true,
			ImportStateVerifyIgnore: []string{"message", "run_id", "web_ui_url"},
		}, {
			Config:           ingestHCL(`grafana = { url = "https://g.example.com", loki_url = "http://loki:3100", token = { env = "ORCH_SECRET_GRAFANA" } }`),
			ConfigPlanChecks: inPlace,
		}, {
			ResourceName: ingestAddress, ImportState: true, ImportStateId: "app", ImportStateVerify: true,
			ImportStateVerifyIgnore: []string{"message", "run_id", "web_ui_url"},
		}, {
			// A tail that ended is drift, which the next apply repairs.
			PreConfig: func() {
				f.drift = []contract.Finding{{About: "tail", What: "its workflow does not run, so nothing is shipped"}}
			},
			Config: full, ConfigPlanChecks: inPlace,
			ConfigStateChecks: []statecheck.StateCheck{statecheck.ExpectKnownValue(ingestAddress, attribute("status"), text("ready"))},
		}, {
			// A failed update leaves the state as it was.
			PreConfig: func() {
				f.fail = contract.Fail(contract.Unavailable, "the tail has not begun to work")
				f.fail.Step, f.fail.Clean = "start_tail", true
			},
			Config: ingestHCL(`batch_size = 7`), ExpectError: regexp.MustCompile(`step start_tail`),
		}, {
			PreConfig: func() { f.fail = nil },
			Config:    full, PlanOnly: true,
		}},
	})
	if f.input != nil {
		t.Error("the ingest is left")
	}
	if len(f.calls) < 3 || len(f.calls[1].Prior) == 0 {
		t.Errorf("the update was not told what it replaces: %+v", f.calls)
	}
}

func TestStdoutIngestThatIsGoneIsCreatedAgain(t *testing.T) {
	t.Parallel()
	f := &ingestRunner{}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: f.factories(),
		Steps: []resource.TestStep{{Config: ingestHCL("")}, {
			PreConfig: func() { f.input = nil },
			Config:    ingestHCL(""),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(ingestAddress, plancheck.ResourceActionCreate),
			}},
		}},
	})
}
