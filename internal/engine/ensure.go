package engine

import (
	"context"
	"slices"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// patience is how long a component that runs already is waited for before it is restarted: it may have been started by
// somebody a moment ago, or it may hang.
const patience = 10 * time.Second

// job is one Ensure at work.
type job struct {
	*Engine
	call     contract.ComponentCall
	c        contract.Component
	progress Progress
	image    image.InspectResponse
	network  *network.Inspect
	// masked are the values that no log line may show.
	masked []string
	// late are rotations that wait for the new container, since there was no old one to tell.
	late []rotation
	// gap is how long nobody served while the container was replaced.
	gap time.Duration
}

// Ensure makes one component run as configured, and returns when it is ready. What is right already is left alone, what can
// be put right is, and anything else is made anew; the container that was replaced is kept, stopped, until Commit or Restore.
func (e *Engine) Ensure(ctx context.Context, call contract.ComponentCall, progress Progress) (contract.ComponentState, error) {
	var none contract.ComponentState
	if _, err := e.check(ctx, call.EngineID); err != nil {
		return none, err
	}
	j := &job{Engine: e, call: call, c: call.Component, progress: progress}
	for _, value := range call.Secrets {
		j.masked = append(j.masked, value)
	}
	err := checkOptions(j.c)
	if err != nil {
		return none, err
	}
	if j.image, err = e.ensureImage(ctx, j.c, call.PullPolicy, progress); err != nil {
		return none, err
	}
	if err = checkHealthcheck(j.c, j.image); err != nil {
		return none, err
	}
	if j.network, err = e.ensureNetwork(ctx, call.Ref, call.RunID); err != nil {
		return none, err
	}
	if err = e.joinable(ctx, call.Ref, j.c); err != nil {
		return none, err
	}
	if err = e.ensureVolumes(ctx, call.Ref, j.c, call.RunID); err != nil {
		return none, err
	}
	if err = j.converge(ctx); err != nil {
		return none, err
	}
	return j.state(ctx)
}

// converge decides between making, repairing and replacing, after clearing away what an interrupted run has left.
func (j *job) converge(ctx context.Context) error {
	owned, err := j.owned(ctx, j.call.Ref)
	if err != nil {
		return err
	}
	at := locate(owned, j.call.Ref, j.c.Name)
	if at, err = j.settleHandover(ctx, at); err != nil {
		return err
	}
	if at.current, err = j.adoptStray(ctx, at); err != nil {
		return err
	}
	if at.current == nil {
		return j.install(ctx, nil, at.replaced)
	}
	got, err := j.inspect(ctx, at.current.ID)
	if err != nil {
		return err
	}
	if got == nil {
		return j.install(ctx, nil, at.replaced)
	}
	d, err := j.drift(ctx, j.expected(), got)
	if err != nil {
		return err
	}
	findings := d.findings
	if needs(findings, remedyReplace) {
		for _, f := range findings {
			j.log.Info("replacing container", "container", j.c.Container, "because", f.text)
		}
		return j.install(ctx, got, at.replaced)
	}
	return j.repair(ctx, got, findings)
}

func (j *job) expected() expected {
	return expected{ref: j.call.Ref, component: j.c, image: &j.image, network: j.network}
}

func needs(findings []finding, r remedy) bool {
	return slices.ContainsFunc(findings, func(f finding) bool { return f.remedy == r })
}

// adoptStray gives a renamed container its name back, the newest where there are several. The others would hold its ports
// and volumes, so they go.
func (j *job) adoptStray(ctx context.Context, at siblings) (*container.Summary, error) {
	strays := slices.Clone(at.strays)
	slices.SortFunc(strays, func(a, b container.Summary) int { return int(b.Created - a.Created) })
	current := at.current
	for i := range strays {
		if current == nil {
			if err := j.rename(ctx, j.call.Ref, strays[i].ID, j.c.Container); err != nil {
				return nil, err
			}
			j.progress.tell("renamed container %s back to %s", nameOf(strays[i]), j.c.Container)
			current = &strays[i]
			continue
		}
		if err := j.stopAndRemove(ctx, strays[i]); err != nil {
			return nil, err
		}
	}
	return current, nil
}

// repair puts right, in place, what does not need another container.
func (j *job) repair(ctx context.Context, got *container.InspectResponse, findings []finding) error {
	for _, f := range findings {
		j.progress.tell("%s: repairing: %s", j.c.Name, f.text)
		j.log.Info("repairing container", "container", j.c.Container, "because", f.text)
	}
	if got.State.Paused {
		if err := j.api.ContainerUnpause(ctx, got.ID); err != nil {
			return j.fail(ctx, err, "unpause container %s", j.c.Container)
		}
	}
	running := got.State.Running && !got.State.Restarting
	// A process has read its files when it started, so it starts again over files that are right.
	if got.State.Restarting || (running && needs(findings, remedyFiles)) {
		if err := j.halt(ctx, got.ID); err != nil {
			return err
		}
		running = false
	}
	if !running {
		if err := j.refill(ctx, got.ID, findings); err != nil {
			return err
		}
	}
	if needs(findings, remedyReconnect) {
		if err := j.reconnect(ctx, j.call.Ref, j.c, got); err != nil {
			return err
		}
	}
	if err := j.settleSecrets(ctx, got.ID, nil); err != nil {
		return err
	}
	wake := j.wake
	if running {
		wake = func(ctx context.Context, id string) error {
			if err := j.refresh(ctx, got, findings); err != nil {
				return err
			}
			return j.revive(ctx, id)
		}
	}
	if err := wake(ctx, got.ID); err != nil {
		return err
	}
	return j.rotateLate(ctx, got.ID)
}

// refill gives a container that does not run its files, also one that was only created: they may not have arrived.
func (j *job) refill(ctx context.Context, id string, findings []finding) error {
	if j.c.Reload != nil && needs(findings, remedyLive) {
		if err := j.pushLive(ctx, id); err != nil {
			return err
		}
	}
	return j.inject(ctx, id, j.c)
}

// wake starts a container that does not run.
func (j *job) wake(ctx context.Context, id string) error {
	if err := j.start(ctx, id); err != nil || j.c.Reload == nil {
		return err
	}
	return j.taken(ctx, id)
}

// refresh brings changed live files to the running process.
func (j *job) refresh(ctx context.Context, got *container.InspectResponse, findings []finding) error {
	if j.c.Reload == nil {
		if needs(findings, remedyLive) {
			return j.injectLive(ctx, got.ID, j.c)
		}
		return nil
	}
	wanted, err := j.reloads(ctx, got.ID, findings)
	if err != nil || !wanted {
		return err
	}
	return j.reload(ctx, got)
}

// revive waits for a component that runs, and restarts it once when it does not answer.
func (j *job) revive(ctx context.Context, id string) error {
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	w, err := j.watch(watching, id)
	if err != nil {
		return err
	}
	err = j.ready(ctx, id, w, min(patience, probeTimeout(j.c)))
	if failure := contract.AsFailure(err); failure == nil || failure.Class != contract.Unhealthy {
		return err
	}
	j.progress.tell("%s does not answer, restarting it", j.c.Name)
	j.log.Info("restarting container", "container", j.c.Container, "because", err)
	if err := j.halt(ctx, id); err != nil {
		return err
	}
	return j.start(ctx, id)
}

// halt stops the component's container, and reports that it is waited for.
func (j *job) halt(ctx context.Context, id string) error {
	return j.progress.during(ctx, "stopping container "+j.c.Container, func() error { return j.stop(ctx, id, j.c.Container) })
}

// state is what the component looks like now that it is ready.
func (j *job) state(ctx context.Context) (contract.ComponentState, error) {
	got, err := j.inspect(ctx, j.c.Container)
	if err != nil {
		return contract.ComponentState{}, err
	}
	if got == nil {
		return contract.ComponentState{}, contract.Fail(contract.Unavailable, "container %s was removed while it was being made", j.c.Container)
	}
	return contract.ComponentState{
		Name: j.c.Name, Container: j.c.Container, Image: j.c.Image, Digest: digestOf(j.image, j.c.Image),
		State: got.State.Status, Health: contract.HealthReady, GapMS: j.gap.Milliseconds(),
	}, nil
}
