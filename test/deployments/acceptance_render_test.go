package deployments_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// RENDER_OWNER names the workspace, when the token sees more than one.
func TestAcceptanceRender(t *testing.T) {
	acceptance(t, "ORCH_ACC_RENDER", "RENDER_API_KEY", contract.RenderDeployment, func(version int) string {
		images := map[int]string{1: "docker.io/library/nginx:1.28-alpine", 2: "docker.io/library/nginx:1.29-alpine"}
		input := map[string]any{"image": images[version], "env": map[string]string{"PORT": "80"}}
		if owner := os.Getenv("RENDER_OWNER"); owner != "" {
			input["owner"] = owner
		}
		text, err := json.Marshal(input)
		require.NoError(t, err)
		return string(text)
	})
}
