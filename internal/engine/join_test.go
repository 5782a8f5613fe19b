package engine

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// joining is a component that is on the networks of other services, too.
func (s *service) joining(name string, others ...*service) contract.Component {
	c := s.component(name)
	for _, other := range others {
		c.Joins = append(c.Joins, contract.Join{Network: other.ref.Network(), Alias: s.ref.Alias(name)})
	}
	return c
}

// sees expects that one component reaches another one under a host name.
func (s *service) sees(from contract.Component, host string) {
	s.t.Helper()
	answer := ""
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); <-time.After(50 * time.Millisecond) {
		if answer = s.get(from, "/fetch?url=http://"+host+":8080/ready"); answer == "box is ready with one" {
			return
		}
	}
	s.t.Errorf("%s reaches %s: %q", from.Container, host, answer)
}

func (s *service) startedAt(name string) string {
	s.t.Helper()
	found, err := s.api.ContainerInspect(s.t.Context(), name)
	must(s.t, err)
	return found.State.StartedAt
}

// TestAJoinedNetworkGivesBothSidesEachOthersNames joins two services, so that whichever of the three networks comes first by
// name, published ports are still reached.
func TestAJoinedNetworkGivesBothSidesEachOthersNames(t *testing.T) {
	t.Parallel()
	// Those that join come last, so that they are taken down first.
	first, second, s := newService(t), newService(t), newService(t)
	store, grafana := first.component("beta"), second.component("gamma")
	first.up(store)
	second.up(grafana)
	c := s.joining("alpha", first, second)
	s.up(c)
	s.noDrift(c)
	first.noDrift(store)

	s.sees(c, first.ref.Alias("beta"))
	s.sees(c, second.ref.Alias("gamma"))
	first.sees(store, s.ref.Alias("alpha"))
	second.sees(grafana, s.ref.Alias("alpha"))
	if got := first.get(store, "/fetch?url=http://alpha:8080/ready"); strings.Contains(got, "box is ready") {
		t.Error("the bare name of a component is taken on a network that it joined")
	}
	if got := first.get(store, "/fetch?url=http://"+second.ref.Alias("gamma")+":8080/ready"); strings.Contains(got, "box is ready") {
		t.Error("two services see each other that have not joined")
	}

	id := s.id(c.Container)
	s.up(c)
	if s.id(c.Container) != id {
		t.Error("a second setup made the container anew")
	}
	// Another file makes another container, which is on the networks as well.
	changed := edited(c, "two")
	s.run = "run-2"
	s.up(changed)
	s.noDrift(changed)
	s.sees(changed, first.ref.Alias("beta"))
}

func TestALostJoinIsReconnectedWithoutARestart(t *testing.T) {
	t.Parallel()
	other, s := newService(t), newService(t)
	store := other.component("beta")
	other.up(store)
	c := s.joining("alpha", other)
	s.up(c)
	id, started := s.id(c.Container), s.startedAt(c.Container)
	joined := other.ref.Network()

	for _, tc := range []struct {
		want string
		do   func()
	}{
		{"is not connected to network " + joined, func() {
			must(t, s.api.NetworkDisconnect(t.Context(), joined, id, true))
		}},
		{"has lost its alias " + s.ref.Alias("alpha"), func() {
			must(t, s.api.NetworkDisconnect(t.Context(), joined, id, true))
			must(t, s.api.NetworkConnect(t.Context(), joined, id, &network.EndpointSettings{Aliases: []string{"other"}}))
		}},
		{"has lost its alias " + s.ref.Alias("alpha") + " on network " + s.ref.Network(), func() {
			must(t, s.api.NetworkDisconnect(t.Context(), s.ref.Network(), id, true))
			must(t, s.api.NetworkConnect(t.Context(), s.ref.Network(), id, &network.EndpointSettings{Aliases: []string{"alpha"}}))
		}},
	} {
		tc.do()
		if drift := s.observe(c).Drifted(); len(drift) != 1 || !strings.Contains(drift[0], tc.want) {
			t.Errorf("drift %q, want %q", drift, tc.want)
		}
		s.up(c)
		s.noDrift(c)
		other.sees(store, s.ref.Alias("alpha"))
		if s.id(c.Container) != id || s.startedAt(c.Container) != started {
			t.Fatalf("the container was restarted to put right: %s", tc.want)
		}
	}
}

