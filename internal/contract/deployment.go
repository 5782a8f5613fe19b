package contract

import (
	"encoding/json"
	"time"
)

// Activities of the deployment family, in the order of the workflow. They are verbs that promise idempotence:
// each finds out for itself what an attempt before it has done.
var (
	PrepareDeployment   = Activity[DeploymentCall, DeploymentPrepared]{"PrepareDeployment"}
	CreateDeployment    = Activity[DeploymentCall, Deployed]{"CreateDeployment"}
	ConfigureDeployment = Activity[DeploymentCall, Deployed]{"ConfigureDeployment"}
	PushDeployment      = Activity[DeploymentCall, Deployed]{"PushDeployment"}
	ReleaseDeployment   = Activity[DeploymentCall, Deployed]{"ReleaseDeployment"}
	LocateDeployment    = Activity[DeploymentCall, Deployed]{"LocateDeployment"}
	CheckDeployment     = Activity[DeploymentCall, Deployed]{"CheckDeployment"}
	RollbackDeployment  = Activity[DeploymentCall, Undone]{"RollbackDeployment"}
	InspectDeployment   = Activity[DeploymentCall, Observed]{"InspectDeployment"}
	RemoveDeployment    = Activity[DeploymentCall, Removed]{"RemoveDeployment"}
)

// Deployment is an application on a cloud platform, as data. The catalog makes it from the input; activities make it real.
type Deployment struct {
	Ref Ref `json:"ref"`
	// Steps names the workflow's steps; an empty name leaves the step out.
	Steps DeploymentSteps `json:"steps"`
	// Release names what is deployed: equal releases are the same image, configuration and secret versions.
	Release string `json:"release"`
	// Image is the reference to run; empty where the platform builds from a repository.
	Image string            `json:"image,omitempty"`
	Env   map[string]string `json:"env,omitempty"`
	// Secrets are references that the worker resolves, by the variable's name. Write-only values come with the request.
	Secrets map[string]SecretSource `json:"secrets,omitempty"`
	// Health is what must answer before a release counts as good.
	Health HealthCheck `json:"health"`
	// PublicURL is where the application is reached when that is not where the platform puts it; without a trailing slash.
	PublicURL string `json:"public_url,omitempty"`
	// Config is the platform's configuration file as generated, and ConfigName what it is called, for example "fly.toml".
	Config     string `json:"config,omitempty"`
	ConfigName string `json:"config_name,omitempty"`
	// Input is the kind's input as written: platforms that can keep it report it, which is how import by name works.
	Input json.RawMessage `json:"input,omitempty"`

	// One of these is set: what only that platform knows.
	Flyio   *FlyioSpec   `json:"flyio,omitempty"`
	Railway *RailwaySpec `json:"railway,omitempty"`
	Render  *RenderSpec  `json:"render,omitempty"`
}

// DeploymentSteps are the names of a deployment's steps, for example "create_app".
type DeploymentSteps struct {
	Generate  string `json:"generate,omitempty"`
	Create    string `json:"create,omitempty"`
	Configure string `json:"configure,omitempty"`
	Push      string `json:"push,omitempty"`
	Release   string `json:"release,omitempty"`
	Locate    string `json:"locate,omitempty"`
	Check     string `json:"check,omitempty"`
}

