package contract

import (
	"encoding/json"
	"time"
)

// Operation is what a workflow is started for. It stands in the memo, so that a second start can tell whether the run in
// flight is its own.
type Operation string

// Operations of a service.
const (
	// OpConverge is a start from outside Terraform, by any Temporal client: make it so, whatever is there.
	OpConverge Operation = ""
	// OpCreate adopts what exists with the same input and refuses what exists with another.
	OpCreate Operation = "create"
	// OpUpdate makes what exists equal to the input.
	OpUpdate Operation = "update"
	// OpDelete removes.
	OpDelete Operation = "delete"
	// OpStatus looks and changes nothing.
	OpStatus Operation = "status"
)

// Request is the one argument of setup, cleanup and status workflows. All but ServiceName may be left out, so that a
// start with {"service_name": "x"} from any Temporal client works.
type Request struct {
	ServiceName string    `json:"service_name"`
	Scope       string    `json:"scope,omitempty"`
	Operation   Operation `json:"operation,omitempty"`
	// EngineID is the engine that the service is known to live on; another engine's worker refuses.
	EngineID string `json:"engine_id,omitempty"`
	// Client is the program that made the request and its version, for example "terraform-provider-orch/1.2.0": a worker that
	// does not know an attribute says which version does. It is no part of the digest.
	Client string `json:"client,omitempty"`
	// Input is the kind's input as written in HCL: what was not written is absent.
	Input json.RawMessage `json:"input,omitempty"`
	// Prior is the input that an update replaces: what it put elsewhere, and Input no longer does, is taken back.
	Prior json.RawMessage `json:"prior,omitempty"`
	// Secrets are write-only values by "<component>/<secret>". They travel encrypted or not at all.
	Secrets map[string]string `json:"secrets,omitempty"`
	// Verify says whether canaries are written and read back: null means yes in a setup and no in a status.
	Verify *bool `json:"verify,omitempty"`
	// OnFailure is OnFailureRollback (also when empty) or OnFailureKeep.
	OnFailure string `json:"on_failure,omitempty"`
	// DeleteVolumes lets a cleanup remove the service's volumes, data and secrets included. A status counts them as found then.
	DeleteVolumes bool `json:"delete_volumes,omitempty"`

	// AppSecrets are the write-only secrets of a deployed application, by name. They travel like Secrets.
	AppSecrets map[string]string `json:"app_secrets,omitempty"`
	// Access is how the worker reaches the platforms of a deployment, by platform.
	Access map[string]Access `json:"access,omitempty"`
	// Known is what state tells of a deployment.
	Known *Deployed `json:"known,omitempty"`
	// DeleteRepository lets a cleanup delete the deployment's Git repository, if orch has created it.
	DeleteRepository bool `json:"delete_repository,omitempty"`
	// Adopt lets a create take over what exists on a platform and is not orch's.
	Adopt bool `json:"adopt,omitempty"`
	// NoWait ends a deployment's setup as soon as the platform has accepted the release.
	NoWait bool `json:"no_wait,omitempty"`
}

// What a failed setup does with what it made.
const (
	OnFailureRollback = "rollback"
	OnFailureKeep     = "keep"
)

// What an interrupted apply does with its workflow.
const (
	OnInterruptCancel = "cancel"
	OnInterruptDetach = "detach"
)

// UnmarshalJSON also takes what the old trigger scripts sent: a plain string is the service's name. A name that is no string
// is kept as one that cannot be valid, so that it is refused with the rule, like any other bad name.
func (r *Request) UnmarshalJSON(data []byte) error {
	var name string
	if json.Unmarshal(data, &name) == nil {
		*r = Request{ServiceName: name}
		return nil
	}
	type plain Request
	given := struct {
		*plain
		ServiceName json.RawMessage `json:"service_name"`
	}{plain: (*plain)(r)}
	if err := json.Unmarshal(data, &given); err != nil {
		return err
	}
	if raw := given.ServiceName; len(raw) > 0 && json.Unmarshal(raw, &r.ServiceName) != nil {
		r.ServiceName = string(raw) + " (not a string)"
	}
	return nil
}

// Ref is the service that the request is about.
func (r Request) Ref(kind Kind) Ref { return NewRef(kind, r.Scope, r.ServiceName) }

// SecretsOf are the values given for a component's secrets, by Secret.Name.
func (r Request) SecretsOf(c Component) map[string]string {
	var secrets map[string]string
	for _, s := range c.Secrets {
		if value, ok := r.Secrets[c.Name+"/"+s.Name]; ok {
			if secrets == nil {
				secrets = map[string]string{}
			}
			secrets[s.Name] = value
		}
	}
	return secrets
}

