package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// handing is a component that hands over, on a port of the engine's choice.
func (s *service) handing(name, content string) contract.Component {
	c := edited(s.component(name), content)
	c.Handover = &contract.Handover{}
	return c
}

// polled is what a poller has seen so far.
type polled struct {
	Requests int
	Failed   []string
	Answers  map[string]int
}

// polling starts a component that asks another one without a pause, by a name on its network.
func (s *service) polling(name, target string) contract.Component {
	s.t.Helper()
	c := s.component(name)
	c.Env = map[string]string{"BOX_POLL": "http://" + target + ":8080"}
	_, err := s.ensure(c)
	must(s.t, err)
	return c
}

func (s *service) polled(poller contract.Component) polled {
	s.t.Helper()
	var seen polled
	must(s.t, json.Unmarshal([]byte(s.get(poller, "/polled")), &seen))
	return seen
}

// answered waits until the poller has been given an answer many times since.
func (s *service) answered(poller contract.Component, answer string) {
	s.t.Helper()
	before := s.polled(poller).Answers[answer]
	eventually(s.t, answer+" reaches the poller", func() bool { return s.polled(poller).Answers[answer] > before+50 })
}

func (s *service) noneFailed(poller contract.Component) {
	s.t.Helper()
	seen := s.polled(poller)
	if len(seen.Failed) > 0 || seen.Requests < 100 {
		s.t.Errorf("%d of %d requests failed: %q", len(seen.Failed), seen.Requests, seen.Failed[:min(5, len(seen.Failed))])
	}
	s.t.Logf("%d requests, %d failed, answers %v", seen.Requests, len(seen.Failed), seen.Answers)
}

// oneContainer expects that nothing is left of a handover, and that the component is found by its names alone.
func (s *service) oneContainer(c contract.Component) {
	s.t.Helper()
	owned, err := s.e.owned(s.t.Context(), s.ref)
	must(s.t, err)
	var names []string
	for _, item := range owned {
		if item.Labels[contract.LabelComponent] == c.Name {
			names = append(names, nameOf(item))
		}
	}
	if !slices.Equal(names, []string{c.Container}) {
		s.t.Errorf("containers %q, want only %s", names, c.Container)
	}
	found, err := s.api.ContainerInspect(s.t.Context(), c.Container)
	must(s.t, err)
	for on, at := range found.NetworkSettings.Networks {
		for _, alias := range at.Aliases {
			if strings.HasSuffix(alias, contract.IncomingSuffix) || strings.HasSuffix(alias, contract.ReplacedSuffix) {
				s.t.Errorf("alias %s on %s", alias, on)
			}
		}
	}
}

func TestAHandoverLosesNoRequest(t *testing.T) {
	t.Parallel()
	other, s := newService(t), newService(t)
	neighbour := other.component("beta")
	other.up(neighbour)
	first := s.handing("alpha", "one")
	first.Joins = []contract.Join{{Network: other.ref.Network(), Alias: s.ref.Alias("alpha")}}
	s.up(first)
	own, abroad := s.polling("client", "alpha"), other.polling("client", s.ref.Alias("alpha"))
	s.answered(own, "box is ready with one")
	other.answered(abroad, "box is ready with one")

	for i, content := range []string{"two", "three", "four"} {
		s.run = fmt.Sprintf("run-%d", i+2)
		next := edited(first, content)
		state, err := s.ensure(next)
		must(t, err)
		if state.GapMS != 0 {
			t.Errorf("a handover left a gap of %d ms", state.GapMS)
		}
		if found, err := s.api.ContainerInspect(t.Context(), first.Container+contract.ReplacedSuffix); err != nil || found.State.Running {
			t.Errorf("the predecessor is not kept stopped: %v", err)
		}
		must(t, s.e.Commit(t.Context(), s.call(next, own)))
		s.noDrift(next, own)
		s.oneContainer(next)
		s.answered(own, "box is ready with "+content)
		other.answered(abroad, "box is ready with "+content)
	}
	s.noneFailed(own)
	other.noneFailed(abroad)

	// A container with an address of its own choice starts again, also when others have been started before it.
	must(t, s.api.ContainerStop(t.Context(), first.Container, container.StopOptions{}))
	s.up(s.component("gamma"))
	s.up(edited(first, "four"), own)
	s.noDrift(edited(first, "four"), own)
}

