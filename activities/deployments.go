package activities

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
)

// Platform carries out the steps of a deployment on one cloud platform. Each call is idempotent: it finds out for itself what
// an earlier attempt has done, by a name or a mark that follows from the call, and looks again after an ambiguous failure.
// A step returns what the deployment consists of after it, which the next one is given as call.Deployed; it starts from
// call.Deployed and adds to it. Errors are a *contract.StepFailure, or what a cloud client returned.
type Platform interface {
	// Prepare looks before anything is changed: whether the token is good, what exists under the name, whose it is, and what
	// release there is to go back to. It changes nothing. A create over somebody else's object is NotOwned, unless call.Adopt.
	Prepare(ctx context.Context, call contract.DeploymentCall, progress engine.Progress) (contract.DeploymentPrepared, error)
	// Create makes sure of the app, project or service, without anything running in it where the platform can do that. Where it
	// cannot, call.AppSecrets are all the application's secrets by name, resolved, so that what runs has them from the start.
	Create(ctx context.Context, call contract.DeploymentCall, progress engine.Progress) (contract.Deployed, error)
	// Configure sets addresses, variables and secrets. secrets are all the application's secrets by name, resolved.
	Configure(ctx context.Context, call contract.DeploymentCall, secrets map[string]string, progress engine.Progress) (contract.Deployed, error)
	// Push brings the code to where the platform builds it from. Platforms without such a step name none in
	// Deployment.Steps, and are never asked.
	Push(ctx context.Context, call contract.DeploymentCall, progress engine.Progress) (contract.Deployed, error)
	// Release deploys, and waits until the platform calls it done, unless call.NoWait.
	Release(ctx context.Context, call contract.DeploymentCall, progress engine.Progress) (contract.Deployed, error)
	// Locate finds out where the application answers.
	Locate(ctx context.Context, call contract.DeploymentCall, progress engine.Progress) (contract.Deployed, error)
	// Check waits until the platform's own checks pass; the HTTP check of the URL follows by itself. The failure of either
	// has the last lines of the build's or the application's log as evidence, where the platform gives them.
	Check(ctx context.Context, call contract.DeploymentCall, progress engine.Progress) (contract.Deployed, error)
	// Rollback goes back to call.Before.LastGood; where there is none and call.Before says that nothing was there, it removes
	// what the run has made. It is called once after a failure of any step, and with what was not done as well.
	Rollback(ctx context.Context, call contract.DeploymentCall, progress engine.Progress) (contract.Undone, error)
	// Inspect compares what is there with what should be. A call without a release (Deployment.Release) is asked by an
	// import: what is there is told, with the input that it was made from.
	Inspect(ctx context.Context, call contract.DeploymentCall, progress engine.Progress) (contract.Observed, error)
	// Remove removes everything and waits until it is gone. What is gone already is success; what is provably not the
	// deployment's (another id than call.Known says) is NotOwned.
	Remove(ctx context.Context, call contract.DeploymentCall, progress engine.Progress) (contract.Removed, error)
}

// committer is a Platform that removes what a release has replaced only when all is good. Without a check step it has done so in
// Release.
type committer interface {
	Commit(ctx context.Context, call contract.DeploymentCall) error
}

// Connect gives a Platform its clients. api is called for each platform that a call needs, by name ("flyio", "github"); the
// token is resolved then, and a failure to do so is a *contract.StepFailure.
type Connect func(api API) Platform

// API finds out how to reach a platform.
type API func(platform string) (Endpoint, error)

// Endpoint is a platform's API with the token to it.
type Endpoint struct {
	// BaseURL is without a trailing slash; empty is the platform's own.
	BaseURL string
	Token   string
	// Governor is shared by all calls of this process with this token.
	Governor *cloud.Governor
}

// witness is implemented by platforms that keep what an application prints.
type witness interface {
	// Evidence is what the platform tells of an application that does not answer, without secrets; nil when it tells nothing.
	Evidence(ctx context.Context, call contract.DeploymentCall) *contract.Evidence
}

// platforms are the implementations by Kind.Short.
func platforms() map[string]Connect {
	return map[string]Connect{
		contract.FlyioDeployment.Short:   newFlyio,
		contract.RailwayDeployment.Short: newRailway,
		contract.RenderDeployment.Short:  newRender,
	}
}

// tokenVariables are where the worker finds a token that nobody refers to: the variables of the platforms' own tools.
var tokenVariables = map[string]string{
	"flyio": "FLY_API_TOKEN", "railway": "RAILWAY_API_TOKEN", "render": "RENDER_API_KEY", "github": "GITHUB_TOKEN",
}

