package activities

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud/render"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
)

const (
	// renderDeployWait is how long one attempt waits for a deploy; it is shorter than an attempt of the activity, whose end
	// could not say what was being waited for.
	renderDeployWait = 14 * time.Minute
	// renderLogLines is how many lines of the build and of the application a failure quotes.
	renderLogLines = 20
)

// Release implements Platform. The deploy that a creation has started counts, and so does one that an interrupted attempt has
// started: whatever is newer than the variables carries them.
func (p renderPlatform) Release(ctx context.Context, call contract.DeploymentCall, progress engine.Progress) (contract.Deployed, error) {
	deployed := call.Deployed
	c, err := p.client()
	if err != nil {
		return deployed, err
	}
	found, err := p.must(ctx, c, call)
	if err != nil {
		return deployed, err
	}
	deploy, err := p.start(ctx, c, call, found, progress)
	if err != nil {
		return deployed, err
	}
	if !call.NoWait {
		if deploy, err = waitForDeploy(ctx, c, found, deploy, progress); err != nil {
			return deployed, err
		}
	}
	deployed.Release, deployed.PlatformRelease = call.Deployment.Release, deploy.ID
	deployed.Image, deployed.Commit = deployedImage(deploy), deploy.CommitID()
	return deployed, nil
}

func deployedImage(d render.Deploy) string {
	if d.Image == nil {
		return ""
	}
	if d.Image.SHA != "" && !strings.Contains(d.Image.Ref, "@") {
		return d.Image.Ref + "@" + d.Image.SHA
	}
	return d.Image.Ref
}

// start finds the deploy that carries what is wanted, or starts one.
func (p renderPlatform) start(ctx context.Context, c *render.Client, call contract.DeploymentCall, found *renderFound, progress engine.Progress) (render.Deploy, error) {
	id := found.service.ID
	if found.service.Suspended == "suspended" {
		progress("resuming %s", id)
		if err := c.Resume(ctx, id); err != nil && !cloud.IsAmbiguous(err) {
			return render.Deploy{}, err
		}
	}
	deploys, err := c.Deploys(ctx, id)
	if err != nil {
		return render.Deploy{}, err
	}
	if deploy := carrying(call, found.mark, deploys); deploy != nil {
		return *deploy, nil
	}
	newest := ""
	if len(deploys) > 0 {
		newest = deploys[0].ID
	}
	progress("deploying %s", id)
	started, err := c.StartDeploy(ctx, id, call.Deployed.Commit)
	if started != nil {
		return *started, nil
	}
	if err != nil && !cloud.IsAmbiguous(err) && !cloud.IsStatus(err, http.StatusConflict) {
		return render.Deploy{}, renderRefused(err)
	}
	// Queued, or the answer was lost: it shows in the list.
	return newer(ctx, c, id, newest, err)
}

// carrying is the newest deploy that has what is wanted and has not failed; nil is none.
func carrying(call contract.DeploymentCall, mark renderMark, deploys []render.Deploy) *render.Deploy {
	for i, d := range deploys {
		if !mark.carries(deploys, i) {
			continue
		}
		if d.Phase() != render.Live && d.Phase() != render.Running {
			continue
		}
		if commit := call.Deployed.Commit; commit != "" && d.CommitID() != commit {
			continue
		}
		if image := call.Deployment.Image; image != "" && !sameImage(d.ImageRef(), image) {
			continue
		}
		return &d
	}
	return nil
}

// sameImage compares references, of which Render may complete a short one.
func sameImage(is, should string) bool { return completed(is) == completed(should) }

// completed is a reference with what Docker takes for granted.
func completed(image string) string {
	if image == "" {
		return ""
	}
	host, _, found := strings.Cut(image, "/")
	switch {
	case !found:
		image = "docker.io/library/" + image
	case !strings.ContainsAny(host, ".:") && host != "localhost":
		image = "docker.io/" + image
	}
	if name := image[strings.LastIndex(image, "/"):]; !strings.ContainsAny(name, ":@") {
		image += ":latest"
	}
	return image
}

