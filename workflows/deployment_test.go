package workflows_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/workflows"
)

// deploymentSteps are the activities of a setup after PrepareDeployment, with the names of their steps on Fly.io.
var deploymentSteps = []struct{ activity, step string }{
	{contract.CreateDeployment.Name, "create_app"},
	{contract.ConfigureDeployment.Name, "set_secrets"},
	{contract.ReleaseDeployment.Name, "deploy"},
	{contract.LocateDeployment.Name, "get_url"},
	{contract.CheckDeployment.Name, "check_health"},
}

// deploymentEnv runs the workflows with activities that are mocked by name. calls are what each was given.
func deploymentEnv(t *testing.T, prepared contract.DeploymentPrepared) (env *testsuite.TestWorkflowEnvironment, calls map[string]contract.DeploymentCall, order *[]string) {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env = suite.NewTestWorkflowEnvironment()
	workflows.Register(env)
	calls, order = map[string]contract.DeploymentCall{}, &[]string{}
	note := func(name string, call contract.DeploymentCall) {
		calls[name] = call
		*order = append(*order, name)
	}
	bind(env, contract.PrepareDeployment.By(func(_ context.Context, c contract.DeploymentCall) (contract.DeploymentPrepared, error) {
		note(contract.PrepareDeployment.Name, c)
		return prepared, nil
	}))
	for _, s := range append(deploymentSteps, struct{ activity, step string }{contract.PushDeployment.Name, "push"}) {
		bind(env, contract.Activity[contract.DeploymentCall, contract.Deployed]{Name: s.activity}.By(func(_ context.Context, c contract.DeploymentCall) (contract.Deployed, error) {
			note(s.activity, c)
			c.Deployed.IDs = map[string]string{"after": s.activity}
			return c.Deployed, nil
		}))
	}
	bind(env, contract.RollbackDeployment.By(func(_ context.Context, c contract.DeploymentCall) (contract.Undone, error) {
		note(contract.RollbackDeployment.Name, c)
		return contract.Undone{Done: []string{"undone"}}, nil
	}))
	return env, calls, order
}

func deploymentRequest() contract.Request {
	return contract.Request{
		ServiceName: "shop", Operation: contract.OpCreate, Input: json.RawMessage(`{"image":"nginx:1"}`),
		Secrets: map[string]string{"flyio/token": "t"}, AppSecrets: map[string]string{"KEY": "v"},
	}
}

func deploymentFailure(t *testing.T, err error) contract.StepFailure {
	t.Helper()
	var application *temporal.ApplicationError
	require.True(t, errors.As(err, &application), "%v", err)
	var failure contract.StepFailure
	require.NoError(t, application.Details(&failure))
	return failure
}

func TestDeploymentTellsEachStepWhatWasMade(t *testing.T) {
	env, calls, order := deploymentEnv(t, contract.DeploymentPrepared{})
	env.ExecuteWorkflow("FlyioDeploymentWorkflow", deploymentRequest())
	require.NoError(t, env.GetWorkflowError())
	var result contract.Result
	require.NoError(t, env.GetWorkflowResult(&result))
	require.Equal(t, "flyio_deploy_complete", result.Message)
	want := []string{contract.PrepareDeployment.Name}
	before := ""
	for _, s := range deploymentSteps {
		want = append(want, s.activity)
		require.Equal(t, before, calls[s.activity].Deployed.IDs["after"])
		before = s.activity
		if s.activity == contract.CreateDeployment.Name || s.activity == contract.ConfigureDeployment.Name {
			require.Equal(t, map[string]string{"KEY": "v"}, calls[s.activity].AppSecrets)
		} else {
			require.Empty(t, calls[s.activity].AppSecrets, "%s needs no secret of the application", s.activity)
		}
		require.True(t, calls[s.activity].Sensitive(), "the token travels encrypted")
	}
	require.Equal(t, want, *order, "Fly.io has no step that pushes")
}

