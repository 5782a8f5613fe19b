package engine

import (
	"context"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/network"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// network returns the network of exactly that name, or nil. The engine would also take an ID's beginning for a name.
func (e *Engine) network(ctx context.Context, name string) (*network.Inspect, error) {
	found, err := e.api.NetworkInspect(ctx, name, network.InspectOptions{})
	switch {
	case err == nil && found.Name == name:
		return &found, nil
	case err == nil, errdefs.IsNotFound(err):
		return nil, nil
	default:
		return nil, e.fail(ctx, err, "look for network %s", name)
	}
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
		_, err = e.api.NetworkCreate(ctx, name, network.CreateOptions{Driver: network.NetworkBridge, Labels: labels})
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

// endpoint is a component's place on its network: it answers to its own name there.
func endpoint(c contract.Component) *network.EndpointSettings {
	return &network.EndpointSettings{Aliases: []string{c.Name}}
}

// reconnect puts a container on its network anew, under its alias.
func (e *Engine) reconnect(ctx context.Context, id string, c contract.Component) error {
	err := e.api.NetworkDisconnect(ctx, c.Network, id, true)
	// It may have been off the network already, for which engines have different answers.
	if err != nil && !errdefs.IsNotFound(err) && !errdefs.IsPermissionDenied(err) && !errdefs.IsInternal(err) {
		return e.fail(ctx, err, "disconnect container %s from network %s", c.Container, c.Network)
	}
	if err := e.api.NetworkConnect(ctx, c.Network, id, endpoint(c)); err != nil {
		return e.fail(ctx, err, "connect container %s to network %s", c.Container, c.Network)
	}
	return nil
}
