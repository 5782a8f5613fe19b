package engine

import (
	"cmp"
	"context"
	"maps"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/volume"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// ownVolumes are the names of the volumes that orch makes for a component.
func ownVolumes(r contract.Ref, c contract.Component) []string {
	var names []string
	for _, v := range c.Volumes {
		if !v.External {
			names = append(names, v.Name)
		}
	}
	if len(c.Secrets) > 0 {
		names = append(names, r.SecretsVolume(c.Name))
	}
	return names
}

// volume returns the volume of that name, or nil.
func (e *Engine) volume(ctx context.Context, name string) (*volume.Volume, error) {
	found, err := e.api.VolumeInspect(ctx, name)
	switch {
	case err == nil:
		return &found, nil
	case errdefs.IsNotFound(err):
		return nil, nil
	default:
		return nil, e.fail(ctx, err, "look for volume %s", name)
	}
}

// checkVolumes finds out, without making any, whether the component's volumes can be used.
func (e *Engine) checkVolumes(ctx context.Context, r contract.Ref, c contract.Component) error {
	for _, name := range ownVolumes(r, c) {
		found, err := e.volume(ctx, name)
		if err != nil {
			return err
		}
		if found != nil && !r.Owns(found.Labels) {
			return notOwned("volume", name, "driver "+found.Driver, found.Labels)
		}
	}
	return e.checkExternal(ctx, c)
}

// checkExternal looks for the user's volumes: the engine would make a missing one without a word, and nobody would own it.
func (e *Engine) checkExternal(ctx context.Context, c contract.Component) error {
	for _, v := range c.Volumes {
		if !v.External {
			continue
		}
		found, err := e.volume(ctx, v.Name)
		if err != nil {
			return err
		}
		if found == nil {
			return contract.Fail(contract.NotFound, "volume %q does not exist on the Docker Engine", v.Name).On(cmp.Or(v.Attribute, attribute(c, "volume"))).Next("%s", "make it with `docker volume create "+v.Name+"`, or leave the attribute out to have one made")
		}
	}
	return nil
}

// ensureVolumes makes the component's own volumes. Creating an existing volume succeeds and keeps its first labels, so the
// owner is checked on what comes back.
func (e *Engine) ensureVolumes(ctx context.Context, r contract.Ref, c contract.Component, runID string) error {
	if err := e.checkExternal(ctx, c); err != nil {
		return err
	}
	labels := r.Labels()
	labels[contract.LabelComponent] = c.Name
	labels[contract.LabelRunID] = runID
	for _, name := range ownVolumes(r, c) {
		made, err := e.api.VolumeCreate(ctx, volume.CreateOptions{Name: name, Labels: maps.Clone(labels)})
		if err != nil {
			return e.fail(ctx, err, "create volume %s", name)
		}
		if !r.Owns(made.Labels) {
			return notOwned("volume", name, "driver "+made.Driver, made.Labels)
		}
	}
	return nil
}

// volumes lists r's volumes.
func (e *Engine) volumes(ctx context.Context, r contract.Ref) ([]*volume.Volume, error) {
	list, err := e.api.VolumeList(ctx, volume.ListOptions{Filters: ownedBy(r)})
	if err != nil {
		return nil, e.fail(ctx, err, "list the volumes of %s", r.ID())
	}
	return list.Volumes, nil
}

// removeVolume removes a volume; a container of somebody else that uses it is named.
func (e *Engine) removeVolume(ctx context.Context, name string) error {
	err := e.api.VolumeRemove(ctx, name, false)
	if err == nil || errdefs.IsNotFound(err) {
		return nil
	}
	if !errdefs.IsConflict(err) {
		return e.fail(ctx, err, "remove volume %s", name)
	}
	users, listErr := e.named(ctx, filters.NewArgs(filters.Arg("volume", name)))
	if listErr != nil {
		return listErr
	}
	if users == "" {
		return contract.Fail(contract.Unavailable, "volume %s is still in use: %s", name, oneLine(err))
	}
	return contract.Fail(contract.Conflict, "volume %s is used by %s", name, users).Next("remove what uses it, then destroy again; or set delete_volumes = false to keep it")
}
