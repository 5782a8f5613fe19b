package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// refusesStart starts a setup as any client would, and expects it to fail as the input of a person, soon.
func refusesStart(t *testing.T, s *server, kind contract.Kind, argument map[string]any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	id := uniqueName("refused")
	run, err := s.dial(t).ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id, TaskQueue: contract.TaskQueue(id)}, kind.SetupWorkflow(), argument)
	require.NoError(t, err)
	err = run.Get(ctx, nil)
	require.NoError(t, ctx.Err(), "the run of %s with %v does not end", kind.SetupWorkflow(), argument)
	var refused *temporal.ApplicationError
	require.ErrorAs(t, err, &refused)
	if _, text := argument["service_name"].(string); text || len(argument) == 0 {
		// The text is encrypted, and this client has no key: failures quote what applications log.
		require.Equal(t, string(contract.InvalidInput), refused.Type())
		require.True(t, refused.NonRetryable())
	}
}
