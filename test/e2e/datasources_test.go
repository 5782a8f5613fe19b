package e2e

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// outputs are the world's, read from state.
func (w *world) outputs() map[string]any {
	w.t.Helper()
	r := w.terraform("output", "-json")
	require.Zero(w.t, r.exit, r.out)
	var all map[string]struct{ Value any }
	require.NoError(w.t, json.NewDecoder(strings.NewReader(r.out[strings.Index(r.out, "{"):])).Decode(&all))
	values := map[string]any{}
	for name, output := range all {
		values[name] = output.Value
	}
	return values
}

// useData writes a configuration that reads only.
func (w *world) useData(hcl string) {
	w.t.Helper()
	w.write(requiredProviders + "\nprovider \"orch\" {\n  address = \"" + w.server.address() + "\"\n}\n" + hcl)
}

// dataExample is the example of a data source, about another service than "app".
func dataExample(t *testing.T, name, service string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(examplesDir, "data-sources", name, "data-source.tf"))
	require.NoError(t, err)
	return strings.NewReplacer(`= "app"`, `= "`+service+`"`, "logs/app", "logs/"+service, "app-queue", contract.TaskQueue(service)).Replace(string(data))
}

// All examples of data sources together, in a configuration of their own, on a service that another one manages.
func TestDataSourcesOfAnotherConfigurationsService(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "data")
	s := shared.get(t)
	owner, reader := newWorld(t, s), newWorld(t, s)
	owner.use(p)
	owner.apply()
	var hcl strings.Builder
	for _, name := range []string{"orch_pipeline", "orch_workflow", "orch_workflows", "orch_task_queue", "orch_cluster"} {
		hcl.WriteString(dataExample(t, name, p.service))
	}
	hcl.WriteString(`
output "verified" { value = data.orch_pipeline.all.verification }
output "status" { value = data.orch_pipeline.all.status }
output "drift" { value = data.orch_pipeline.all.drift }
output "endpoints" { value = data.orch_pipeline.all.endpoints }
output "containers" { value = { for name, c in data.orch_pipeline.all.containers : c.name => c.state } }
output "input" { value = data.orch_pipeline.all.input }
data "orch_pipeline" "all" {
  kind         = "logs_pipeline"
  service_name = "` + p.service + `"
  verify       = true
}
`)
	reader.useData(hcl.String())
	applied := reader.apply()
	require.Empty(t, applied.warnings(), "no check fails")
	got := reader.outputs()
	require.Equal(t, "ready", got["status"])
	require.Empty(t, got["drift"])
	require.Contains(t, got["verified"], "log")
	attributes := owner.attributes()
	require.Equal(t, attributes["endpoints"], got["endpoints"], "as the resource says")
	containers, ok := got["containers"].(map[string]any)
	require.True(t, ok)
	require.Equal(t, "running", containers[p.container("loki")])
	input, ok := got["input"].(map[string]any)
	require.True(t, ok)
	loki, ok := input["loki"].(map[string]any)
	require.True(t, ok)
	require.EqualValues(t, p.loki, loki["port"])
	setup, ok := got["setup"].(map[string]any)
	require.True(t, ok)
	require.Equal(t, "completed", setup["status"])
	require.Equal(t, "Logs pipeline fully configured", setup["message"])
	require.NotEmpty(t, got["workers"])

	// What somebody has stopped shows, and the check warns.
	docker(t, "stop", "--time", "1", p.container("loki"))
	reader.useData(`data "orch_pipeline" "all" {
  kind         = "logs_pipeline"
  service_name = "` + p.service + `"
}
output "status" { value = data.orch_pipeline.all.status }
output "drift" { value = join(";", data.orch_pipeline.all.drift) }
check "works" {
  data "orch_pipeline" "verified" {
    kind         = "logs_pipeline"
    service_name = "` + p.service + `"
    verify       = true
  }
  assert {
    condition     = data.orch_pipeline.verified.status == "ready"
    error_message = "not ready"
  }
}
`)
	applied = reader.apply()
	require.Equal(t, "degraded", reader.outputs()["status"])
	require.Contains(t, reader.outputs()["drift"], "loki: the container is stopped")
	require.Contains(t, applied.warnings(), "loki: exited, not ready")
	require.Less(t, applied.took, 50*time.Second, "a canary of what is down is not waited for: that would take a minute")

	owner.destroy()
	gone := reader.tryApply()
	require.Equal(t, 1, gone.exit)
	require.Contains(t, gone.errors(), `There is no logs_pipeline "`+p.service+`"`)
	assertNothingLeft(t, p.service)
}

// quote is a workflow of somebody else's worker.
func quote(ctx workflow.Context, what string) (any, error) {
	switch what {
	case "bytes":
		return []byte{0xff, 0x00}, nil
	case "large":
		return strings.Repeat("x", 1500<<10), nil
	case "nothing":
		return nil, nil
	case "open":
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
		return nil, workflow.ExecuteActivity(ctx, "Charge").Get(ctx, nil)
	default:
		return map[string]any{"price": 12.5, "for": what}, nil
	}
}

