package engine

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// watch sees a container end, also when its restart policy starts it again at once.
type watch struct {
	exit <-chan container.WaitResponse
	err  <-chan error
	// since is a moment before the watched run's end and after the start of the one before it, by the engine's clock.
	since string
	// running says that the run had begun by then.
	running bool
	// limit is how long the component may take to become ready.
	limit time.Duration
}

// watch begins to watch a container before it is started or while it runs, so that no exit can be missed.
func (j *job) watch(ctx context.Context, id string) (watch, error) {
	got, err := j.inspect(ctx, id)
	if err != nil {
		return watch{}, err
	}
	if got == nil {
		return watch{}, contract.Fail(contract.Unavailable, "container %s was removed while it was being started", j.c.Container)
	}
	never := time.Time{}.Format(time.RFC3339)
	w := watch{since: got.Created, limit: probeTimeout(j.c)}
	if j.c.Probe.Type == contract.ProbeImage && got.Config != nil {
		w.limit = max(w.limit, ownTime(got.Config.Healthcheck))
	}
	switch {
	case got.State.Running:
		w.since, w.running = got.State.StartedAt, true
	case got.State.FinishedAt != never && got.State.FinishedAt != "":
		w.since = got.State.FinishedAt
	}
	w.exit, w.err = j.api.ContainerWait(ctx, id, container.WaitConditionNextExit)
	return w, nil
}

// exitCode is that of the first exit of the watched run, out of the engine's record of events: the answer to the wait may
// have been read after the restart policy has started the container again, and is 0 then.
func (j *job) exitCode(ctx context.Context, id string, w watch, waited int64) (code int, oom bool) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	messages, errs := j.api.Events(ctx, events.ListOptions{Since: w.since, Filters: filters.NewArgs(
		filters.Arg("type", string(events.ContainerEventType)), filters.Arg("container", id),
		filters.Arg("event", string(events.ActionStart)), filters.Arg("event", string(events.ActionDie)),
		filters.Arg("event", string(events.ActionOOM)))})
	// The record of an earlier run's end may come a little after the time that the container gives for it.
	started := w.running
	for {
		select {
		case message := <-messages:
			switch message.Action {
			case events.ActionStart:
				started = true
				continue
			case events.ActionOOM:
				// The container itself forgets it as soon as it is started again.
				oom = true
				continue
			}
			if code, err := strconv.Atoi(message.Actor.Attributes["exitCode"]); err == nil && started {
				return code, oom
			}
		case err := <-errs:
			j.log.Debug("no record of the container's end", "container", j.c.Container, "error", err)
			return int(waited), oom
		}
	}
}

// start starts a container and waits until it is ready.
func (j *job) start(ctx context.Context, id string) error {
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	w, err := j.watch(watching, id)
	if err != nil {
		return err
	}
	if err := j.launch(ctx, id); err != nil {
		return err
	}
	return j.ready(ctx, id, w, w.limit)
}

// launch starts a container. A port may still be with a component of the same service that is to move off it, or is to go,
// in this very setup: then that one, whose turn comes later, is stopped now. An address may have been given to somebody else
// while the container was stopped: then it gets another one.
func (j *job) launch(ctx context.Context, id string) error {
	for attempt := 0; ; attempt++ {
		err := j.api.ContainerStart(ctx, id, container.StartOptions{})
		if err == nil {
			j.log.Info("started container", "container", j.c.Container)
			return nil
		}
		failed := j.startFailure(ctx, id, err)
		failure := contract.AsFailure(failed)
		if failure == nil || failure.Class != contract.Conflict || attempt > len(j.c.Ports) {
			return failed
		}
		port, blamed := blamedPort(err, j.c)
		if !blamed {
			freed, err := j.freeAddresses(ctx, id)
			if err != nil {
				return err
			}
			if !freed {
				return failed
			}
			continue
		}
		holder, err := j.holder(ctx, port)
		if err != nil {
			return err
		}
		if holder == nil || holder.ID == id || !j.call.Ref.Owns(holder.Labels) {
			return failed
		}
		j.log.Info("stopping container for its port", "container", nameOf(*holder), "port", port.Host)
		if err := j.stop(ctx, holder.ID, nameOf(*holder)); err != nil {
			return err
		}
	}
}

// startFailure explains why a container could not be started.
func (j *job) startFailure(ctx context.Context, id string, err error) error {
	failed := j.fail(ctx, err, "start container %s", j.c.Container)
	failure := contract.AsFailure(failed)
	if failure == nil {
		return failed
	}
	switch failure.Class {
	case contract.Conflict, contract.InvalidInput:
		if port, ok := blamedPort(err, j.c); ok {
			failure.Attribute = port.Attribute
			if failure.Class == contract.Conflict {
				holder, listErr := j.holder(ctx, port)
				if listErr != nil {
					return listErr
				}
				return portConflict(port, holder, oneLine(err))
			}
			return failure
		}
		failure.Attribute = attribute(j.c, "image")
		if strings.Contains(failure.Cause, "unable to find ") { // a user or group
			failure.Attribute = attribute(j.c, "user")
		}
		failure.Evidence = j.evidence(ctx, id, nil)
	}
	return failure
}

// blamedPort is the port of the component that a failed start complains about.
func blamedPort(err error, c contract.Component) (contract.Port, bool) {
	for _, p := range c.Ports {
		// TCP and UDP may share a number; some of the engine's messages tell which it is.
		if strings.Contains(err.Error(), "listen ") && !strings.Contains(err.Error(), "listen "+protocol(p)) {
			continue
		}
		number := strconv.Itoa(p.Host)
		for _, word := range strings.FieldsFunc(err.Error(), func(r rune) bool { return r < '0' || r > '9' }) {
			if p.Host != 0 && word == number {
				return p, true
			}
		}
	}
	return contract.Port{}, false
}
