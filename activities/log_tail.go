package activities

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/ingest"
)

// LogEngine is what the log tails need of a Docker Engine.
type LogEngine interface {
	ingest.Docker
	// EngineID is the engine's identity.
	EngineID(ctx context.Context) (string, error)
	// CheckEngine fails when id names another engine than this one.
	CheckEngine(ctx context.Context, id string) error
}

// LogTails are the activities of the stdout ingest. The tail itself is one activity that goes on for hours, in a workflow of
// its own; the others set it up and look after it.
type LogTails struct {
	Engine LogEngine
	// Secrets resolves the headers that are references.
	Secrets Secrets
	// DataDir is where configurations and checkpoints are kept.
	DataDir string
	Logger  *slog.Logger
	// Turn is how long one TailLogs goes on before it asks to be run again, which keeps the histories of workflows short.
	Turn time.Duration
}

// DefaultTurn is the Turn of the bundled worker.
const DefaultTurn = 12 * time.Hour

func (t *LogTails) store(i contract.Ingest) ingest.Store { return ingest.NewStore(t.DataDir, i.Ref) }

func (t *LogTails) secrets() ingest.Secrets {
	return ingest.Secrets{Resolve: t.Secrets.Resolve, Mask: contract.Mask}
}

// storing explains what the worker's data directory does not let happen.
func storing(err error) error {
	if err == nil {
		return nil
	}
	return contract.Fail(contract.Unavailable, "the worker's data directory cannot be used: %v", err).Next("let the worker's user write there, or set XDG_DATA_HOME for the worker")
}

// PrepareLogTail checks what can be checked before anything is begun, and finds out whether the ingest is there already.
func (t *LogTails) PrepareLogTail(ctx context.Context, call contract.TailCall) (contract.Prepared, error) {
	return beating(ctx, func(ctx context.Context, _ engine.Progress) (contract.Prepared, error) {
		id, err := t.engineID(ctx, call.Ingest)
		if err != nil {
			return contract.Prepared{}, err
		}
		prepared := contract.Prepared{EngineID: id}
		found, err := t.store(call.Ingest).Config()
		if err != nil {
			return prepared, storing(err)
		}
		if _, _, err := t.secrets().Headers(call.Ingest); err != nil {
			return prepared, err
		}
		if err := t.store(call.Ingest).Make(); err != nil {
			return prepared, storing(err)
		}
		if found == nil || call.Operation != contract.OpCreate {
			return prepared, nil
		}
		if string(found.Ingest.Input) != string(call.Ingest.Input) {
			return prepared, contract.Fail(contract.Conflict, "%s exists already, with another configuration", call.Ingest.Ref.ID()).On("service_name").Next("%s", "import it: terraform import orch_stdout_ingest.NAME "+call.Ingest.Ref.Service)
		}
		prepared.Adopted = &contract.Adoption{RunID: found.RunID, Created: found.Created}
		return prepared, nil
	})
}

// engineID is the identity of the worker's Docker Engine. An ingest of files alone does without one.
func (t *LogTails) engineID(ctx context.Context, i contract.Ingest) (string, error) {
	if err := t.Engine.CheckEngine(ctx, i.EngineID); err != nil && (i.EngineID != "" || i.Containers != nil) {
		return "", err
	}
	id, err := t.Engine.EngineID(ctx)
	if err != nil && i.Containers != nil {
		return "", err
	}
	return id, nil
}

// DiscoverLogFiles lists the files that fit.
func (t *LogTails) DiscoverLogFiles(ctx context.Context, call contract.TailCall) (contract.Discovered, error) {
	return beating(ctx, func(context.Context, engine.Progress) (contract.Discovered, error) {
		found, err := ingest.Files(call.Ingest.Files)
		if err != nil {
			return found, err
		}
		found.Host, err = os.Hostname()
		return found, err
	})
}

// DiscoverContainerLogs lists the containers that fit.
func (t *LogTails) DiscoverContainerLogs(ctx context.Context, call contract.TailCall) (contract.Discovered, error) {
	return beating(ctx, func(ctx context.Context, _ engine.Progress) (contract.Discovered, error) {
		if call.Ingest.Containers == nil {
			return contract.Discovered{}, nil
		}
		found, err := ingest.Containers(ctx, t.Engine, call.Ingest.Containers)
		if err != nil {
			return found, err
		}
		found.EngineID, err = t.Engine.EngineID(ctx)
		return found, err
	})
}

