package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// returns ends at once with what the argument names.
func returns(_ workflow.Context, what string) (any, error) {
	switch what {
	case "object":
		return map[string]any{"url": "http://x", "id": json.Number("12345678901234567890"), "tags": []string{"a"}, "none": nil}, nil
	case "nothing":
		return nil, nil
	case "bytes":
		return []byte{0xff, 0x00, 0x01}, nil
	case "large":
		return strings.Repeat("x", 1<<20), nil
	case "huge":
		return strings.Repeat("x", 3<<20), nil
	case "secret":
		return contract.StepFailure{Step: "s", Cause: "hunter2-hunter2"}, nil // which the codec takes for sensitive
	case "failure":
		return nil, fmt.Errorf("outer: %w", temporal.NewNonRetryableApplicationError("no such customer", "UnknownCustomer", nil))
	default:
		return nil, fmt.Errorf("unknown result %q", what)
	}
}

// runOf runs the workflow "Returns" to its end, on a worker with its own configuration.
func runOf(t *testing.T, s *server, what string, change ...func(*Config)) (workflowID string) {
	t.Helper()
	run := startOf(t, s, what, change...)
	var failed *temporal.WorkflowExecutionError
	if err := run.Get(t.Context(), nil); err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	return run.GetID()
}

func startOf(t *testing.T, s *server, what string, change ...func(*Config)) client.WorkflowRun {
	t.Helper()
	cfg := Config{Address: s.address, Identity: "test-worker"}
	for _, f := range change {
		f(&cfg)
	}
	options, _, err := ClientOptions(cfg)
	require.NoError(t, err)
	c, err := client.Dial(options)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	queue := newCall(t, "").TaskQueue
	w := worker.New(c, queue, worker.Options{WorkerStopTimeout: time.Second})
	w.RegisterWorkflowWithOptions(returns, workflow.RegisterOptions{Name: "Returns"})
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
		ID: "custom/" + queue, TaskQueue: queue, Memo: map[string]any{"owner": "team-a", "limits": map[string]int{"cpu": 2}},
	}, "Returns", what)
	require.NoError(t, err)
	return run
}

func TestDescribeResults(t *testing.T) {
	t.Parallel()
	s := running(t)
	for what, want := range map[string]struct{ json, encoding string }{
		"object":  {`{"id":12345678901234567890,"none":null,"tags":["a"],"url":"http://x"}`, "json/plain"},
		"nothing": {`null`, "binary/null"},
		"bytes":   {`"/wAB"`, "binary/plain"},
		"large":   {`"` + strings.Repeat("x", 1<<20) + `"`, "json/plain"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			id := runOf(t, s, what)
			d, err := newClient(t, s).Describe(t.Context(), id, "", true)
			require.NoError(t, err)
			require.Equal(t, "completed", d.Status)
			require.Equal(t, "Returns", d.Type)
			require.NoError(t, d.Result.Problem)
			require.False(t, d.Result.Encrypted)
			require.Equal(t, want.encoding, d.Result.Encoding)
			require.True(t, want.json == string(d.Result.JSON), "the result is another one, of %d bytes", len(d.Result.JSON))
			require.Nil(t, d.Failure)
			require.Equal(t, `"team-a"`, string(d.Memo["owner"].JSON))
			require.JSONEq(t, `{"cpu":2}`, string(d.Memo["limits"].JSON))
			require.Equal(t, int64(1), d.Events["WorkflowExecutionCompleted"])
			require.Equal(t, d.HistoryLength, sum(d.Events))
			require.Positive(t, d.HistorySizeBytes)
			require.False(t, d.CloseTime.Before(d.StartTime))
			require.Contains(t, d.WebUIURL, d.RunID)
		})
	}
}

func sum(events map[string]int64) (n int64) {
	for _, count := range events {
		n += count
	}
	return n
}

func TestDescribeEncryptedResult(t *testing.T) {
	t.Parallel()
	s := running(t)
	keys := keyFile(t, "one")
	id := runOf(t, s, "secret", func(cfg *Config) { cfg.KeyFile = keys })

	d, err := newClient(t, s, func(cfg *Config) { cfg.KeyFile = keys }).Describe(t.Context(), id, "", false)
	require.NoError(t, err)
	require.True(t, d.Result.Encrypted)
	require.Contains(t, string(d.Result.JSON), "hunter2")
	require.Nil(t, d.Events)

	d, err = newClient(t, s).Describe(t.Context(), id, d.RunID, false)
	require.NoError(t, err, "the rest of the run can be read without the key")
	require.Equal(t, "completed", d.Status)
	require.Nil(t, d.Result.JSON)
	require.ErrorContains(t, d.Result.Problem, `encrypted with key "one"`)
	require.Equal(t, "binary/encrypted", d.Result.Encoding)
}