func TestARolledBackHandoverLosesNoRequest(t *testing.T) {
	t.Parallel()
	s := newService(t)
	first := s.handing("alpha", "one")
	s.up(first)
	before := s.id(first.Container)
	client := s.polling("client", "alpha")
	s.answered(client, "box is ready with one")
	s.run = "run-2"
	next := edited(first, "two")
	_, err := s.ensure(next)
	must(t, err)
	s.answered(client, "box is ready with two")
	undone, err := s.e.Restore(t.Context(), s.componentCall(next))
	must(t, err)
	if want := []string{"brought back container " + first.Container, "removed container " + first.Container}; !slices.Equal(undone.Done, want) {
		t.Errorf("undone %q, want %q", undone.Done, want)
	}
	s.answered(client, "box is ready with one")
	if s.id(first.Container) != before {
		t.Error("another container than the replaced one came back")
	}
	s.oneContainer(first)
	s.noDrift(first, client)
	s.noneFailed(client)
	undone, err = s.e.Restore(t.Context(), s.componentCall(next))
	must(t, err)
	if len(undone.Done) != 0 {
		t.Errorf("a second restore did %q", undone.Done)
	}
}

func TestASuccessorThatIsNotReadyIsNotNoticed(t *testing.T) {
	t.Parallel()
	s := newService(t)
	first := s.handing("alpha", "one")
	s.up(first)
	before, started := s.id(first.Container), s.startedAt(first.Container)
	client := s.polling("client", "alpha")
	s.answered(client, "box is ready with one")
	for name, env := range map[string]map[string]string{"exits": {"BOX_EXIT": "3"}, "is never ready": {"BOX_NEVER_READY": "1"}} {
		s.run = "run " + name
		bad := edited(first, "two")
		bad.Env, bad.Probe.TimeoutSeconds = env, 2
		_, err := s.ensure(bad)
		wantFailure(t, err, contract.Unhealthy, "the previous container "+first.Container+" still serves", first.Container+contract.IncomingSuffix)
		undone, err := s.e.Restore(t.Context(), s.componentCall(bad))
		must(t, err)
		if want := []string{"removed container " + first.Container + contract.IncomingSuffix}; !slices.Equal(undone.Done, want) {
			t.Errorf("undone %q, want %q", undone.Done, want)
		}
		s.oneContainer(first)
		s.noDrift(first, client)
	}
	if s.id(first.Container) != before || s.startedAt(first.Container) != started {
		t.Error("the container that served was touched")
	}
	s.answered(client, "box is ready with one")
	s.noneFailed(client)
}

// hooked is an engine that calls after each connection to a network.
type hooked struct {
	dockerAPI
	connected func()
}

func (h *hooked) NetworkConnect(ctx context.Context, name, id string, config *network.EndpointSettings) error {
	err := h.dockerAPI.NetworkConnect(ctx, name, id, config)
	h.connected()
	return err
}

// deaf lets no probe through when it is told so.
type deaf struct {
	http.RoundTripper
	now atomic.Bool
}

func (d *deaf) RoundTrip(request *http.Request) (*http.Response, error) {
	if d.now.Load() {
		return nil, errors.New("gone deaf")
	}
	return d.RoundTripper.RoundTrip(request)
}

func TestASuccessorThatFailsWithItsNamesLosesThemAgain(t *testing.T) {
	t.Parallel()
	s := newService(t)
	first := s.handing("alpha", "one")
	first.Secrets = []contract.Secret{{Name: "password", Mode: 0o444, Version: version(1)}}
	must(t, s.upWith(first, "first secret"))
	client := s.polling("client", "alpha")
	s.answered(client, "box is ready with one")
	next := edited(first, "two")
	// It has been ready: the start period does not begin anew.
	next.Probe.StartPeriodSeconds, next.Probe.Retries, next.Probe.TimeoutSeconds = 60, 3, 90
	next.Secrets = []contract.Secret{{Name: "password", Mode: 0o444, Version: version(2)}}
	s.run = "run-2"
	call := s.componentCall(next)
	call.Secrets = map[string]string{"password": "second secret"}
	probes := &deaf{RoundTripper: s.e.probes.Transport}
	failing := &Engine{api: &hooked{s.e.api, func() { probes.now.Store(true) }}, log: s.e.log, probes: &http.Client{Transport: probes}}
	began := time.Now()
	_, err := failing.Ensure(t.Context(), call, nil)
	wantFailure(t, err, contract.Unhealthy, "gone deaf", "in 3 attempts", "still serves")
	if took := time.Since(began); took > 40*time.Second {
		t.Errorf("it had its names for %s", took)
	}
	incoming, err := s.api.ContainerInspect(t.Context(), first.Container+contract.IncomingSuffix)
	must(t, err)
	if aliases := incoming.NetworkSettings.Networks[s.ref.Network()].Aliases; slices.Contains(aliases, "alpha") || !slices.Contains(aliases, "alpha-incoming") {
		t.Errorf("aliases %q", aliases)
	}
	_, err = s.e.Restore(t.Context(), call)
	must(t, err)
	s.oneContainer(first)
	s.noDrift(first, client)
	s.noneFailed(client)
	if got, err := s.e.Secret(t.Context(), s.ref, "alpha", "password"); err != nil || got != "first secret" {
		t.Errorf("secret %q, error %v", got, err)
	}
	// Nothing of the failed update stands in the way of what was before.
	must(t, s.upWith(first, ""))
	s.noDrift(first)
}

