package workflows_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/workflows"
)

// built is a service whose image is built, next to a database that it depends on.
var built = contract.Stack{
	Ref: contract.NewRef(contract.LogsPipeline, "", "app"),
	Components: []contract.Component{
		{Name: "neo4j", Container: "orch-logs-app-neo4j"},
		{Name: "app", Container: "orch-logs-app-app", DependsOn: []string{"neo4j"}, Build: &contract.Build{Context: "/src", Dockerfile: "Dockerfile", Step: "build_image"}},
	},
	Cloudflare: &contract.CloudflareCheck{Zone: "example.com"},
}

func setupBuilt(t *testing.T, f *fakeEngine) error {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	entry := catalog.Entry{Kind: contract.LogsPipeline, Message: "done", Expand: func(contract.Ref, json.RawMessage) (contract.Stack, error) { return built, nil }}
	env.RegisterWorkflowWithOptions(workflows.SetupOf(entry), workflow.RegisterOptions{Name: "BuiltWorkflow"})
	f.register(env)
	env.ExecuteWorkflow("BuiltWorkflow", contract.Request{ServiceName: "app", Secrets: map[string]string{contract.CloudflareToken: "given"}})
	require.True(t, env.IsWorkflowCompleted())
	return env.GetWorkflowError()
}

func TestStepsOfAServiceThatIsBuilt(t *testing.T) {
	require.Equal(t, []string{"start_neo4j", "verify_cloudflare", "build_image", "start_app"}, built.Steps())
	pulled := built
	pulled.Components = slices.Clone(built.Components)
	pulled.Components[1].Build = nil
	require.Equal(t, []string{"start_neo4j", "verify_cloudflare", "start_app"}, pulled.Steps(), "an image that is pulled waits for the check as well")
}

func TestImageIsBuiltAfterTheCheckAndTheDependencies(t *testing.T) {
	f := &fakeEngine{}
	require.NoError(t, setupBuilt(t, f))
	require.Equal(t, []string{"EnsureComponent neo4j", "VerifyCloudflare given"}, slices.Sorted(slices.Values(f.calls[1:3])), "both at the same time")
	require.Equal(t, []string{"BuildImage app", "EnsureComponent app", "CommitStack"}, f.calls[3:])
}

// The check and a dependency must overlap: the dependency is not ready before the check has begun.
func TestDependencyStartsWhileCloudflareIsChecked(t *testing.T) {
	begun := make(chan struct{})
	f := &fakeEngine{checking: func() { close(begun) }, during: func(ctx context.Context, component string) error {
		if component != "neo4j" {
			return nil
		}
		select {
		case <-begun:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
	require.NoError(t, setupBuilt(t, f))
}

func TestFailedBuildAndFailedCheckAreRolledBack(t *testing.T) {
	no := temporal.NewNonRetryableApplicationError("no", "InvalidInput", nil)
	for call, want := range map[string]struct {
		step   string
		undone []string
	}{
		"BuildImage app":         {"build_image", []string{"RestoreComponent app", "RestoreComponent neo4j", "RollbackStack"}},
		"VerifyCloudflare given": {"verify_cloudflare", []string{"RestoreComponent neo4j", "RollbackStack"}},
	} {
		f := &fakeEngine{failAt: map[string]error{call: no}}
		failure := failureOf(t, setupBuilt(t, f))
		require.Equal(t, want.step, failure.Step)
		require.Equal(t, want.undone, f.calls[len(f.calls)-len(want.undone):])
		require.NotContains(t, f.calls, "EnsureComponent app")
	}
}