// BaseURLVariable is the variable of the worker's environment that changes a platform's base URL for everything that names
// none, for example ORCH_FLYIO_API_URL. Gateways and the doubles of tests stand in that way.
func BaseURLVariable(platform string) string { return "ORCH_" + strings.ToUpper(platform) + "_API_URL" }

// Deployments are the activities of the deployment family. Its exported methods but Governors are registered under their own
// names, which are the Activity constants of the contract.
type Deployments struct {
	Secrets Secrets
	// Rates are shared by all workers of the process.
	Rates *cloud.Governors
}

// PrepareDeployment looks at what is there before anything is changed.
func (d *Deployments) PrepareDeployment(ctx context.Context, call contract.DeploymentCall) (contract.DeploymentPrepared, error) {
	return forward(ctx, d, call, Platform.Prepare)
}

// CreateDeployment makes sure of the app, project or service.
func (d *Deployments) CreateDeployment(ctx context.Context, call contract.DeploymentCall) (contract.Deployed, error) {
	return onPlatform(ctx, d, call, func(ctx context.Context, p Platform, progress engine.Progress) (contract.Deployed, error) {
		// A secret that cannot be resolved must fail before anything is made.
		secrets, err := d.appSecrets(call)
		if err != nil {
			return contract.Deployed{}, err
		}
		call.AppSecrets = secrets
		deployed, err := p.Create(ctx, call, progress)
		return deployed, masked(err, slices.Collect(maps.Values(secrets)))
	})
}

// ConfigureDeployment sets addresses, variables and secrets.
func (d *Deployments) ConfigureDeployment(ctx context.Context, call contract.DeploymentCall) (contract.Deployed, error) {
	return onPlatform(ctx, d, call, func(ctx context.Context, p Platform, progress engine.Progress) (contract.Deployed, error) {
		secrets, err := d.appSecrets(call)
		if err != nil {
			return contract.Deployed{}, err
		}
		deployed, err := p.Configure(ctx, call, secrets, progress)
		return deployed, masked(err, slices.Collect(maps.Values(secrets)))
	})
}

// PushDeployment brings the code to where the platform builds it from.
func (d *Deployments) PushDeployment(ctx context.Context, call contract.DeploymentCall) (contract.Deployed, error) {
	return forward(ctx, d, call, Platform.Push)
}

// ReleaseDeployment deploys.
func (d *Deployments) ReleaseDeployment(ctx context.Context, call contract.DeploymentCall) (contract.Deployed, error) {
	return forward(ctx, d, call, Platform.Release)
}

// LocateDeployment finds out where the application answers.
func (d *Deployments) LocateDeployment(ctx context.Context, call contract.DeploymentCall) (contract.Deployed, error) {
	return forward(ctx, d, call, Platform.Locate)
}

// CheckDeployment waits until the platform's checks pass and the application answers at its URL.
func (d *Deployments) CheckDeployment(ctx context.Context, call contract.DeploymentCall) (contract.Deployed, error) {
	return onPlatform(ctx, d, call, func(ctx context.Context, p Platform, progress engine.Progress) (contract.Deployed, error) {
		deployed, err := p.Check(ctx, call, progress)
		if err != nil {
			return deployed, err
		}
		if err := answers(ctx, deployed.URL, call.Deployment.Health, progress); err != nil {
			failure := asStepFailure(err)
			if w, ok := p.(witness); ok && failure != nil && failure.Evidence == nil {
				failure.Evidence = w.Evidence(ctx, call)
			}
			return deployed, err
		}
		if c, ok := p.(committer); ok {
			return deployed, c.Commit(ctx, call)
		}
		return deployed, nil
	})
}

// RollbackDeployment goes back to the last good release, or removes what the run has made.
func (d *Deployments) RollbackDeployment(ctx context.Context, call contract.DeploymentCall) (contract.Undone, error) {
	return forward(ctx, d, call, Platform.Rollback)
}

// InspectDeployment compares what is there with what should be, and changes nothing.
func (d *Deployments) InspectDeployment(ctx context.Context, call contract.DeploymentCall) (contract.Observed, error) {
	return forward(ctx, d, call, Platform.Inspect)
}

// RemoveDeployment removes everything and proves that it is gone.
func (d *Deployments) RemoveDeployment(ctx context.Context, call contract.DeploymentCall) (contract.Removed, error) {
	return forward(ctx, d, call, Platform.Remove)
}

