package workflows_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/workflows"
)

func TestChatSetupGoesInTheOrderOfItsSteps(t *testing.T) {
	require.Equal(t, "ChatSetupWorkflow", contract.ChatService.SetupWorkflow())
	require.Equal(t, "ChatCleanupWorkflow", contract.ChatService.CleanupWorkflow())
	require.Equal(t, "ChatStatusWorkflow", contract.ChatService.StatusWorkflow())
	require.Equal(t, "ContainerServiceWorkflow", contract.ContainerService.SetupWorkflow())
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	workflows.Register(env)
	f := &fakeEngine{}
	f.register(env)
	env.ExecuteWorkflow("ChatSetupWorkflow", contract.Request{ServiceName: "app", Input: json.RawMessage(
		`{"build":{"context":"/src","hash":"x"},"cloudflare":{"token":{"env":"T"},"zone":"example.com"}}`)})
	require.NoError(t, env.GetWorkflowError())
	var result contract.Result
	require.NoError(t, env.GetWorkflowResult(&result))
	require.Equal(t, "chat_setup_complete", result.Message)
	require.Equal(t, []string{"BuildImage chat", "EnsureComponent chat", "CommitStack"}, f.calls[len(f.calls)-3:])
}

// An image is the user's own: a start that names the service alone cannot know it.
func TestServiceWithoutAnImageIsRefused(t *testing.T) {
	for _, kind := range []contract.Kind{contract.ContainerService, contract.ChatService} {
		var suite testsuite.WorkflowTestSuite
		env := suite.NewTestWorkflowEnvironment()
		workflows.Register(env)
		env.ExecuteWorkflow(kind.SetupWorkflow(), map[string]string{"service_name": "app"})
		failure := failureOf(t, env.GetWorkflowError())
		require.Equal(t, contract.InvalidInput, failure.Class)
		require.Contains(t, failure.Cause, "either image or build must be set")
	}
}

func TestChatCleanupRemovesTheApplicationBeforeItsNeo4j(t *testing.T) {
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	workflows.Register(env)
	f := &fakeEngine{labels: `{"image":"i:1"}`}
	var given []contract.Component
	bind(env, contract.InspectStack.By(func(_ context.Context, c contract.StackCall) (contract.Observed, error) {
		return contract.Observed{Found: true, Input: json.RawMessage(f.labels)}, nil
	}))
	bind(env, contract.RemoveStack.By(func(_ context.Context, c contract.StackCall) (contract.Removed, error) {
		given = c.Stack.Components
		return contract.Removed{}, nil
	}))
	env.ExecuteWorkflow("ChatCleanupWorkflow", contract.Request{ServiceName: "app"})
	require.NoError(t, env.GetWorkflowError())
	var removed contract.Removed
	require.NoError(t, env.GetWorkflowResult(&removed))
	require.Equal(t, "chat_cleanup_complete", removed.Message)
	require.Equal(t, []contract.Component{{Name: "neo4j"}, {Name: "chat", DependsOn: []string{"neo4j"}}}, given)
}

// Each family has its own patience.
func TestRetryPolicyIsThatOfTheFamily(t *testing.T) {
	for kind, want := range map[contract.Kind]struct{ attempt, pause time.Duration }{
		contract.ContainerService: {5 * time.Minute, time.Second}, contract.ChatService: {10 * time.Minute, 2 * time.Second},
		contract.LogsPipeline: {5 * time.Minute, time.Second},
	} {
		var suite testsuite.WorkflowTestSuite
		env := suite.NewTestWorkflowEnvironment()
		workflows.Register(env)
		var at []time.Time
		bind(env, contract.PrepareStack.By(func(ctx context.Context, _ contract.StackCall) (contract.Prepared, error) {
			info := activity.GetInfo(ctx)
			at = append(at, env.Now())
			require.InDelta(t, want.attempt.Seconds(), info.Deadline.Sub(info.StartedTime).Seconds(), 1, kind.Name)
			return contract.Prepared{}, temporal.NewApplicationError("not now", string(contract.Unavailable))
		}))
		bind(env, contract.RollbackStack.By(func(context.Context, contract.StackCall) (contract.Undone, error) {
			return contract.Undone{}, nil
		}))
		request := contract.Request{ServiceName: "app"}
		if kind != contract.LogsPipeline {
			request.Input = json.RawMessage(`{"image":"i:1"}`)
		}
		env.ExecuteWorkflow(kind.SetupWorkflow(), request)
		require.Error(t, env.GetWorkflowError())
		require.Len(t, at, 3, kind.Name)
		require.GreaterOrEqual(t, at[1].Sub(at[0]), want.pause, kind.Name)
		require.Less(t, at[1].Sub(at[0]), want.pause+time.Second, kind.Name)
	}
}

