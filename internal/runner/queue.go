package runner

import (
	"context"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
)

// Poller is a worker that has asked a task queue for tasks within the last minutes.
type Poller struct {
	Identity string
	// Kind is what it asks for: "workflow" or "activity".
	Kind       string
	LastAccess time.Time
	// Alive is set when it has asked so recently that it must still be there. The server remembers stopped workers for
	// five minutes.
	Alive bool
}

// Backlog is what lies on a task queue and how fast it comes and goes. The server estimates all of it.
type Backlog struct {
	Count int64
	// Age is how long the oldest task has been lying there.
	Age time.Duration
	// AddRate and DispatchRate are tasks a second, averaged over half a minute.
	AddRate, DispatchRate float64
}

// QueueDescription is what Temporal knows of a task queue.
type QueueDescription struct {
	// Pollers are sorted by kind and identity.
	Pollers []Poller
	// Backlogs are by kind, "workflow" and "activity".
	Backlogs map[string]Backlog
}

var queueKinds = []struct {
	name string
	kind enumspb.TaskQueueType
}{
	{"workflow", enumspb.TASK_QUEUE_TYPE_WORKFLOW},
	{"activity", enumspb.TASK_QUEUE_TYPE_ACTIVITY},
}

// DescribeQueue looks at a task queue. Every name is one: a queue that nobody has ever used has no pollers and no tasks.
func (c *Client) DescribeQueue(ctx context.Context, name string) (*QueueDescription, error) {
	out := &QueueDescription{Backlogs: map[string]Backlog{}}
	for _, k := range queueKinds {
		d, err := ask(ctx, c, "describe task queue "+name, func(ctx context.Context) (*workflowservice.DescribeTaskQueueResponse, error) {
			return c.sdk.WorkflowService().DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
				Namespace: c.resolved.Namespace, TaskQueueType: k.kind, ReportStats: true,
				TaskQueue: &taskqueuepb.TaskQueue{Name: name, Kind: enumspb.TASK_QUEUE_KIND_NORMAL},
			})
		})
		if err != nil {
			return nil, err
		}
		alive := time.Now().Add(-pollerMemory)
		for _, p := range d.GetPollers() {
			last := moment(p.GetLastAccessTime())
			out.Pollers = append(out.Pollers, Poller{Identity: p.GetIdentity(), Kind: k.name, LastAccess: last, Alive: last.After(alive)})
		}
		stats := d.GetStats()
		out.Backlogs[k.name] = Backlog{
			Count: stats.GetApproximateBacklogCount(), Age: stats.GetApproximateBacklogAge().AsDuration(),
			AddRate: float64(stats.GetTasksAddRate()), DispatchRate: float64(stats.GetTasksDispatchRate()),
		}
	}
	slices.SortFunc(out.Pollers, func(a, b Poller) int {
		return strings.Compare(a.Kind+"\x00"+a.Identity, b.Kind+"\x00"+b.Identity)
	})
	return out, nil
}