func TestDescribeFailures(t *testing.T) {
	t.Parallel()
	s := running(t)
	c := newClient(t, s)
	d, err := c.Describe(t.Context(), runOf(t, s, "failure"), "", false)
	require.NoError(t, err)
	require.Equal(t, "failed", d.Status)
	require.Nil(t, d.Result)
	require.Equal(t, "UnknownCustomer", d.Failure.Type)
	require.Contains(t, d.Failure.Message, "no such customer")

	t.Run("pending activity, then terminated", func(t *testing.T) {
		call := newCall(t, wfStuck)
		serve(t, s, call.TaskQueue)
		run, _ := begin(t.Context(), t, c, call)
		var d *Description
		eventually(t, "the activity has failed", func() bool {
			var err error
			d, err = c.Describe(t.Context(), run.WorkflowID, "", false)
			return err == nil && len(d.Pending) == 1 && d.Pending[0].LastFailure != "" && d.Pending[0].Attempt > 1
		})
		a := d.Pending[0]
		require.Equal(t, StatusRunning, d.Status)
		require.True(t, d.CloseTime.IsZero())
		require.Equal(t, "Flaky", a.Activity)
		require.Contains(t, a.LastFailure, "registry does not answer")
		require.Equal(t, "test-worker", a.Worker)
		require.False(t, a.ScheduledTime.IsZero())
		require.Nil(t, d.Result)
		require.Nil(t, d.Failure)

		require.NoError(t, c.sdk.TerminateWorkflow(t.Context(), run.WorkflowID, run.RunID, "enough"))
		d, err := c.Describe(t.Context(), run.WorkflowID, run.RunID, false)
		require.NoError(t, err)
		require.Equal(t, "terminated", d.Status)
		require.Equal(t, "enough", d.Failure.Message)
		require.NotEmpty(t, d.Failure.By)
	})
}

func TestDescribeWhatIsNotThere(t *testing.T) {
	t.Parallel()
	s := running(t)
	_, err := newClient(t, s).Describe(t.Context(), "no/such/workflow", "", false)
	var unknown *UnknownWorkflowError
	require.ErrorAs(t, err, &unknown)
	require.Contains(t, Detail(err), "temporal workflow list")

	_, err = newClient(t, s, func(cfg *Config) { cfg.Namespace = "nowhere" }).Describe(t.Context(), "x", "", false)
	var unreachable *UnreachableError
	require.ErrorAs(t, err, &unreachable)
	require.Equal(t, UnknownNamespace, unreachable.Reason)
}

func TestListRuns(t *testing.T) {
	t.Parallel()
	s := running(t)
	first, second := runOf(t, s, "object"), runOf(t, s, "failure")
	c := newClient(t, s)
	query := fmt.Sprintf("WorkflowId IN ('%s', '%s')", first, second)
	var listed *Listed
	eventually(t, "both are visible as ended", func() bool {
		var err error
		listed, err = c.List(t.Context(), Listing{Query: query + " AND ExecutionStatus != 'Running'", Limit: 10, Order: OrderStartTime})
		require.NoError(t, err)
		return len(listed.Runs) == 2
	})
	require.Equal(t, int64(2), listed.Total)
	require.Equal(t, []string{first, second}, []string{listed.Runs[0].WorkflowID, listed.Runs[1].WorkflowID})
	require.Equal(t, []string{"completed", "failed"}, []string{listed.Runs[0].Status, listed.Runs[1].Status})

	listed, err := c.List(t.Context(), Listing{Query: query, Limit: 1, Order: OrderCloseTime, Descending: true})
	require.NoError(t, err)
	require.Len(t, listed.Runs, 1)
	require.Equal(t, second, listed.Runs[0].WorkflowID)
	require.Equal(t, int64(2), listed.Total, "the limit does not count")

	for _, wrong := range []string{"Nonsense = 1", "WorkflowType =", "WorkflowId = 'unclosed"} {
		_, err = c.List(t.Context(), Listing{Query: wrong, Limit: 1})
		var invalid *QueryError
		require.ErrorAs(t, err, &invalid, wrong)
		require.Contains(t, Detail(err), "search-attribute list")
	}
}

