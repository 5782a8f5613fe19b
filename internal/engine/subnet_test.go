package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
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

	// A stranger's network of such a name is left alone, and in nobody's way.
	_, err = s.e.Remove(t.Context(), s.call(), nil)
	must(t, err)
	made, err := s.api.NetworkCreate(t.Context(), s.ref.Network()+rangeSuffix+"theirs", network.CreateOptions{Driver: "bridge"})
	must(t, err)
	s.up(c)
	_, err = s.e.Remove(t.Context(), s.call(), nil)
	must(t, err)
	must(t, s.api.NetworkRemove(t.Context(), made.ID))
}

// Engines up to 20.10 make two networks of one name when two calls meet. A service with such a pair is used and removed like any
// other.
func TestTwoNetworksOfOneNameWedgeNothing(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.component("alpha")
	s.up(c)
	for _, name := range []string{s.ref.Network(), s.ref.Network() + rangeSuffix + "1", s.ref.Network() + rangeSuffix + "1"} {
		s.duplicateNetwork(name)
	}
	s.noDrift(c)
	s.up(c)
	_, err := s.e.Remove(t.Context(), s.call(), nil)
	must(t, err)
	left, err := s.e.networks(t.Context(), s.ref)
	must(t, err)
	if len(left) != 0 {
		t.Errorf("networks left: %+v", left)
	}
}

// duplicateNetwork makes a network without asking whether the name is free, as older clients and calls that meet do.
func (s *service) duplicateNetwork(name string) {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{"Name": name, "Driver": "bridge", "Labels": s.ref.Labels(), "CheckDuplicate": false})
	must(s.t, err)
	engine := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return s.api.Dialer()(ctx) }}}
	defer engine.CloseIdleConnections()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, "http://docker/v1.41/networks/create", bytes.NewReader(body))
	must(s.t, err)
	request.Header.Set("Content-Type", "application/json")
	answer, err := engine.Do(request)
	must(s.t, err)
	must(s.t, answer.Body.Close())
	if answer.StatusCode != http.StatusCreated {
		s.t.Skipf("NOT RUN: this Docker Engine takes no two networks of one name (%s)", answer.Status)
	}
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
