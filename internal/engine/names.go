package engine

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// A container is found on its networks by its component's names. One that does not serve yet, or not any more, has the same
// names with a suffix, so that the engine itself remembers which ones to give it back.

// aside is the place under names with a suffix.
func (p place) aside(suffix string) place {
	aliases := make([]string, len(p.aliases))
	for i, alias := range p.aliases {
		aliases[i] = alias + suffix
	}
	p.aliases = aliases
	return p
}

// namesOf are a component's names among the aliases of an endpoint; what somebody else has added is left out.
func namesOf(r contract.Ref, component, suffix string, at *network.EndpointSettings) []string {
	var names []string
	for _, name := range []string{component, r.Alias(component)} {
		if slices.Contains(at.Aliases, name+suffix) {
			names = append(names, name)
		}
	}
	return names
}

// bears reports whether a container is found by its component's names with that suffix on any of its networks.
func (j *job) bears(suffix string, got *container.InspectResponse) bool {
	for _, at := range got.NetworkSettings.Networks {
		if at != nil && len(namesOf(j.call.Ref, j.c.Name, suffix, at)) > 0 {
			return true
		}
	}
	return false
}

// isAside reports whether a handover has taken a container's names away, on any of its networks.
func (j *job) isAside(got *container.InspectResponse) bool {
	return j.bears(contract.ReplacedSuffix, got) || j.bears(contract.IncomingSuffix, got)
}

// lostNames reports whether a handover has begun to take a container's names away; one that a killed worker has left off its
// network has lost them, too.
func (j *job) lostNames(got *container.InspectResponse) bool {
	return j.isAside(got) || got.NetworkSettings.Networks[j.c.Network] == nil
}

// takeAway takes a container's names away on all of its networks, to be given back under the suffix.
func (j *job) takeAway(ctx context.Context, id, suffix string) error {
	got, err := j.inspect(ctx, id)
	if err != nil || got == nil {
		return err
	}
	for _, on := range slices.Sorted(maps.Keys(got.NetworkSettings.Networks)) {
		at := got.NetworkSettings.Networks[on]
		names := namesOf(j.call.Ref, j.c.Name, "", at)
		if len(names) == 0 {
			continue
		}
		if err := j.rejoin(ctx, got, on, place{aliases: names}.aside(suffix).aliases); err != nil {
			return err
		}
	}
	return nil
}

// giveNames gives a container the names that it has with a suffix.
func (j *job) giveNames(ctx context.Context, id string) error {
	got, err := j.inspect(ctx, id)
	if err != nil || got == nil {
		return err
	}
	for _, on := range slices.Sorted(maps.Keys(got.NetworkSettings.Networks)) {
		at := got.NetworkSettings.Networks[on]
		names := slices.Concat(namesOf(j.call.Ref, j.c.Name, contract.IncomingSuffix, at), namesOf(j.call.Ref, j.c.Name, contract.ReplacedSuffix, at))
		if len(names) == 0 {
			continue
		}
		if err := j.rejoin(ctx, got, on, names); err != nil {
			return err
		}
	}
	if got.NetworkSettings.Networks[j.c.Network] == nil {
		// A worker was killed between taking it off the network and putting it back.
		return j.connect(ctx, id, j.c, places(j.call.Ref, j.c)[0])
	}
	return nil
}

// rejoin gives a container other aliases on a network. An engine can do that only by taking it off the network for a moment, a
// tenth of a second: with the same address and MAC, connections that are open outlive it.
func (e *Engine) rejoin(ctx context.Context, got *container.InspectResponse, on string, aliases []string) error {
	name := strings.TrimPrefix(got.Name, "/")
	net, err := e.network(ctx, on)
	if err != nil || net == nil {
		return err
	}
	at, settings := got.NetworkSettings.Networks[on], &network.EndpointSettings{Aliases: aliases}
	if at.IPAddress != "" && net.Labels[contract.LabelSubnet] != "" {
		settings.IPAMConfig = &network.EndpointIPAMConfig{IPv4Address: at.IPAddress}
		settings.MacAddress = at.MacAddress
	}
	// A cancellation in between would leave the container off its network.
	ctx, cancel := toTheEnd(ctx)
	defer cancel()
	// One that does not run may be off the network already, for which engines have different answers.
	err = e.api.NetworkDisconnect(ctx, on, got.ID, true)
	if err != nil && !errdefs.IsNotFound(err) && !errdefs.IsPermissionDenied(err) && !errdefs.IsInternal(err) {
		return e.fail(ctx, err, "disconnect container %s from network %s", name, on)
	}
	if err := e.api.NetworkConnect(ctx, on, got.ID, settings); err != nil {
		return e.fail(ctx, err, "connect container %s to network %s", name, on)
	}
	e.log.Debug("container has other names", "container", name, "network", on, "names", aliases)
	return nil
}

// freeAddresses lets the engine choose new addresses for a container that could not start because somebody has its own, and
// reports whether it had any.
func (e *Engine) freeAddresses(ctx context.Context, id string) (bool, error) {
	got, err := e.inspect(ctx, id)
	if err != nil || got == nil || got.State.Running {
		return false, err
	}
	had := false
	for on, at := range got.NetworkSettings.Networks {
		if at.IPAMConfig == nil || at.IPAMConfig.IPv4Address == "" {
			continue
		}
		had = true
		// What is left of the failed start.
		at.IPAddress = ""
		// The engine adds the ID by itself.
		aliases := slices.DeleteFunc(slices.Clone(at.Aliases), func(alias string) bool { return strings.HasPrefix(got.ID, alias) })
		if err := e.rejoin(ctx, got, on, aliases); err != nil {
			return had, err
		}
	}
	return had, nil
}
