package deployments_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/temporal-orchestrator/terraform-provider-orch/activities"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/secret"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/cloudfault"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/flyio"
	"github.com/temporal-orchestrator/terraform-provider-orch/workflows"
)

const token = "double-token-of-tests"

// silent drops what the SDK logs.
var silent = log.NewStructuredLogger(slog.New(slog.DiscardHandler))

// world is a double of Fly.io with faults in front of it.
type world struct {
	t      *testing.T
	fly    *flyio.Server
	faults *cloudfault.Faults
	url    string
	rates  *cloud.Governors
}

func newWorld(t *testing.T, change ...func(*flyio.Options)) *world {
	t.Helper()
	o := flyio.Options{Token: token, Org: "personal", Start: 20 * time.Millisecond, Pass: 20 * time.Millisecond}
	for _, c := range change {
		c(&o)
	}
	w := &world{t: t, fly: flyio.New(o), rates: &cloud.Governors{}}
	w.faults = cloudfault.New(w.fly)
	observe(t, "fly", w.faults)
	server := httptest.NewServer(w.faults)
	w.url = server.URL
	t.Cleanup(func() {
		w.faults.Clear()
		server.Close()
		require.Empty(t, w.fly.Unknown(), "requests that the double does not know")
	})
	return w
}

// request is a setup of app "dep-app"; input is HCL's in JSON.
func (w *world) request(op contract.Operation, input string) contract.Request {
	return contract.Request{
		ServiceName: "dep-app", Operation: op, Input: json.RawMessage(input),
		Access:  map[string]contract.Access{"flyio": {BaseURL: w.url + "/v1"}},
		Secrets: map[string]string{contract.TokenSecret("flyio"): token},
	}
}

// input is an input of a deployment on Fly.io; more are attributes in JSON.
func (w *world) input(image string, more ...string) string {
	text := `{"image":"` + image + `","public_url":"` + w.url + `/app/dep-app"`
	for _, m := range more {
		text += "," + m
	}
	return text + "}"
}

// run runs a workflow to its end, with the activities as they are.
func run[Out any](t *testing.T, rates *cloud.Governors, workflow string, request contract.Request) (Out, error) {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(silent)
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(3 * time.Minute)
	workflows.Register(env)
	activities.Register(env, &activities.Deployments{Secrets: secret.AllowList{}, Rates: rates})
	env.ExecuteWorkflow(workflow, request)
	require.True(t, env.IsWorkflowCompleted())
	var out Out
	if err := env.GetWorkflowError(); err != nil {
		return out, err
	}
	return out, env.GetWorkflowResult(&out)
}

func (w *world) setup(op contract.Operation, input string) (contract.Result, error) {
	w.t.Helper()
	return run[contract.Result](w.t, w.rates, contract.FlyioDeployment.SetupWorkflow(), w.request(op, input))
}

func (w *world) create(input string) contract.Deployed {
	w.t.Helper()
	result, err := w.setup(contract.OpCreate, input)
	require.NoError(w.t, err)
	require.Equal(w.t, "flyio_deploy_complete", result.Message)
	return *result.Deployed
}

func (w *world) status(known *contract.Deployed, input string) contract.Observed {
	w.t.Helper()
	request := w.request(contract.OpStatus, input)
	request.Known = known
	observed, err := run[contract.Observed](w.t, w.rates, contract.FlyioDeployment.StatusWorkflow(), request)
	require.NoError(w.t, err)
	return observed
}

func (w *world) cleanup(known *contract.Deployed, input string) (contract.Removed, error) {
	w.t.Helper()
	request := w.request(contract.OpDelete, input)
	request.Known = known
	return run[contract.Removed](w.t, w.rates, contract.FlyioDeployment.CleanupWorkflow(), request)
}

// failure is the failed step that a workflow ended with.
func failure(t *testing.T, err error) contract.StepFailure {
	t.Helper()
	var application *temporal.ApplicationError
	require.True(t, errors.As(err, &application), "%v", err)
	var f contract.StepFailure
	require.NoError(t, application.Details(&f))
	return f
}
