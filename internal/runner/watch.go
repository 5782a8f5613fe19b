package runner

import (
	"context"
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
)

const (
	// A run is looked at closely while its first task may be stuck, and now and then later on.
	watchClosely  = time.Second
	watchCalmly   = 5 * time.Second
	closeWatching = 45 * time.Second
	progressEvery = 10 * time.Second

	// pollerMemory is how old the last poll of a live worker can be: a poll lasts up to 60 s. The server lists stopped
	// workers for 5 minutes.
	pollerMemory = 90 * time.Second
	// staleAfter is when a worker counts only if it has polled since the task was scheduled: had it been polling before,
	// it would have been given the task.
	staleAfter = 30 * time.Second

	// taskPatience is how long a failed workflow task may wait for a worker that can do it: one of several may be old. A
	// worker of the Go SDK does not answer the second attempt, which then takes 10 s to time out; that is not waited for.
	taskPatience = 3 * time.Second
)

// watch looks after a run until ctx ends. It returns the reason why waiting is hopeless, or nil.
func (c *Client) watch(ctx context.Context, call Call, run Run) error {
	w := &watcher{client: c, call: call, run: run, begin: time.Now()}
	for pause(ctx, w.interval()) {
		d, err := c.sdk.DescribeWorkflowExecution(ctx, run.WorkflowID, run.RunID)
		if err != nil {
			c.cfg.Logger.Debug("cannot look at the run", "workflow_id", run.WorkflowID, "error", err)
			continue
		}
		if verdict := w.judge(ctx, d); verdict != nil {
			return verdict
		}
		w.logProgress(d)
	}
	return nil
}

type watcher struct {
	client   *Client
	call     Call
	run      Run
	begin    time.Time
	reported time.Time
	// failing is since when the run's workflow task has been on another than its first attempt.
	failing time.Time
}

func (w *watcher) interval() time.Duration {
	if time.Since(w.begin) < closeWatching {
		return min(watchClosely, w.client.cfg.WorkerGrace)
	}
	return watchCalmly
}

func (w *watcher) judge(ctx context.Context, d *workflowservice.DescribeWorkflowExecutionResponse) error {
	waited := time.Since(w.begin)
	if neverStarted(d) && waited >= w.client.cfg.WorkerGrace {
		return w.lookForWorker(ctx, d, waited)
	}
	switch {
	case d.GetPendingWorkflowTask().GetAttempt() <= 1:
		w.failing = time.Time{}
	case w.failing.IsZero():
		w.failing = time.Now()
	case time.Since(w.failing) >= taskPatience:
		return w.lookAtTaskFailure(ctx, d)
	}
	return nil
}

// neverStarted reports that no worker has ever taken a task of the run.
func neverStarted(d *workflowservice.DescribeWorkflowExecutionResponse) bool {
	task := d.GetPendingWorkflowTask()
	return task.GetState() == enumspb.PENDING_WORKFLOW_TASK_STATE_SCHEDULED && task.GetAttempt() <= 1 &&
		d.GetWorkflowExecutionInfo().GetHistoryLength() <= 2
}

func (w *watcher) lookForWorker(ctx context.Context, d *workflowservice.DescribeWorkflowExecutionResponse, waited time.Duration) error {
	c := w.client
	queue, err := c.sdk.DescribeTaskQueue(ctx, w.call.TaskQueue, enumspb.TASK_QUEUE_TYPE_WORKFLOW)
	if err != nil {
		c.cfg.Logger.Debug("cannot look at the task queue", "task_queue", w.call.TaskQueue, "error", err)
		return nil
	}
	// All times are the server's, so that a clock that is wrong here does no harm; an attached run's start says nothing
	// about now.
	now := time.Now()
	if !w.run.Attached {
		now = d.GetWorkflowExecutionInfo().GetStartTime().AsTime().Add(waited)
	}
	last, fresh := lastPoller(queue.GetPollers(), freshSince(now, d.GetPendingWorkflowTask().GetScheduledTime().AsTime(), waited))
	if fresh {
		c.cfg.Logger.Info("a worker polls the queue and has not taken the run yet", "task_queue", w.call.TaskQueue,
			"worker", last.GetIdentity(), "waited", waited.Round(time.Second))
		return nil
	}
	e := &NoWorkerError{Endpoint: c.endpoint(), Run: w.run, Queue: w.call.TaskQueue, Custom: w.call.customType(), Waited: waited.Round(time.Second),
		BundledCommand: "orch-worker run --task-queue " + w.call.TaskQueue + " " + c.endpoint().flags()}
	if last != nil {
		e.LastIdentity, e.LastSeen = last.GetIdentity(), last.GetLastAccessTime().AsTime()
	}
	return e
}

