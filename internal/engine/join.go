package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// join connects a new container to the networks of other services that its component is on too.
func (j *job) join(ctx context.Context, id string, others []place) error {
	for _, p := range others {
		if err := j.connect(ctx, id, j.c, p); err != nil {
			return err
		}
	}
	return nil
}

// joinable finds out, without making any, whether the networks that the component joins are there. They are their services':
// one made here would be nobody's, and one of a stranger's would let its containers in.
func (e *Engine) joinable(ctx context.Context, r contract.Ref, c contract.Component) error {
	for _, join := range c.Joins {
		found, err := e.network(ctx, join.Network)
		if err != nil {
			return err
		}
		if found != nil && serviceOf(found.Labels).Network() == join.Network && found.Labels[contract.LabelScope] == r.Scope {
			continue
		}
		return notThere(r, c, join, found)
	}
	return nil
}

// notThere says which pipeline is missing, as far as the network's name tells. A stranger's network of that name is found.
func notThere(r contract.Ref, c contract.Component, join contract.Join, found *network.Inspect) *contract.StepFailure {
	whose, create := "another service", "create that service"
	// Neither a scope nor a kind has a hyphen.
	if parts := strings.SplitN(join.Network, "-", 3); len(parts) == 3 {
		whose = fmt.Sprintf("pipeline %s %s", parts[1], parts[2])
		create = "create that pipeline"
		for _, kind := range contract.Kinds(contract.Stacks) {
			if kind.Short == parts[1] {
				create = fmt.Sprintf("create that pipeline (orch_%s with service_name %q, scope %q, on the same Docker Engine)", kind.Name, parts[2], parts[0])
			}
		}
	}
	failure := contract.Fail(contract.NotFound, "network %q of %s is not there, and %s of %s has to join it", join.Network, whose, c.Name, r.ID()).On(cmp.Or(join.Attribute, c.InputPath)).Next("%s", create+" first, or correct the URL or pipeline id that leads to it")
	if found == nil {
		return failure
	}
	if other := serviceOf(found.Labels); other.Network() == join.Network {
		failure.Class = contract.InvalidInput
		failure.Cause = fmt.Sprintf("%s of %s cannot join network %q: %s is in another scope", c.Name, r.ID(), join.Network, other.ID())
		failure.Hint = fmt.Sprintf("name a service of scope %q: services join each other within a scope only", r.Scope)
		return failure
	}
	failure.Cause += fmt.Sprintf("; the network of that name is %s", ownerOf(found.Labels))
	return failure
}

// serviceOf is the service that labels name; it is empty without labels of orch.
func serviceOf(labels map[string]string) contract.Ref {
	if labels[contract.LabelManaged] != "true" {
		return contract.Ref{}
	}
	return contract.Ref{Scope: labels[contract.LabelScope], Kind: labels[contract.LabelKind], Service: labels[contract.LabelService]}
}

// checkGuests refuses to take a network away from containers of others that are on it: services that joined it are named, to
// be destroyed first, and strangers' containers, to be disconnected.
func (e *Engine) checkGuests(ctx context.Context, r contract.Ref, n *network.Inspect) error {
	all, err := e.api.ContainerList(ctx, container.ListOptions{All: true})
	if err != nil {
		return e.fail(ctx, err, "list containers")
	}
	// A container that is just being started or stopped is on its network by name only, and has "ep-…" for an ID there.
	labels := map[string]map[string]string{}
	for _, s := range all {
		labels[s.ID], labels[nameOf(s)] = s.Labels, s.Labels
	}
	var guests, services, strangers []string
	for id, member := range n.Containers {
		if labels[id] == nil {
			id = member.Name
		}
		if r.Owns(labels[id]) {
			continue
		}
		who := member.Name
		if other := serviceOf(labels[id]); other != (contract.Ref{}) {
			name := other.Kind + "/" + other.Service
			who += " of " + name
			services = append(services, name)
		} else {
			strangers = append(strangers, member.Name)
		}
		guests = append(guests, who)
	}
	if len(guests) == 0 {
		return nil
	}
	slices.Sort(guests)
	failure := contract.Fail(contract.Conflict, "network %s is used by other containers: %s", n.Name, strings.Join(guests, ", "))
	if len(services) > 0 {
		slices.Sort(services)
		failure.Hint = strings.Join(slices.Compact(services), " and ") + " has joined the network: destroy it first, then destroy again"
	} else {
		slices.Sort(strangers)
		failure.Hint = fmt.Sprintf("disconnect each with `docker network disconnect %s %s`, then destroy again", n.Name, strangers[0])
	}
	return failure
}
