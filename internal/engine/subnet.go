package engine

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/network"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// A container that changes its names on a network leaves it for a moment, and must come back at the same address. The engine
// gives out addresses of its user's choice only on networks whose range is its user's choice, too. So orch lets the engine
// choose a free range, and makes the network with just that one. The engine's own choice of addresses keeps to the lower half:
// what orch chooses in the upper half can be taken by nobody while its container is stopped.

// rangeSuffix is in the name of the network that is made and removed to find a free range, before something random: engines up
// to 20.10 take two networks of one name when an attempt that was cut off is still at work, and then find neither by its name.
const rangeSuffix = "-range-"

// rangeAttempts is how often a range may be taken by another network in between.
const rangeAttempts = 20

// smallestRange is the longest prefix that leaves room for two halves.
const smallestRange = 28

// makeNetwork creates a bridge network, with room for addresses of orch's choice where the engine has such a range. A peer that
// is quicker makes it a conflict.
func (e *Engine) makeNetwork(ctx context.Context, r contract.Ref, labels map[string]string) error {
	if err := e.removeRanges(ctx, r); err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		options := network.CreateOptions{Driver: network.NetworkBridge, Labels: maps.Clone(labels)}
		free, err := e.freeRange(ctx, r, labels)
		if free != nil {
			options.IPAM = &network.IPAM{Config: []network.IPAMConfig{*free}}
			options.Labels[contract.LabelSubnet] = free.Subnet
		}
		if err == nil {
			_, err = e.api.NetworkCreate(ctx, r.Network(), options)
		}
		if err == nil || attempt == rangeAttempts || !rangeTaken(err) {
			return err
		}
	}
}

// rangeTaken reports whether another network has got a range in between. Engines notice that by the range, or by its first address.
func rangeTaken(err error) bool {
	return strings.Contains(err.Error(), "overlap") || strings.Contains(err.Error(), "failed to allocate gateway")
}

// freeRange asks the engine for a range that no other network has. It is nil when the engine has none that can be divided.
func (e *Engine) freeRange(ctx context.Context, r contract.Ref, labels map[string]string) (*network.IPAMConfig, error) {
	name := fmt.Sprintf("%s%s%08x", r.Network(), rangeSuffix, rand.Uint32())
	made, err := e.api.NetworkCreate(ctx, name, network.CreateOptions{Driver: network.NetworkBridge, Labels: labels})
	if err != nil {
		return nil, err
	}
	found, err := e.api.NetworkInspect(ctx, made.ID, network.InspectOptions{})
	if err != nil {
		return nil, err
	}
	if err := e.api.NetworkRemove(ctx, found.ID); err != nil && !errdefs.IsNotFound(err) {
		return nil, err
	}
	for _, config := range found.IPAM.Config {
		if subnet, err := netip.ParsePrefix(config.Subnet); err == nil && subnet.Addr().Is4() && subnet.Bits() <= smallestRange {
			lower := netip.PrefixFrom(subnet.Addr(), subnet.Bits()+1)
			gateway, _, _ := strings.Cut(config.Gateway, "/")
			return &network.IPAMConfig{Subnet: subnet.String(), IPRange: lower.String(), Gateway: gateway}, nil
		}
	}
	return nil, nil
}

// removeRanges removes what runs that were killed, or cut off, while they looked for a free range have left.
func (e *Engine) removeRanges(ctx context.Context, r contract.Ref) error {
	list, err := e.networks(ctx, r)
	if err != nil {
		return err
	}
	for _, n := range list {
		if !strings.HasPrefix(n.Name, r.Network()+rangeSuffix) {
			continue
		}
		if err := e.removeNetwork(ctx, r, n.ID); err != nil {
			return err
		}
	}
	return nil
}

// address chooses one in the upper half of a network's range that none of its containers has. A stopped container may have it
// all the same; then it does not start, and launch gives it another one.
func address(n *network.Inspect) string {
	subnet, err := netip.ParsePrefix(n.Labels[contract.LabelSubnet])
	if err != nil || !subnet.Addr().Is4() || subnet.Bits() > smallestRange {
		return ""
	}
	taken := map[string]bool{}
	for _, member := range n.Containers {
		at, _, _ := strings.Cut(member.IPv4Address, "/")
		taken[at] = true
	}
	first, half := binary.BigEndian.Uint32(subnet.Masked().Addr().AsSlice()), uint32(1)<<(31-subnet.Bits())
	for range rangeAttempts {
		// The last address of a range is the broadcast's.
		var bytes [4]byte
		binary.BigEndian.PutUint32(bytes[:], first+half+rand.Uint32N(half-1))
		if chosen := netip.AddrFrom4(bytes).String(); !taken[chosen] {
			return chosen
		}
	}
	return ""
}