// A worker that has never heard of orch, and a client without our codec.
func TestDataSourcesOfAnyWorkflow(t *testing.T) {
	t.Parallel()
	s := shared.get(t)
	c := s.dial(t)
	queue := uniqueName("quotes")
	w := worker.New(c, queue, worker.Options{Identity: "worker-of-" + queue})
	w.RegisterWorkflowWithOptions(quote, workflow.RegisterOptions{Name: "Quote"})
	w.RegisterActivity(&shop{})
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	for _, what := range []string{"tea", "bytes", "large", "nothing", "open"} {
		run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
			ID: queue + "/" + what, TaskQueue: queue, Memo: map[string]any{"team": "a"},
		}, "Quote", what)
		require.NoError(t, err)
		if what != "open" {
			require.NoError(t, run.Get(t.Context(), nil))
			continue
		}
		t.Cleanup(func() { _ = c.TerminateWorkflow(context.Background(), run.GetID(), "", "the test is over") })
		eventually(t, time.Minute, "the activity is tried again", func() bool {
			d, err := c.DescribeWorkflowExecution(t.Context(), run.GetID(), "")
			return err == nil && len(d.GetPendingActivities()) == 1 && d.GetPendingActivities()[0].GetAttempt() > 1
		})
	}
	world := newWorld(t, s)
	world.useData(`
data "orch_workflow" "each" {
  for_each    = toset(["tea", "bytes", "large", "nothing", "open"])
  workflow_id = "` + queue + `/${each.key}"
}
data "orch_task_queue" "q" { name = "` + queue + `" }
output "price" { value = data.orch_workflow.each["tea"].result.price }
output "team" { value = data.orch_workflow.each["tea"].memo.team }
output "bytes" { value = data.orch_workflow.each["bytes"].result }
output "large" { value = length(data.orch_workflow.each["large"].result) }
output "nothing" { value = data.orch_workflow.each["nothing"].result == null }
output "pending" { value = data.orch_workflow.each["open"].pending_activities[0] }
output "open" { value = data.orch_workflow.each["open"].status }
output "pollers" { value = distinct(data.orch_task_queue.q.pollers[*].identity) }
`)
	world.apply()
	got := world.outputs()
	require.EqualValues(t, 12.5, got["price"])
	require.Equal(t, "a", got["team"])
	require.Equal(t, "/wA=", got["bytes"])
	require.EqualValues(t, 1500<<10, got["large"])
	require.Equal(t, true, got["nothing"])
	require.Equal(t, "running", got["open"])
	require.Equal(t, []any{"worker-of-" + queue}, got["pollers"])
	pending, ok := got["pending"].(map[string]any)
	require.True(t, ok)
	require.Equal(t, "Charge", pending["type"])
	require.Equal(t, "the bank does not answer", pending["last_failure"])

	listing := newWorld(t, s)
	listing.useData(`
data "orch_workflows" "all" {
  query    = "WorkflowId STARTS_WITH '` + queue + `/'"
  order_by = "start_time"
}
output "ids" { value = data.orch_workflows.all.workflows[*].workflow_id }
`)
	eventually(t, time.Minute, "all runs are visible, the latest first", func() bool {
		listing.apply()
		ids, ok := listing.outputs()["ids"].([]any)
		return ok && len(ids) == 5 && ids[0] == queue+"/open" && ids[4] == queue+"/tea"
	})
}

type shop struct{}

// Charge never succeeds.
func (*shop) Charge(context.Context) error {
	return temporal.NewApplicationError("the bank does not answer", "Unavailable")
}

func TestDataSourcesThatFindNothing(t *testing.T) {
	t.Parallel()
	s := shared.get(t)
	for name, c := range map[string]struct {
		hcl   string
		texts []string
	}{
		"unknown workflow": {`data "orch_workflow" "w" { workflow_id = "no-such" }`, []string{`there is no workflow "no-such"`, "temporal workflow list"}},
		"wrong query":      {`data "orch_workflows" "w" { query = "Nonsense = 1" }`, []string{"Nonsense", "search-attribute list"}},
		"unknown service": {"data \"orch_pipeline\" \"p\" {\n  kind = \"logs_pipeline\"\n  service_name = \"" + uniqueName("none") + "\"\n}",
			[]string{"There is no logs_pipeline", "docker ps"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, s)
			w.useData(c.hcl)
			r := w.plan()
			require.Equal(t, 1, r.exit)
			for _, text := range c.texts {
				require.Contains(t, r.errors(), text)
			}
		})
	}
	t.Run("unreachable Temporal", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, s)
		w.write(requiredProviders + "\nprovider \"orch\" {\n  address = \"127.0.0.1:1\"\n}\ndata \"orch_cluster\" \"c\" {}\n")
		r := w.plan()
		require.Equal(t, 1, r.exit)
		require.Contains(t, r.errors(), "refuses the connection")
	})
}
