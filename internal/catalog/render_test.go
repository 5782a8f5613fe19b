package catalog_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

func TestRenderDeploymentMatchesItsGoldenFiles(t *testing.T) {
	ref := contract.NewRef(contract.RenderDeployment, "", "shop")
	for name, input := range map[string]string{
		"render_repository.yaml": `{"repository":{"name":"octo/shop","create":true,"source":"/app"},"plan":"pro_plus","num_instances":2,
			"env":{"QUOTED":"a \"b\"\n<c>","ON":"yes"},"secrets":{"KEY":{"env":"K"}},"start_command":"run","pre_deploy_command":"migrate","health":{"path":"/health"}}`,
		"render_image.yaml": `{"image":"docker.io/library/nginx:1.29"}`,
	} {
		d, err := catalog.RenderDeployment.Entry().Expand(ref, json.RawMessage(input))
		require.NoError(t, err)
		compare(t, name, d.Config)
		require.Equal(t, "render.yaml", d.ConfigName)
		pushes := d.Render.Repository != nil
		require.Equal(t, pushes, d.Steps.Push != "", "only a source is pushed")
	}
}

func TestRenderProblemsNameTheAttribute(t *testing.T) {
	for input, attribute := range map[string]string{
		`{}`:                                                                     "image",
		`{"image":"a b"}`:                                                        "image",
		`{"image":"a","region":"fra"}`:                                           "region",
		`{"image":"a","plan":"huge"}`:                                            "plan",
		`{"image":"a","num_instances":101}`:                                      "num_instances",
		`{"image":"a","runtime":"go"}`:                                           "runtime",
		`{"image":"a","dockerfile":"Dockerfile"}`:                                "dockerfile",
		`{"image":"a","env":{"ORCH_DEPLOYMENT":"x"}}`:                            "env",
		`{"image":"a","repository":{"name":"octo/shop"}}`:                        "image",
		`{"repository":{"name":"shop"}}`:                                         "repository.name",
		`{"repository":{"name":"octo/shop","branch":"a..b"}}`:                    "repository.branch",
		`{"repository":{"name":"octo/shop","create":true}}`:                      "repository.source",
		`{"repository":{"name":"octo/shop","source":""}}`:                        "repository.source",
		`{"repository":{"name":"octo/shop","git_url":"git.example.com"}}`:        "repository.git_url",
		`{"repository":{"name":"octo/shop"},"build_command":"make"}`:             "build_command",
		`{"repository":{"name":"octo/shop"},"runtime":"go","start_command":"x"}`: "build_command",
		`{"repository":{"name":"octo/shop"},"runtime":"go","build_command":"x"}`: "start_command",
		`{"repository":{"name":"octo/shop"},"runtime":"cobol"}`:                  "runtime",
	} {
		_, err := catalog.RenderDeployment.Entry().Expand(contract.NewRef(contract.RenderDeployment, "", "shop"), json.RawMessage(input))
		var failure *contract.StepFailure
		require.ErrorAs(t, err, &failure, input)
		require.Equal(t, attribute, failure.Attribute, input)
		require.Equal(t, contract.InvalidInput, failure.Class)
	}
}

func TestARepositoryThatIsCreatedIsPrivateUnlessItIsSaidToBePublic(t *testing.T) {
	for private, want := range map[string]bool{"": true, `,"private":null`: true, `,"private":true`: true, `,"private":false`: false} {
		input := `{"repository":{"name":"octo/shop","create":true,"source":"/app"` + private + `}}`
		d, err := catalog.RenderDeployment.Entry().Expand(contract.NewRef(contract.RenderDeployment, "", "shop"), json.RawMessage(input))
		require.NoError(t, err)
		require.Equal(t, want, d.Render.Repository.Private, input)
	}
}