func TestANetworkToJoinMustBeAServicesOfTheSameScope(t *testing.T) {
	t.Parallel()
	other, s := newService(t), newService(t)
	c := s.joining("alpha", other)
	refused := func(words ...string) {
		t.Helper()
		_, err := s.e.Prepare(t.Context(), s.call(s.component("first"), c), nil)
		wantFailure(t, err, contract.NotFound, append(words, `network "`+other.ref.Network()+`" of pipeline logs `+other.ref.Service+" is not there",
			"create that pipeline (orch_logs_pipeline", "alpha")...)
		if found, err := s.e.network(t.Context(), s.ref.Network()); err != nil || found != nil {
			t.Errorf("network %v was made before the check, error %v", found, err)
		}
	}
	refused()
	for _, labels := range []map[string]string{nil, {contract.LabelManaged: "true", contract.LabelScope: "theirs"}} {
		made, err := s.api.NetworkCreate(t.Context(), other.ref.Network(), network.CreateOptions{Driver: "bridge", Labels: labels})
		must(t, err)
		refused("the network of that name is ")
		must(t, s.api.NetworkRemove(t.Context(), made.ID))
	}

	abroad := newService(t)
	abroad.ref.Scope = "elsewhere"
	_, err := abroad.e.Prepare(t.Context(), abroad.call(), nil)
	must(t, err)
	c = s.joining("alpha", abroad)
	_, err = s.e.Prepare(t.Context(), s.call(c), nil)
	wantFailure(t, err, contract.InvalidInput, abroad.ref.ID()+" is in another scope", `scope "enginetest"`, "alpha")
}

func TestAServiceThatOthersHaveJoinedIsDestroyedAfterThem(t *testing.T) {
	t.Parallel()
	other, s := newService(t), newService(t)
	store := other.component("beta")
	other.up(store)
	c := s.joining("alpha", other)
	s.up(c)
	_, err := other.e.Remove(t.Context(), other.call(), nil)
	wantFailure(t, err, contract.Conflict, other.ref.Network(), c.Container+" of logs/"+s.ref.Service, "logs/"+s.ref.Service+" has joined", "destroy it first")
	other.noDrift(store)

	// A stopped container does not hold the network, and says what it misses when it is to start again.
	must(t, s.api.ContainerStop(t.Context(), c.Container, container.StopOptions{}))
	_, err = other.e.Remove(t.Context(), other.call(), nil)
	must(t, err)
	if drift := s.observe(c).Drifted(); !slices.ContainsFunc(drift, func(d string) bool {
		return strings.Contains(d, "the network "+other.ref.Network()+" is missing")
	}) {
		t.Errorf("drift %q", drift)
	}
	_, err = s.ensure(c)
	wantFailure(t, err, contract.NotFound, other.ref.Network())
	other.up(store)
	id := s.id(c.Container)
	s.up(c)
	s.noDrift(c)
	s.sees(c, other.ref.Alias("beta"))
	if s.id(c.Container) != id {
		t.Error("the container was made anew instead of joined to the new network")
	}
	_, err = s.e.Remove(t.Context(), s.call(), nil)
	must(t, err)
}

// A container that ends and is started again all the time is on its network without its ID for moments.
func TestAContainerThatIsJustStartedIsNoStranger(t *testing.T) {
	t.Parallel()
	other, s := newService(t), newService(t)
	c, guest := s.component("alpha"), other.component("beta")
	s.up(c)
	other.up(guest)
	starting := func(name string) *network.Inspect {
		return &network.Inspect{Name: s.ref.Network(), Containers: map[string]network.EndpointResource{"ep-0123": {Name: name}}}
	}
	must(t, s.e.checkGuests(t.Context(), s.ref, starting(c.Container)))
	err := s.e.checkGuests(t.Context(), s.ref, starting(guest.Container))
	wantFailure(t, err, contract.Conflict, guest.Container+" of logs/"+other.ref.Service, "destroy it first")
	err = s.e.checkGuests(t.Context(), s.ref, starting("nobody"))
	wantFailure(t, err, contract.Conflict, "nobody", "docker network disconnect")
}
