package workflows_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/workflows"
)

// fakeEngine records the activities that are called, in order, and fails where it is told to. An activity that the test
// does not know fails the workflow, because nothing else is registered.
type fakeEngine struct {
	mu    sync.Mutex
	calls []string
	// failAt maps a call, for example "EnsureComponent loki", to what it returns instead.
	failAt map[string]error
	// labels is the input that an inspection by name finds.
	labels string
	// continues is what PrepareStack finds.
	continues bool
	// adopted is what PrepareStack adopts.
	adopted *contract.Adoption
	// checking is called while Cloudflare is checked.
	checking func()
	// during is called while an Ensure is under way.
	during func(ctx context.Context, component string) error
}

func (f *fakeEngine) called(parts ...string) error {
	call := strings.Join(parts, " ")
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, call)
	return f.failAt[call]
}

// bind registers a fake, whose types are those of the activity.
func bind(env *testsuite.TestWorkflowEnvironment, fake contract.Implementation) {
	env.RegisterActivityWithOptions(fake.Function, activity.RegisterOptions{Name: fake.Name})
}

func (f *fakeEngine) register(env *testsuite.TestWorkflowEnvironment) {
	bind(env, contract.PrepareStack.By(func(_ context.Context, _ contract.StackCall) (contract.Prepared, error) {
		return contract.Prepared{EngineID: "engine-1", Continues: f.continues, Adopted: f.adopted}, f.called(contract.PrepareStack.Name)
	}))
	bind(env, contract.EnsureComponent.By(func(ctx context.Context, c contract.ComponentCall) (contract.ComponentState, error) {
		err := f.called(contract.EnsureComponent.Name, c.Component.Name)
		if err == nil && c.EngineID != "engine-1" {
			err = fmt.Errorf("EnsureComponent %s is not bound to the prepared engine", c.Component.Name)
		}
		if err == nil && f.during != nil {
			err = f.during(ctx, c.Component.Name)
		}
		return contract.ComponentState{Name: c.Component.Name, State: "running", Health: contract.HealthReady}, err
	}))
	bind(env, contract.BuildImage.By(func(_ context.Context, c contract.ComponentCall) error {
		return f.called(contract.BuildImage.Name, c.Component.Name)
	}))
	bind(env, contract.VerifyCloudflare.By(func(_ context.Context, c contract.CloudflareCall) error {
		if f.checking != nil {
			f.checking()
		}
		return f.called(contract.VerifyCloudflare.Name, c.Secret)
	}))
	bind(env, contract.RestoreComponent.By(func(_ context.Context, c contract.ComponentCall) (contract.Undone, error) {
		return contract.Undone{Done: []string{"removed " + c.Component.Container}}, f.called(contract.RestoreComponent.Name, c.Component.Name)
	}))
	bind(env, contract.CommitStack.By(func(_ context.Context, _ contract.StackCall) error {
		return f.called(contract.CommitStack.Name)
	}))
	bind(env, contract.RollbackStack.By(func(_ context.Context, _ contract.StackCall) (contract.Undone, error) {
		return contract.Undone{}, f.called(contract.RollbackStack.Name)
	}))
	bind(env, contract.RemoveStack.By(func(_ context.Context, c contract.StackCall) (contract.Removed, error) {
		return contract.Removed{Containers: []string{c.Stack.Ref.Container("loki")}}, f.called(contract.RemoveStack.Name)
	}))
	bind(env, contract.InspectStack.By(func(_ context.Context, c contract.StackCall) (contract.Observed, error) {
		input := f.labels
		if len(c.Stack.Components) > 0 {
			input = fmt.Sprintf(`{"components":%d}`, len(c.Stack.Components))
		}
		return contract.Observed{EngineID: "engine-1", Found: true, Input: json.RawMessage(input)}, f.called(contract.InspectStack.Name)
	}))
	bind(env, contract.VerifyStack.By(func(_ context.Context, c contract.StackCall) ([]contract.Proof, error) {
		return []contract.Proof{{Signal: c.Stack.Canaries[0].Signal, LatencyMS: 7}}, f.called(contract.VerifyStack.Name)
	}))
	bind(env, contract.EnsureGrafana.By(func(_ context.Context, _ contract.GrafanaCall) error {
		return f.called(contract.EnsureGrafana.Name)
	}))
	bind(env, contract.RemoveGrafana.By(func(_ context.Context, _ contract.GrafanaCall) (contract.Undone, error) {
		return contract.Undone{}, f.called(contract.RemoveGrafana.Name)
	}))
	bind(env, contract.InspectGrafana.By(func(_ context.Context, _ contract.GrafanaCall) (contract.GrafanaState, error) {
		return contract.GrafanaState{Drift: []string{"the dashboard is missing"}}, f.called(contract.InspectGrafana.Name)
	}))
}

