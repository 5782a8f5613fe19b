package runner

import (
	"fmt"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// Ending tells what became of a run that is not waited for any more.
type Ending struct {
	// Detached: it was left running, as on_interrupt = "detach" asks.
	Detached bool
	// NeverStarted: no worker had taken it, and it was terminated, or it was not even started.
	NeverStarted bool
	// Completed: it had succeeded before it could be cancelled. No error of this package carries it.
	Completed bool
	// StillRunning: it was to end and has not.
	StillRunning bool
	// Clean: nothing that it made is left.
	Clean bool
	// Failure is what the run told about its rollback.
	Failure *contract.StepFailure
	// Problem is what stood in the way of a proper end.
	Problem string
}

// sentence says what became of the run.
func (e Ending) sentence() string {
	switch {
	case e.Detached:
		return "The run goes on, as on_interrupt = \"detach\" asks; the next plan or apply finds it."
	case e.NeverStarted:
		return "It had not begun; nothing was made or changed."
	case e.StillRunning:
		return "The run has not ended: " + e.Problem + "."
	case e.Clean && e.Failure == nil:
		return "The run was ended; it only looks and makes nothing."
	case e.Clean:
		return "The run was cancelled and has rolled back; nothing that it made is left."
	case e.Failure != nil && e.Failure.Kept:
		return "The run was cancelled; on_failure = \"keep\" leaves what it made."
	case e.Problem != "":
		return "The run was cancelled: " + e.Problem + "."
	default:
		return "The run was cancelled, and its rollback is not complete."
	}
}

func (e Ending) describe() string {
	if e.Failure == nil {
		return e.sentence()
	}
	return e.sentence() + "\n\n" + strings.TrimRight(e.Failure.Describe(), "\n")
}

func (e Ending) next(endpoint Endpoint, run Run) string {
	if !e.StillRunning {
		return "Next: apply again."
	}
	return "Next: apply again once it has ended; see how far it is with:\n  temporal workflow describe --workflow-id " + run.WorkflowID + " " + endpoint.flags()
}

// InterruptedError says that the caller was cancelled before the run ended.
type InterruptedError struct {
	Endpoint
	Run Run
	Ending
}

// Error implements error.
func (e *InterruptedError) Error() string {
	return "interrupted: " + lowerFirst(strings.TrimSuffix(e.sentence(), "."))
}

// Detail implements Detailed.
func (e *InterruptedError) Detail() string {
	return detail("The operation was interrupted. "+e.describe(), e.Run.ids(), e.next(e.Endpoint, e.Run))
}

// TimeoutError says that a run took longer than the operation's timeout allows.
type TimeoutError struct {
	Endpoint
	Run    Run
	Waited time.Duration
	// Pending is what the run was doing when the time was up.
	Pending []Pending
	Ending
}

// Error implements error.
func (e *TimeoutError) Error() string {
	text := fmt.Sprintf("workflow %s has not ended within %s", e.Run.WorkflowID, e.Waited)
	if len(e.Pending) > 0 {
		text += "; it was waiting for " + e.Pending[0].String()
	}
	return text
}

// Detail implements Detailed.
func (e *TimeoutError) Detail() string {
	waitingFor := ""
	for _, p := range e.Pending {
		waitingFor += "  - " + p.String() + "\n"
	}
	if waitingFor != "" {
		waitingFor = "It was waiting for:\n" + waitingFor
	}
	return detail(fmt.Sprintf("Workflow %s has not ended within %s.", e.Run.WorkflowID, e.Waited), waitingFor, e.describe(), e.Run.ids(),
		e.next(e.Endpoint, e.Run)+" A longer time is given in the timeouts block of the resource.")
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
