package engine

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"github.com/docker/docker/api/types/network"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

func TestALookForAFreeRangeLeavesNothing(t *testing.T) {
	t.Parallel()
	s := newService(t)
	leave := func() {
		t.Helper()
		_, err := s.api.NetworkCreate(t.Context(), s.ref.Network()+rangeSuffix, network.CreateOptions{Driver: "bridge", Labels: s.ref.Labels()})
		must(t, err)
	}
	leave()
	_, err := s.e.Rollback(t.Context(), s.call())
	must(t, err)
	must(t, s.e.proveGone(t.Context(), s.ref, true))

	// The next setup goes on with what a killed one has left.
	leave()
	c := s.component("alpha")
	s.up(c)
	s.noDrift(c)
	networks, err := s.e.networks(t.Context(), s.ref)
	must(t, err)
	if len(networks) != 1 || networks[0].Name != s.ref.Network() || networks[0].Labels[contract.LabelSubnet] == "" {
		t.Errorf("networks %+v", networks)
	}

	// A stranger's network of that name is left alone, and named.
	_, err = s.e.Remove(t.Context(), s.call(), nil)
	must(t, err)
	made, err := s.api.NetworkCreate(t.Context(), s.ref.Network()+rangeSuffix, network.CreateOptions{Driver: "bridge"})
	must(t, err)
	_, err = s.e.Prepare(t.Context(), s.call(c), nil)
	wantFailure(t, err, contract.NotOwned, s.ref.Network()+rangeSuffix)
	must(t, s.api.NetworkRemove(t.Context(), made.ID))
}

// contested is an engine on which somebody else makes networks at the same time.
type contested struct {
	dockerAPI
	lost []string
}

func (c *contested) NetworkCreate(ctx context.Context, name string, options network.CreateOptions) (network.CreateResponse, error) {
	if len(c.lost) > 0 {
		text := c.lost[0]
		if c.lost = c.lost[1:]; text != "" {
			return network.CreateResponse{}, errors.New("Error response from daemon: " + text)
		}
	}
	return c.dockerAPI.NetworkCreate(ctx, name, options)
}

func TestARangeThatSomebodyElseGetsInBetweenIsLeftToThem(t *testing.T) {
	t.Parallel()
	s := newService(t)
	const gateway, pool = "failed to allocate gateway (172.18.0.1): Address already in use", "Pool overlaps with other one on this address space"
	// Calls in turn: the look for a range, and the network with it.
	s.e.api = &contested{s.e.api, []string{gateway, "", gateway, "", pool}}
	made, err := s.e.ensureNetwork(t.Context(), s.ref, s.run)
	must(t, err)
	if made.Labels[contract.LabelSubnet] == "" {
		t.Errorf("labels %v", made.Labels)
	}
	must(t, s.e.removeNetwork(t.Context(), s.ref, made.ID))
	s.e.api = &contested{s.e.api, []string{"no"}}
	_, err = s.e.ensureNetwork(t.Context(), s.ref, s.run)
	wantFailure(t, err, contract.Unavailable, "create network "+s.ref.Network(), "no")
}

func TestAnAddressOfOrchsChoiceLiesInTheUpperHalfAndIsFree(t *testing.T) {
	t.Parallel()
	for subnet, half := range map[string]string{"172.18.0.0/16": "172.18.128.0/17", "10.0.0.0/24": "10.0.0.128/25", "10.0.0.16/28": "10.0.0.24/29"} {
		net := &network.Inspect{Labels: map[string]string{contract.LabelSubnet: subnet}, Containers: map[string]network.EndpointResource{
			"a": {IPv4Address: "10.0.0.24/28"}, "b": {IPv4Address: "10.0.0.25/28"}}}
		upper, whole := netip.MustParsePrefix(half), netip.MustParsePrefix(subnet)
		for range 200 {
			got := address(net)
			if got == "" {
				// As good as impossible, and then the old container is stopped first.
				continue
			}
			at := netip.MustParseAddr(got)
			if !upper.Contains(at) || !whole.Contains(at.Next()) || got == "10.0.0.24" || got == "10.0.0.25" {
				t.Fatalf("address %s in %s", got, subnet)
			}
		}
	}
	for _, label := range []string{"", "nonsense", "fd00::/64", "10.0.0.0/31"} {
		if got := address(&network.Inspect{Labels: map[string]string{contract.LabelSubnet: label}}); got != "" {
			t.Errorf("address %s in %q", got, label)
		}
	}
}