// freshSince is when a poller must have polled last to count as alive.
func freshSince(now, scheduled time.Time, waited time.Duration) time.Time {
	since := now.Add(-pollerMemory)
	if waited > staleAfter && scheduled.After(since) {
		return scheduled
	}
	return since
}

// lastPoller returns the poller that polled last, if any, and whether it did after since.
func lastPoller(pollers []*taskqueuepb.PollerInfo, since time.Time) (last *taskqueuepb.PollerInfo, fresh bool) {
	for _, p := range pollers {
		if last == nil || p.GetLastAccessTime().AsTime().After(last.GetLastAccessTime().AsTime()) {
			last = p
		}
	}
	return last, last != nil && last.GetLastAccessTime().AsTime().After(since)
}

// lookAtTaskFailure tells a workflow that its worker cannot run from one whose worker is merely away.
func (w *watcher) lookAtTaskFailure(ctx context.Context, d *workflowservice.DescribeWorkflowExecutionResponse) error {
	c := w.client
	e := &WorkflowTaskError{Endpoint: c.endpoint(), Run: w.run, Queue: w.call.TaskQueue, Custom: w.call.custom != nil,
		WorkflowType: d.GetWorkflowExecutionInfo().GetType().GetName(), Attempt: d.GetPendingWorkflowTask().GetAttempt()}
	failed := false
	events := c.sdk.GetWorkflowHistory(ctx, w.run.WorkflowID, w.run.RunID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			c.cfg.Logger.Debug("cannot read the history", "workflow_id", w.run.WorkflowID, "error", err)
			return nil
		}
		switch event.GetEventType() {
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
			e.Progressed, failed = true, false
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
			failed = false
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED:
			attributes := event.GetWorkflowTaskFailedEventAttributes()
			failed = true
			e.Cause, e.Worker = attributes.GetCause().String(), attributes.GetIdentity()
			e.Message = firstLine(c.failureText(attributes.GetFailure()))
		}
	}
	if !failed {
		return nil
	}
	return e
}

func (w *watcher) logProgress(d *workflowservice.DescribeWorkflowExecutionResponse) {
	if time.Since(w.begin) < progressEvery || time.Since(w.reported) < progressEvery {
		return
	}
	w.reported = time.Now()
	pending := w.client.pending(d)
	texts := make([]string, len(pending))
	for i, p := range pending {
		texts[i] = p.String()
	}
	w.client.cfg.Logger.Info("waiting for the run", "workflow_id", w.run.WorkflowID,
		"waited", time.Since(w.begin).Round(time.Second), "pending", strings.Join(texts, "; "))
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// Pending is an activity that a run is waiting for.
type Pending struct {
	Activity             string
	Attempt, MaxAttempts int32
	// LastFailure is why its last attempt failed; empty when it has not failed yet.
	LastFailure string
	// Progress is what it last reported with a heartbeat.
	Progress string
}

// String is one line, for example:
//
//	EnsureComponent, attempt 2 of 3, last failure: port 3100 is taken, progress: pulling grafana/loki
func (p Pending) String() string {
	text := fmt.Sprintf("%s, attempt %d", p.Activity, p.Attempt)
	if p.MaxAttempts > 0 {
		text += fmt.Sprintf(" of %d", p.MaxAttempts)
	}
	if p.LastFailure != "" {
		text += ", last failure: " + p.LastFailure
	}
	if p.Progress != "" {
		text += ", progress: " + p.Progress
	}
	return text
}
