package workflows_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/workflows"
)

// fakeTails stands in for the activities of the stdout ingest.
type fakeTails struct {
	mu    sync.Mutex
	calls []string
	// failAt fails an activity for good; notYet is how often CheckLogTail says that the tail has not begun.
	failAt map[string]error
	notYet int
	seen   contract.TailObserved
	// unreadable is what fits and cannot be read.
	unreadable []string
	// tail is what TailLogs does.
	tail func(ctx context.Context, call contract.TailCall) error
}

func (f *fakeTails) called(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, name)
	return f.failAt[name]
}

func (f *fakeTails) register(env *testsuite.TestWorkflowEnvironment) {
	add := func(fake contract.Implementation) { bind(env, fake) }
	add(contract.PrepareLogTail.By(func(_ context.Context, _ contract.TailCall) (contract.Prepared, error) {
		return contract.Prepared{EngineID: "engine-1"}, f.called(contract.PrepareLogTail.Name)
	}))
	add(contract.DiscoverLogFiles.By(func(_ context.Context, _ contract.TailCall) (contract.Discovered, error) {
		return contract.Discovered{Host: "host", Unreadable: f.unreadable, Sources: []contract.LogSource{
			{Path: "/b.log", Identity: "file 2", Modified: time.Unix(20, 0)},
			{Path: "/a.log", Identity: "file 1", Modified: time.Unix(30, 0)},
			{Path: "/same.log", Identity: "file 1", Modified: time.Unix(30, 0)},
			{Path: "/engine/web-json.log", Identity: "file 3"},
		}}, f.called(contract.DiscoverLogFiles.Name)
	}))
	add(contract.DiscoverContainerLogs.By(func(_ context.Context, _ contract.TailCall) (contract.Discovered, error) {
		return contract.Discovered{Sources: []contract.LogSource{
			{Container: "web", ID: "id", Identity: "container id", LogPath: "/engine/web-json.log", Modified: time.Unix(10, 0)},
		}}, f.called(contract.DiscoverContainerLogs.Name)
	}))
	add(contract.StartLogTail.By(func(_ context.Context, call contract.TailCall) error { return f.called(contract.StartLogTail.Name) }))
	add(contract.CheckLogTail.By(func(_ context.Context, _ contract.TailCall) (contract.TailStatus, error) {
		err := f.called(contract.CheckLogTail.Name)
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.notYet > 0 {
			f.notYet--
			return contract.TailStatus{}, temporal.NewApplicationError("not yet", string(contract.Unavailable))
		}
		return contract.TailStatus{}, err
	}))
	add(contract.RestoreLogTail.By(func(_ context.Context, call contract.TailCall) (contract.Undone, error) {
		what := "removed the tail"
		if call.Prior != nil {
			what = "the tail goes on at " + call.Prior.Endpoint
		}
		return contract.Undone{Done: []string{what}}, f.called(contract.RestoreLogTail.Name)
	}))
	add(contract.InspectLogTail.By(func(_ context.Context, _ contract.TailCall) (contract.TailObserved, error) {
		return f.seen, f.called(contract.InspectLogTail.Name)
	}))
	add(contract.RemoveLogTail.By(func(_ context.Context, _ contract.TailCall) (contract.Removed, error) {
		return contract.Removed{}, f.called(contract.RemoveLogTail.Name)
	}))
	add(contract.EnsureGrafana.By(func(_ context.Context, _ contract.GrafanaCall) error { return f.called(contract.EnsureGrafana.Name) }))
	add(contract.RemoveGrafana.By(func(_ context.Context, _ contract.GrafanaCall) (contract.Undone, error) {
		return contract.Undone{}, f.called(contract.RemoveGrafana.Name)
	}))
	add(contract.InspectGrafana.By(func(_ context.Context, _ contract.GrafanaCall) (contract.GrafanaState, error) {
		return contract.GrafanaState{Drift: []string{"the data source is missing"}}, f.called(contract.InspectGrafana.Name)
	}))
	add(contract.TailLogs.By(func(ctx context.Context, call contract.TailCall) error {
		if err := f.called(contract.TailLogs.Name); err != nil {
			return err
		}
		return f.tail(ctx, call)
	}))
}

func (f *fakeTails) env() *testsuite.TestWorkflowEnvironment {
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	workflows.Register(env)
	f.register(env)
	return env
}

func ingestRequest(op contract.Operation, input string) contract.Request {
	return contract.Request{ServiceName: "app", Operation: op, Input: json.RawMessage(input)}
}

const withGrafana = `{"grafana":{"url":"http://127.0.0.1:3000","pipeline_id":"orch/orch/logs/app"}}`

