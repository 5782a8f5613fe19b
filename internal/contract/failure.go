package contract

import (
	"errors"
	"fmt"
	"strings"
)

// ErrorClass says what kind of failure a step met. It is the type of the Temporal application error, and decides whether
// trying again can help.
type ErrorClass string

// Classes of failures.
const (
	// InvalidInput: the request itself cannot be carried out.
	InvalidInput ErrorClass = "InvalidInput"
	// NotFound: something that must exist does not, for example an image.
	NotFound ErrorClass = "NotFound"
	// Conflict: something else has what is needed, for example a port.
	Conflict ErrorClass = "Conflict"
	// NotOwned: an object of that name exists and is not orch's, or another service's.
	NotOwned ErrorClass = "NotOwned"
	// Unavailable: a system did not answer or asked to come back later.
	Unavailable ErrorClass = "Unavailable"
	// Unhealthy: a container ended or did not become ready.
	Unhealthy ErrorClass = "Unhealthy"
	// Denied: the system answered that this is not allowed.
	Denied ErrorClass = "Denied"
	// WrongEngine: the worker's Docker Engine is not the one that the service lives on.
	WrongEngine ErrorClass = "WrongEngine"
	// Cancelled: the run was cancelled before the step was done.
	Cancelled ErrorClass = "Cancelled"
	// Internal: a defect of orch.
	Internal ErrorClass = "Internal"
)

// Retryable reports whether the same call may succeed later without anybody changing anything. WrongEngine is: another
// worker of the queue may have the right engine.
func (c ErrorClass) Retryable() bool { return c == Unavailable || c == WrongEngine }

// StepFailure tells everything about a failed step that a person needs: step, cause, evidence, and what to do next. It
// travels as the detail of the application error and is encrypted with it.
type StepFailure struct {
	// Step is the step's name as in the resource's steps, for example "start_loki".
	Step  string     `json:"step"`
	Class ErrorClass `json:"class"`
	// Cause is one sentence in plain words.
	Cause string `json:"cause"`
	// Attribute is the input attribute to look at, for example "loki.port"; empty when none is to blame.
	Attribute string `json:"attribute,omitempty"`
	// Hint is what to do next, a command where there is one.
	Hint string `json:"hint,omitempty"`
	// Attempts is how often the step was tried.
	Attempts int32 `json:"attempts,omitempty"`
	// Evidence is what the container left, when one was involved.
	Evidence *Evidence `json:"evidence,omitempty"`
	// RolledBack lists what was undone; RollbackFailed what could not be.
	RolledBack     []string `json:"rolled_back,omitempty"`
	RollbackFailed []string `json:"rollback_failed,omitempty"`
	// Kept is true when on_failure = "keep" left everything for inspection.
	Kept bool `json:"kept,omitempty"`
	// Clean is true when nothing that the run made is left, which includes a run that made nothing. The provider then keeps no
	// state of a failed create.
	Clean bool `json:"clean,omitempty"`
}

// Evidence is what a failed container left behind, or a failed build: that has Logs alone, and no Container.
type Evidence struct {
	Container string `json:"container"`
	State     string `json:"state"`
	ExitCode  int    `json:"exit_code"`
	OOMKilled bool   `json:"oom_killed,omitempty"`
	Restarts  int    `json:"restarts,omitempty"`
	// Logs are the last lines of output, secrets masked.
	Logs []string `json:"logs,omitempty"`
}

// Error makes StepFailure an error, so that activities can return it as their cause.
func (f *StepFailure) Error() string {
	if f.Step == "" {
		return f.Cause
	}
	return "step " + f.Step + ": " + f.Cause
}

// Fail is a failure of that class; the workflow adds the step.
func Fail(class ErrorClass, format string, args ...any) *StepFailure {
	return &StepFailure{Class: class, Cause: fmt.Sprintf(format, args...)}
}

// On names the input attribute to look at, for example "loki.port".
func (f *StepFailure) On(attribute string) *StepFailure {
	f.Attribute = attribute
	return f
}

// Next says what to do next, as a command where there is one.
func (f *StepFailure) Next(format string, args ...any) *StepFailure {
	f.Hint = fmt.Sprintf(format, args...)
	return f
}

// With adds what the container or the build left behind; nil adds nothing.
func (f *StepFailure) With(evidence *Evidence) *StepFailure {
	f.Evidence = evidence
	return f
}

// AsFailure returns the StepFailure in err's chain, or nil.
func AsFailure(err error) *StepFailure {
	var failure *StepFailure
	if errors.As(err, &failure) {
		return failure
	}
	return nil
}

// Describe is the text of the diagnostic: cause, evidence, rollback and hint, each on lines of its own.
func (f *StepFailure) Describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Step:     %s\nCause:    %s (%s)\n", f.Step, f.Cause, f.Class)
	if f.Attribute != "" {
		fmt.Fprintf(&b, "Input:    %s\n", f.Attribute)
	}
	if f.Attempts > 0 {
		fmt.Fprintf(&b, "Attempts: %d\n", f.Attempts)
	}
	if f.Evidence != nil {
		f.Evidence.describe(&b)
	}
	switch {
	case f.Kept:
		b.WriteString("Rollback: none, on_failure = \"keep\" leaves everything for inspection\n")
	case len(f.RollbackFailed) > 0:
		fmt.Fprintf(&b, "Rollback: incomplete, still there: %s\n", strings.Join(f.RollbackFailed, "; "))
	case len(f.RolledBack) > 0:
		fmt.Fprintf(&b, "Rollback: %s\n", strings.Join(f.RolledBack, "; "))
	}
	if f.Hint != "" {
		b.WriteString("Next:     " + f.Hint + "\n")
	}
	return b.String()
}

func (e *Evidence) describe(b *strings.Builder) {
	if e.Container != "" {
		fmt.Fprintf(b, "Container: %s, state %s, exit code %d", e.Container, e.State, e.ExitCode)
		if e.OOMKilled {
			b.WriteString(", killed for running out of memory")
		}
		if e.Restarts > 0 {
			fmt.Fprintf(b, ", restarted %d times", e.Restarts)
		}
		b.WriteString("\n")
	}
	if len(e.Logs) > 0 {
		b.WriteString("Last log lines:\n")
		for _, line := range e.Logs {
			b.WriteString("  | " + line + "\n")
		}
	}
}
