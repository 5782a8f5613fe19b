package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// A handover replaces a container without a gap. What a run leaves that is killed in the middle is told by the containers'
// names on the engine and on their networks:
//
//	NAME has the names, NAME-incoming has not     the successor is being made ready; it can go
//	NAME has the names, NAME-incoming too         the successor is being proved once more; it can go, after a drain
//	NAME has lost them, NAME-incoming has them    the successor serves, and its predecessor is being drained
//	NAME-replaced, NAME-incoming has them         only the last name is missing
//
// settleHandover brings the first two back to what was before, and the other two to their end.

// leastDrain is how long a predecessor goes on in any case: who began to connect while it was off the network tries again after a
// second.
const leastDrain = 2 * time.Second

// runs reports whether a container can serve.
func runs(got *container.InspectResponse) bool {
	return got != nil && got.State.Running && !got.State.Paused && !got.State.Restarting
}

// handsOver reports whether the component's next container can take over from one that serves, and the places at which it waits
// for that. Where it cannot, the log says why.
func (j *job) handsOver(ctx context.Context, predecessor *container.InspectResponse, replaced *container.Summary) (bool, []place, error) {
	if j.c.Handover == nil {
		return false, nil, nil
	}
	serving := runs(predecessor)
	if !serving && replaced != nil {
		// A Restore that was interrupted has started it.
		before, err := j.inspect(ctx, replaced.ID)
		if err != nil {
			return false, nil, err
		}
		serving = runs(before)
	}
	if !serving {
		return false, nil, nil
	}
	for _, p := range j.c.Ports {
		if p.Host != 0 {
			j.log.Info("the old container is stopped first", "container", j.c.Container, "because", fmt.Sprintf("both need port %d of the host", p.Host))
			return false, nil, nil
		}
	}
	waiting := places(j.call.Ref, j.c)
	for i, p := range waiting {
		net, err := j.Engine.network(ctx, p.network)
		if err != nil {
			return false, nil, err
		}
		waiting[i] = p.aside(contract.IncomingSuffix)
		if net != nil {
			waiting[i].address = address(net)
		}
		if waiting[i].address == "" {
			j.log.Info("the old container is stopped first", "container", j.c.Container,
				"because", fmt.Sprintf("network %s was made without room for an address of orch's choice", p.network))
			return false, nil, nil
		}
	}
	return true, waiting, nil
}

// handover starts the complete container beside the one that serves, and lets it take over when it is ready.
func (j *job) handover(ctx context.Context, id string, predecessor *container.InspectResponse, replaced *container.Summary) error {
	if err := j.start(ctx, id); err != nil {
		return j.stillServing(err)
	}
	if err := j.rotateLate(ctx, id); err != nil {
		return err
	}
	j.progress.tell("%s: the new container takes over", j.c.Name)
	if err := j.giveNames(ctx, id); err != nil {
		return err
	}
	if err := j.stillReady(ctx, id); err != nil {
		last, cancel := toTheEnd(ctx)
		defer cancel()
		if back := j.takeAway(last, id, contract.IncomingSuffix); back != nil {
			j.log.Warn("a container that is not ready keeps its names", "container", j.c.Container, "error", back)
		}
		return j.stillServing(err)
	}
	before := ""
	if replaced != nil {
		before = replaced.ID
	}
	return j.succeed(ctx, id, predecessor, before)
}

// stillReady asks a container once more that was ready a moment ago. It has its names now, so it is given no second start period,
// only the moment in which it was off the network.
func (j *job) stillReady(ctx context.Context, id string) error {
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	w, err := j.watch(watching, id)
	if err != nil {
		return err
	}
	again := *j
	again.c.Probe.StartPeriodSeconds = min(j.c.Probe.StartPeriodSeconds, leastDrain.Seconds())
	return again.ready(ctx, id, w, w.limit)
}

// stillServing adds to a successor's failure that nobody has noticed it.
func (j *job) stillServing(err error) error {
	if failure := contract.AsFailure(err); failure != nil {
		failure.Cause += fmt.Sprintf("; the previous container %s still serves", j.c.Container)
	}
	return err
}

