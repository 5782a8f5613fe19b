package runner

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// fakeRunID is the run of every workflow that the fake frontend has.
const fakeRunID = "0193b5b8-0000-7000-8000-000000000001"

// frontend is a Temporal frontend for what a real one does only now and then. A call that a test does not expect fails as
// unimplemented.
type frontend struct {
	workflowservice.UnimplementedWorkflowServiceServer

	mu         sync.Mutex
	starts     []*workflowservice.StartWorkflowExecutionRequest
	terminated string
	// start answers the nth start, counted from 0.
	start func(n int, r *workflowservice.StartWorkflowExecutionRequest) error
	// silent leaves descriptions unanswered.
	silent bool
	// open answers a description; nil means that there is no such workflow.
	open    func(f *frontend) *workflowpb.WorkflowExecutionInfo
	pollers []*taskqueuepb.PollerInfo
}

func serveFrontend(t *testing.T, f *frontend, change ...func(*Config)) *Client {
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
	cfg := Config{Address: l.Addr().String(), WorkerGrace: 200 * time.Millisecond, DialTimeout: 5 * time.Second}
	for _, c := range change {
		c(&cfg)
	}
	c, err := New(cfg)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func (*frontend) GetSystemInfo(context.Context, *workflowservice.GetSystemInfoRequest) (*workflowservice.GetSystemInfoResponse, error) {
	return &workflowservice.GetSystemInfoResponse{Capabilities: &workflowservice.GetSystemInfoResponse_Capabilities{}}, nil
}

func (f *frontend) StartWorkflowExecution(_ context.Context, r *workflowservice.StartWorkflowExecutionRequest) (*workflowservice.StartWorkflowExecutionResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := len(f.starts)
	f.starts = append(f.starts, r)
	if err := f.start(n, r); err != nil {
		return nil, err
	}
	return &workflowservice.StartWorkflowExecutionResponse{RunId: fakeRunID, Started: true}, nil
}

func (f *frontend) DescribeWorkflowExecution(context.Context, *workflowservice.DescribeWorkflowExecutionRequest) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.silent {
		return nil, serviceerror.NewUnavailable("shard status unknown")
	}
	info := f.open(f)
	if info == nil {
		return nil, serviceerror.NewNotFound("no such workflow")
	}
	return &workflowservice.DescribeWorkflowExecutionResponse{
		WorkflowExecutionInfo: info,
		PendingWorkflowTask: &workflowpb.PendingWorkflowTaskInfo{
			State: enumspb.PENDING_WORKFLOW_TASK_STATE_SCHEDULED, Attempt: 1, ScheduledTime: info.GetStartTime(),
		},
	}, nil
}

func (f *frontend) DescribeTaskQueue(context.Context, *workflowservice.DescribeTaskQueueRequest) (*workflowservice.DescribeTaskQueueResponse, error) {
	return &workflowservice.DescribeTaskQueueResponse{Pollers: f.pollers}, nil
}

func (f *frontend) TerminateWorkflowExecution(_ context.Context, r *workflowservice.TerminateWorkflowExecutionRequest) (*workflowservice.TerminateWorkflowExecutionResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.terminated = r.GetReason()
	return &workflowservice.TerminateWorkflowExecutionResponse{}, nil
}

// GetWorkflowExecutionHistory never sees an end.
func (f *frontend) GetWorkflowExecutionHistory(ctx context.Context, _ *workflowservice.GetWorkflowExecutionHistoryRequest) (*workflowservice.GetWorkflowExecutionHistoryResponse, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// lastStart is the latest start as an open run.
func lastStart(f *frontend) *workflowpb.WorkflowExecutionInfo {
	r := f.starts[len(f.starts)-1]
	return &workflowpb.WorkflowExecutionInfo{
		Execution: &commonpb.WorkflowExecution{WorkflowId: r.GetWorkflowId(), RunId: fakeRunID},
		Type:      r.GetWorkflowType(), Memo: r.GetMemo(), StartTime: timestamppb.Now(), HistoryLength: 2,
		Status: enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING,
	}
}

func alreadyStarted() error {
	return serviceerror.NewWorkflowExecutionAlreadyStarted("Workflow execution is already running.", "other-request", fakeRunID)
}

func TestStartsThatNeedAnotherAttempt(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason   string
		first    error
		then     error
		open     func(*frontend) *workflowpb.WorkflowExecutionInfo
		attached bool
	}{
		"ID used within the last second": {
			reason: "the server asks to come back",
			first: &serviceerror.ResourceExhausted{
				Cause: enumspb.RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW, Scope: enumspb.RESOURCE_EXHAUSTED_SCOPE_NAMESPACE,
				Message: "Too many starts for workflow orch/orch/logs/app. Time since last start: 100 ms",
			},
			open: lastStart,
		},
		"run in flight ends before it is looked at": {
			reason: "the ID is free again",
			first:  alreadyStarted(),
			open:   func(*frontend) *workflowpb.WorkflowExecutionInfo { return nil },
		},
		"answer to the start is lost": {
			reason: "the run is ours, whatever the second answer says",
			first:  serviceerror.NewUnavailable("connection reset"), then: alreadyStarted(),
			open: lastStart, attached: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &frontend{open: tc.open, start: func(n int, _ *workflowservice.StartWorkflowExecutionRequest) error {
				if n == 0 {
					return tc.first
				}
				return tc.then
			}}
			c := serveFrontend(t, f)
			call := newCall(t, wfEcho)
			run, err := c.startOrAttach(t.Context(), call, call.ref().ID())
			require.NoError(t, err, tc.reason)
			require.Equal(t, fakeRunID, run.RunID)
			require.Equal(t, tc.attached, run.Attached)
		})
	}
}

