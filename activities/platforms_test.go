package activities

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/secret"
)

// A deployment that no worker can carry out, or whose token a worker never finds, would be found by a user.
func TestEveryDeploymentHasAPlatformAndAToken(t *testing.T) {
	for _, kind := range contract.Kinds(contract.Deployments) {
		require.Contains(t, platforms(), kind.Short)
		variable := tokenVariables[kind.Short]
		require.NotEmpty(t, variable, kind.Name)
		t.Setenv(variable, "a-token")
		_, err := secret.DefaultAllowList().Resolve(contract.SecretSource{Env: variable})
		require.NoError(t, err, "the worker's default allow-list must have it")
	}
	require.Len(t, platforms(), len(contract.Kinds(contract.Deployments)))
}