// newer waits until a deploy is listed that is newer than the given one. refused is why there may be none.
func newer(ctx context.Context, c *render.Client, id, newest string, refused error) (render.Deploy, error) {
	var deploy render.Deploy
	seen, err := poll(ctx, renderSettle, func() (bool, error) {
		deploys, err := c.Deploys(ctx, id)
		if err != nil || len(deploys) == 0 || deploys[0].ID == newest {
			return false, err
		}
		deploy = deploys[0]
		return true, nil
	})
	switch {
	case err != nil || seen:
		return deploy, err
	case refused != nil:
		return deploy, refused
	}
	return deploy, contract.Fail(contract.Unavailable, "Render has queued a deploy of %s and does not list it after %s", id, renderSettle)
}

// waitForDeploy waits until a deploy is live. One that a newer one has replaced has been live, or did not matter any more.
func waitForDeploy(ctx context.Context, c *render.Client, found *renderFound, deploy render.Deploy, progress engine.Progress) (render.Deploy, error) {
	id := deploy.ID
	done, err := poll(ctx, renderDeployWait, func() (bool, error) {
		progress("deploy %s is %s", id, deploy.Status)
		var err error
		deploy, err = c.Deploy(ctx, found.service.ID, id)
		return err == nil && deploy.Phase() != render.Running, err
	})
	switch {
	case err != nil:
		return deploy, err
	case !done:
		return deploy, contract.Fail(contract.Unavailable, "deploy %s is still %s after %s", id, deploy.Status, renderDeployWait).With(renderEvidence(ctx, c, found, deploy)).Next("%s", "see "+found.service.DashboardURL)
	case deploy.Phase() == render.Failed:
		failure := contract.Fail(contract.Unhealthy, "deploy %s of service %s ended as %s", id, found.service.Name, deploy.Status).With(renderEvidence(ctx, c, found, deploy)).Next("%s", "see "+found.service.DashboardURL)
		if deploy.Status == "canceled" {
			failure.Class, failure.Cause = contract.Conflict, failure.Cause+": somebody cancelled it, or started a newer one"
		}
		return deploy, failure
	}
	return deploy, nil
}

// renderEvidence is what Render has kept of a deploy: the last lines of its build and of the application, without secrets.
// Logs that cannot be read are no reason to hide the failure.
func renderEvidence(ctx context.Context, c *render.Client, found *renderFound, deploy render.Deploy) *contract.Evidence {
	evidence := &contract.Evidence{Container: "deploy " + deploy.ID, State: deploy.Status}
	for _, kind := range []string{"build", "app"} {
		if lines, err := c.Logs(ctx, found.service.OwnerID, found.service.ID, kind, renderLogLines); err == nil {
			evidence.Logs = append(evidence.Logs, lines...)
		}
	}
	values := found.mark.values(found.vars)
	for i, line := range evidence.Logs {
		evidence.Logs[i] = contract.Mask(line, values...)
	}
	return evidence
}

// Locate implements Platform.
func (p renderPlatform) Locate(ctx context.Context, call contract.DeploymentCall, _ engine.Progress) (contract.Deployed, error) {
	deployed := call.Deployed
	c, err := p.client()
	if err != nil {
		return deployed, err
	}
	service, err := c.Service(ctx, deployed.IDs[renderService])
	if err != nil {
		return deployed, err
	}
	if service == nil {
		return deployed, renderGone(call)
	}
	deployed.URL = renderURL(call, *service)
	return deployed, nil
}

func renderURL(call contract.DeploymentCall, s render.Service) string {
	if call.Deployment.PublicURL != "" {
		return call.Deployment.PublicURL
	}
	return strings.TrimSuffix(s.ServiceDetails.URL, "/")
}

// Check implements Platform: a deploy is live only when Render's own checks have passed, so there is nothing to wait for.
func (p renderPlatform) Check(_ context.Context, call contract.DeploymentCall, _ engine.Progress) (contract.Deployed, error) {
	return call.Deployed, nil
}

// Evidence implements witness.
func (p renderPlatform) Evidence(ctx context.Context, call contract.DeploymentCall) *contract.Evidence {
	c, err := p.client()
	if err != nil {
		return nil
	}
	found, err := p.must(ctx, c, call)
	if err != nil {
		return nil
	}
	return renderEvidence(ctx, c, found, render.Deploy{ID: call.Deployed.PlatformRelease, Status: "live"})
}
