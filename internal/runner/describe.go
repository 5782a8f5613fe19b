package runner

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"

	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
)

// StatusRunning is the Status of a run that is open.
const StatusRunning = "running"

// Summary is what a list of runs tells of one.
type Summary struct {
	Run
	Type, TaskQueue string
	// Status is Temporal's word in snake case, for example "running" or "timed_out".
	Status string
	// CloseTime is zero while the run is open.
	StartTime, CloseTime time.Time
	HistoryLength        int64
	// ParentWorkflowID is empty when the run is no child.
	ParentWorkflowID string
}

// Description is all that Temporal knows of one run. No worker is needed for it.
type Description struct {
	Summary
	HistorySizeBytes       int64
	Memo, SearchAttributes map[string]Value
	// Result is nil unless the run has completed.
	Result *Value
	// Failure is nil while the run is open, and when it has completed.
	Failure *RunFailure
	// NextRunID is the run that continues this one, after "continued as new", a retry or on a schedule.
	NextRunID string
	Pending   []PendingActivity
	// Task is the workflow task that waits for a worker, or is with one; nil when there is none.
	Task *PendingTask
	// Events counts the events of the history by type; nil when that was not asked for.
	Events map[string]int64
}

// RunFailure is why a run ended without a result.
type RunFailure struct {
	// Message is one sentence; of a step failure that with its step and cause.
	Message string
	// Type is the type of the application error; empty where there was none.
	Type string
	// Activity is the type of the activity that failed, where one did.
	Activity string
	// By is who terminated the run.
	By string
}

// PendingTask is a workflow task: a step of the workflow's own code. A worker that cannot do it tries again and again.
type PendingTask struct {
	// State is "scheduled" or "started".
	State   string
	Attempt int32
	// LastFailure is why a worker could not do it; empty when none has failed, or when the history was not read.
	LastFailure string
}

// PendingActivity is an activity that a run is waiting for, with its times.
type PendingActivity struct {
	Pending
	ActivityID string
	// State is "scheduled", "started", "cancel_requested" or "paused".
	State string
	// Worker is the identity of the worker that had the last attempt.
	Worker string
	// The zero time stands for: not yet.
	ScheduledTime, LastStartedTime, LastHeartbeatTime, NextAttemptTime time.Time
}

// Describe looks at a run of any workflow; without a run ID at the latest one. events also reads the whole history.
func (c *Client) Describe(ctx context.Context, workflowID, runID string, events bool) (*Description, error) {
	what := "describe workflow " + workflowID
	d, err := ask(ctx, c, what, func(ctx context.Context) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
		d, err := c.sdk.DescribeWorkflowExecution(ctx, workflowID, runID)
		return d, c.unknownWorkflow(workflowID, runID, err)
	})
	if err != nil {
		return nil, err
	}
	info := d.GetWorkflowExecutionInfo()
	out := &Description{
		Summary:          c.summary(info),
		HistorySizeBytes: info.GetHistorySizeBytes(),
		Memo:             c.values(info.GetMemo().GetFields()),
		SearchAttributes: c.values(info.GetSearchAttributes().GetIndexedFields()),
		Pending:          c.pendingActivities(d),
	}
	if out.Status != StatusRunning {
		closing, err := c.events(ctx, what, out.Run, enumspb.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT, func(*historypb.HistoryEvent) {})
		if err != nil {
			return nil, err
		}
		c.readEnd(out, closing)
	}
	if task := d.GetPendingWorkflowTask(); task != nil {
		out.Task = &PendingTask{State: snakeCase(task.GetState().String()), Attempt: task.GetAttempt()}
	}
	if events {
		err = c.readHistory(ctx, what, out)
	}
	return out, err
}

// readHistory counts the events of a run by type, and finds out why its workflow task has failed.
func (c *Client) readHistory(ctx context.Context, what string, d *Description) error {
	d.Events = map[string]int64{}
	failure := ""
	_, err := c.events(ctx, what, d.Run, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT, func(e *historypb.HistoryEvent) {
		d.Events[e.GetEventType().String()]++
		switch e.GetEventType() {
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED:
			a := e.GetWorkflowTaskFailedEventAttributes()
			failure = firstNonEmpty(firstLine(c.failureText(a.GetFailure())), a.GetCause().String())
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
			failure = ""
		}
	})
	if d.Task != nil {
		d.Task.LastFailure = failure
	}
	return err
}

