package ondemand

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/api/workflowservice/v1"
)

// systemNamespace belongs to the server itself.
const systemNamespace = "temporal-system"

// ServeOpen puts a worker on the queue of every open workflow of our types, in every namespace.
func (r *Registry) ServeOpen(ctx context.Context) error {
	namespaces, err := r.namespaces(ctx)
	if err != nil {
		return err
	}
	var failed error
	for _, ns := range namespaces {
		queues, err := r.openQueues(ctx, ns)
		failed = errors.Join(failed, err)
		for _, q := range queues {
			if err := r.Serve(ctx, q); err != nil && !errors.Is(err, errOthersPoll) {
				failed = errors.Join(failed, err)
			}
		}
	}
	return failed
}

// Watch calls ServeOpen now and then until ctx ends. That finds what no start request announces (children, schedules), what
// a killed server had accepted but not listed yet, and queues whose other worker is gone.
func (r *Registry) Watch(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	pause := firstWatch
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if err := r.ServeOpen(ctx); err != nil && ctx.Err() == nil {
			r.options.Logger.Warn("cannot look after all open workflows; trying again", "after", pause, "error", err)
		}
		timer.Reset(pause)
		pause = watchInterval
	}
}

func (r *Registry) namespaces(ctx context.Context) ([]string, error) {
	var names []string
	for token := []byte(nil); ; {
		resp, err := r.options.Service.ListNamespaces(ctx, &workflowservice.ListNamespacesRequest{PageSize: 100, NextPageToken: token})
		if err != nil {
			return nil, fmt.Errorf("list namespaces: %w", err)
		}
		for _, ns := range resp.GetNamespaces() {
			if name := ns.GetNamespaceInfo().GetName(); name != systemNamespace {
				names = append(names, name)
			}
		}
		if token = resp.GetNextPageToken(); len(token) == 0 {
			return names, nil
		}
	}
}

// openQueues returns what it has found also when it fails.
func (r *Registry) openQueues(ctx context.Context, namespace string) ([]Queue, error) {
	var queues []Queue
	seen := map[string]bool{}
	query := fmt.Sprintf("ExecutionStatus = 'Running' AND WorkflowType IN ('%s')", strings.Join(r.options.WorkflowTypes, "', '"))
	for token := []byte(nil); ; {
		resp, err := r.options.Service.ListWorkflowExecutions(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			Namespace: namespace, PageSize: 1000, NextPageToken: token, Query: query,
		})
		if err != nil {
			return queues, fmt.Errorf("list open workflows in namespace %s: %w", namespace, err)
		}
		for _, e := range resp.GetExecutions() {
			if name := e.GetTaskQueue(); name != "" && !seen[name] {
				seen[name] = true
				queues = append(queues, Queue{namespace, name})
			}
		}
		if token = resp.GetNextPageToken(); len(token) == 0 {
			return queues, nil
		}
	}
}
