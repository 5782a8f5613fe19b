package workflows_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
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
	env.RegisterActivityWithOptions(func(_ context.Context, c contract.StackCall) (contract.Observed, error) {
		return contract.Observed{Found: true, Input: json.RawMessage(f.labels)}, nil
	}, activity.RegisterOptions{Name: contract.ActivityInspectStack})
	env.RegisterActivityWithOptions(func(_ context.Context, c contract.StackCall) (contract.Removed, error) {
		given = c.Stack.Components
		return contract.Removed{}, nil
	}, activity.RegisterOptions{Name: contract.ActivityRemoveStack})
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
		env.RegisterActivityWithOptions(func(ctx context.Context, _ contract.StackCall) (contract.Prepared, error) {
			info := activity.GetInfo(ctx)
			at = append(at, env.Now())
			require.InDelta(t, want.attempt.Seconds(), info.Deadline.Sub(info.StartedTime).Seconds(), 1, kind.Name)
			return contract.Prepared{}, temporal.NewApplicationError("not now", string(contract.Unavailable))
		}, activity.RegisterOptions{Name: contract.ActivityPrepareStack})
		env.RegisterActivityWithOptions(func(context.Context, contract.StackCall) (contract.Undone, error) {
			return contract.Undone{}, nil
		}, activity.RegisterOptions{Name: contract.ActivityRollbackStack})
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