// The start of a workflow happens on the server; its answer can be lost on the way. The run must not be in nobody's state.
func TestAStartWhoseAnswerIsLostIsLookedFor(t *testing.T) {
	t.Parallel()
	ended := func(f *frontend) *workflowpb.WorkflowExecutionInfo {
		info := lastStart(f)
		info.Status = enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
		return info
	}
	cases := map[string]struct {
		frontend *frontend
		found    bool
		unknown  bool
	}{
		"it runs":             {frontend: &frontend{open: lastStart}, found: true},
		"it has ended":        {frontend: &frontend{open: ended}, found: true},
		"it never happened":   {frontend: &frontend{open: func(*frontend) *workflowpb.WorkflowExecutionInfo { return nil }}},
		"nobody says anymore": {frontend: &frontend{silent: true}, unknown: true},
		"another one ended long ago": {frontend: &frontend{open: func(f *frontend) *workflowpb.WorkflowExecutionInfo {
			info := ended(f)
			info.StartTime = timestamppb.New(time.Now().Add(-time.Hour))
			return info
		}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.frontend.start = func(int, *workflowservice.StartWorkflowExecutionRequest) error {
				return serviceerror.NewDeadlineExceeded("the answer is lost")
			}
			c := serveFrontend(t, tc.frontend, func(cfg *Config) { cfg.DialTimeout = time.Second })
			call := newCall(t, wfEcho)
			run, err := c.startOrAttach(t.Context(), call, call.ref().ID())
			var unknown *UnknownStartError
			require.Equal(t, tc.unknown, errors.As(err, &unknown), "%v", err)
			if tc.found {
				require.NoError(t, err)
				require.Equal(t, fakeRunID, run.RunID)
				require.False(t, run.Attached, "it is this call's own run")
			} else {
				require.Error(t, err)
			}
		})
	}
}

func TestStartRequest(t *testing.T) {
	t.Parallel()
	f := &frontend{start: func(int, *workflowservice.StartWorkflowExecutionRequest) error { return nil }}
	c := serveFrontend(t, f)
	call := newCall(t, wfEcho)
	_, err := c.startOrAttach(t.Context(), call, call.ref().ID())
	require.NoError(t, err)
	r := f.starts[0]
	require.Equal(t, enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL, r.GetWorkflowIdConflictPolicy())
	require.Nil(t, r.GetRetryPolicy(), "a policy on the workflow would do the whole setup again")
	require.Equal(t, 12*time.Minute, r.GetWorkflowExecutionTimeout().AsDuration(), "twice the wait and 10 minutes")
	require.Equal(t, `"create"`, string(r.GetMemo().GetFields()[contract.MemoOperation].GetData()))
	require.Equal(t, `"`+call.Request.Digest()+`"`, string(r.GetMemo().GetFields()[contract.MemoDigest].GetData()))
}

func TestServerThatDenies(t *testing.T) {
	t.Parallel()
	f := &frontend{start: func(int, *workflowservice.StartWorkflowExecutionRequest) error {
		return serviceerror.NewPermissionDenied("Request unauthorized.", "")
	}}
	_, err := serveFrontend(t, f).Run(t.Context(), newCall(t, wfEcho), nil, nil)
	var unreachable *UnreachableError
	require.ErrorAs(t, err, &unreachable)
	require.Equal(t, Denied, unreachable.Reason)
	require.Contains(t, Detail(err), "api_key")
}

func TestServersOwnRefusalIsPassedOn(t *testing.T) {
	t.Parallel()
	f := &frontend{start: func(int, *workflowservice.StartWorkflowExecutionRequest) error {
		return serviceerror.NewInvalidArgument("Blob data size exceeds limit; certificate")
	}}
	_, err := serveFrontend(t, f).Run(t.Context(), newCall(t, wfEcho), nil, nil)
	require.ErrorContains(t, err, "start workflow orch/orch/logs/")
	require.ErrorContains(t, err, "Blob data size exceeds limit")
	require.Len(t, f.starts, 1, "asking again cannot help")
}

func TestWorkerThatHasGoneIsNamed(t *testing.T) {
	t.Parallel()
	seen := time.Now().Add(-3 * time.Minute).Truncate(time.Second)
	f := &frontend{
		start: func(int, *workflowservice.StartWorkflowExecutionRequest) error { return nil },
		open:  lastStart,
		pollers: []*taskqueuepb.PollerInfo{
			{Identity: "older", LastAccessTime: timestamppb.New(seen.Add(-time.Minute))},
			{Identity: "worker@docker-host", LastAccessTime: timestamppb.New(seen)},
		},
	}
	c := serveFrontend(t, f)
	_, err := c.Run(t.Context(), newCall(t, wfEcho), nil, nil)
	var noWorker *NoWorkerError
	require.ErrorAs(t, err, &noWorker)
	require.Equal(t, "worker@docker-host", noWorker.LastIdentity)
	require.WithinDuration(t, seen, noWorker.LastSeen, 0)
	require.Contains(t, Detail(err), "The last worker was worker@docker-host, seen at ")
	require.Contains(t, f.terminated, "no worker polls task queue")
}

func TestWorkerThatIsBusyIsWaitedFor(t *testing.T) {
	t.Parallel()
	f := &frontend{
		start:   func(int, *workflowservice.StartWorkflowExecutionRequest) error { return nil },
		open:    lastStart,
		pollers: []*taskqueuepb.PollerInfo{{Identity: "busy", LastAccessTime: timestamppb.Now()}},
	}
	c := serveFrontend(t, f)
	call := newCall(t, wfEcho)
	call.Timeout, call.OnInterrupt = 2*time.Second, contract.OnInterruptDetach
	_, err := c.Run(t.Context(), call, nil, nil)
	var late *TimeoutError
	require.ErrorAs(t, err, &late)
	require.Empty(t, f.terminated)
}