// succeed ends a handover: the successor is the only one that is found from now on, its predecessors answer for the drain time
// those who found them before, and are put aside.
func (j *job) succeed(ctx context.Context, id string, predecessor *container.InspectResponse, replaced string) error {
	var old []string
	if predecessor != nil {
		old = append(old, predecessor.ID)
	}
	if replaced != "" {
		old = append(old, replaced)
	}
	if err := j.retire(ctx, contract.ReplacedSuffix, old...); err != nil {
		return err
	}
	if predecessor != nil {
		if err := j.setAside(ctx, predecessor.ID, replaced != ""); err != nil {
			return err
		}
	}
	if err := j.rename(ctx, j.call.Ref, id, j.c.Container); err != nil {
		return err
	}
	j.log.Info("the new container has taken over", "container", j.c.Container)
	return nil
}

// retire takes containers' names away, lets those who found them before finish, and stops them.
func (j *job) retire(ctx context.Context, suffix string, ids ...string) error {
	drained := false
	for _, id := range ids {
		got, err := j.inspect(ctx, id)
		if err != nil {
			return err
		}
		if got == nil {
			continue
		}
		if err := j.takeAway(ctx, id, suffix); err != nil {
			return err
		}
		// One that a killed run has taken the names away from may still have work.
		drained = drained || runs(got) && (j.bears("", got) || j.bears(contract.ReplacedSuffix, got))
	}
	if drained && j.c.Handover != nil {
		if err := j.drain(ctx); err != nil {
			return err
		}
	}
	for _, id := range ids {
		if err := j.halt(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

func (j *job) drain(ctx context.Context) error {
	limit := max(leastDrain, time.Duration(j.c.Handover.DrainSeconds)*time.Second)
	return j.progress.during(ctx, fmt.Sprintf("draining the old container of %s for %s", j.c.Name, limit), func() error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(limit):
			return nil
		}
	})
}

// settleHandover ends or undoes a handover that was interrupted, and returns what there is then. It also removes a successor that
// nobody knows of yet.
func (j *job) settleHandover(ctx context.Context, at siblings) (siblings, error) {
	if at.incoming == nil {
		return at, nil
	}
	incoming, err := j.inspect(ctx, at.incoming.ID)
	if err != nil {
		return at, err
	}
	var current *container.InspectResponse
	if at.current != nil {
		if current, err = j.inspect(ctx, at.current.ID); err != nil {
			return at, err
		}
	}
	if !j.tookOver(incoming, current) {
		if err := j.withdraw(ctx, at.incoming, current); err != nil {
			return at, err
		}
		at.incoming = nil
		return at, nil
	}
	j.log.Info("ending an interrupted handover", "container", j.c.Container)
	before := ""
	if at.replaced != nil {
		before = at.replaced.ID
	}
	if err := j.succeed(ctx, incoming.ID, current, before); err != nil {
		return at, err
	}
	owned, err := j.owned(ctx, j.call.Ref)
	return locate(owned, j.call.Ref, j.c.Name), err
}

// tookOver reports whether a successor serves already: it was proved, so its predecessor has begun to lose its names.
func (j *job) tookOver(incoming, current *container.InspectResponse) bool {
	if !runs(incoming) || !j.bears("", incoming) {
		return false
	}
	return !runs(current) || j.lostNames(current)
}

// withdraw removes a successor. Its predecessor, which may be nil, has its names back before.
func (j *job) withdraw(ctx context.Context, incoming *container.Summary, current *container.InspectResponse) error {
	if current != nil && j.lostNames(current) {
		if err := j.reinstate(ctx, current.ID); err != nil {
			return err
		}
	}
	if err := j.retire(ctx, contract.IncomingSuffix, incoming.ID); err != nil {
		return err
	}
	return j.remove(ctx, incoming.ID, nameOf(*incoming))
}

// reinstate lets a container serve again whose names a handover has taken away: it gets them back when it answers. One that
// does not answer gets them all the same, since its successor is to go.
func (j *job) reinstate(ctx context.Context, id string) error {
	got, err := j.inspect(ctx, id)
	if err != nil {
		return err
	}
	if !runs(got) {
		err := j.start(ctx, id)
		if failure := contract.AsFailure(err); failure != nil && failure.Class == contract.Unhealthy {
			j.log.Warn("the old container is not ready yet", "container", j.c.Container, "because", failure.Cause)
		} else if err != nil {
			return err
		}
	}
	return j.giveNames(ctx, id)
}