func TestIngestMergesWhatItFindsAndStartsTheTail(t *testing.T) {
	f := &fakeTails{notYet: 3}
	env := f.env()
	env.ExecuteWorkflow(contract.StdoutIngest.SetupWorkflow(), ingestRequest(contract.OpCreate, withGrafana))
	require.NoError(t, env.GetWorkflowError())
	var result contract.Result
	require.NoError(t, env.GetWorkflowResult(&result))
	// Of four files one is another's second name, and one a container's log.
	require.Equal(t, "ingest started: discovered=3 enriched=3 status=running", result.Message)
	require.Equal(t, "engine-1", result.EngineID)
	require.Equal(t, []string{contract.PrepareLogTail.Name, contract.EnsureGrafana.Name}, f.calls[:2])
	require.Contains(t, f.calls, contract.StartLogTail.Name)
}

func TestIngestTellsThatSomethingCannotBeRead(t *testing.T) {
	f := &fakeTails{unreadable: []string{"/secret.log: permission denied"}}
	env := f.env()
	env.ExecuteWorkflow(contract.StdoutIngest.SetupWorkflow(), ingestRequest(contract.OpCreate, `{}`))
	require.NoError(t, env.GetWorkflowError())
	var result contract.Result
	require.NoError(t, env.GetWorkflowResult(&result))
	require.Equal(t, "ingest started: discovered=3 enriched=3 status=incomplete", result.Message)
}

func TestIngestShowsWhatItWouldFollow(t *testing.T) {
	f := &fakeTails{}
	env := f.env()
	env.ExecuteWorkflow(contract.StdoutIngest.DiscoverWorkflow(), ingestRequest(contract.OpStatus, `{"labels":{"team":"chat"}}`))
	require.NoError(t, env.GetWorkflowError())
	var found contract.Discovered
	require.NoError(t, env.GetWorkflowResult(&found))
	require.Len(t, found.Sources, 3)
	require.Equal(t, []string{"web", "", ""}, []string{found.Sources[0].Container, found.Sources[1].Container, found.Sources[2].Container}, "the oldest first")
	require.Equal(t, map[string]string{"service.name": "app", "host.name": "host", "team": "chat", "log.file.path": "/b.log"}, found.Sources[1].Labels)
	require.NotContains(t, f.calls, contract.StartLogTail.Name)
}

func TestFailedIngestGoesBack(t *testing.T) {
	no := temporal.NewNonRetryableApplicationError("no", string(contract.Denied), nil)
	for name, c := range map[string]struct {
		failing, step, prior, rolledBack string
	}{
		"grafana":        {contract.EnsureGrafana.Name, "add_loki_datasource", "", ""},
		"files":          {contract.DiscoverLogFiles.Name, "discover_log_files", "", ""},
		"containers":     {contract.DiscoverContainerLogs.Name, "discover_container_logs", "", ""},
		"create":         {contract.StartLogTail.Name, "start_tail", "", "removed the tail"},
		"update":         {contract.CheckLogTail.Name, "start_tail", `{"endpoint":"http://old:4318"}`, "the tail goes on at http://old:4318"},
		"not configured": {contract.PrepareLogTail.Name, "configure", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fakeTails{failAt: map[string]error{c.failing: no}}
			env := f.env()
			req := ingestRequest(contract.OpCreate, withGrafana)
			req.Prior = json.RawMessage(c.prior)
			env.ExecuteWorkflow(contract.StdoutIngest.SetupWorkflow(), req)
			failure := failureOf(t, env.GetWorkflowError())
			require.Equal(t, c.step, failure.Step)
			require.True(t, failure.Clean)
			if c.rolledBack != "" {
				require.Contains(t, failure.RolledBack, c.rolledBack)
			}
		})
	}
}

func TestIngestOfNothingEndsInConfigurationFailed(t *testing.T) {
	for attribute, input := range map[string]string{"files.include": `{"files":{"include":[]}}`, "containers": `{"containers":{}}`} {
		f := &fakeTails{}
		env := f.env()
		env.ExecuteWorkflow(contract.StdoutIngest.SetupWorkflow(), ingestRequest(contract.OpConverge, input))
		failure := failureOf(t, env.GetWorkflowError())
		require.Equal(t, contract.InvalidInput, failure.Class)
		require.Equal(t, attribute, failure.Attribute)
		require.Contains(t, failure.Cause, "configuration failed")
		require.Empty(t, f.calls)
	}
}

