package workflows

import (
	"errors"
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// stepPrepare is the step in which a run looks at what is there, and may be refused.
const stepPrepare = "prepare"

// rollback remembers how to undo what a run has begun. A compensation is added before its step and must cope with the step not
// having happened.
type rollback struct {
	keep bool
	// owns is true once the run makes something that nobody else has: it has passed its first step, and has not adopted what
	// existed.
	owns bool
	// leftover names what was there before, belongs to nobody's state, and is not this run's to undo.
	leftover      string
	compensations []compensation
}

type compensation struct {
	what string
	undo func(workflow.Context) (contract.Undone, error)
}

func (s *rollback) add(what string, undo func(workflow.Context) (contract.Undone, error)) {
	s.compensations = append(s.compensations, compensation{what, undo})
}

// run undoes in reverse order and returns the failure with what became of it. It uses a disconnected context, so that a
// cancelled run cleans up too, and goes on after a compensation that failed.
func (s *rollback) run(ctx workflow.Context, err error) error {
	failure := asFailure(err)
	// Who was refused before the first step has made nothing to look at. To keep it would leave a state that owns what refused
	// the run, and the next apply would begin by destroying that.
	if s.keep && len(s.compensations) > 0 && failure.Step != stepPrepare {
		failure.Kept = true
		return failure
	}
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	for i := len(s.compensations) - 1; i >= 0; i-- {
		c := s.compensations[i]
		undone, err := c.undo(ctx)
		if err != nil {
			failure.RollbackFailed = append(failure.RollbackFailed, c.what+": "+asFailure(err).Cause)
			continue
		}
		failure.RolledBack = append(failure.RolledBack, undone.Done...)
	}
	if s.leftover != "" {
		failure.RollbackFailed = append(failure.RollbackFailed, s.leftover)
	}
	// A state that is kept is tainted, and the next apply begins by destroying what it names. A run that was refused, met an
	// engine that did not answer, or adopted a service has made nothing: the destroy would hit somebody else's containers and
	// volumes, also where the rollback could not look.
	failure.Clean = len(failure.RollbackFailed) == 0 || !s.owns
	return failure
}

// stepFailed names the step that an error happened in, where the failure does not name it itself.
func stepFailed(step string, err error) error {
	failure := asFailure(err)
	if failure.Step == "" {
		failure.Step = step
	}
	return failure
}

// asFailure finds the StepFailure in what an activity call returned, or makes one from what Temporal says.
func asFailure(err error) *contract.StepFailure {
	failure := contract.AsFailure(err)
	if failure != nil {
		return failure
	}
	var application *temporal.ApplicationError
	if errors.As(err, &application) {
		decoded := &contract.StepFailure{}
		if application.HasDetails() && application.Details(decoded) == nil && decoded.Class != "" {
			return decoded
		}
		return contract.Fail(contract.Internal, "%s", application.Message())
	}
	if temporal.IsCanceledError(err) {
		return contract.Fail(contract.Cancelled, "the run was cancelled")
	}
	var timeout *temporal.TimeoutError
	if errors.As(err, &timeout) {
		failure := contract.Fail(contract.Unavailable, "no answer in time (%s timeout): the worker may have stopped while it ran the step", timeout.TimeoutType())
		var last string
		if timeout.HasLastHeartbeatDetails() && timeout.LastHeartbeatDetails(&last) == nil {
			failure.Cause += fmt.Sprintf("; the last that was heard of it: %s", last)
		}
		failure.Hint = "see the worker's log, then apply again"
		return failure
	}
	return contract.Fail(contract.Internal, "%v", err)
}

// failed turns a failure into the one typed error that a workflow ends with. A cancelled run ends as cancelled, so that
// Temporal shows it as such.
func failed(err error) error {
	failure := asFailure(err)
	if failure.Class == contract.Cancelled {
		return temporal.NewCanceledError(*failure)
	}
	return temporal.NewApplicationErrorWithOptions(failure.Error(), string(failure.Class), temporal.ApplicationErrorOptions{
		NonRetryable: true, Details: []any{*failure},
	})
}
