package catalog_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// What a deployment is given is a golden file, so that a reviewer sees every change of it.
func TestFlyioDeploymentMatchesItsGoldenFiles(t *testing.T) {
	ref := contract.NewRef(contract.FlyioDeployment, "", "shop")
	d, err := catalog.FlyioDeployment.Entry().Expand(ref, json.RawMessage(`{"image":"nginx:1","env":{"QUOTED":"a \"b\"\n<c>"},"machines":2,"health":{"path":"/health"}}`))
	require.NoError(t, err)
	compare(t, "flyio_deployment.fly.toml", d.Config)
	data, err := json.MarshalIndent(d, "", "  ")
	require.NoError(t, err)
	compare(t, "flyio_deployment.json", string(data)+"\n")
	require.Equal(t, []string{"generate_deployment_configs", "create_app", "set_secrets", "deploy", "get_url", "check_health"}, d.Steps.Names())
}

func TestReleaseFollowsFromTheInput(t *testing.T) {
	ref := contract.NewRef(contract.FlyioDeployment, "", "shop")
	release := func(ref contract.Ref, input string) string {
		d, err := catalog.FlyioDeployment.Entry().Expand(ref, json.RawMessage(input))
		require.NoError(t, err)
		return d.Release
	}
	one := release(ref, `{"image":"nginx:1"}`)
	require.Equal(t, one, release(ref, `{ "image": "nginx:1", "org": null }`))
	require.NotEqual(t, one, release(ref, `{"image":"nginx:2"}`))
	require.NotEqual(t, one, release(ref, `{"image":"nginx:1","secrets_wo_version":2}`))
	require.NotEqual(t, one, release(contract.NewRef(contract.FlyioDeployment, "", "other"), `{"image":"nginx:1"}`))
}

func TestDeploymentProblemsNameTheAttribute(t *testing.T) {
	for input, attribute := range map[string]string{
		`{}`:                                                        "image",
		`{"image":"a b"}`:                                           "image",
		`{"image":"a","region":"europe"}`:                           "region",
		`{"image":"a","machines":0}`:                                "machines",
		`{"image":"a","internal_port":70000}`:                       "internal_port",
		`{"image":"a","strategy":"bluegreen"}`:                      "strategy",
		`{"image":"a","size":"huge"}`:                               "size",
		`{"image":"a","size":"shared-cpu-1x","cpus":2}`:             "cpus",
		`{"image":"a","cpus":3}`:                                    "cpus",
		`{"image":"a","memory_mb":300}`:                             "memory_mb",
		`{"image":"a","size":"performance-1x","memory_mb":1024}`:    "memory_mb",
		`{"image":"a","env":{"1X":"v"}}`:                            "env",
		`{"image":"a","secrets":{"X":{}}}`:                          "secrets",
		`{"image":"a","secrets":{"X":{"env":"A","file":"/b"}}}`:     "secrets",
		`{"image":"a","secrets":{"X":{"env":"A"}},"env":{"X":"v"}}`: "secrets",
		`{"image":"a","health":{"path":"health"}}`:                  "health.path",
		`{"image":"a","health":{"attempt_seconds":0}}`:              "health.attempt_seconds",
		`{"image":"a","public_url":"shop.example.com"}`:             "public_url",
	} {
		_, err := catalog.FlyioDeployment.Entry().Expand(contract.NewRef(contract.FlyioDeployment, "", "shop"), json.RawMessage(input))
		var failure *contract.StepFailure
		require.ErrorAs(t, err, &failure, input)
		require.Equal(t, attribute, failure.Attribute, input)
		require.Equal(t, contract.InvalidInput, failure.Class)
	}
	_, err := catalog.FlyioDeployment.Entry().Expand(contract.NewRef(contract.FlyioDeployment, "", "a_b"), json.RawMessage(`{"image":"a"}`))
	var failure *contract.StepFailure
	require.ErrorAs(t, err, &failure)
	require.Equal(t, "app_name", failure.Attribute)
}