// Digest identifies what is asked for: operation, input and options, but no secret value. Two starts of one ID with the
// same digest are the same wish. Input is compared as JSON, so white space and key order do not count.
func (r Request) Digest() string {
	var input any
	if len(r.Input) > 0 {
		// A Request is only made from marshalled structs or decoded payloads, both valid JSON; anything else keeps its bytes.
		if err := json.Unmarshal(r.Input, &input); err != nil {
			input = string(r.Input)
		}
	}
	return digest(struct {
		Service, Scope string
		Operation      Operation
		Input          any
		OnFailure      string
		DeleteVolumes  bool
		Verify         *bool
	}{r.ServiceName, r.Scope, r.Operation, input, r.OnFailure, r.DeleteVolumes, r.Verify})
}

// Memo keys of a run. Values are strings, encoded by the client's data converter.
const (
	MemoOperation = "orch.operation"
	MemoDigest    = "orch.input-digest"
)

// Status of a service as the resource shows it.
const (
	StatusReady      = "ready"
	StatusDegraded   = "degraded"
	StatusInProgress = "in_progress"
)

// Health of a component: it answers its probe, or it does not.
const (
	HealthReady    = "ready"
	HealthNotReady = "not_ready"
)

// Result is what a setup workflow returns.
type Result struct {
	// Message is the kind's own closing sentence, for example "Logs pipeline fully configured".
	Message    string           `json:"message"`
	EngineID   string           `json:"engine_id"`
	Components []ComponentState `json:"components"`
	// Verification are the canaries that came out, in the order of the stack; empty when none were asked for.
	Verification []Proof `json:"verification,omitempty"`
	// Adopted is set when everything was there already, made by an earlier run with the same input.
	Adopted *Adoption `json:"adopted,omitempty"`
	// Deployed is what a deployment has made; nil for other families.
	Deployed *Deployed `json:"deployed,omitempty"`
}

// Adoption tells which run made what a create found in place.
type Adoption struct {
	RunID   string    `json:"run_id"`
	Created time.Time `json:"created"`
}

// ComponentState is a component as it was found on the engine.
type ComponentState struct {
	Name      string `json:"name"`
	Container string `json:"container"`
	Image     string `json:"image"`
	// Digest is the image's repository digest, or its ID when it was never pulled.
	Digest string `json:"digest"`
	// State is Docker's word ("running", "exited", "paused", "created", …) or "missing".
	State string `json:"state"`
	// Health is HealthReady or HealthNotReady.
	Health string `json:"health"`
	// GapMS is how long the component did not serve because this setup replaced its container: the time from the stop of the old
	// one until the new one was ready, in milliseconds. It is 0 when nothing was replaced, and after a handover.
	GapMS int64 `json:"gap_ms,omitempty"`
	// Drift says in words what is not as configured; empty means nothing.
	Drift []string `json:"drift,omitempty"`
}

// StateMissing is the State of a component that has no container.
const StateMissing = "missing"

// Observed is what a status workflow returns.
type Observed struct {
	EngineID string `json:"engine_id"`
	// Found is false when nothing of the service is on the engine that a destroy would remove: no container, no network, and no
	// volume either where the request says that they are deleted with the service.
	Found      bool             `json:"found"`
	Components []ComponentState `json:"components"`
	// Input is the service's input as written, put together from the labels.
	Input json.RawMessage `json:"input,omitempty"`
	// Grafana says what is not as it should be in a Grafana that is not the service's own.
	Grafana []string `json:"grafana,omitempty"`
	// Verification are the canaries that came out, when the status was asked for them.
	Verification []Proof `json:"verification,omitempty"`
	// Deployed is a deployment as it is on its platform; nil for other families.
	Deployed *Deployed `json:"deployed,omitempty"`
	// Drift are findings outside of components and Grafana, each with the instance, variable or object that it is about.
	Drift []Finding `json:"drift,omitempty"`
}

// Finding is something that is not as configured.
type Finding struct {
	// About is what it concerns, for example "machine 2" or "secrets".
	About string `json:"about"`
	What  string `json:"what"`
}

// Drifted lists what is not as configured, one sentence a finding, each beginning with its component's name.
func (o Observed) Drifted() []string {
	var out []string
	for _, c := range o.Components {
		for _, d := range c.Drift {
			out = append(out, c.Name+": "+d)
		}
	}
	for _, d := range o.Grafana {
		out = append(out, "grafana: "+d)
	}
	for _, d := range o.Drift {
		out = append(out, d.About+": "+d.What)
	}
	return out
}

// Removed is what a cleanup workflow returns.
type Removed struct {
	Message    string   `json:"message"`
	Containers []string `json:"containers"`
	Networks   []string `json:"networks"`
	Volumes    []string `json:"volumes"`
	// KeptVolumes are the service's volumes that stay because their deletion was not asked for.
	KeptVolumes []string `json:"kept_volumes,omitempty"`
	// Images are the tags of images that orch had built for the service. KeptImages are those that stay because somebody else's
	// container uses them, a phrase each.
	Images     []string `json:"images,omitempty"`
	KeptImages []string `json:"kept_images,omitempty"`
	// Objects are what was removed from a platform, a phrase each.
	Objects []string `json:"objects,omitempty"`
}
