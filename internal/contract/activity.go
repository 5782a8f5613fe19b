package contract

import "context"

// Activity is the wire name of an activity, with the types of its argument and its result. The workflow that runs it and the
// worker that implements it both use the handle, so that they cannot disagree.
type Activity[In, Out any] struct{ Name string }

// Effect is an Activity without a result.
type Effect[In any] struct{ Name string }

// Implementation is a function for an activity, as a worker registers it.
type Implementation struct {
	Name     string
	Function any
}

// By is f as the implementation of the activity.
func (a Activity[In, Out]) By(f func(ctx context.Context, arg In) (Out, error)) Implementation {
	return Implementation{a.Name, f}
}

// By is f as the implementation of the activity.
func (a Effect[In]) By(f func(ctx context.Context, arg In) error) Implementation {
	return Implementation{a.Name, f}
}

// Activities of the stack family. Their names are verbs that promise idempotence.
var (
	PrepareStack     = Activity[StackCall, Prepared]{"PrepareStack"}
	EnsureComponent  = Activity[ComponentCall, ComponentState]{"EnsureComponent"}
	RestoreComponent = Activity[ComponentCall, Undone]{"RestoreComponent"}
	CommitStack      = Effect[StackCall]{"CommitStack"}
	RollbackStack    = Activity[StackCall, Undone]{"RollbackStack"}
	InspectStack     = Activity[StackCall, Observed]{"InspectStack"}
	RemoveStack      = Activity[StackCall, Removed]{"RemoveStack"}
	VerifyStack      = Activity[StackCall, []Proof]{"VerifyStack"}
	EnsureGrafana    = Effect[GrafanaCall]{"EnsureGrafana"}
	InspectGrafana   = Activity[GrafanaCall, GrafanaState]{"InspectGrafana"}
	RemoveGrafana    = Activity[GrafanaCall, Undone]{"RemoveGrafana"}
	BuildImage       = Effect[ComponentCall]{"BuildImage"}
	VerifyCloudflare = Effect[CloudflareCall]{"VerifyCloudflare"}
)

// StackCall is the argument of activities that are about the whole stack. RunID is the Temporal run on whose behalf it is
// made: objects created carry it, and a rollback removes only those.
type StackCall struct {
	Stack     Stack     `json:"stack"`
	Operation Operation `json:"operation,omitempty"`
	RunID     string    `json:"run_id"`
	// DeleteVolumes is for RemoveStack, and for InspectStack, which counts volumes as found when they would be removed.
	DeleteVolumes bool `json:"delete_volumes,omitempty"`
}

// ComponentCall is the argument of activities that are about one component.
type ComponentCall struct {
	Ref        Ref       `json:"ref"`
	EngineID   string    `json:"engine_id,omitempty"`
	PullPolicy string    `json:"pull_policy,omitempty"`
	Component  Component `json:"component"`
	RunID      string    `json:"run_id"`
	// Secrets are the write-only values of this component by Secret.Name.
	Secrets map[string]string `json:"secrets,omitempty"`
}

// Prepared is the result of PrepareStack.
type Prepared struct {
	// EngineID is the engine that the stack is being made on.
	EngineID string `json:"engine_id"`
	// Adopted is set when every component was there already with the same input.
	Adopted *Adoption `json:"adopted,omitempty"`
	// Continues is set when a create found a part of the same service: an apply was killed before it was done.
	Continues bool `json:"continues,omitempty"`
}

// Undone is the result of RestoreComponent and RollbackStack: what was taken back, a phrase each.
type Undone struct {
	Done []string `json:"done,omitempty"`
}

// GrafanaState is the result of InspectGrafana.
type GrafanaState struct {
	// Drift says in words what is not as it should be: missing or changed objects.
	Drift []string `json:"drift,omitempty"`
}

// GrafanaCall is the argument of the Grafana activities.
type GrafanaCall struct {
	EngineID string         `json:"engine_id,omitempty"`
	Objects  GrafanaObjects `json:"objects"`
}

// CloudflareCall is the argument of VerifyCloudflare.
type CloudflareCall struct {
	EngineID string          `json:"engine_id,omitempty"`
	Check    CloudflareCheck `json:"check"`
	// Secret is the token that the request gave; empty lets the worker resolve Check.Token.
	Secret string `json:"secret,omitempty"`
}