func TestAnAddressThatSomebodyElseHasTakenIsGivenUp(t *testing.T) {
	t.Parallel()
	s := newService(t)
	first := s.handing("alpha", "one")
	s.up(first)
	next := edited(first, "two")
	s.run = "run-2"
	s.up(next)
	found, err := s.api.ContainerInspect(t.Context(), first.Container)
	must(t, err)
	taken := found.NetworkSettings.Networks[s.ref.Network()].IPAddress
	must(t, s.api.ContainerStop(t.Context(), first.Container, container.StopOptions{}))
	squatter := s.foreign(s.ref.Network()+"-squatter", nil, nil)
	must(t, s.api.NetworkConnect(t.Context(), s.ref.Network(), squatter, &network.EndpointSettings{IPAMConfig: &network.EndpointIPAMConfig{IPv4Address: taken}}))
	must(t, s.api.ContainerStart(t.Context(), squatter, container.StartOptions{}))
	s.up(next)
	s.noDrift(next)
	s.oneContainer(next)
	if s.id(first.Container) != found.ID {
		t.Error("the container was made anew")
	}
	must(t, s.api.ContainerRemove(t.Context(), squatter, container.RemoveOptions{Force: true}))
}

// cutting is an engine that dies at a chosen call: everything after it fails, as for a worker that was killed.
type cutting struct {
	dockerAPI
	cancel context.CancelFunc
	calls  int
	at     int
}

func (c *cutting) cut() error {
	c.calls++
	if c.calls == c.at {
		c.cancel()
	}
	if c.calls >= c.at {
		return errors.New("killed")
	}
	return nil
}

func (c *cutting) NetworkDisconnect(ctx context.Context, name, id string, force bool) error {
	if err := c.cut(); err != nil {
		return err
	}
	return c.dockerAPI.NetworkDisconnect(ctx, name, id, force)
}

func (c *cutting) NetworkConnect(ctx context.Context, name, id string, config *network.EndpointSettings) error {
	if err := c.cut(); err != nil {
		return err
	}
	return c.dockerAPI.NetworkConnect(ctx, name, id, config)
}

func (c *cutting) ContainerStart(ctx context.Context, id string, options container.StartOptions) error {
	if err := c.cut(); err != nil {
		return err
	}
	return c.dockerAPI.ContainerStart(ctx, id, options)
}

func (c *cutting) ContainerStop(ctx context.Context, id string, options container.StopOptions) error {
	if err := c.cut(); err != nil {
		return err
	}
	return c.dockerAPI.ContainerStop(ctx, id, options)
}

func (c *cutting) ContainerRename(ctx context.Context, id, name string) error {
	if err := c.cut(); err != nil {
		return err
	}
	return c.dockerAPI.ContainerRename(ctx, id, name)
}

func (c *cutting) ContainerRemove(ctx context.Context, id string, options container.RemoveOptions) error {
	if err := c.cut(); err != nil {
		return err
	}
	return c.dockerAPI.ContainerRemove(ctx, id, options)
}

// killed runs work on an engine that dies at the n-th call that changes something, and reports whether it came so far.
func (s *service) killed(n int, work func(ctx context.Context, e *Engine) error) bool {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	defer cancel()
	dying := &cutting{dockerAPI: s.e.api, cancel: cancel, at: n}
	err := work(ctx, &Engine{api: dying, log: s.e.log, probes: s.e.probes})
	if dying.calls < n {
		must(s.t, err)
		return false
	}
	return true
}