// forward runs a step that is the platform's alone.
func forward[Out any](ctx context.Context, d *Deployments, call contract.DeploymentCall, step func(Platform, context.Context, contract.DeploymentCall, engine.Progress) (Out, error)) (Out, error) {
	return onPlatform(ctx, d, call, func(ctx context.Context, p Platform, progress engine.Progress) (Out, error) {
		return step(p, ctx, call, progress)
	})
}

// onPlatform runs a step on the call's platform with a heartbeat. No secret that came with the call, and no token, is in its
// failure.
func onPlatform[Out any](ctx context.Context, d *Deployments, call contract.DeploymentCall, work func(context.Context, Platform, engine.Progress) (Out, error)) (Out, error) {
	return beating(ctx, func(ctx context.Context, progress engine.Progress) (Out, error) {
		hidden := slices.Collect(maps.Values(call.Secrets))
		connect, ok := platforms()[call.Deployment.Ref.Kind]
		if !ok {
			var none Out
			return none, contract.Fail(contract.Internal, "this worker does not know the platform %q; it is of another version", call.Deployment.Ref.Kind)
		}
		out, err := work(ctx, connect(func(platform string) (Endpoint, error) {
			endpoint, err := d.endpoint(call, platform)
			hidden = append(hidden, endpoint.Token)
			return endpoint, err
		}), progress)
		return out, masked(err, hidden)
	})
}

// endpoint is how a platform is reached on behalf of a call.
func (d *Deployments) endpoint(call contract.DeploymentCall, platform string) (Endpoint, error) {
	access := call.Access[platform]
	endpoint := Endpoint{BaseURL: strings.TrimSuffix(access.BaseURL, "/"), Token: call.Secrets[contract.TokenSecret(platform)]}
	if endpoint.BaseURL == "" {
		endpoint.BaseURL = strings.TrimSuffix(os.Getenv(BaseURLVariable(platform)), "/")
	}
	if endpoint.Token == "" {
		source := contract.SecretSource{Env: tokenVariables[platform]}
		if access.Token != nil {
			source = *access.Token
		}
		var err error
		if endpoint.Token, err = d.Secrets.Resolve(source); err != nil {
			attribute := platform + "_token"
			if platform == call.Deployment.Ref.Kind {
				attribute = "token" // the deployment's own platform's; others are named after theirs
			}
			return Endpoint{}, blame(err, attribute)
		}
	}
	// A line break at the end, which a shell or an editor adds, would make a header that cannot be sent.
	endpoint.Token = strings.TrimSpace(endpoint.Token)
	endpoint.Governor = d.Rates.For(platform, endpoint.Token)
	return endpoint, nil
}

// blame names the attribute that a secret comes from, where the failure does not.
func blame(err error, attribute string) error {
	failure := contract.AsFailure(err)
	if failure != nil && failure.Attribute == "" {
		failure.Attribute = attribute
	}
	return err
}

// appSecrets are the application's secrets by name: those of the request, and the references, resolved. A variable has one value,
// so each name stands in one place.
func (d *Deployments) appSecrets(call contract.DeploymentCall) (map[string]string, error) {
	secrets := map[string]string{}
	maps.Copy(secrets, call.AppSecrets)
	for _, name := range slices.Sorted(maps.Keys(call.AppSecrets)) {
		_, plain := call.Deployment.Env[name]
		if _, referred := call.Deployment.Secrets[name]; plain || referred {
			return nil, contract.Fail(contract.InvalidInput, "%s is a write-only secret, and in env or secrets too; a variable has one value", name).On("secrets_wo")
		}
	}
	for name, source := range call.Deployment.Secrets {
		value, err := d.Secrets.Resolve(source)
		if err != nil {
			return nil, blame(err, "secrets."+name)
		}
		secrets[name] = value
	}
	return secrets, nil
}

// masked is err as a step's failure without any of the values.
func masked(err error, values []string) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	var failure *contract.StepFailure
	var call *cloud.Error
	switch {
	case errors.As(err, &failure):
	case errors.As(err, &call):
		failure = call.Failure()
	default:
		return err
	}
	copied := *failure
	copied.Cause = contract.Mask(copied.Cause, values...)
	if e := failure.Evidence; e != nil {
		evidence := *e
		evidence.Logs = slices.Clone(e.Logs)
		for i := range evidence.Logs {
			evidence.Logs[i] = contract.Mask(evidence.Logs[i], values...)
		}
		copied.Evidence = &evidence
	}
	return &copied
}
