package activities

import (
	"context"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
)

// Engine is what the Docker activities need of a Docker Engine. Each call is idempotent and returns a
// *contract.StepFailure on failure.
type Engine interface {
	Prepare(ctx context.Context, call contract.StackCall, progress engine.Progress) (contract.Prepared, error)
	// Build calls open for the build context, where it is not the URL of a Git repository: open is nil then.
	Build(ctx context.Context, call contract.ComponentCall, open engine.Source, progress engine.Progress) error
	Ensure(ctx context.Context, call contract.ComponentCall, progress engine.Progress) (contract.ComponentState, error)
	Restore(ctx context.Context, call contract.ComponentCall) (contract.Undone, error)
	Commit(ctx context.Context, call contract.StackCall) error
	Rollback(ctx context.Context, call contract.StackCall) (contract.Undone, error)
	Inspect(ctx context.Context, call contract.StackCall) (contract.Observed, error)
	Remove(ctx context.Context, call contract.StackCall, progress engine.Progress) (contract.Removed, error)

	// CheckEngine fails when id names another engine than this one.
	CheckEngine(ctx context.Context, id string) error
	// Address is the host:port at which a component's port answers; NotFound when the component has no container.
	Address(ctx context.Context, ref contract.Ref, component, port string) (string, error)
	// Secret is the value of a component's secret as it is stored; NotFound when there is none.
	Secret(ctx context.Context, ref contract.Ref, component, name string) (string, error)
	// Evidence is the state and the last log lines of a component, secrets masked.
	Evidence(ctx context.Context, ref contract.Ref, component string) (*contract.Evidence, error)
}

// Docker are the activities of the stack family; build.go has BuildImage, cloudflare.go VerifyCloudflare, canary.go VerifyStack, and grafana_objects.go and grafana_remove.go
// those about a Grafana that is not the stack's own. Its exported methods are registered under their own names, which are the
// Activity constants of the contract.
type Docker struct {
	Engine  Engine
	Secrets Secrets
}

// Secrets resolves references to variables and files of the worker's host. Errors are *contract.StepFailure.
type Secrets interface {
	Resolve(source contract.SecretSource) (string, error)
}

// PrepareStack checks everything that can be checked before anything is made, and makes the network.
func (d *Docker) PrepareStack(ctx context.Context, call contract.StackCall) (contract.Prepared, error) {
	return beating(ctx, func(ctx context.Context, progress engine.Progress) (contract.Prepared, error) {
		return d.Engine.Prepare(ctx, call, progress)
	})
}

// EnsureComponent makes one component run as configured and waits until it is ready.
func (d *Docker) EnsureComponent(ctx context.Context, call contract.ComponentCall) (contract.ComponentState, error) {
	return beating(ctx, func(ctx context.Context, progress engine.Progress) (contract.ComponentState, error) {
		return d.Engine.Ensure(ctx, call, progress)
	})
}

// RestoreComponent undoes what a run did to one component.
func (d *Docker) RestoreComponent(ctx context.Context, call contract.ComponentCall) (contract.Undone, error) {
	return beating(ctx, func(ctx context.Context, _ engine.Progress) (contract.Undone, error) {
		return d.Engine.Restore(ctx, call)
	})
}

// CommitStack removes what the run's components have replaced.
func (d *Docker) CommitStack(ctx context.Context, call contract.StackCall) error {
	_, err := beating(ctx, func(ctx context.Context, _ engine.Progress) (struct{}, error) {
		return struct{}{}, d.Engine.Commit(ctx, call)
	})
	return err
}

// RollbackStack undoes what a run did outside its components.
func (d *Docker) RollbackStack(ctx context.Context, call contract.StackCall) (contract.Undone, error) {
	return beating(ctx, func(ctx context.Context, _ engine.Progress) (contract.Undone, error) {
		return d.Engine.Rollback(ctx, call)
	})
}

// InspectStack compares what is there with what should be, and changes nothing.
func (d *Docker) InspectStack(ctx context.Context, call contract.StackCall) (contract.Observed, error) {
	return beating(ctx, func(ctx context.Context, _ engine.Progress) (contract.Observed, error) {
		return d.Engine.Inspect(ctx, call)
	})
}

// RemoveStack removes everything that carries the service's labels and proves that nothing is left.
func (d *Docker) RemoveStack(ctx context.Context, call contract.StackCall) (contract.Removed, error) {
	return beating(ctx, func(ctx context.Context, progress engine.Progress) (contract.Removed, error) {
		return d.Engine.Remove(ctx, call, progress)
	})
}
