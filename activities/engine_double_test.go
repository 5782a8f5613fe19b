package activities_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/temporal-orchestrator/terraform-provider-orch/activities"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/secret"
)

// engineDouble knows addresses by "component/port" and secrets by "component/name". Any other call is a nil dereference.
type engineDouble struct {
	activities.Engine
	id        string
	addresses map[string]string
	secrets   map[string]string
	asked     []string // components that evidence was asked of
}

func (e *engineDouble) CheckEngine(_ context.Context, id string) error {
	if id != "" && id != e.id {
		return contract.Fail(contract.WrongEngine, "the service lives on %s", id)
	}
	return nil
}

func (e *engineDouble) Address(_ context.Context, _ contract.Ref, component, port string) (string, error) {
	if address, ok := e.addresses[component+"/"+port]; ok {
		return address, nil
	}
	return "", contract.Fail(contract.NotFound, "component %s has no container", component)
}

func (e *engineDouble) Secret(_ context.Context, _ contract.Ref, component, name string) (string, error) {
	if value, ok := e.secrets[component+"/"+name]; ok {
		return value, nil
	}
	return "", contract.Fail(contract.NotFound, "component %s has no secret %q", component, name)
}

func (e *engineDouble) Evidence(_ context.Context, _ contract.Ref, component string) (*contract.Evidence, error) {
	e.asked = append(e.asked, component)
	return &contract.Evidence{Container: component, State: "running", Logs: []string{"last line of " + component}}, nil
}

// run executes an activity and decodes its result into out, which may be nil.
func run(t *testing.T, e activities.Engine, name string, arg, out any) error {
	t.Helper()
	env := newEnv()
	activities.Register(env, &activities.Docker{Engine: e, Secrets: secret.DefaultAllowList()})
	result, err := env.ExecuteActivity(name, arg)
	if err == nil && out != nil {
		require.NoError(t, result.Get(out))
	}
	return err
}

// failureOf is the failure that an activity's error carries.
func failureOf(t *testing.T, err error) contract.StepFailure {
	t.Helper()
	var application *temporal.ApplicationError
	require.ErrorAs(t, err, &application)
	var failure contract.StepFailure
	require.NoError(t, application.Details(&failure))
	require.Equal(t, !failure.Class.Retryable(), application.NonRetryable())
	return failure
}
