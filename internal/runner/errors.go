package runner

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/secret"
)

// Detailed is what the errors of this package are: Error is one line for a summary, Detail the text of a diagnostic.
type Detailed interface {
	error
	Detail() string
}

// Detail is the text of a diagnostic about err: its own Detail where it has one, else the error itself.
func Detail(err error) string {
	var d Detailed
	if errors.As(err, &d) {
		return d.Detail()
	}
	return err.Error()
}

// detail joins the paragraphs of a diagnostic and leaves out empty ones.
func detail(parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p = strings.TrimRight(p, "\n"); p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, "\n\n")
}

// ids are the lines that let a person find the run.
func (r Run) ids() string {
	if r.WorkflowID == "" {
		return ""
	}
	text := "Workflow ID: " + r.WorkflowID + "\nRun ID:      " + r.RunID
	if r.WebUIURL != "" {
		text += "\nWeb UI:      " + r.WebUIURL
	}
	return text
}

func operationName(o contract.Operation) string {
	if o == contract.OpConverge {
		return "converge"
	}
	return string(o)
}

// InFlightError says that another operation holds the service.
type InFlightError struct {
	Endpoint
	Run       Run
	Operation contract.Operation
	Since     time.Time
	// Wanted is the operation that was refused.
	Wanted contract.Operation
}

// Error implements error.
func (e *InFlightError) Error() string {
	what := operationName(e.Operation)
	if e.Operation == e.Wanted {
		what = "another " + what + ", with different input,"
	}
	return fmt.Sprintf("cannot %s: %s is in flight for this service since %s", operationName(e.Wanted), what, e.Since.Format(time.RFC3339))
}

// Detail implements Detailed.
func (e *InFlightError) Detail() string {
	return detail(e.Error()+".", e.Run.ids(),
		"Next: wait for it and try again, or stop it, with its rollback, with:\n"+
			"  temporal workflow cancel --workflow-id "+e.Run.WorkflowID+" "+e.flags())
}

// UnknownStartError says that Temporal answered neither a start nor the question whether it has happened.
type UnknownStartError struct {
	Endpoint
	WorkflowID string
}

// Error implements error.
func (e *UnknownStartError) Error() string {
	return fmt.Sprintf("Temporal at %s has answered neither the start of workflow %s nor the question whether it was started", e.Endpoint.Address, e.WorkflowID)
}

// Detail implements Detailed.
func (e *UnknownStartError) Detail() string {
	return detail(e.Error()+".", "The workflow may be running.",
		"Next: when Temporal answers again, run terraform plan: it finds what the workflow has made, or that it was never started.")
}

// NoWorkerError says that nobody takes the tasks of a queue.
type NoWorkerError struct {
	Endpoint
	Run   Run
	Queue string
	// LastIdentity and LastSeen are the worker that polled last; empty when none did within the last minutes.
	LastIdentity string
	LastSeen     time.Time
	// BundledCommand starts a worker for the queue.
	BundledCommand string
	// Custom is the type of a workflow that is not orch's; the bundled worker does not have it.
	Custom string
	Waited time.Duration
	// Terminated is false when the run could not be ended and lies on the queue still.
	Terminated bool
}

// Error implements error.
func (e *NoWorkerError) Error() string {
	return fmt.Sprintf("no worker is polling task queue %q in namespace %q of %s", e.Queue, e.Namespace, e.Address)
}

// Detail implements Detailed.
func (e *NoWorkerError) Detail() string {
	last := "No worker has polled it within the last minutes."
	if e.LastIdentity != "" {
		last = fmt.Sprintf("The last worker was %s, seen at %s.", e.LastIdentity, e.LastSeen.Format(time.RFC3339))
	}
	did := "The run was terminated before it began; nothing was made or changed."
	if !e.Terminated {
		did = "The run could not be terminated: it begins as soon as a worker polls the queue."
	}
	next := "Next: start one on the machine with the Docker Engine:\n  " + e.BundledCommand +
		"\nor set task_queue on the resource or the provider to a queue that is polled."
	if e.Custom != "" {
		next = fmt.Sprintf("Next: start your worker that has workflow type %q on this queue and namespace, or set task_queue to the queue that it polls.", e.Custom)
	}
	return detail(fmt.Sprintf("%s: after %s nobody had taken the run's first task.", e.Error(), e.Waited), last+" "+did, e.Run.ids(), next)
}

// WorkflowTaskError says that workers take the run and cannot run the workflow's code.
type WorkflowTaskError struct {
	Endpoint
	Run                 Run
	Queue, WorkflowType string
	// Cause is Temporal's word, for example "WorkflowWorkerUnhandledFailure"; Message is the worker's.
	Cause, Message string
	// Worker is the identity of the worker that failed.
	Worker string
	// Custom is set for a workflow that is not orch's; the bundled worker does not have its type.
	Custom  bool
	Attempt int32
	// Progressed is set when the workflow had begun; then the run is left, because a mended worker continues it.
	Progressed bool
	Terminated bool
}

