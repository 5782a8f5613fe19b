package engine

import (
	"context"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// install makes the component's container and puts it in the place of its predecessor, which may be nil. The new one is
// complete, files and secrets included, before the old one is stopped, and gets its final name last: a container of that
// name always has everything. A predecessor is kept as replaced, unless an older one is there already: that was the last
// one known to work, and the predecessor is the failed attempt in between.
func (j *job) install(ctx context.Context, predecessor *container.InspectResponse, replaced *container.Summary) error {
	id, err := j.create(ctx)
	if err != nil {
		return err
	}
	if err := j.join(ctx, id); err != nil {
		return err
	}
	if err := j.inject(ctx, id, j.c); err != nil {
		return err
	}
	if err := j.settleSecrets(ctx, id, predecessor); err != nil {
		return err
	}
	switch {
	case predecessor != nil:
		if err := j.putAside(ctx, predecessor, replaced); err != nil {
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
	return j.rotateLate(ctx, id)
}

// create makes the container under its incoming name.
func (j *job) create(ctx context.Context) (string, error) {
	name := j.c.Container + contract.IncomingSuffix
	j.progress.tell("creating container %s", j.c.Container)
	made, err := j.api.ContainerCreate(ctx, containerConfig(j.call), hostConfig(j.call.Ref, j.c), networkingConfig(j.call.Ref, j.c), nil, name)
	switch {
	case err == nil:
		j.log.Info("created container", "container", j.c.Container, "image", j.c.Image)
		return made.ID, nil
	case errdefs.IsConflict(err):
		return "", j.nameTaken(ctx, j.call.Ref, name, err)
	default:
		return "", j.fail(ctx, err, "create container %s", j.c.Container)
	}
}

// putAside stops the predecessor and takes its name away.
func (j *job) putAside(ctx context.Context, predecessor *container.InspectResponse, replaced *container.Summary) error {
	if err := j.halt(ctx, predecessor.ID); err != nil {
		return err
	}
	if replaced != nil {
		return j.remove(ctx, predecessor.ID, j.c.Container)
	}
	return j.rename(ctx, j.call.Ref, predecessor.ID, j.c.Container+contract.ReplacedSuffix)
}
