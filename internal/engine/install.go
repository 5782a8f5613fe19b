package engine

import (
	"context"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// install makes the component's container and puts it in the place of its predecessor, which may be nil. The new one is
// complete, files and secrets included, before the old one is stopped, and gets its final name last: a container of that
// name always has everything. A predecessor is kept as replaced, unless an older one is there already: that was the last
// one known to work, and the predecessor is the failed attempt in between. With a handover the old one is stopped last.
func (j *job) install(ctx context.Context, predecessor *container.InspectResponse, replaced *container.Summary) error {
	if j.c.Reload != nil {
		if err := j.validate(ctx); err != nil {
			return err
		}
	}
	beside, at, err := j.handsOver(ctx, predecessor, replaced)
	if err != nil {
		return err
	}
	if !beside {
		at = places(j.call.Ref, j.c)
	}
	id, err := j.create(ctx, at)
	if err != nil {
		return err
	}
	if err := j.join(ctx, id, at[1:]); err != nil {
		return err
	}
	if err := j.inject(ctx, id, j.c); err != nil {
		return err
	}
	if err := j.settleSecrets(ctx, id, predecessor); err != nil {
		return err
	}
	if beside {
		return j.handover(ctx, id, predecessor, replaced)
	}
	var stopped time.Time
	switch {
	case predecessor != nil:
		if runs(predecessor) {
			stopped = time.Now()
		}
		if err := j.setAside(ctx, predecessor.ID, replaced != nil); err != nil {
			return err
		}
	case replaced != nil:
		// A Restore that was interrupted has started it, so it holds the ports.
		if err := j.halt(ctx, replaced.ID); err != nil {
			return err
		}
	}
	if err := j.rename(ctx, j.call.Ref, id, j.c.Container); err != nil {
		return err
	}
	if err := j.start(ctx, id); err != nil {
		return err
	}
	if !stopped.IsZero() {
		j.gap = time.Since(stopped)
		j.log.Info("replaced container", "container", j.c.Container, "gap", j.gap.Round(time.Millisecond))
	}
	return j.rotateLate(ctx, id)
}

// create makes the container under its incoming name, at the first of its places.
func (j *job) create(ctx context.Context, at []place) (string, error) {
	name := j.c.Container + contract.IncomingSuffix
	j.progress.tell("creating container %s", j.c.Container)
	made, err := j.api.ContainerCreate(ctx, containerConfig(j.call), hostConfig(j.call.Ref, j.c), networkingConfig(at[0]), nil, name)
	switch {
	case err == nil:
		j.log.Info("created container", "container", j.c.Container, "image", j.c.Image)
		return made.ID, nil
	case errdefs.IsConflict(err):
		return "", j.nameTaken(ctx, j.call.Ref, name, err)
	default:
		return "", j.createFailure(ctx, err)
	}
}

// setAside stops the predecessor and takes its name away; where an older one is kept already, it is removed.
func (j *job) setAside(ctx context.Context, predecessor string, superseded bool) error {
	if err := j.halt(ctx, predecessor); err != nil {
		return err
	}
	if superseded {
		return j.remove(ctx, predecessor, j.c.Container)
	}
	return j.rename(ctx, j.call.Ref, predecessor, j.c.Container+contract.ReplacedSuffix)
}
