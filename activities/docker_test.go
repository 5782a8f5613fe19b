package activities_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/temporal-orchestrator/terraform-provider-orch/activities"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
)

// ensuring is an engine that can only ensure; any other call is a nil dereference, which fails the test.
type ensuring struct {
	activities.Engine
	ensure func(ctx context.Context, progress engine.Progress) error
}

func (e ensuring) Ensure(ctx context.Context, _ contract.ComponentCall, progress engine.Progress) (contract.ComponentState, error) {
	return contract.ComponentState{Name: "loki"}, e.ensure(ctx, progress)
}

func ensure(t *testing.T, env *testsuite.TestActivityEnvironment, work func(context.Context, engine.Progress) error) error {
	t.Helper()
	activities.Register(env, &activities.Docker{Engine: ensuring{ensure: work}})
	_, err := env.ExecuteActivity(contract.EnsureComponent.Name, contract.ComponentCall{})
	return err
}

func newEnv() *testsuite.TestActivityEnvironment {
	var suite testsuite.WorkflowTestSuite
	return suite.NewTestActivityEnvironment()
}

// The types of the handles are checked by the compiler; a method that is in no list would be an activity that no worker has.
func TestEveryActivityIsListed(t *testing.T) {
	for _, set := range []activities.Set{&activities.Docker{}, &activities.Deployments{}, &activities.LogTails{}} {
		var listed, methods []string
		for _, implementation := range set.Activities() {
			listed = append(listed, implementation.Name)
		}
		for method := range reflect.TypeOf(set).Methods() {
			if method.Type.NumIn() > 1 && method.Type.In(1) == reflect.TypeFor[context.Context]() {
				methods = append(methods, method.Name)
			}
		}
		require.ElementsMatch(t, methods, listed)
	}
}

func TestFailureCarriesItsClassAndDetails(t *testing.T) {
	for class, retryable := range map[contract.ErrorClass]bool{
		contract.Conflict: false, contract.NotOwned: false, contract.Unhealthy: false, contract.InvalidInput: false, contract.NotFound: false,
		contract.Unavailable: true, contract.WrongEngine: true,
	} {
		err := ensure(t, newEnv(), func(context.Context, engine.Progress) error {
			return contract.Fail(class, "the cause").With(&contract.Evidence{Container: "c", ExitCode: 3})
		})
		var application *temporal.ApplicationError
		require.ErrorAs(t, err, &application)
		require.Equal(t, string(class), application.Type())
		require.Equal(t, !retryable, application.NonRetryable(), class)
		var failure contract.StepFailure
		require.NoError(t, application.Details(&failure))
		require.Equal(t, 3, failure.Evidence.ExitCode)
		require.EqualValues(t, 1, failure.Attempts)
	}
}

func TestAnUnclassifiedErrorIsADefectAndIsNotRetried(t *testing.T) {
	err := ensure(t, newEnv(), func(context.Context, engine.Progress) error { return errors.New("surprise") })
	var application *temporal.ApplicationError
	require.ErrorAs(t, err, &application)
	require.Equal(t, string(contract.Internal), application.Type())
	require.ErrorContains(t, err, "surprise")
}

func TestProgressTravelsWithHeartbeats(t *testing.T) {
	env := newEnv()
	beats := make(chan string, 16)
	env.SetOnActivityHeartbeatListener(func(_ *activity.Info, details converter.EncodedValues) {
		var text string
		if details.Get(&text) == nil {
			beats <- text
		}
	})
	err := ensure(t, env, func(ctx context.Context, progress engine.Progress) error {
		progress("pulling %s", "loki")
		select {
		case text := <-beats:
			if text != "pulling loki" {
				return errors.New("heartbeat says " + text)
			}
			return nil
		case <-time.After(20 * time.Second):
			return errors.New("no heartbeat")
		}
	})
	require.NoError(t, err)
}
