package catalog_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

func TestRailwayDeploymentMatchesItsGoldenFile(t *testing.T) {
	ref := contract.NewRef(contract.RailwayDeployment, "", "shop")
	for name, input := range map[string]string{
		"image": `{"image":"nginx:1","port":80,"region":"us-west2","replicas":3,"start_command":"nginx","restart":{"policy":"always"},
			"env":{"A":"b"},"health":{"path":"/health","timeout_seconds":60},"workspace":"Acme","project":"web","environment":"staging"}`,
		"repository": `{"repository":"acme/shop"}`,
	} {
		d, err := catalog.RailwayDeployment.Entry().Expand(ref, json.RawMessage(input))
		require.NoError(t, err)
		data, err := json.MarshalIndent(d, "", "  ")
		require.NoError(t, err)
		compare(t, "railway_deployment_"+name+".json", string(data)+"\n")
	}
}

func TestRailwayProblemsNameTheAttribute(t *testing.T) {
	for input, attribute := range map[string]string{
		`{}`:                               "image",
		`{"image":"a","repository":"b/c"}`: "repository",
		`{"repository":"https://github.com/b/c"}`:           "repository",
		`{"image":"a","branch":"main"}`:                     "branch",
		`{"image":"a","region":"fra"}`:                      "region",
		`{"image":"a","replicas":0}`:                        "replicas",
		`{"image":"a","port":65536}`:                        "port",
		`{"image":"a","restart":{"policy":"ALWAYS"}}`:       "restart.policy",
		`{"image":"a","restart":{"max_retries":-1}}`:        "restart.max_retries",
		`{"image":"a","env":{"RAILWAY_TOKEN":"x"}}`:         "env",
		`{"image":"a","env":{"ORCH_DEPLOYMENT":"x"}}`:       "env",
		`{"image":"a","secrets":{"RAILWAY_X":{"env":"A"}}}`: "secrets",
		`{"image":"a","health":{"attempt_seconds":5}}`:      "health",
	} {
		_, err := catalog.RailwayDeployment.Entry().Expand(contract.NewRef(contract.RailwayDeployment, "", "shop"), json.RawMessage(input))
		var failure *contract.StepFailure
		require.ErrorAs(t, err, &failure, input)
		require.Equal(t, attribute, failure.Attribute, input)
		require.Equal(t, contract.InvalidInput, failure.Class)
	}
}
