package workflows_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"

	"github.com/temporal-orchestrator/terraform-provider-orch/workflows"
)

// The histories were recorded by the end-to-end tests on real runs (see test/e2e/histories_test.go). A change of workflow
// code that fails here would break runs that are open while a worker is upgraded: guard it with workflow.GetVersion.
// Record anew only for new scenarios, never to make this test pass.
func TestRecordedHistoriesReplay(t *testing.T) {
	histories, err := filepath.Glob("testdata/histories/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, histories)
	for _, history := range histories {
		t.Run(filepath.Base(history), func(t *testing.T) {
			replayer := worker.NewWorkflowReplayer()
			workflows.Register(replayer)
			require.NoError(t, replayer.ReplayWorkflowHistoryFromJSONFile(nil, history))
		})
	}
}