func setup(t *testing.T, f *fakeEngine, req contract.Request) (*testsuite.TestWorkflowEnvironment, contract.Result, error) {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	workflows.Register(env)
	f.register(env)
	env.ExecuteWorkflow(contract.LogsPipeline.SetupWorkflow(), req)
	require.True(t, env.IsWorkflowCompleted())
	var result contract.Result
	if err := env.GetWorkflowError(); err != nil {
		return env, result, err
	}
	require.NoError(t, env.GetWorkflowResult(&result))
	return env, result, nil
}

func failureOf(t *testing.T, err error) contract.StepFailure {
	t.Helper()
	var application *temporal.ApplicationError
	var failure contract.StepFailure
	require.ErrorAs(t, err, &application)
	require.NoError(t, application.Details(&failure))
	require.Equal(t, string(failure.Class), application.Type())
	return failure
}

func TestSetupStartsEverythingThenCommits(t *testing.T) {
	f := &fakeEngine{}
	_, result, err := setup(t, f, contract.Request{ServiceName: "app"})
	require.NoError(t, err)
	require.Equal(t, "Logs pipeline fully configured", result.Message)
	require.Equal(t, "engine-1", result.EngineID)
	require.Equal(t, []string{"otel-collector", "loki", "grafana"}, names(result.Components), "states come in the order of the steps")
	require.Equal(t, contract.PrepareStack.Name, f.calls[0])
	require.Equal(t, contract.CommitStack.Name, f.calls[len(f.calls)-1])
	started := slices.Sorted(slices.Values(f.calls[1:4]))
	require.Equal(t, []string{"EnsureComponent grafana", "EnsureComponent loki", "EnsureComponent otel-collector"}, started)
}