// Error implements error.
func (e *WorkflowTaskError) Error() string {
	return fmt.Sprintf("worker %s of task queue %q cannot run workflow type %q: %s", e.Worker, e.Queue, e.WorkflowType, e.Message)
}

// Detail implements Detailed.
func (e *WorkflowTaskError) Detail() string {
	next := "Next: start a worker that has this workflow type, for example of this provider's version:\n  orch-worker run --task-queue " + e.Queue + " " + e.flags()
	if e.Custom {
		next = fmt.Sprintf("Next: register type %q in your worker of this queue, or mend what it says above.", e.WorkflowType)
	}
	did := "The run was terminated before it began; nothing was made or changed."
	if !e.Terminated {
		did = "The run is left as it is; it holds the service."
		next += "\nThe next apply attaches to the run. To give it up, without a rollback:\n  temporal workflow terminate --workflow-id " + e.Run.WorkflowID + " " + e.flags()
	}
	return detail(e.Error()+".", fmt.Sprintf("Its workflow task is at attempt %d (%s).", e.Attempt, e.Cause), did, e.Run.ids(), next)
}

// StepError says which step of an operation failed and why.
type StepError struct {
	Failure *contract.StepFailure
	Run     Run
}

// Error implements error.
func (e *StepError) Error() string { return e.Failure.Error() }

// Detail implements Detailed.
func (e *StepError) Detail() string { return detail(e.Failure.Describe(), e.Run.ids()) }

// Unwrap returns the failure.
func (e *StepError) Unwrap() error { return e.Failure }

// How is a way in which a run ended that has told nothing about its steps.
type How string

// Ways to end.
const (
	Failed      How = "failed"
	Cancelled   How = "cancelled"
	Terminated  How = "terminated"
	TimedOutRun How = "timed out"
)

// EndedError says that a run ended without success and without a step failure: from outside, or in code that is not ours.
type EndedError struct {
	Endpoint
	Run Run
	How How
	// Cause is the failure's message, or the reason of a termination; By is who terminated it.
	Cause, By string
	// Activity is the type of the activity that failed, where one did.
	Activity string
	// Custom is set for a workflow that is not orch's: what another apply makes of it is its author's business.
	Custom bool
}

// Error implements error.
func (e *EndedError) Error() string {
	text := "the workflow was " + string(e.How)
	if e.How == Failed || e.How == TimedOutRun {
		text = "the workflow " + string(e.How)
	}
	if e.Activity != "" {
		text += " in activity " + e.Activity
	}
	if e.By != "" {
		text += " by " + e.By
	}
	if e.Cause != "" {
		text += ": " + e.Cause
	}
	return text
}

// Detail implements Detailed.
func (e *EndedError) Detail() string {
	rollback := "Whether it rolled back is not known."
	if e.How == Terminated || e.How == TimedOutRun {
		rollback = "A run that ends like this rolls nothing back: what it had made by then is still there."
	}
	if e.Custom {
		return detail(e.Error()+".", e.Run.ids(), "Next: see in the run's history why, and apply again:\n  temporal workflow show --workflow-id "+
			e.Run.WorkflowID+" --run-id "+e.Run.RunID+" "+e.flags())
	}
	return detail(e.Error()+".", rollback, e.Run.ids(),
		"Next: apply again; what is there is found again and brought to what is configured. The run's history:\n  temporal workflow show --workflow-id "+
			e.Run.WorkflowID+" --run-id "+e.Run.RunID+" "+e.flags())
}

// LostError says that the server does not know the run any more.
type LostError struct {
	Endpoint
	Run Run
}

// Error implements error.
func (e *LostError) Error() string {
	return fmt.Sprintf("Temporal at %s no longer knows workflow %s", e.Address, e.Run.WorkflowID)
}

// Detail implements Detailed.
func (e *LostError) Detail() string {
	return detail(e.Error()+": its database was replaced, or the run's retention has ended. Resources are found by their labels, so nothing is lost with it.",
		e.Run.ids(), "Next: apply again.")
}

// ResultError says that a run's result, or its failure, cannot be read.
type ResultError struct {
	Run   Run
	Cause error
}

// Error implements error.
func (e *ResultError) Error() string {
	return "the result of the workflow cannot be read: " + e.Cause.Error()
}

// Detail implements Detailed.
func (e *ResultError) Detail() string {
	next := "Next: use a provider and a worker of the same version."
	if isUndecryptable(e.Cause) {
		next = "Next: give the provider (encryption_key_file) and the worker the same key file."
	}
	return detail(e.Error()+".", e.Run.ids(), next)
}

// Unwrap returns the cause.
func (e *ResultError) Unwrap() error { return e.Cause }

func isUndecryptable(err error) bool {
	var undecryptable *secret.DecryptError
	return errors.As(err, &undecryptable)
}
