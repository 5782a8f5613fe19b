package engine

import (
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

func TestTheAddressOfAPortIsWhereItAnswers(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.component("alpha")
	c.Ports = append(c.Ports, contract.Port{Name: "other", Container: 8081, Bind: "0.0.0.0"})
	_, err := s.e.Address(t.Context(), s.ref, "alpha", "http")
	wantFailure(t, err, contract.NotFound, "alpha", s.ref.ID())
	s.up(c)
	address, err := s.e.Address(t.Context(), s.ref, "alpha", "http")
	must(t, err)
	if got := s.e.askHTTP(t.Context(), "http://"+address+"/ready", contract.Probe{Contains: "box is ready"}); !got.ok {
		t.Errorf("%s: %s", address, got.text)
	}
	other, err := s.e.Address(t.Context(), s.ref, "alpha", "other")
	must(t, err)
	if !strings.HasPrefix(other, "127.0.0.1:") || other == address {
		t.Errorf("address %s of the other port, %s of the first", other, address)
	}
	_, err = s.e.Address(t.Context(), s.ref, "alpha", "grpc")
	wantFailure(t, err, contract.NotFound, `no port "grpc"`, "http")
	must(t, s.api.ContainerStop(t.Context(), c.Container, container.StopOptions{}))
	_, err = s.e.Address(t.Context(), s.ref, "alpha", "http")
	wantFailure(t, err, contract.Unavailable, c.Container, "exited")
}
