package devserver

import (
	"context"

	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/server/common/primitives"
	"google.golang.org/grpc"
)

// startInterceptor calls onStart for every workflow that a request may start, before the request is handled.
func startInterceptor(onStart func(context.Context, StartRequest)) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		for _, s := range startRequests(req) {
			// The server starts workflows of its own, which nobody but itself serves.
			if s.Namespace != primitives.SystemLocalNamespace {
				onStart(ctx, s)
			}
		}
		return handler(ctx, req)
	}
}

func startRequests(req any) []StartRequest {
	switch r := req.(type) {
	case *workflowservice.StartWorkflowExecutionRequest:
		return []StartRequest{startRequest(r)}
	case *workflowservice.SignalWithStartWorkflowExecutionRequest:
		return []StartRequest{startRequest(r)}
	case *workflowservice.ExecuteMultiOperationRequest:
		var starts []StartRequest
		for _, op := range r.GetOperations() {
			if s := op.GetStartWorkflow(); s != nil {
				starts = append(starts, startRequest(s))
			}
		}
		return starts
	default:
		return nil
	}
}

// starter is what the two start requests have in common.
type starter interface {
	GetNamespace() string
	GetTaskQueue() *taskqueue.TaskQueue
	GetWorkflowType() *common.WorkflowType
	GetWorkflowId() string
}

func startRequest(r starter) StartRequest {
	return StartRequest{
		Namespace:    r.GetNamespace(),
		TaskQueue:    r.GetTaskQueue().GetName(),
		WorkflowType: r.GetWorkflowType().GetName(),
		WorkflowID:   r.GetWorkflowId(),
	}
}