// The argument of the old trigger scripts.
func TestIngestTakesANameAlone(t *testing.T) {
	f := &fakeTails{}
	env := f.env()
	env.ExecuteWorkflow(contract.StdoutIngest.SetupWorkflow(), map[string]string{"service_name": "app"})
	require.NoError(t, env.GetWorkflowError())
}

func TestTailGoesOnWithWhatASignalBrings(t *testing.T) {
	f := &fakeTails{tail: func(ctx context.Context, _ contract.TailCall) error {
		<-ctx.Done()
		return ctx.Err()
	}}
	env := f.env()
	old := contract.TailCall{Ingest: contract.Ingest{Endpoint: "http://old", Labels: map[string]string{"team": "a"}}}
	next := contract.TailCall{Ingest: contract.Ingest{Endpoint: "http://old", Labels: map[string]string{"team": "b"}}}
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(contract.SignalConfigure, old) }, time.Second)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(contract.SignalConfigure, next) }, 2*time.Second)
	env.ExecuteWorkflow(contract.StdoutIngest.TailWorkflow(), old)
	var again *workflow.ContinueAsNewError
	require.ErrorAs(t, env.GetWorkflowError(), &again)
	require.Equal(t, contract.StdoutIngest.TailWorkflow(), again.WorkflowType.Name)
	require.Equal(t, []string{contract.TailLogs.Name}, f.calls, "the same configuration again is no reason to stop")
}

func TestTailEndsWhenItIsCancelledAndElseGoesOn(t *testing.T) {
	f := &fakeTails{tail: func(ctx context.Context, _ contract.TailCall) error {
		<-ctx.Done()
		return ctx.Err()
	}}
	env := f.env()
	env.RegisterDelayedCallback(env.CancelWorkflow, time.Second)
	env.ExecuteWorkflow(contract.StdoutIngest.TailWorkflow(), contract.TailCall{})
	var cancelled *temporal.CanceledError
	require.ErrorAs(t, env.GetWorkflowError(), &cancelled)

	// Its turn is over, and a worker that was killed more often than any policy of another step allows.
	failures := 7
	f = &fakeTails{tail: func(context.Context, contract.TailCall) error {
		if failures--; failures > 0 {
			return temporal.NewApplicationError("the worker was stopped", string(contract.Unavailable))
		}
		return nil
	}}
	env = f.env()
	env.ExecuteWorkflow(contract.StdoutIngest.TailWorkflow(), contract.TailCall{})
	var again *workflow.ContinueAsNewError
	require.ErrorAs(t, env.GetWorkflowError(), &again)
	require.Len(t, f.calls, 7)
}

func TestIngestStatusTellsDrift(t *testing.T) {
	config := contract.Ingest{Endpoint: "http://elsewhere", Input: json.RawMessage(`{"endpoint":"http://elsewhere"}`)}
	f := &fakeTails{seen: contract.TailObserved{Found: true, Config: &config}}
	env := f.env()
	env.ExecuteWorkflow(contract.StdoutIngest.StatusWorkflow(), ingestRequest(contract.OpStatus, withGrafana))
	require.NoError(t, env.GetWorkflowError())
	var observed contract.IngestObserved
	require.NoError(t, env.GetWorkflowResult(&observed))
	require.Equal(t, []string{
		"grafana: the data source is missing", "tail: its workflow does not run, so nothing is shipped", "tail: it works with another configuration",
	}, observed.Drifted())
	require.JSONEq(t, `{"endpoint":"http://elsewhere"}`, string(observed.Input))

	// Its workflow runs, and it cannot begin.
	f = &fakeTails{seen: contract.TailObserved{Found: true, Open: true, Config: &config, Idle: "the disk is full"}}
	env = f.env()
	env.ExecuteWorkflow(contract.StdoutIngest.StatusWorkflow(), contract.Request{ServiceName: "app", Operation: contract.OpStatus})
	require.NoError(t, env.GetWorkflowError())
	require.NoError(t, env.GetWorkflowResult(&observed))
	require.Contains(t, observed.Drifted(), "tail: it does not work: the disk is full")
}

func TestIngestCleanupByNameTakesTheDatasourceOutFirst(t *testing.T) {
	f := &fakeTails{seen: contract.TailObserved{Found: true, Config: &contract.Ingest{Grafana: &contract.GrafanaObjects{URL: "http://g"}}}}
	env := f.env()
	env.ExecuteWorkflow(contract.StdoutIngest.CleanupWorkflow(), contract.Request{ServiceName: "app"})
	require.NoError(t, env.GetWorkflowError())
	require.Equal(t, []string{contract.InspectLogTail.Name, contract.RemoveGrafana.Name, contract.RemoveLogTail.Name}, f.calls)
}