// unknownWorkflow gives the server's "not found" its meaning. A namespace that is not there has an error of its own.
func (c *Client) unknownWorkflow(workflowID, runID string, err error) error {
	var notFound *serviceerror.NotFound
	if errors.As(err, &notFound) {
		return &UnknownWorkflowError{Endpoint: c.endpoint(), WorkflowID: workflowID, RunID: runID, Cause: err}
	}
	return err
}

func (c *Client) summary(info *workflowpb.WorkflowExecutionInfo) Summary {
	return Summary{
		Run:              c.run(info.GetExecution().GetWorkflowId(), info.GetExecution().GetRunId()),
		Type:             info.GetType().GetName(),
		TaskQueue:        info.GetTaskQueue(),
		Status:           snakeCase(info.GetStatus().String()),
		StartTime:        moment(info.GetStartTime()),
		CloseTime:        moment(info.GetCloseTime()),
		HistoryLength:    info.GetHistoryLength(),
		ParentWorkflowID: info.GetParentExecution().GetWorkflowId(),
	}
}

// snakeCase turns "TimedOut" into "timed_out".
func snakeCase(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// events hands the events of a run's history to each, in order, and returns the last.
func (c *Client) events(ctx context.Context, what string, run Run, filter enumspb.HistoryEventFilterType, each func(*historypb.HistoryEvent)) (*historypb.HistoryEvent, error) {
	ctx, cancel := context.WithTimeout(ctx, inspectTimeout)
	defer cancel()
	var last *historypb.HistoryEvent
	all := c.sdk.GetWorkflowHistory(ctx, run.WorkflowID, run.RunID, false, filter)
	for all.HasNext() {
		event, err := all.Next()
		if err != nil {
			if err = c.unknownWorkflow(run.WorkflowID, run.RunID, err); explained(err) {
				return nil, err
			}
			return nil, c.describeCall(what+": read its history", err)
		}
		each(event)
		last = event
	}
	return last, nil
}

// readEnd reads the last event of a run that has ended.
func (c *Client) readEnd(d *Description, closing *historypb.HistoryEvent) {
	switch closing.GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
		a := closing.GetWorkflowExecutionCompletedEventAttributes()
		result := c.one(a.GetResult())
		d.Result, d.NextRunID = &result, a.GetNewExecutionRunId()
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
		a := closing.GetWorkflowExecutionFailedEventAttributes()
		d.Failure, d.NextRunID = c.runFailure(a.GetFailure()), a.GetNewExecutionRunId()
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
		a := closing.GetWorkflowExecutionTerminatedEventAttributes()
		d.Failure = &RunFailure{Message: firstNonEmpty(a.GetReason(), "terminated without a reason"), By: a.GetIdentity()}
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
		d.Failure = &RunFailure{Message: "the run has used up its time"}
		d.NextRunID = closing.GetWorkflowExecutionTimedOutEventAttributes().GetNewExecutionRunId()
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
		d.Failure = &RunFailure{Message: "the run was cancelled"}
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
		d.NextRunID = closing.GetWorkflowExecutionContinuedAsNewEventAttributes().GetNewExecutionRunId()
	}
}

func (c *Client) runFailure(failure *failurepb.Failure) *RunFailure {
	out := &RunFailure{Message: firstNonEmpty(c.failureText(failure), "failed without a message")}
	for f := failure; f != nil; f = f.GetCause() {
		out.Activity = firstNonEmpty(out.Activity, f.GetActivityFailureInfo().GetActivityType().GetName())
		// What fmt.Errorf makes says nothing about the error in it.
		if name := f.GetApplicationFailureInfo().GetType(); name != "wrapError" {
			out.Type = firstNonEmpty(out.Type, name)
		}
	}
	return out
}

func (c *Client) pendingActivities(d *workflowservice.DescribeWorkflowExecutionResponse) []PendingActivity {
	out := make([]PendingActivity, 0, len(d.GetPendingActivities()))
	for i, pending := range c.pending(d) {
		a := d.GetPendingActivities()[i]
		out = append(out, PendingActivity{
			Pending:           pending,
			ActivityID:        a.GetActivityId(),
			State:             snakeCase(a.GetState().String()),
			Worker:            a.GetLastWorkerIdentity(),
			ScheduledTime:     moment(a.GetScheduledTime()),
			LastStartedTime:   moment(a.GetLastStartedTime()),
			LastHeartbeatTime: moment(a.GetLastHeartbeatTime()),
			NextAttemptTime:   moment(a.GetNextAttemptScheduleTime()),
		})
	}
	return out
}