func TestDescribeQueueAndCluster(t *testing.T) {
	t.Parallel()
	s := running(t)
	c := newClient(t, s)
	call := newCall(t, wfEcho)
	nobody, err := c.DescribeQueue(t.Context(), call.TaskQueue)
	require.NoError(t, err)
	require.Empty(t, nobody.Pollers)
	require.Len(t, nobody.Backlogs, 2)

	// A task that nobody takes.
	_, err = c.sdk.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: call.TaskQueue, TaskQueue: call.TaskQueue}, wfEcho, contract.Request{})
	require.NoError(t, err)
	eventually(t, "the task is counted", func() bool {
		d, err := c.DescribeQueue(t.Context(), call.TaskQueue)
		return err == nil && d.Backlogs["workflow"].Count == 1 && d.Backlogs["activity"].Count == 0
	})
	serve(t, s, call.TaskQueue)
	eventually(t, "the worker polls for both kinds", func() bool {
		d, err := c.DescribeQueue(t.Context(), call.TaskQueue)
		return err == nil && len(d.Pollers) == 2 && d.Pollers[0].Kind == "activity" && d.Pollers[1].Kind == "workflow" &&
			d.Pollers[0].Identity == "test-worker" && d.Pollers[0].Alive && !d.Pollers[1].LastAccess.IsZero()
	})

	cluster, err := c.DescribeCluster(t.Context())
	require.NoError(t, err)
	require.Regexp(t, `^1\.\d+\.\d+`, cluster.ServerVersion)
	require.True(t, cluster.Capabilities["supports_schedules"])
	require.Equal(t, "sqlite", cluster.PersistenceStore)
	require.Len(t, cluster.Namespaces, 1, "Temporal's own is nobody's business")
	require.Equal(t, "default", cluster.Namespaces[0].Name)
	require.Equal(t, 7*24*time.Hour, cluster.Namespaces[0].Retention)
}

// cloud is a frontend that tells as little as Temporal Cloud, and has the workflow that a test gives it.
type cloud struct {
	workflowservice.UnimplementedWorkflowServiceServer
	closing *historypb.HistoryEvent
	pages   [][]*workflowpb.WorkflowExecutionInfo
	total   int64
}

func serveCloud(t *testing.T, f *cloud) *Client {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := grpc.NewServer(grpc.UnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		resp, err := handler(ctx, req)
		return resp, serviceerror.ToStatus(err).Err()
	}))
	workflowservice.RegisterWorkflowServiceServer(s, f)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	c, err := New(Config{Address: l.Addr().String(), Namespace: "mine", DialTimeout: 5 * time.Second})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func (*cloud) GetSystemInfo(context.Context, *workflowservice.GetSystemInfoRequest) (*workflowservice.GetSystemInfoResponse, error) {
	return &workflowservice.GetSystemInfoResponse{ServerVersion: "1.99.0", Capabilities: &workflowservice.GetSystemInfoResponse_Capabilities{Nexus: true}}, nil
}

func (*cloud) GetClusterInfo(context.Context, *workflowservice.GetClusterInfoRequest) (*workflowservice.GetClusterInfoResponse, error) {
	return nil, serviceerror.NewPermissionDenied("not for you", "")
}

func (*cloud) DescribeNamespace(_ context.Context, r *workflowservice.DescribeNamespaceRequest) (*workflowservice.DescribeNamespaceResponse, error) {
	return &workflowservice.DescribeNamespaceResponse{
		NamespaceInfo: &namespacepb.NamespaceInfo{Name: r.GetNamespace(), State: enumspb.NAMESPACE_STATE_REGISTERED},
		Config:        &namespacepb.NamespaceConfig{WorkflowExecutionRetentionTtl: durationpb.New(48 * time.Hour)},
	}, nil
}

func (f *cloud) DescribeWorkflowExecution(_ context.Context, r *workflowservice.DescribeWorkflowExecutionRequest) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{
		Execution: &commonpb.WorkflowExecution{WorkflowId: r.GetExecution().GetWorkflowId(), RunId: fakeRunID},
		Type:      &commonpb.WorkflowType{Name: "T"}, StartTime: timestamppb.Now(), Status: enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED,
	}}, nil
}