func TestDeploymentStepThatFailsIsUndone(t *testing.T) {
	for i, s := range deploymentSteps {
		t.Run(s.step, func(t *testing.T) {
			env, calls, _ := deploymentEnv(t, contract.DeploymentPrepared{})
			fail := contract.Fail(contract.Denied, "no")
			env.OnActivity(s.activity, mock.Anything, mock.Anything).Return(contract.Deployed{},
				temporal.NewApplicationErrorWithOptions("no", string(fail.Class), temporal.ApplicationErrorOptions{NonRetryable: true, Details: []any{*fail}}))
			env.ExecuteWorkflow("FlyioDeploymentWorkflow", deploymentRequest())
			failure := deploymentFailure(t, env.GetWorkflowError())
			require.Equal(t, s.step, failure.Step)
			require.Equal(t, []string{"undone"}, failure.RolledBack)
			require.True(t, failure.Clean)
			if i > 0 {
				require.Equal(t, deploymentSteps[i-1].activity, calls[contract.RollbackDeployment.Name].Deployed.IDs["after"], "the rollback knows how far it came")
			}
		})
	}
}

func TestDeploymentFailureCanBeKept(t *testing.T) {
	env, _, order := deploymentEnv(t, contract.DeploymentPrepared{})
	env.OnActivity(contract.ReleaseDeployment.Name, mock.Anything, mock.Anything).Return(contract.Deployed{},
		temporal.NewNonRetryableApplicationError("no", string(contract.Unhealthy), nil))
	request := deploymentRequest()
	request.OnFailure = contract.OnFailureKeep
	env.ExecuteWorkflow("FlyioDeploymentWorkflow", request)
	failure := deploymentFailure(t, env.GetWorkflowError())
	require.True(t, failure.Kept)
	require.NotContains(t, *order, contract.RollbackDeployment.Name)
}

// A refused create must leave no state: the destroy of what it claims to have made would hit what refused it.
func TestDeploymentThatWasRefusedIsNotKept(t *testing.T) {
	env, _, order := deploymentEnv(t, contract.DeploymentPrepared{})
	env.OnActivity(contract.PrepareDeployment.Name, mock.Anything, mock.Anything).Return(contract.DeploymentPrepared{},
		temporal.NewNonRetryableApplicationError("taken", string(contract.NotOwned), nil))
	request := deploymentRequest()
	request.OnFailure = contract.OnFailureKeep
	env.ExecuteWorkflow("FlyioDeploymentWorkflow", request)
	failure := deploymentFailure(t, env.GetWorkflowError())
	require.False(t, failure.Kept)
	require.True(t, failure.Clean)
	require.Empty(t, *order)
}

func TestDeploymentLeavesToTheNextApplyWhatAnInterruptedOneMade(t *testing.T) {
	env, _, _ := deploymentEnv(t, contract.DeploymentPrepared{Found: true, Continues: true})
	env.OnActivity(contract.ReleaseDeployment.Name, mock.Anything, mock.Anything).Return(contract.Deployed{},
		temporal.NewNonRetryableApplicationError("no", string(contract.Unhealthy), nil))
	env.ExecuteWorkflow("FlyioDeploymentWorkflow", deploymentRequest())
	failure := deploymentFailure(t, env.GetWorkflowError())
	require.False(t, failure.Clean, "state must be kept, so that a destroy can finish")
	require.NotEmpty(t, failure.RollbackFailed)
}

func TestDeploymentWithoutWaitingChecksNothing(t *testing.T) {
	env, _, order := deploymentEnv(t, contract.DeploymentPrepared{})
	request := deploymentRequest()
	request.NoWait = true
	env.ExecuteWorkflow("FlyioDeploymentWorkflow", request)
	require.NoError(t, env.GetWorkflowError())
	require.NotContains(t, *order, contract.CheckDeployment.Name)
}

func TestDeploymentOfABadInputReachesNoPlatform(t *testing.T) {
	env, _, order := deploymentEnv(t, contract.DeploymentPrepared{})
	env.ExecuteWorkflow("FlyioDeploymentWorkflow", contract.Request{ServiceName: "shop"})
	failure := deploymentFailure(t, env.GetWorkflowError())
	require.Equal(t, "image", failure.Attribute)
	require.Equal(t, "generate", failure.Step)
	require.Empty(t, *order)
}

func TestDeploymentWithoutANameHasTheDefaultOne(t *testing.T) {
	env, calls, _ := deploymentEnv(t, contract.DeploymentPrepared{})
	request := deploymentRequest()
	request.ServiceName = ""
	env.ExecuteWorkflow("FlyioDeploymentWorkflow", request)
	require.NoError(t, env.GetWorkflowError())
	require.Equal(t, "flyio-deploy", calls[contract.ReleaseDeployment.Name].Deployment.Ref.Service)
}
