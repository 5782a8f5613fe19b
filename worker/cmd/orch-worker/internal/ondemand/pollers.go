package ondemand

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
)

const (
	// freshness is how recently a poller must have polled to count as alive: one that lives polls again within 60 s, while the
	// server lists those that are gone for five minutes.
	freshness = 90 * time.Second
	// pollInterval is the pause between two looks at the pollers of a queue.
	pollInterval = 5 * time.Millisecond
)

// othersPoll reports whether a worker that is not ours lives on the queue.
func (r *Registry) othersPoll(ctx context.Context, q Queue) (bool, error) {
	pollers, err := r.pollers(ctx, q, enums.TASK_QUEUE_TYPE_WORKFLOW)
	if err != nil {
		return false, err
	}
	for _, p := range pollers {
		if p.GetIdentity() != r.options.Identity && time.Since(p.GetLastAccessTime().AsTime()) < freshness {
			return true, nil
		}
	}
	return false, nil
}

// Check returns nil when every queue that has a worker of ours is polled by it. A worker can run and poll nothing.
func (r *Registry) Check(ctx context.Context) error {
	if _, err := r.options.Service.GetSystemInfo(ctx, &workflowservice.GetSystemInfoRequest{}); err != nil {
		return fmt.Errorf("temporal does not answer: %w", err)
	}
	for _, q := range r.Queues() {
		ours, err := r.polls(ctx, q, enums.TASK_QUEUE_TYPE_WORKFLOW)
		if err != nil {
			return err
		}
		if !ours {
			return fmt.Errorf("queue %s of namespace %s is not polled by this process", q.Name, q.Namespace)
		}
	}
	return nil
}

// awaitPolling returns when our worker polls for workflow tasks and for activity tasks.
func (r *Registry) awaitPolling(ctx context.Context, q Queue) error {
	for _, kind := range []enums.TaskQueueType{enums.TASK_QUEUE_TYPE_WORKFLOW, enums.TASK_QUEUE_TYPE_ACTIVITY} {
		tick := time.NewTicker(pollInterval)
		defer tick.Stop()
		for {
			ours, err := r.polls(ctx, q, kind)
			if ours {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("wait for a poller of kind %s on queue %s: %w", kind, q.Name, errorOr(err, ctx.Err()))
			case <-tick.C:
			}
		}
	}
	return nil
}

func (r *Registry) polls(ctx context.Context, q Queue, kind enums.TaskQueueType) (bool, error) {
	pollers, err := r.pollers(ctx, q, kind)
	for _, p := range pollers {
		if p.GetIdentity() == r.options.Identity && time.Since(p.GetLastAccessTime().AsTime()) < freshness {
			return true, nil
		}
	}
	return false, err
}

func (r *Registry) pollers(ctx context.Context, q Queue, kind enums.TaskQueueType) ([]*taskqueue.PollerInfo, error) {
	resp, err := r.options.Service.DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
		Namespace:     q.Namespace,
		TaskQueue:     &taskqueue.TaskQueue{Name: q.Name, Kind: enums.TASK_QUEUE_KIND_NORMAL},
		TaskQueueType: kind,
	})
	if err != nil {
		return nil, fmt.Errorf("ask who polls queue %s in namespace %s: %w", q.Name, q.Namespace, err)
	}
	return resp.GetPollers(), nil
}

func errorOr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
