package deployments_test

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/temporal-orchestrator/terraform-provider-orch/activities"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/secret"
	"github.com/temporal-orchestrator/terraform-provider-orch/workflows"
)

// acceptance is one life of a deployment on the real platform: created, created again, updated, looked at, removed. What a
// failed test leaves is named orch-acc-…: make sweep PREFIX=orch-acc- YES=1.
func acceptance(t *testing.T, switchedOn, token string, kind contract.Kind, input func(version int) string) {
	t.Helper()
	if os.Getenv(switchedOn) != "1" {
		t.Skipf("NOT RUN: the real platform is only used with %s=1 and a token in %s; it costs money", switchedOn, token)
	}
	require.NotEmpty(t, os.Getenv(token), "%s=1 needs a token in %s", switchedOn, token)
	var suffix [4]byte
	_, _ = rand.Read(suffix[:]) // never fails
	request := contract.Request{ServiceName: "orch-acc-" + hex.EncodeToString(suffix[:])}
	rates := &cloud.Governors{}
	do := func(workflow string, op contract.Operation, version int, out any) {
		t.Helper()
		var suite testsuite.WorkflowTestSuite
		suite.SetLogger(silent)
		env := suite.NewTestWorkflowEnvironment()
		env.SetTestTimeout(20 * time.Minute)
		workflows.Register(env)
		activities.Register(env, &activities.Deployments{Secrets: secret.DefaultAllowList(), Rates: rates})
		request.Operation, request.Input = op, json.RawMessage(input(version))
		env.ExecuteWorkflow(workflow, request)
		require.True(t, env.IsWorkflowCompleted())
		require.NoError(t, env.GetWorkflowError())
		require.NoError(t, env.GetWorkflowResult(out))
	}
	var result contract.Result
	t.Cleanup(func() {
		var removed contract.Removed
		do(kind.CleanupWorkflow(), contract.OpDelete, 1, &removed)
		var observed contract.Observed
		do(kind.StatusWorkflow(), contract.OpStatus, 1, &observed)
		require.False(t, observed.Found)
	})
	for version := 1; version <= 2; version++ {
		op := contract.OpCreate
		if version == 2 {
			op = contract.OpUpdate
		}
		do(kind.SetupWorkflow(), op, version, &result)
		request.Known = result.Deployed
		do(kind.SetupWorkflow(), op, version, &result)
		var observed contract.Observed
		do(kind.StatusWorkflow(), contract.OpStatus, version, &observed)
		require.True(t, observed.Found)
		require.Empty(t, observed.Drift)
		t.Logf("version %d answers at %s", version, result.Deployed.URL)
	}
}

func TestAcceptanceFlyio(t *testing.T) {
	acceptance(t, "ORCH_ACC_FLYIO", "FLY_API_TOKEN", contract.FlyioDeployment, func(version int) string {
		org := os.Getenv("FLY_ORG")
		if org == "" {
			org = "personal"
		}
		images := map[int]string{1: "nginx:1.28-alpine", 2: "nginx:1.29-alpine"}
		return `{"image":"` + images[version] + `","internal_port":80,"org":"` + org + `"}`
	})
}

func TestAcceptanceRailway(t *testing.T) {
	acceptance(t, "ORCH_ACC_RAILWAY", "RAILWAY_API_TOKEN", contract.RailwayDeployment, func(version int) string {
		images := map[int]string{1: "nginx:1.28-alpine", 2: "nginx:1.29-alpine"}
		workspace := ""
		if name := os.Getenv("RAILWAY_WORKSPACE"); name != "" {
			workspace = `,"workspace":"` + name + `"`
		}
		return `{"image":"` + images[version] + `","port":80` + workspace + `}`
	})
}
