package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// network returns the network of exactly that name, or nil. The engine would also take an ID's beginning for a name. Of several
// with the name, which engines up to 20.10 make when two calls meet, it is the one that has containers, else the oldest.
func (e *Engine) network(ctx context.Context, name string) (*network.Inspect, error) {
	found, err := e.api.NetworkInspect(ctx, name, network.InspectOptions{})
	if err != nil && strings.Contains(err.Error(), "ambiguous") {
		return e.oneNetwork(ctx, name)
	}
	switch {
	case err == nil && found.Name == name:
		return &found, nil
	case err == nil, errdefs.IsNotFound(err):
		return nil, nil
	default:
		return nil, e.fail(ctx, err, "look for network %s", name)
	}
}

// oneNetwork chooses among several networks of one name. A removal takes all of the service's, by their IDs.
func (e *Engine) oneNetwork(ctx context.Context, name string) (*network.Inspect, error) {
	list, err := e.api.NetworkList(ctx, network.ListOptions{Filters: filters.NewArgs(filters.Arg("name", name))})
	if err != nil {
		return nil, e.fail(ctx, err, "look for network %s", name)
	}
	var chosen *network.Inspect
	for _, n := range list {
		if n.Name != name {
			continue // the filter takes parts of names too
		}
		found, err := e.api.NetworkInspect(ctx, n.ID, network.InspectOptions{})
		if errdefs.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, e.fail(ctx, err, "look for network %s", name)
		}
		fuller := chosen != nil && len(found.Containers) > len(chosen.Containers)
		older := chosen != nil && len(found.Containers) == len(chosen.Containers) && found.Created.Before(chosen.Created)
		if chosen == nil || fuller || older {
			chosen = &found
		}
	}
	return chosen, nil
}

// ensureNetwork makes the service's own bridge network, which gives its components each other's names.
func (e *Engine) ensureNetwork(ctx context.Context, r contract.Ref, runID string) (*network.Inspect, error) {
	name := r.Network()
	found, err := e.network(ctx, name)
	if err != nil {
		return nil, err
	}
	if found == nil {
		labels := r.Labels()
		labels[contract.LabelRunID] = runID
		err = e.makeNetwork(ctx, r, labels)
		// A conflict means that a peer has made it in between.
		if err != nil && !errdefs.IsConflict(err) {
			return nil, e.fail(ctx, err, "create network %s", name)
		}
		if err == nil {
			e.log.Info("created network", "network", name)
		}
		if found, err = e.network(ctx, name); err != nil {
			return nil, err
		}
	}
	if found == nil {
		return nil, contract.Fail(contract.Unavailable, "network %s was removed while it was being made", name)
	}
	if !r.Owns(found.Labels) {
		return nil, notOwned("network", name, "driver "+found.Driver, found.Labels)
	}
	return found, nil
}

// place is what a container is called on one of its networks.
type place struct {
	network string
	aliases []string
	// address is orch's choice; empty leaves it to the engine.
	address string
}

// places are the component's networks, its own first. There it answers to its bare name and to the one that services
// which join the network know it by; on a joined network, whose components may have the same bare names, only to the latter.
func places(r contract.Ref, c contract.Component) []place {
	all := []place{{network: c.Network, aliases: []string{c.Name, r.Alias(c.Name)}}}
	for _, join := range c.Joins {
		all = append(all, place{network: join.Network, aliases: []string{join.Alias}})
	}
	return all
}

func (p place) endpoint() *network.EndpointSettings {
	settings := &network.EndpointSettings{Aliases: slices.Clone(p.aliases)}
	if p.address != "" {
		settings.IPAMConfig = &network.EndpointIPAMConfig{IPv4Address: p.address}
	}
	return settings
}

// fault is a way in which a container is not at its place.
type fault int

const (
	noFault fault = iota
	networkMissing
	networkRemade
	notConnected
	aliasLost
)

// fault compares a container with its place on a network, which is nil when it is missing.
func (p place) fault(net *network.Inspect, got *container.InspectResponse) (fault, string) {
	if net == nil {
		return networkMissing, fmt.Sprintf("the network %s is missing", p.network)
	}
	at := got.NetworkSettings.Networks[p.network]
	if at == nil {
		return notConnected, fmt.Sprintf("the container is not connected to network %s", p.network)
	}
	if at.NetworkID != "" && at.NetworkID != net.ID {
		// A stopped container remembers the ID of a network that is gone, and could not start any more.
		return networkRemade, fmt.Sprintf("the network %s was made anew", p.network)
	}
	for _, alias := range p.aliases {
		if !slices.Contains(at.Aliases, alias) && !slices.Contains(at.DNSNames, alias) {
			return aliasLost, fmt.Sprintf("the container has lost its alias %s on network %s", alias, p.network)
		}
	}
	return noFault, ""
}

// connect puts a container on a network.
func (e *Engine) connect(ctx context.Context, id string, c contract.Component, p place) error {
	if err := e.api.NetworkConnect(ctx, p.network, id, p.endpoint()); err != nil {
		return e.fail(ctx, err, "connect container %s to network %s", c.Container, p.network)
	}
	return nil
}

// reconnect puts a container on those of its networks anew where it is not as it should be. The others are left alone, and
// with them the connections that are open there.
func (e *Engine) reconnect(ctx context.Context, r contract.Ref, c contract.Component, got *container.InspectResponse) error {
	for _, p := range places(r, c) {
		net, err := e.network(ctx, p.network)
		if err != nil {
			return err
		}
		if is, _ := p.fault(net, got); is == noFault {
			continue
		}
		err = e.api.NetworkDisconnect(ctx, p.network, got.ID, true)
		// It may have been off the network already, for which engines have different answers.
		if err != nil && !errdefs.IsNotFound(err) && !errdefs.IsPermissionDenied(err) && !errdefs.IsInternal(err) {
			return e.fail(ctx, err, "disconnect container %s from network %s", c.Container, p.network)
		}
		if err := e.connect(ctx, got.ID, c, p); err != nil {
			return err
		}
	}
	return nil
}