// Names lists the steps that there are, in order.
func (s DeploymentSteps) Names() []string {
	var names []string
	for _, name := range []string{s.Generate, s.Create, s.Configure, s.Push, s.Release, s.Locate, s.Check} {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}

// HealthCheck is an HTTP GET that must be answered with 200 to 299.
type HealthCheck struct {
	// Path begins with a slash; empty checks nothing over HTTP.
	Path string `json:"path,omitempty"`
	// TimeoutSeconds is how long a release may take until the check passes.
	TimeoutSeconds int `json:"timeout_seconds,omitempty"`
	// IntervalSeconds lies between two checks of the platform, AttemptSeconds is how long an answer may take, and for
	// GraceSeconds after the start a failed check does not count.
	IntervalSeconds int `json:"interval_seconds,omitempty"`
	AttemptSeconds  int `json:"attempt_seconds,omitempty"`
	GraceSeconds    int `json:"grace_seconds,omitempty"`
}

// Timeout is TimeoutSeconds as a duration.
func (h HealthCheck) Timeout() time.Duration { return time.Duration(h.TimeoutSeconds) * time.Second }

// Access is how the worker reaches a platform's API.
type Access struct {
	// BaseURL without a trailing slash; empty is what the worker's environment says, else the platform's own.
	BaseURL string `json:"base_url,omitempty"`
	// Token is where the worker finds the token when the request gives none under TokenSecret; nil is the variable that the
	// platform's own tools read.
	Token *SecretSource `json:"token,omitempty"`
}

// TokenSecret is the key of a platform's token among a request's secrets, for example "flyio/token".
func TokenSecret(platform string) string { return platform + "/token" }

// DeploymentCall is the argument of the deployment activities.
type DeploymentCall struct {
	Deployment Deployment `json:"deployment"`
	Operation  Operation  `json:"operation,omitempty"`
	// RunID is the Temporal run on whose behalf the call is made.
	RunID string `json:"run_id"`
	// Access is how the platforms are reached, by platform, for example "flyio" and "github".
	Access map[string]Access `json:"access,omitempty"`
	// Secrets are the write-only tokens by TokenSecret, and AppSecrets the application's write-only secrets by name, which
	// CreateDeployment and ConfigureDeployment alone are told. They travel encrypted or not at all.
	Secrets    map[string]string `json:"secrets,omitempty"`
	AppSecrets map[string]string `json:"app_secrets,omitempty"`
	// Known is what Terraform's state tells of the deployment; nil when there is none.
	Known *Deployed `json:"known,omitempty"`
	// Adopt takes over what exists under the name and is not orch's.
	Adopt bool `json:"adopt,omitempty"`
	// DeleteRepository lets RemoveDeployment delete a repository that orch has created.
	DeleteRepository bool `json:"delete_repository,omitempty"`
	// NoWait returns as soon as the platform has accepted the release.
	NoWait bool `json:"no_wait,omitempty"`
	// Before is what PrepareDeployment found.
	Before DeploymentPrepared `json:"before,omitzero"`
	// Deployed is what the steps so far have made.
	Deployed Deployed `json:"deployed,omitzero"`
}

// DeploymentPrepared is the result of PrepareDeployment: what was there before the run changed anything. It stands in the
// history, so whatever is found later and was not there then is the run's own.
type DeploymentPrepared struct {
	// Found is set when the app or service exists.
	Found bool `json:"found"`
	// Deployed is what it consists of.
	Deployed Deployed `json:"deployed,omitzero"`
	// LastGood is the platform's note of the release to go back to; empty when there is none.
	LastGood json.RawMessage `json:"last_good,omitempty"`
	// Adopted is set when everything was there already with the same input.
	Adopted *Adoption `json:"adopted,omitempty"`
	// Continues is set when a create found what an interrupted one has left.
	Continues bool `json:"continues,omitempty"`
}

// Deployed is a deployment as it was made, or found, on its platform. It holds nothing that changes by itself.
type Deployed struct {
	// IDs are the platform's identifiers of all that belongs to the deployment, by what they identify, for example "app",
	// "service" or "address/v6".
	IDs map[string]string `json:"ids,omitempty"`
	// URL is where the application answers, without a trailing slash.
	URL string `json:"url,omitempty"`
	// Release is Deployment.Release of what runs; PlatformRelease the platform's own name of it, where it has one.
	Release         string `json:"release,omitempty"`
	PlatformRelease string `json:"platform_release,omitempty"`
	// Image is what runs, with its digest where the platform tells.
	Image string `json:"image,omitempty"`
	// Commit is the Git commit that was built; empty where an image is deployed.
	Commit string `json:"commit,omitempty"`
	// Secrets are the platform's digests of the application's secrets, or orch's own, by name. No value can be told from one.
	Secrets map[string]string `json:"secrets,omitempty"`
	// SecretsVersion is the platform's count of changes to the secrets, where it has one.
	SecretsVersion int64 `json:"secrets_version,omitempty"`
	// Settling is set while a release is under way that nobody waits for: what is not up yet is no drift then.
	Settling bool `json:"settling,omitempty"`
	// Instances are the machines or replicas, by a name that survives their replacement.
	Instances map[string]Instance `json:"instances,omitempty"`
}

// Instance is one machine or replica.
type Instance struct {
	ID     string `json:"id"`
	Region string `json:"region,omitempty"`
	// State is the platform's word, for example "started".
	State string `json:"state"`
	// Health is HealthReady or HealthNotReady.
	Health string `json:"health"`
}

// FlyioSpec is what a deployment on Fly.io consists of.
type FlyioSpec struct {
	Org    string `json:"org"`
	Region string `json:"region"`
	// Machines is how many there are.
	Machines int `json:"machines"`
	// Strategy is one of the Strategy constants.
	Strategy string `json:"strategy"`
	// Machine is the Machine's config: what Fly's own tool would make of Config, with orch's metadata.
	Machine json.RawMessage `json:"machine"`
}

// Ways to replace what runs.
const (
	// StrategyRolling replaces one machine after the other, and waits for each.
	StrategyRolling = "rolling"
	// StrategyImmediate replaces all and waits for none until all are told.
	StrategyImmediate = "immediate"
)

// Metadata of a Fly.io Machine: whose it is, what it was made from, which of the deployment's machines it is (from 1), which
// version of the secrets it was told, and which run made or updated it. The last three are not in FlyioSpec.Machine.
const (
	FlyioMetadataID      = "orch_id"      // Ref.ID
	FlyioMetadataRelease = "orch_release" // Deployment.Release
	FlyioMetadataInput   = "orch_input"   // Deployment.Input
	FlyioMetadataSlot    = "orch_slot"
	FlyioMetadataSecrets = "orch_secrets"
	FlyioMetadataRun     = "orch_run"
)