func (f *cloud) GetWorkflowExecutionHistory(context.Context, *workflowservice.GetWorkflowExecutionHistoryRequest) (*workflowservice.GetWorkflowExecutionHistoryResponse, error) {
	return &workflowservice.GetWorkflowExecutionHistoryResponse{History: &historypb.History{Events: []*historypb.HistoryEvent{f.closing}}}, nil
}

// ListWorkflowExecutions hands out one page after the other; the token is the number of the next.
func (f *cloud) ListWorkflowExecutions(_ context.Context, r *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	page := 0
	if len(r.GetNextPageToken()) > 0 {
		page = int(r.GetNextPageToken()[0])
	}
	resp := &workflowservice.ListWorkflowExecutionsResponse{Executions: f.pages[page]}
	if page+1 < len(f.pages) {
		resp.NextPageToken = []byte{byte(page + 1)}
	}
	return resp, nil
}

func (f *cloud) CountWorkflowExecutions(context.Context, *workflowservice.CountWorkflowExecutionsRequest) (*workflowservice.CountWorkflowExecutionsResponse, error) {
	if f.total < 0 {
		return nil, serviceerror.NewUnimplemented("no counting here")
	}
	return &workflowservice.CountWorkflowExecutionsResponse{Count: f.total}, nil
}

func TestClusterThatTellsLittle(t *testing.T) {
	t.Parallel()
	cluster, err := serveCloud(t, &cloud{}).DescribeCluster(t.Context())
	require.NoError(t, err)
	require.Equal(t, "1.99.0", cluster.ServerVersion)
	require.Empty(t, cluster.Name)
	require.True(t, cluster.Capabilities["nexus"])
	require.Len(t, cluster.Namespaces, 1)
	require.Equal(t, "mine", cluster.Namespaces[0].Name)
	require.Equal(t, 48*time.Hour, cluster.Namespaces[0].Retention)
}

func completedWith(p *commonpb.Payload) *historypb.HistoryEvent {
	var payloads *commonpb.Payloads
	if p != nil {
		payloads = &commonpb.Payloads{Payloads: []*commonpb.Payload{p}}
	}
	return &historypb.HistoryEvent{
		EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
		Attributes: &historypb.HistoryEvent_WorkflowExecutionCompletedEventAttributes{
			WorkflowExecutionCompletedEventAttributes: &historypb.WorkflowExecutionCompletedEventAttributes{Result: payloads},
		},
	}
}

func TestPayloadsOfOtherWorkers(t *testing.T) {
	t.Parallel()
	encoded := func(encoding, data string) *commonpb.Payload {
		return &commonpb.Payload{Metadata: map[string][]byte{converter.MetadataEncoding: []byte(encoding)}, Data: []byte(data)}
	}
	large := `"` + strings.Repeat("x", 3<<20) + `"`
	for name, tc := range map[string]struct {
		payload                 *commonpb.Payload
		json, encoding, problem string
	}{
		"no payload at all":          {nil, "null", "binary/null", ""},
		"3 MB":                       {encoded("json/plain", large), large, "json/plain", ""},
		"JSON of a protobuf message": {encoded("json/protobuf", `{"a":"b"}`), `{"a":"b"}`, "json/protobuf", ""},
		"protobuf message":           {encoded("binary/protobuf", "\x0a\x01b"), `"CgFi"`, "binary/protobuf", ""},
		"compressed by a codec":      {encoded("binary/zlib", "x"), `"eA=="`, "binary/zlib", ""},
		"no encoding":                {&commonpb.Payload{Data: []byte("x")}, `"eA=="`, "", ""},
		"not the JSON that it says":  {encoded("json/plain", "Error: no"), "", "json/plain", "no JSON"},
		"encrypted by another codec": {encoded("binary/encrypted", "xxxx"), "", "binary/encrypted", "encrypted with key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := serveCloud(t, &cloud{closing: completedWith(tc.payload)}).Describe(t.Context(), "x", "", false)
			require.NoError(t, err)
			require.True(t, tc.json == string(d.Result.JSON), "the result is another one, of %d bytes", len(d.Result.JSON))
			require.Equal(t, tc.encoding, d.Result.Encoding)
			if tc.problem == "" {
				require.NoError(t, d.Result.Problem)
			} else {
				require.ErrorContains(t, d.Result.Problem, tc.problem)
			}
		})
	}
}