// A user's own times come on top of the family's, and a build has long.
func TestStepsHaveTheTimeThatTheInputAllows(t *testing.T) {
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	workflows.Register(env)
	f := &fakeEngine{failAt: map[string]error{contract.CommitStack.Name: temporal.NewNonRetryableApplicationError("no", "Internal", nil)}}
	f.register(env)
	allowed := map[string]time.Duration{}
	env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		allowed[info.ActivityType.Name] = info.Deadline.Sub(info.StartedTime).Round(time.Second)
	})
	env.ExecuteWorkflow("ContainerServiceWorkflow", contract.Request{ServiceName: "app", Input: json.RawMessage(
		`{"build":{"context":"/src","hash":"x"},"stop_timeout":3600,"update":{"drain_seconds":600},"ports":{"http":{"container":80}},
		"health":{"http":{"port":"http"},"start_period":"1h","interval":"1s","timeout":"4s","retries":2}}`)})
	require.Error(t, env.GetWorkflowError())
	// Twice the health check, whose last attempt ends 20 s after the start period.
	changeover := 5*time.Minute + 2*(time.Hour+20*time.Second) + 600*time.Second + time.Hour
	require.Equal(t, changeover, allowed[contract.EnsureComponent.Name])
	require.Equal(t, changeover, allowed[contract.RestoreComponent.Name])
	require.Equal(t, time.Hour, allowed[contract.BuildImage.Name])
	require.Equal(t, 5*time.Minute, allowed[contract.PrepareStack.Name])

	env = suite.NewTestWorkflowEnvironment()
	workflows.Register(env)
	(&fakeEngine{}).register(env)
	env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		allowed[info.ActivityType.Name] = info.Deadline.Sub(info.StartedTime).Round(time.Second)
	})
	env.ExecuteWorkflow("ContainerServiceCleanupWorkflow", contract.Request{ServiceName: "app", Input: json.RawMessage(`{"image":"i:1","stop_timeout":3600}`)})
	require.NoError(t, env.GetWorkflowError())
	require.Equal(t, 5*time.Minute+time.Hour, allowed[contract.RemoveStack.Name])
}

// What a step was at when it was heard of last says more than that it was too slow.
func TestATimeoutTellsWhatWasHeardLast(t *testing.T) {
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	workflows.Register(env)
	bind(env, contract.PrepareStack.By(func(ctx context.Context, _ contract.StackCall) (contract.Prepared, error) {
		return contract.Prepared{}, temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_HEARTBEAT, nil, "pulling image i:1: 3.0 MB of 9.0 MB in 2 layers")
	}))
	bind(env, contract.RollbackStack.By(func(context.Context, contract.StackCall) (contract.Undone, error) {
		return contract.Undone{}, nil
	}))
	env.ExecuteWorkflow("ContainerServiceWorkflow", contract.Request{ServiceName: "app", Input: json.RawMessage(`{"image":"i:1"}`)})
	failure := failureOf(t, env.GetWorkflowError())
	require.Contains(t, failure.Cause, "Heartbeat timeout")
	require.Contains(t, failure.Cause, "the last that was heard of it: pulling image i:1: 3.0 MB of 9.0 MB")
}