// Independent components must overlap: each waits here until all three are under way.
func TestIndependentComponentsStartAtTheSameTime(t *testing.T) {
	var together sync.WaitGroup
	together.Add(3)
	f := &fakeEngine{during: func(ctx context.Context, _ string) error {
		together.Done()
		met := make(chan struct{})
		go func() { together.Wait(); close(met) }()
		select {
		case <-met:
			return nil
		case <-time.After(20 * time.Second):
			return errors.New("the others did not start")
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
	_, _, err := setup(t, f, contract.Request{ServiceName: "app"})
	require.NoError(t, err)
}

func TestEveryFailingStepIsRolledBack(t *testing.T) {
	denied := func(step string) error {
		failure := contract.Fail(contract.Conflict, "%s cannot be", step).On("loki.port")
		return temporal.NewApplicationErrorWithOptions(failure.Cause, string(failure.Class),
			temporal.ApplicationErrorOptions{NonRetryable: true, Details: []any{*failure}})
	}
	cases := []struct {
		failing, step string
		restored      []string
	}{
		{"PrepareStack", "prepare", nil},
		{"EnsureComponent otel-collector", "start_otel_collector", []string{"otel-collector"}},
		{"EnsureComponent loki", "start_loki", []string{"loki"}},
		{"EnsureComponent grafana", "start_grafana", []string{"grafana"}},
		{"VerifyStack", "verify", []string{"grafana", "loki", "otel-collector"}},
		{"CommitStack", "commit", []string{"grafana", "loki", "otel-collector"}},
	}
	for _, c := range cases {
		t.Run(c.failing, func(t *testing.T) {
			f := &fakeEngine{failAt: map[string]error{c.failing: denied(c.failing)}}
			_, _, err := setup(t, f, contract.Request{ServiceName: "app"})
			failure := failureOf(t, err)
			require.Equal(t, c.step, failure.Step)
			require.Equal(t, contract.Conflict, failure.Class)
			require.Equal(t, c.failing+" cannot be", failure.Cause)
			require.Equal(t, "loki.port", failure.Attribute)
			require.True(t, failure.Clean)
			for _, component := range c.restored {
				require.Contains(t, f.calls, "RestoreComponent "+component)
				require.Contains(t, failure.RolledBack, "removed orch-logs-app-"+component)
			}
			require.Equal(t, contract.RollbackStack.Name, f.calls[len(f.calls)-1], "the network goes last")
		})
	}
}

// An activity that has several steps says which of them failed.
func TestAFailureMayNameItsOwnStep(t *testing.T) {
	refused := contract.Fail(contract.InvalidInput, "otel-collector refuses the configuration")
	refused.Step = contract.StepValidate
	f := &fakeEngine{failAt: map[string]error{"EnsureComponent loki": temporal.NewApplicationErrorWithOptions(refused.Cause, string(refused.Class),
		temporal.ApplicationErrorOptions{NonRetryable: true, Details: []any{*refused}})}}
	_, _, err := setup(t, f, contract.Request{ServiceName: "app"})
	require.Equal(t, contract.StepValidate, failureOf(t, err).Step)
}

func TestRollbackRunsInReverseOrder(t *testing.T) {
	f := &fakeEngine{failAt: map[string]error{contract.CommitStack.Name: temporal.NewNonRetryableApplicationError("no", "Internal", nil)}}
	_, _, err := setup(t, f, contract.Request{ServiceName: "app"})
	require.Error(t, err)
	require.Equal(t, []string{"RestoreComponent grafana", "RestoreComponent loki", "RestoreComponent otel-collector", "RollbackStack"}, f.calls[len(f.calls)-4:])
}

func TestFailedRollbackIsTold(t *testing.T) {
	f := &fakeEngine{failAt: map[string]error{
		"EnsureComponent loki":  temporal.NewNonRetryableApplicationError("broken", "Unhealthy", nil),
		"RestoreComponent loki": temporal.NewNonRetryableApplicationError("stuck", "Conflict", nil),
	}}
	_, _, err := setup(t, f, contract.Request{ServiceName: "app"})
	failure := failureOf(t, err)
	require.False(t, failure.Clean)
	require.Equal(t, []string{"loki: stuck"}, failure.RollbackFailed)
	require.Equal(t, contract.RollbackStack.Name, f.calls[len(f.calls)-1], "the rest is undone all the same")
}

func TestKeepLeavesEverything(t *testing.T) {
	f := &fakeEngine{failAt: map[string]error{"EnsureComponent loki": temporal.NewNonRetryableApplicationError("broken", "Unhealthy", nil)}}
	_, _, err := setup(t, f, contract.Request{ServiceName: "app", OnFailure: contract.OnFailureKeep})
	failure := failureOf(t, err)
	require.True(t, failure.Kept)
	require.False(t, failure.Clean)
	for _, call := range f.calls {
		require.NotContains(t, call, "Restore")
		require.NotContains(t, call, "Rollback")
	}
}

// A refused create must leave no state: the destroy of what it claims to have made would hit what refused it.
func TestKeepKeepsNothingOfARunThatWasRefused(t *testing.T) {
	f := &fakeEngine{failAt: map[string]error{"PrepareStack": temporal.NewNonRetryableApplicationError("exists with other input", "Conflict", nil)}}
	_, _, err := setup(t, f, contract.Request{ServiceName: "app", Operation: contract.OpCreate, OnFailure: contract.OnFailureKeep})
	failure := failureOf(t, err)
	require.False(t, failure.Kept)
	require.True(t, failure.Clean)
	require.Equal(t, contract.RollbackStack.Name, f.calls[len(f.calls)-1], "a network that the refused run made goes")
}

// With the engine away, prepare and the rollback fail alike. A state of such a create would be tainted, and the next apply
// would destroy the service that exists under the name, volumes included.
func TestACreateThatMadeNothingLeavesNoState(t *testing.T) {
	away := temporal.NewNonRetryableApplicationError("the engine is away", "Unavailable", nil)
	for name, f := range map[string]*fakeEngine{
		"never prepared": {failAt: map[string]error{"PrepareStack": away, "RollbackStack": away}},
		"adopted": {adopted: &contract.Adoption{}, failAt: map[string]error{
			"EnsureComponent loki": away, "RestoreComponent loki": away, "RollbackStack": away,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := setup(t, f, contract.Request{ServiceName: "app", Operation: contract.OpCreate})
			failure := failureOf(t, err)
			require.NotEmpty(t, failure.RollbackFailed, "what could not be looked at is said")
			require.True(t, failure.Clean)
		})
	}
}

func TestCancelledSetupRollsBackAndEndsAsCancelled(t *testing.T) {
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	workflows.Register(env)
	f := &fakeEngine{during: func(ctx context.Context, component string) error {
		if component == "loki" {
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}}
	f.register(env)
	env.RegisterDelayedCallback(env.CancelWorkflow, time.Second)
	env.ExecuteWorkflow(contract.LogsPipeline.SetupWorkflow(), contract.Request{ServiceName: "app"})
	require.True(t, env.IsWorkflowCompleted())
	var cancelled *temporal.CanceledError
	require.ErrorAs(t, env.GetWorkflowError(), &cancelled)
	var failure contract.StepFailure
	require.NoError(t, cancelled.Details(&failure))
	require.True(t, failure.Clean)
	require.Contains(t, f.calls, "RestoreComponent loki")
	require.Contains(t, f.calls, "RestoreComponent grafana")
}

func TestBadInputIsRefusedBeforeAnythingStarts(t *testing.T) {
	cases := []struct {
		name      string
		req       contract.Request
		attribute string
	}{
		{"no service name", contract.Request{}, "service_name"},
		{"upper case", contract.Request{ServiceName: "App"}, "service_name"},
		{"port out of range", contract.Request{ServiceName: "app", Input: json.RawMessage(`{"loki":{"port":70000}}`)}, "loki.port"},
		{"same port twice", contract.Request{ServiceName: "app", Input: json.RawMessage(`{"loki":{"port":3000}}`)}, "grafana.port"},
		{"unknown attribute", contract.Request{ServiceName: "app", Input: json.RawMessage(`{"lokki":{}}`)}, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := &fakeEngine{}
			_, _, err := setup(t, f, c.req)
			failure := failureOf(t, err)
			require.Equal(t, contract.InvalidInput, failure.Class)
			require.Equal(t, c.attribute, failure.Attribute)
			require.Empty(t, f.calls)
		})
	}
}

func TestCleanupRemovesByName(t *testing.T) {
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	workflows.Register(env)
	f := &fakeEngine{}
	f.register(env)
	env.ExecuteWorkflow(contract.LogsPipeline.CleanupWorkflow(), contract.Request{ServiceName: "app", Scope: "team"})
	var removed contract.Removed
	require.NoError(t, env.GetWorkflowError())
	require.NoError(t, env.GetWorkflowResult(&removed))
	require.Equal(t, []string{"team-logs-app-loki"}, removed.Containers)
	require.Equal(t, []string{contract.InspectStack.Name, contract.RemoveStack.Name}, f.calls)
}

// Whoever reads the error must look at the engine, and not at a Grafana that the service may not even have.
func TestCleanupByNameNamesTheStepThatFailed(t *testing.T) {
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	workflows.Register(env)
	f := &fakeEngine{failAt: map[string]error{contract.InspectStack.Name: temporal.NewNonRetryableApplicationError("the engine is away", "Unavailable", nil)}}
	f.register(env)
	env.ExecuteWorkflow(contract.LogsPipeline.CleanupWorkflow(), contract.Request{ServiceName: "app"})
	require.Equal(t, "inspect", failureOf(t, env.GetWorkflowError()).Step)
}

const elsewhere = `{"grafana":{"url":"http://127.0.0.1:3002","pipeline_id":"orch/orch/tracing/app"}}`

func TestSharedGrafanaIsProvisionedThenVerified(t *testing.T) {
	f := &fakeEngine{}
	_, result, err := setup(t, f, contract.Request{ServiceName: "app", Operation: contract.OpCreate, Input: json.RawMessage(elsewhere)})
	require.NoError(t, err)
	require.Equal(t, []string{contract.EnsureGrafana.Name, contract.VerifyStack.Name, contract.CommitStack.Name}, f.calls[len(f.calls)-3:])
	require.Equal(t, []contract.Proof{{Signal: contract.SignalLog, LatencyMS: 7}}, result.Verification)

	f = &fakeEngine{failAt: map[string]error{contract.VerifyStack.Name: temporal.NewNonRetryableApplicationError("lost", "Unhealthy", nil)}}
	_, _, err = setup(t, f, contract.Request{ServiceName: "app", Operation: contract.OpCreate, Input: json.RawMessage(elsewhere)})
	require.Equal(t, contract.StepVerify, failureOf(t, err).Step)
	require.Contains(t, f.calls, contract.RemoveGrafana.Name, "a failed create leaves nothing in somebody's Grafana")
}

func TestVerificationCanBeLeftOut(t *testing.T) {
	no := false
	f := &fakeEngine{}
	_, result, err := setup(t, f, contract.Request{ServiceName: "app", Verify: &no})
	require.NoError(t, err)
	require.Empty(t, result.Verification)
	require.NotContains(t, f.calls, contract.VerifyStack.Name)
}

// The login of a Grafana that is not the service's own is kept with the service, so its objects go first.
func TestCleanupTakesObjectsOutOfASharedGrafanaFirst(t *testing.T) {
	for name, req := range map[string]contract.Request{
		"with input": {ServiceName: "app", Input: json.RawMessage(elsewhere)}, "by name": {ServiceName: "app"},
	} {
		t.Run(name, func(t *testing.T) {
			var suite testsuite.WorkflowTestSuite
			env := suite.NewTestWorkflowEnvironment()
			workflows.Register(env)
			f := &fakeEngine{labels: elsewhere}
			f.register(env)
			env.ExecuteWorkflow(contract.LogsPipeline.CleanupWorkflow(), req)
			require.NoError(t, env.GetWorkflowError())
			require.Equal(t, []string{contract.RemoveGrafana.Name, contract.RemoveStack.Name}, f.calls[len(f.calls)-2:])
		})
	}
}

func TestUpdateThatMovesToAnotherGrafanaLeavesNothingInTheOld(t *testing.T) {
	for name, c := range map[string]struct {
		input string
		left  bool
	}{
		"own Grafana now":   {`{}`, true},
		"another one":       {`{"grafana":{"url":"http://127.0.0.1:3001","pipeline_id":"orch/orch/metrics/app"}}`, true},
		"the same, changed": {`{"loki":{"port":3111},"grafana":{"url":"http://127.0.0.1:3002","pipeline_id":"orch/orch/tracing/app"}}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fakeEngine{}
			_, _, err := setup(t, f, contract.Request{ServiceName: "app", Operation: contract.OpUpdate, Input: json.RawMessage(c.input), Prior: json.RawMessage(elsewhere)})
			require.NoError(t, err)
			require.Equal(t, c.left, slices.Contains(f.calls, contract.RemoveGrafana.Name))
		})
	}
}

func TestStatusSeesASharedGrafanaAndVerifiesOnRequest(t *testing.T) {
	yes := true
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	workflows.Register(env)
	f := &fakeEngine{}
	f.register(env)
	env.ExecuteWorkflow(contract.LogsPipeline.StatusWorkflow(), contract.Request{ServiceName: "app", Input: json.RawMessage(elsewhere), Verify: &yes})
	var observed contract.Observed
	require.NoError(t, env.GetWorkflowError())
	require.NoError(t, env.GetWorkflowResult(&observed))
	require.Equal(t, []string{"grafana: the dashboard is missing"}, observed.Drifted())
	require.NotEmpty(t, observed.Verification)
}

func TestStatusComparesWithTheInputWhenThereIsOne(t *testing.T) {
	for input, components := range map[string]int{"": 0, "{}": 3} {
		var suite testsuite.WorkflowTestSuite
		env := suite.NewTestWorkflowEnvironment()
		workflows.Register(env)
		f := &fakeEngine{labels: `{"components":0}`}
		f.register(env)
		env.ExecuteWorkflow(contract.LogsPipeline.StatusWorkflow(), contract.Request{ServiceName: "app", Input: json.RawMessage(input)})
		var observed contract.Observed
		require.NoError(t, env.GetWorkflowError())
		require.NoError(t, env.GetWorkflowResult(&observed))
		require.JSONEq(t, fmt.Sprintf(`{"components":%d}`, components), string(observed.Input))
	}
}

// What a killed run has left must end up in somebody's state, or nobody would ever remove it.
func TestFailedContinuationIsNotClean(t *testing.T) {
	f := &fakeEngine{continues: true, failAt: map[string]error{"EnsureComponent loki": temporal.NewNonRetryableApplicationError("broken", "Unhealthy", nil)}}
	_, _, err := setup(t, f, contract.Request{ServiceName: "app", Operation: contract.OpCreate})
	failure := failureOf(t, err)
	require.False(t, failure.Clean)
	require.Contains(t, failure.RollbackFailed[0], "earlier run")
}

// A component must not be given another component's secrets.
func TestSecretsGoToTheirComponentOnly(t *testing.T) {
	stack, err := catalog.LogsPipeline.Stack(contract.NewRef(contract.LogsPipeline, "", "app"), catalog.LogsPipelineInput{})
	require.NoError(t, err)
	req := contract.Request{Secrets: map[string]string{"grafana/admin_password": "x", "loki/other": "y"}}
	for _, c := range stack.Components {
		if c.Name == catalog.GrafanaName {
			require.Equal(t, map[string]string{"admin_password": "x"}, req.SecretsOf(c))
		} else {
			require.Nil(t, req.SecretsOf(c), c.Name)
		}
	}
}

func names(states []contract.ComponentState) []string {
	out := make([]string, len(states))
	for i, s := range states {
		out[i] = s.Name
	}
	return out
}