func TestListPages(t *testing.T) {
	t.Parallel()
	at := func(id string, start, end int64) *workflowpb.WorkflowExecutionInfo {
		info := &workflowpb.WorkflowExecutionInfo{
			Execution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: fakeRunID}, StartTime: &timestamppb.Timestamp{Seconds: start},
		}
		if end > 0 {
			info.CloseTime = &timestamppb.Timestamp{Seconds: end}
		}
		return info
	}
	f := &cloud{total: 4, pages: [][]*workflowpb.WorkflowExecutionInfo{{at("b", 1, 9), at("open", 3, 0)}, {at("a", 2, 5)}, {at("c", 4, 7)}}}
	c := serveCloud(t, f)
	for name, tc := range map[string]struct {
		wanted Listing
		ids    []string
	}{
		"the server's order":    {Listing{Limit: 3}, []string{"b", "open", "a"}},
		"everything":            {Listing{Limit: 100}, []string{"b", "open", "a", "c"}},
		"by start":              {Listing{Limit: 2, Order: OrderStartTime}, []string{"b", "a"}},
		"latest start first":    {Listing{Limit: 2, Order: OrderStartTime, Descending: true}, []string{"c", "open"}},
		"by end, open ones end": {Listing{Limit: 9, Order: OrderCloseTime}, []string{"a", "c", "b", "open"}},
		"by ID":                 {Listing{Limit: 9, Order: OrderWorkflowID}, []string{"a", "b", "c", "open"}},
	} {
		t.Run(name, func(t *testing.T) {
			listed, err := c.List(t.Context(), tc.wanted)
			require.NoError(t, err)
			var ids []string
			for _, r := range listed.Runs {
				ids = append(ids, r.WorkflowID)
			}
			require.Equal(t, tc.ids, ids)
			require.Equal(t, int64(4), listed.Total)
		})
	}
	t.Run("too many to sort", func(t *testing.T) {
		_, err := serveCloud(t, &cloud{total: maxSorted + 1}).List(t.Context(), Listing{Limit: 1, Order: OrderStartTime})
		require.ErrorContains(t, err, "10001 workflow runs match")
	})
	t.Run("a server that does not count", func(t *testing.T) {
		listed, err := serveCloud(t, &cloud{total: -1, pages: f.pages}).List(t.Context(), Listing{Limit: 1})
		require.NoError(t, err)
		require.Equal(t, int64(-1), listed.Total)
	})
}

func TestQuestionsToNobody(t *testing.T) {
	t.Parallel()
	c, err := New(Config{Address: "127.0.0.1:1", DialTimeout: 10 * time.Second})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	for name, question := range map[string]func(context.Context) error{
		"describe": func(ctx context.Context) error { _, err := c.Describe(ctx, "x", "", true); return err },
		"list":     func(ctx context.Context) error { _, err := c.List(ctx, Listing{Limit: 1}); return err },
		"queue":    func(ctx context.Context) error { _, err := c.DescribeQueue(ctx, "q"); return err },
		"cluster":  func(ctx context.Context) error { _, err := c.DescribeCluster(ctx); return err },
	} {
		t.Run(name, func(t *testing.T) {
			var unreachable *UnreachableError
			require.ErrorAs(t, question(t.Context()), &unreachable)
			require.Equal(t, Refused, unreachable.Reason)
		})
	}
}

// A result that Temporal does not take leaves the run open for ever: its worker tries again and again.
func TestDescribeResultThatIsTooLarge(t *testing.T) {
	t.Parallel()
	s := running(t)
	c := newClient(t, s)
	id := startOf(t, s, "huge").GetID()
	t.Cleanup(func() { _ = c.sdk.TerminateWorkflow(context.Background(), id, "", "the test is over") })
	eventually(t, "the worker has failed to complete the run", func() bool {
		d, err := c.Describe(t.Context(), id, "", true)
		require.NoError(t, err)
		require.Equal(t, StatusRunning, d.Status)
		require.Nil(t, d.Result)
		return d.Task != nil && d.Task.Attempt > 1 && strings.Contains(strings.ToLower(d.Task.LastFailure), "size")
	})
}
