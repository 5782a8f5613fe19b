package datasources_test

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/temporal-orchestrator/terraform-provider-orch/datasources"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
	"github.com/temporal-orchestrator/terraform-provider-orch/provider"
	"github.com/temporal-orchestrator/terraform-provider-orch/resources"
)

// The two sides of a connection have the same name.
type (
	looks    = datasources.Runner
	operates = resources.Runner
)

// logsRunner answers for one worker that follows logs. Whatever else is asked is a nil dereference, which fails the test.
type logsRunner struct {
	looks
	operates
	observed   contract.IngestObserved
	discovered contract.Discovered
	input      string
}

func (f *logsRunner) Queue(string, string) string { return "app-queue" }

func (f *logsRunner) Status(_ context.Context, call runner.Call, result any) (runner.Run, error) {
	switch out := result.(type) {
	case *contract.IngestObserved:
		*out = f.observed
	case *contract.Discovered:
		*out, f.input = f.discovered, string(call.Request.Input)
	default:
		return runner.Run{}, errors.New("an unexpected workflow: " + call.WorkflowType)
	}
	return runner.Run{}, nil
}

func (f *logsRunner) InFlight(context.Context, contract.Ref) (contract.Operation, runner.Run, bool, error) {
	return "", runner.Run{}, false, nil
}

func (f *logsRunner) factories() map[string]func() (tfprotov6.ProviderServer, error) {
	connect := func(runner.Config) (resources.Runner, error) { return f, nil }
	return map[string]func() (tfprotov6.ProviderServer, error){"orch": providerserver.NewProtocol6WithError(provider.NewWith("test", connect)())}
}

func shows(address, attribute string, value knownvalue.Check) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(address, tfjsonpath.New(attribute), value)
}

func TestStdoutIngestShowsItsFigures(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 5, 33, 43, 0, time.UTC)
	f := &logsRunner{observed: contract.IngestObserved{
		Observed: contract.Observed{Found: true, EngineID: "ENGINE:1", Input: json.RawMessage(`{"batch_size":5}`), Drift: []contract.Finding{{About: "tail", What: "its workflow does not run"}}},
		Tail: &contract.TailStatus{At: at, Files: 3, Containers: 2, Lines: 1000, Bytes: 50000, Backfilled: 4, Rejected: 5, Repaired: 6, Split: 7,
			LagBytes: 8, LagSeconds: 1.5, Failing: true, LastError: "503", LastErrorAt: &at},
	}}
	const address = "data.orch_stdout_ingest.it"
	config := `data "orch_stdout_ingest" "it" { service_name = "app" }`
	checks := []statecheck.StateCheck{
		shows(address, "id", knownvalue.StringExact("orch/orch/stdout/app")), shows(address, "status", knownvalue.StringExact("degraded")),
		shows(address, "failing", knownvalue.Bool(true)), shows(address, "last_error", knownvalue.StringExact("503")),
		shows(address, "reported_at", knownvalue.StringExact("2026-11-22T05:33:43Z")), shows(address, "lag_seconds", knownvalue.Float64Exact(1.5)),
	}
	for name, value := range map[string]int64{
		"files": 3, "containers": 2, "lines_shipped": 1000, "bytes_shipped": 50000, "lines_backfilled": 4, "lines_rejected": 5, "lines_repaired": 6,
		"lines_split": 7, "lag_bytes": 8,
	} {
		checks = append(checks, shows(address, name, knownvalue.Int64Exact(value)))
	}
	resource.UnitTest(t, resource.TestCase{ProtoV6ProviderFactories: f.factories(), Steps: []resource.TestStep{
		{Config: `data "orch_stdout_ingest" "it" { service_name = "App" }`, ExpectError: regexp.MustCompile(`Invalid service name`)},
		{Config: config, ConfigStateChecks: checks},
		{PreConfig: func() { f.observed = contract.IngestObserved{} }, Config: config, ExpectError: regexp.MustCompile(`There is no stdout_ingest app`)},
	}})
}

func TestLogFilesShowsWhatWouldBeFollowed(t *testing.T) {
	t.Parallel()
	f := &logsRunner{discovered: contract.Discovered{Host: "host", Unreadable: []string{"/x.log: permission denied"}, Sources: []contract.LogSource{
		{Path: "/a.log", Bytes: 7, Labels: map[string]string{"service.name": "app"}}, {Container: "web", ID: "id"},
	}}}
	const address = "data.orch_log_files.it"
	resource.UnitTest(t, resource.TestCase{ProtoV6ProviderFactories: f.factories(), Steps: []resource.TestStep{{
		Config: `data "orch_log_files" "it" {
			service_name = "app"
			files        = { include = ["/a.log"], max_depth = 2 }
			containers   = { service = "web" }
		}`,
		ConfigStateChecks: []statecheck.StateCheck{
			shows(address, "sources", knownvalue.ListSizeExact(2)), shows(address, "host", knownvalue.StringExact("host")),
			statecheck.ExpectKnownValue(address, tfjsonpath.New("sources").AtSliceIndex(0).AtMapKey("bytes"), knownvalue.Int64Exact(7)),
			statecheck.ExpectKnownValue(address, tfjsonpath.New("sources").AtSliceIndex(1).AtMapKey("container"), knownvalue.StringExact("web")),
			shows(address, "unreadable", knownvalue.ListExact([]knownvalue.Check{knownvalue.StringExact("/x.log: permission denied")})),
		},
	}, {
		Config: `data "orch_log_files" "it" {
			service_name = "app"
			files        = { include = ["a.log"] }
		}`,
		ExpectError: regexp.MustCompile(`(?s)Invalid files.include.*files\s+= { include = \["a.log"\] }`), // the line is quoted
	}}})
	if f.input == "" {
		t.Error("nothing was looked for")
	}
}
