package engine

import (
	"context"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"golang.org/x/sync/errgroup"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// Remove removes everything that bears the service's labels, whichever version or run made it, and looks again to prove that
// nothing is left. Volumes stay unless the call says otherwise. What is gone already is success.
func (e *Engine) Remove(ctx context.Context, call contract.StackCall, progress Progress) (contract.Removed, error) {
	var removed contract.Removed
	if _, err := e.check(ctx, call.Stack.EngineID); err != nil {
		return removed, err
	}
	r := call.Stack.Ref
	owned, err := e.owned(ctx, r)
	if err != nil {
		return removed, err
	}
	// Before anything is gone: half a service is of no use to those that have joined its network.
	if err := e.checkOthers(ctx, r); err != nil {
		return removed, err
	}
	for _, wave := range waves(owned, call.Stack.Components) {
		if err := e.removeContainers(ctx, wave, progress); err != nil {
			return removed, err
		}
	}
	for _, s := range owned {
		removed.Containers = append(removed.Containers, nameOf(s))
	}
	slices.Sort(removed.Containers)
	if removed.Networks, err = e.removeNetworks(ctx, r, progress); err != nil {
		return removed, err
	}
	volumes, err := e.volumes(ctx, r)
	if err != nil {
		return removed, err
	}
	for _, v := range volumes {
		if !call.DeleteVolumes {
			removed.KeptVolumes = append(removed.KeptVolumes, v.Name)
			continue
		}
		progress.tell("removing volume %s", v.Name)
		if err := e.removeVolume(ctx, v.Name); err != nil {
			return removed, err
		}
		removed.Volumes = append(removed.Volumes, v.Name)
	}
	slices.Sort(removed.Volumes)
	slices.Sort(removed.KeptVolumes)
	progress.tell("removing images")
	all := func(image.Summary) bool { return true }
	if removed.Images, removed.KeptImages, err = e.removeImages(ctx, r, all); err != nil {
		return removed, err
	}
	if err := e.proveImagesGone(ctx, r, len(removed.KeptImages)); err != nil {
		return removed, err
	}
	return removed, e.proveGone(ctx, r, call.DeleteVolumes)
}

// removeContainers stops all at the same time: each may take its whole stop timeout.
func (e *Engine) removeContainers(ctx context.Context, owned []container.Summary, progress Progress) error {
	group, groupCtx := errgroup.WithContext(ctx)
	for _, s := range owned {
		group.Go(func() error {
			return progress.during(groupCtx, "stopping and removing container "+nameOf(s), func() error {
				return e.stopAndRemove(groupCtx, s)
			})
		})
	}
	return group.Wait()
}

// networks lists r's networks.
func (e *Engine) networks(ctx context.Context, r contract.Ref) ([]network.Summary, error) {
	list, err := e.api.NetworkList(ctx, network.ListOptions{Filters: ownedBy(r)})
	if err != nil {
		return nil, e.fail(ctx, err, "list the networks of %s", r.ID())
	}
	return list, nil
}

// checkOthers looks for containers of others on r's networks.
func (e *Engine) checkOthers(ctx context.Context, r contract.Ref) error {
	list, err := e.networks(ctx, r)
	if err != nil {
		return err
	}
	for _, n := range list {
		// A list does not tell who is on a network.
		found, err := e.api.NetworkInspect(ctx, n.ID, network.InspectOptions{})
		if errdefs.IsNotFound(err) {
			continue
		}
		if err != nil {
			return e.fail(ctx, err, "look for network %s", n.Name)
		}
		if err := e.checkGuests(ctx, r, &found); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) removeNetworks(ctx context.Context, r contract.Ref, progress Progress) ([]string, error) {
	list, err := e.networks(ctx, r)
	if err != nil {
		return nil, err
	}
	var removed []string
	for _, n := range list {
		progress.tell("removing network %s", n.Name)
		if err := e.removeNetwork(ctx, r, n.ID); err != nil {
			return removed, err
		}
		removed = append(removed, n.Name)
	}
	slices.Sort(removed)
	return removed, nil
}

// removeNetwork removes a network that only somebody else's containers can still be on; those are named.
func (e *Engine) removeNetwork(ctx context.Context, r contract.Ref, id string) error {
	found, err := e.api.NetworkInspect(ctx, id, network.InspectOptions{})
	if errdefs.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return e.fail(ctx, err, "look for network %s", id)
	}
	if err := e.checkGuests(ctx, r, &found); err != nil {
		return err
	}
	err = e.api.NetworkRemove(ctx, found.ID)
	if err != nil && errdefs.IsPermissionDenied(err) && len(found.Containers) == 0 {
		return miscounted(found.Name, err)
	}
	if err != nil && !errdefs.IsNotFound(err) {
		return e.fail(ctx, err, "remove network %s", found.Name)
	}
	e.log.Info("removed network", "network", found.Name)
	return nil
}

// miscounted is the failure to remove a network that nobody is on: engines up to 28 can lose count of its endpoints
// (https://github.com/moby/moby/issues/42119), and count anew when they start. It is worth a retry, because somebody may have been leaving.
func miscounted(name string, err error) error {
	return contract.Fail(contract.Unavailable, "remove network %s: %s, although no container is on it", name, oneLine(err)).Next("the Docker Engine has lost count of the network's endpoints: restart the Docker daemon, which counts them anew, and destroy again")
}

// proveGone lists once more: a create whose answer was lost may have left something after the first look.
func (e *Engine) proveGone(ctx context.Context, r contract.Ref, volumesToo bool) error {
	var left []string
	owned, err := e.owned(ctx, r)
	if err != nil {
		return err
	}
	for _, s := range owned {
		left = append(left, "container "+nameOf(s))
	}
	networks, err := e.networks(ctx, r)
	if err != nil {
		return err
	}
	for _, n := range networks {
		left = append(left, "network "+n.Name)
	}
	if volumesToo {
		volumes, err := e.volumes(ctx, r)
		if err != nil {
			return err
		}
		for _, v := range volumes {
			left = append(left, "volume "+v.Name)
		}
	}
	if len(left) > 0 {
		return contract.Fail(contract.Unavailable, "still on the Docker Engine: %s", strings.Join(left, ", "))
	}
	return nil
}
