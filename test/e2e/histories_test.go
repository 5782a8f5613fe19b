package e2e

import (
	"bytes"
	"context"
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
	"go.temporal.io/api/workflowservice/v1"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/secret"
)

// -record=DIR makes the tests save the histories of what they ran, for workflows/replay_test.go:
//
//	go test ./test/e2e -run 'FirstTest|OtherTest' -record=$PWD/workflows/testdata/histories
var recordDir = flag.String("record", "", "directory to save histories to")

// record saves the history of the run that state names.
func record(t *testing.T, w *world, name string) {
	t.Helper()
	recordRun(t, w.server, w.attribute("workflow_id"), w.attribute("run_id"), name)
}

// recordLast saves the history of a service's latest run, which state may not know.
func recordLast(t *testing.T, w *world, p *pipeline, name string) {
	t.Helper()
	recordRun(t, w.server, p.ref().ID(), "", name)
}

// recordLook saves the history of a look at a service, which has an ID of its own.
func recordLook(t *testing.T, s *server, ref contract.Ref, workflow, name string) {
	t.Helper()
	if *recordDir == "" {
		return
	}
	var id string
	eventually(t, dataLimit, "a run of "+workflow+" is listed", func() bool {
		list, err := s.dial(t).ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{
			Query: "WorkflowId STARTS_WITH '" + ref.ID() + "/status/' AND WorkflowType = '" + workflow + "' AND ExecutionStatus = 'Completed'",
		})
		require.NoError(t, err)
		if len(list.GetExecutions()) > 0 {
			id = list.GetExecutions()[0].GetExecution().GetWorkflowId()
		}
		return id != ""
	})
	recordRun(t, s, id, "", name)
}

func recordRun(t *testing.T, s *server, workflowID, runID, name string) {
	t.Helper()
	if *recordDir == "" {
		return
	}
	events := s.dial(t).GetWorkflowHistory(t.Context(), workflowID, runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	history := &historypb.History{}
	for events.HasNext() {
		event, err := events.Next()
		require.NoError(t, err)
		history.Events = append(history.Events, event)
	}
	decrypt(t, s, history)
	data, err := temporalproto.CustomJSONMarshalOptions{Indent: " "}.Marshal(history)
	require.NoError(t, err)
	// Who ran it where is nobody's business in a repository.
	data = regexp.MustCompile(`("identity": *)"[^"]*"`).ReplaceAll(data, []byte(`$1"recorded"`))
	data = regexp.MustCompile(`("name": *)"[^":]*(:[0-9a-f-]{36}")`).ReplaceAll(data, []byte(`$1"recorded$2`))
	require.NoError(t, os.MkdirAll(*recordDir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(*recordDir, name+".json"), append(data, '\n'), 0o644))
}

// decrypt makes a history readable without the key of the server that it was made on.
func decrypt(t *testing.T, s *server, history *historypb.History) {
	t.Helper()
	keyring, err := secret.LoadKeyring(s.keyFile())
	require.NoError(t, err)
	codec := secret.Codec(keyring)
	require.NoError(t, proxy.VisitPayloads(context.Background(), history, proxy.VisitPayloadsOptions{
		Visitor: func(_ *proxy.VisitPayloadsContext, payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
			plain, err := codec.Decode(payloads)
			for _, p := range plain {
				p.Data = anywhere(p.GetData())
			}
			return plain, err
		},
	}))
}

// anywhere takes the folders of a test and the host's name out of a payload.
func anywhere(data []byte) []byte {
	data = regexp.MustCompile(`/[^"* ]*/Test[A-Za-z0-9_]+/[0-9]{3}`).ReplaceAll(data, []byte("/var/log/recorded"))
	if host, err := os.Hostname(); err == nil {
		data = bytes.ReplaceAll(data, []byte(`"`+host+`"`), []byte(`"recorded"`))
	}
	return data
}
