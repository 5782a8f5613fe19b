package deployments_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/proxy"
	"go.temporal.io/api/temporalproto"
	temporalclient "go.temporal.io/sdk/client"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/secret"
)

// -record=DIR makes the tests save the histories of what they ran, for workflows/replay_test.go:
//
//	go test ./test/deployments -run ThroughTerraform -record=$PWD/workflows/testdata/histories
var recordDir = flag.String("record", "", "directory to save histories to")

// record saves the history of the latest run of a workflow.
func record(t *testing.T, w *worker, workflowID, name string) {
	t.Helper()
	if *recordDir == "" {
		return
	}
	c, err := temporalclient.Dial(temporalclient.Options{HostPort: w.address(), Logger: silent})
	require.NoError(t, err)
	defer c.Close()
	history := &historypb.History{}
	for events := c.GetWorkflowHistory(t.Context(), workflowID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); {
		event, err := events.Next()
		require.NoError(t, err)
		history.Events = append(history.Events, event)
	}
	keyring, err := secret.LoadKeyring(w.keyFile())
	require.NoError(t, err)
	require.NoError(t, proxy.VisitPayloads(t.Context(), history, proxy.VisitPayloadsOptions{
		Visitor: func(_ *proxy.VisitPayloadsContext, payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
			return secret.Codec(keyring).Decode(payloads)
		},
	}))
	data, err := temporalproto.CustomJSONMarshalOptions{Indent: " "}.Marshal(history)
	require.NoError(t, err)
	// Who ran it where is nobody's business in a repository.
	data = regexp.MustCompile(`("identity": *)"[^"]*"`).ReplaceAll(data, []byte(`$1"recorded"`))
	data = regexp.MustCompile(`("name": *)"[^":]*(:[0-9a-f-]{36}")`).ReplaceAll(data, []byte(`$1"recorded$2`))
	require.NoError(t, os.MkdirAll(*recordDir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(*recordDir, name+".json"), append(data, '\n'), 0o644))
}
