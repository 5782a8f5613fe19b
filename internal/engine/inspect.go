package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"golang.org/x/sync/errgroup"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// quickProbe is how long an inspection gives a component to answer.
const quickProbe = 2 * time.Second

// Inspect reports what is on the engine, and with components in the call, what differs from them. It changes nothing.
func (e *Engine) Inspect(ctx context.Context, call contract.StackCall) (contract.Observed, error) {
	id, err := e.check(ctx, call.Stack.EngineID)
	if err != nil {
		return contract.Observed{}, err
	}
	observed := contract.Observed{EngineID: id}
	r := call.Stack.Ref
	owned, err := e.owned(ctx, r)
	if err != nil {
		return observed, err
	}
	names := componentNames(owned)
	if observed.Found, err = e.found(ctx, call, names); err != nil {
		return observed, err
	}
	net, err := e.network(ctx, r.Network())
	if err != nil {
		return observed, err
	}
	for _, c := range call.Stack.Components {
		names = slices.DeleteFunc(names, func(name string) bool { return name == c.Name })
	}
	configured := len(call.Stack.Components)
	states := make([]contract.ComponentState, configured+len(names))
	group, groupCtx := errgroup.WithContext(ctx)
	live := &liveInputs{}
	for i, c := range call.Stack.Components {
		group.Go(func() (err error) {
			states[i], err = e.compare(groupCtx, r, c, locate(owned, r, c.Name), net, live)
			return err
		})
	}
	for i, name := range names {
		group.Go(func() (err error) {
			states[configured+i], err = e.describe(groupCtx, name, locate(owned, r, name), live)
			if configured > 0 {
				states[configured+i].Drift = append(states[configured+i].Drift, "the container belongs to no component of the configuration")
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return observed, err
	}
	observed.Components = states
	observed.Input, err = joinInputs(owned, live.byID)
	return observed, err
}

// found reports whether anything of the service is on the engine that a destroy would remove. Without containers, what is left
// is a network, and the volumes where they are to be deleted with the service: removed from the state, they would be nobody's.
// A call without components asks by the labels alone, as an import does, which needs containers to read an input from.
func (e *Engine) found(ctx context.Context, call contract.StackCall, names []string) (bool, error) {
	if len(names) > 0 || len(call.Stack.Components) == 0 {
		return len(names) > 0, nil
	}
	networks, err := e.networks(ctx, call.Stack.Ref)
	if err != nil || len(networks) > 0 || !call.DeleteVolumes {
		return len(networks) > 0, err
	}
	volumes, err := e.volumes(ctx, call.Stack.Ref)
	return len(volumes) > 0, err
}

// componentNames are the components that have a container, in order.
func componentNames(owned []container.Summary) []string {
	var names []string
	for _, s := range owned {
		if name := s.Labels[contract.LabelComponent]; name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// best is the container that stands for a component: the one with its name, else a renamed one, else what an interrupted
// update has put aside or not finished.
func (s siblings) best() *container.Summary {
	switch {
	case s.current != nil:
		return s.current
	case len(s.strays) > 0:
		return &s.strays[0]
	case s.replaced != nil:
		return s.replaced
	default:
		return s.incoming
	}
}

// compare finds out how one component's container differs from the component.
func (e *Engine) compare(ctx context.Context, r contract.Ref, c contract.Component, at siblings, net *network.Inspect, live *liveInputs) (contract.ComponentState, error) {
	state := contract.ComponentState{
		Name: c.Name, Container: c.Container, Image: c.Image, State: contract.StateMissing, Health: contract.HealthNotReady,
	}
	chosen := at.current
	if chosen == nil && len(at.strays) > 0 {
		chosen = &at.strays[0]
	}
	var got *container.InspectResponse
	if chosen != nil {
		var err error
		if got, err = e.inspect(ctx, chosen.ID); err != nil {
			return state, err
		}
	}
	if got == nil {
		state.Drift = append([]string{"the container was removed"}, leftovers(at)...)
		if net == nil {
			state.Drift = append(state.Drift, fmt.Sprintf("the network %s is missing", c.Network))
		}
		return state, nil
	}
	wanted, err := e.localImage(ctx, c.Image)
	if err != nil {
		return state, err
	}
	d, err := e.drift(ctx, expected{ref: r, component: c, image: wanted, network: net}, got)
	if err != nil {
		return state, err
	}
	live.add(got.ID, d.files)
	for _, f := range d.findings {
		state.Drift = append(state.Drift, f.text)
	}
	state.Drift = append(state.Drift, leftovers(at)...)
	state.Container, state.State, state.Image = nameOf(*chosen), got.State.Status, got.Config.Image
	if state.Digest, err = e.digest(ctx, got, wanted); err != nil {
		return state, err
	}
	if got.State.Status != container.StateRunning {
		return state, nil
	}
	if answer, ok := e.probeQuickly(ctx, got.ID, c); !ok {
		state.Drift = append(state.Drift, "it does not answer its probe: "+answer)
		return state, ctx.Err()
	}
	state.Health = contract.HealthReady
	return state, nil
}

// leftovers says what else of the component there is than its one container.
func leftovers(at siblings) []string {
	var drift []string
	for _, s := range []*container.Summary{at.incoming, at.replaced} {
		if s != nil {
			drift = append(drift, fmt.Sprintf("container %s is left over from an interrupted update", nameOf(*s)))
		}
	}
	for i, s := range at.strays {
		// The first one is the component's container itself when no other has the name.
		if i > 0 || at.current != nil {
			drift = append(drift, fmt.Sprintf("there is a second container %s", nameOf(s)))
		}
	}
	return drift
}

// describe reports a component of which only the labels are known, and what live input it has.
func (e *Engine) describe(ctx context.Context, name string, at siblings, live *liveInputs) (contract.ComponentState, error) {
	state := contract.ComponentState{Name: name, State: contract.StateMissing, Health: contract.HealthNotReady}
	chosen := at.best()
	state.Container = nameOf(*chosen)
	got, err := e.inspect(ctx, chosen.ID)
	if err != nil || got == nil {
		return state, err
	}
	state.Image, state.State = got.Config.Image, got.State.Status
	if got.State.Status == container.StateRunning {
		state.Health = contract.HealthReady
	}
	files, err := e.liveInput(ctx, *chosen)
	if err != nil {
		return state, err
	}
	live.add(got.ID, files)
	state.Digest, err = e.digest(ctx, got, nil)
	return state, err
}

// localImage is what a reference stands for on the engine, or nil when it has no such image.
func (e *Engine) localImage(ctx context.Context, ref string) (*image.InspectResponse, error) {
	found, err := e.api.ImageInspect(ctx, ref)
	switch {
	case err == nil:
		return &found, nil
	case errdefs.IsNotFound(err):
		return nil, nil
	default:
		return nil, e.fail(ctx, err, "inspect image %s", ref)
	}
}

// digest is that of the image that a container runs.
func (e *Engine) digest(ctx context.Context, got *container.InspectResponse, known *image.InspectResponse) (string, error) {
	if known != nil && known.ID == got.Image {
		return digestOf(*known, got.Config.Image), nil
	}
	found, err := e.localImage(ctx, got.Image)
	if err != nil || found == nil {
		return got.Image, err
	}
	return digestOf(*found, got.Config.Image), nil
}

// probeQuickly asks until the component answers, for two seconds at most.
func (e *Engine) probeQuickly(ctx context.Context, id string, c contract.Component) (answer string, ok bool) {
	deadline := time.Now().Add(quickProbe)
	for delay := firstPoll; ; delay = min(2*delay, slowestPoll) {
		if answer, ok = e.probe(ctx, id, c); ok {
			return answer, ok
		}
		if time.Now().Add(delay + probeAttempt/2).After(deadline) {
			return answer, false
		}
		select {
		case <-ctx.Done():
			return ctx.Err().Error(), false
		case <-time.After(delay):
		}
	}
}