// StartLogTail leaves the configuration for the tail and starts it, or tells the one that runs to go on with it.
func (t *LogTails) StartLogTail(ctx context.Context, call contract.TailCall) error {
	_, err := beating(ctx, func(ctx context.Context, _ engine.Progress) (struct{}, error) {
		store := t.store(call.Ingest)
		config := ingest.Config{Ingest: call.Ingest, RunID: call.RunID, Created: time.Now().UTC()}
		if err := errors.Join(store.Make(), store.SetConfig(config)); err != nil {
			return struct{}{}, storing(err)
		}
		return struct{}{}, t.start(ctx, call.Ingest)
	})
	return err
}

func (t *LogTails) start(ctx context.Context, i contract.Ingest) error {
	kind, temporal, id, queue := contract.StdoutIngest, activity.GetClient(ctx), i.Ref.TailID(), activity.GetInfo(ctx).TaskQueue
	on, open, err := running(ctx, id)
	if err != nil {
		return err
	}
	if open && on != queue {
		// A workflow stays on its queue, where perhaps nobody polls any more. The checkpoint is on this host, and the lock keeps
		// the two apart.
		if err := temporal.TerminateWorkflow(ctx, id, "", "the ingest has moved to task queue "+queue); err != nil && !isNotFound(err) {
			return contract.Fail(contract.Unavailable, "the workflow %s cannot be ended: %v", id, err)
		}
	}
	arg := contract.TailCall{Ingest: i}
	_, err = temporal.SignalWithStartWorkflow(ctx, id, contract.SignalConfigure, arg, client.StartWorkflowOptions{
		TaskQueue: queue, StaticSummary: "follows and ships the logs of " + i.Ref.Service,
	}, kind.TailWorkflow(), arg)
	if err != nil {
		return contract.Fail(contract.Unavailable, "the workflow %s cannot be started: %v", id, err)
	}
	return nil
}

// CheckLogTail says what the tail says of itself. It fails with Unavailable until a tail works with the configuration.
func (t *LogTails) CheckLogTail(ctx context.Context, call contract.TailCall) (contract.TailStatus, error) {
	return beating(ctx, func(context.Context, engine.Progress) (contract.TailStatus, error) {
		status, err := t.store(call.Ingest).Status()
		if err != nil {
			return contract.TailStatus{}, storing(err)
		}
		if idle := whyIdle(status, call.Ingest); idle != "" {
			return contract.TailStatus{}, contract.Fail(contract.Unavailable, "the tail does not work: %s", idle).Next("%s", "see the worker's log, and the workflow "+call.Ingest.Ref.TailID())
		}
		return *status, nil
	})
}

// fresh is how old a status of a tail that works may be.
const fresh = 15 * time.Second

// whyIdle says, by what a tail has said last, why it does not work with a configuration; it is empty when it does.
func whyIdle(status *contract.TailStatus, i contract.Ingest) string {
	switch {
	case status == nil:
		return "it has not begun"
	case status.Digest == "" && time.Since(status.At) < fresh:
		return status.LastError
	case time.Since(status.At) > fresh:
		return fmt.Sprintf("it has said nothing since %s", status.At.Format(time.RFC3339))
	case status.Digest != i.Digest():
		return "it works with another configuration"
	default:
		return ""
	}
}

// InspectLogTail tells what is there and changes nothing.
func (t *LogTails) InspectLogTail(ctx context.Context, call contract.TailCall) (contract.TailObserved, error) {
	return beating(ctx, func(ctx context.Context, _ engine.Progress) (contract.TailObserved, error) {
		var seen contract.TailObserved
		var err error
		if seen.EngineID, err = t.engineID(ctx, call.Ingest); err != nil {
			return seen, err
		}
		store := t.store(call.Ingest)
		config, err := store.Config()
		if err != nil {
			return seen, storing(err)
		}
		if config != nil {
			seen.Found, seen.Config, seen.RunID, seen.Created = true, &config.Ingest, config.RunID, config.Created
		}
		if _, seen.Open, err = running(ctx, call.Ingest.Ref.TailID()); err != nil {
			return seen, err
		}
		if config == nil || !seen.Open {
			seen.Status, err = store.Status()
			return seen, storing(err)
		}
		seen.Status, seen.Idle, err = outcome(ctx, store, config.Ingest, recovery)
		return seen, err
	})
}