// TestAHandoverThatIsKilledAnywhereConverges kills an update at each of its calls, and goes on with it or takes it back.
func TestAHandoverThatIsKilledAnywhereConverges(t *testing.T) {
	t.Parallel()
	for _, back := range []bool{false, true} {
		t.Run(map[bool]string{false: "goes on", true: "is taken back"}[back], func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			first := s.handing("alpha", "one")
			s.up(first)
			client := s.polling("client", "alpha")
			now := first
			for n, more := 1, true; more; n++ {
				s.run = fmt.Sprintf("killed-%d", n)
				next := edited(first, s.run)
				more = s.killed(n, func(ctx context.Context, e *Engine) error {
					_, err := e.Ensure(ctx, s.componentCall(next), nil)
					return err
				})
				if back {
					_, err := s.e.Restore(t.Context(), s.componentCall(next))
					must(t, err)
				} else {
					_, err := s.ensure(next)
					must(t, err)
					must(t, s.e.Commit(t.Context(), s.call(next, client)))
					now = next
				}
				s.oneContainer(now)
				s.noDrift(now, client)
				s.answered(client, "box is ready with "+now.Files[0].Content)
				t.Logf("killed at call %d", n)
			}
			// One kill falls between leaving a network and joining it again, and loses what is on its way: one request of each loop.
			if seen := s.polled(client); len(seen.Failed) > 3 {
				t.Errorf("%d of %d requests failed: %q", len(seen.Failed), seen.Requests, seen.Failed)
			}
		})
	}
}

// TestARestoreThatIsKilledAnywhereConverges does the same to a rollback.
func TestARestoreThatIsKilledAnywhereConverges(t *testing.T) {
	t.Parallel()
	s := newService(t)
	first := s.handing("alpha", "one")
	s.up(first)
	for n, more := 1, true; more; n++ {
		s.run = fmt.Sprintf("undone-%d", n)
		next := edited(first, s.run)
		_, err := s.ensure(next)
		must(t, err)
		more = s.killed(n, func(ctx context.Context, e *Engine) error {
			_, err := e.Restore(ctx, s.componentCall(next))
			return err
		})
		if n%2 == 0 {
			// Another apply comes instead of the rest of the rollback.
			_, err = s.ensure(first)
			must(t, err)
			must(t, s.e.Commit(t.Context(), s.call(first)))
		} else {
			_, err = s.e.Restore(t.Context(), s.componentCall(next))
			must(t, err)
		}
		s.oneContainer(first)
		s.noDrift(first)
		if got := s.answer(first); got != "box is ready with one" {
			t.Errorf("answer %q after the kill at call %d", got, n)
		}
	}
}

func TestAFixedHostPortHasAGapThatIsTold(t *testing.T) {
	t.Parallel()
	s := newService(t)
	listener, port := freePort(t)
	must(t, listener.Close())
	first := s.handing("alpha", "one")
	first.Ports[0].Host = port
	s.up(first)
	s.run = "run-2"
	began := time.Now()
	state, err := s.ensure(edited(first, "two"))
	must(t, err)
	if gap := time.Duration(state.GapMS) * time.Millisecond; gap <= 0 || gap > time.Since(began) {
		t.Errorf("gap %s of %s", gap, time.Since(began))
	}
	state, err = s.ensure(edited(first, "two"))
	must(t, err)
	if state.GapMS != 0 {
		t.Errorf("a gap of %d ms where nothing was replaced", state.GapMS)
	}
}

func TestANetworkWithoutRoomForAddressesStopsTheOldOneFirst(t *testing.T) {
	t.Parallel()
	s := newService(t)
	_, err := s.api.NetworkCreate(t.Context(), s.ref.Network(), network.CreateOptions{Driver: "bridge", Labels: s.ref.Labels()})
	must(t, err)
	first := s.handing("alpha", "one")
	s.up(first)
	state, err := s.ensure(edited(first, "two"))
	must(t, err)
	if state.GapMS == 0 {
		t.Error("no gap is told")
	}
	must(t, s.e.Commit(t.Context(), s.call(edited(first, "two"))))
	s.noDrift(edited(first, "two"))
}