// recovery is how long a tail may need to work again after its worker was killed: until its heartbeat is missed, and until it is
// tried again.
const recovery = 30 * time.Second

// outcome reads what a tail says of itself, and why it does not work when it has not begun to within the time that it may need.
func outcome(ctx context.Context, store ingest.Store, i contract.Ingest, limit time.Duration) (status *contract.TailStatus, idle string, err error) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); ; {
		if status, err = store.Status(); err != nil {
			return nil, "", storing(err)
		}
		if idle = whyIdle(status, i); idle == "" || time.Since(began) > limit {
			return status, idle, nil
		}
		select {
		case <-ctx.Done():
			return nil, "", ctx.Err()
		case <-tick.C:
		}
	}
}

// running reports whether a run of a workflow is open, and on which task queue.
func running(ctx context.Context, id string) (queue string, open bool, err error) {
	described, err := activity.GetClient(ctx).DescribeWorkflowExecution(ctx, id, "")
	if isNotFound(err) {
		return "", false, nil
	}
	if err != nil {
		return "", false, contract.Fail(contract.Unavailable, "the workflow %s cannot be looked at: %v", id, err)
	}
	open = described.GetWorkflowExecutionInfo().GetStatus() == enums.WORKFLOW_EXECUTION_STATUS_RUNNING
	return described.GetExecutionConfig().GetTaskQueue().GetName(), open, nil
}

func isNotFound(err error) bool {
	var notFound *serviceerror.NotFound
	return errors.As(err, &notFound)
}

// RestoreLogTail undoes what a failed run did to the tail: it goes on as before, or is removed.
func (t *LogTails) RestoreLogTail(ctx context.Context, call contract.TailCall) (contract.Undone, error) {
	return beating(ctx, func(ctx context.Context, _ engine.Progress) (contract.Undone, error) {
		store := t.store(call.Ingest)
		config, err := store.Config()
		if err != nil {
			return contract.Undone{}, storing(err)
		}
		if call.Prior != nil {
			if config != nil && config.RunID != call.RunID {
				return contract.Undone{}, nil // the run had not come to it
			}
			if err := store.SetConfig(ingest.Config{Ingest: *call.Prior, RunID: call.RunID, Created: time.Now().UTC()}); err != nil {
				return contract.Undone{}, storing(err)
			}
			return contract.Undone{Done: []string{"the tail goes on as before"}}, t.start(ctx, *call.Prior)
		}
		if config != nil && config.RunID != call.RunID {
			return contract.Undone{}, nil
		}
		if err := t.remove(ctx, call.Ingest); err != nil {
			return contract.Undone{}, err
		}
		return contract.Undone{Done: []string{"removed " + call.Ingest.Ref.TailID()}}, nil
	})
}

// RemoveLogTail ends the tail and forgets what it has read.
func (t *LogTails) RemoveLogTail(ctx context.Context, call contract.TailCall) (contract.Removed, error) {
	return beating(ctx, func(ctx context.Context, _ engine.Progress) (contract.Removed, error) {
		if call.Ingest.EngineID != "" {
			if err := t.Engine.CheckEngine(ctx, call.Ingest.EngineID); err != nil {
				return contract.Removed{}, err
			}
		}
		return contract.Removed{}, t.remove(ctx, call.Ingest)
	})
}

// remove waits for the end of the tail before it removes its directory, and proves that both are gone.
func (t *LogTails) remove(ctx context.Context, i contract.Ingest) error {
	id := i.Ref.TailID()
	if err := activity.GetClient(ctx).CancelWorkflow(ctx, id, ""); err != nil && !isNotFound(err) {
		return contract.Fail(contract.Unavailable, "the workflow %s cannot be cancelled: %v", id, err)
	}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		_, open, err := running(ctx, id)
		if err != nil {
			return err
		}
		if !open {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	store := t.store(i)
	release, err := store.Lock(ctx)
	if err != nil {
		return storing(err)
	}
	return storing(errors.Join(store.Remove(), release()))
}
