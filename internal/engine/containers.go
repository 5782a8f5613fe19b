package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// siblings are the containers that bear one component's labels, told apart by their names.
type siblings struct {
	current, incoming, replaced *container.Summary
	// strays have the component's labels under a name that orch does not give: somebody renamed them.
	strays []container.Summary
}

// nameOf is a container's own name; a link to another container would hold a second slash.
func nameOf(s container.Summary) string {
	for _, name := range s.Names {
		if bare := strings.TrimPrefix(name, "/"); !strings.Contains(bare, "/") {
			return bare
		}
	}
	return s.ID
}

// ownedBy filters a list by the labels of r's objects.
func ownedBy(r contract.Ref) filters.Args {
	args := filters.NewArgs()
	for name, value := range r.Labels() {
		args.Add("label", name+"="+value)
	}
	return args
}

// owned lists r's containers, running or not.
func (e *Engine) owned(ctx context.Context, r contract.Ref) ([]container.Summary, error) {
	list, err := e.api.ContainerList(ctx, container.ListOptions{All: true, Filters: ownedBy(r)})
	if err != nil {
		return nil, e.fail(ctx, err, "list the containers of %s", r.ID())
	}
	return list, nil
}

// locate picks the containers of one component out of a service's.
func locate(owned []container.Summary, r contract.Ref, component string) siblings {
	var s siblings
	final := r.Container(component)
	for i := range owned {
		item := &owned[i]
		if item.Labels[contract.LabelComponent] != component {
			continue
		}
		switch nameOf(*item) {
		case final:
			s.current = item
		case final + contract.IncomingSuffix:
			s.incoming = item
		case final + contract.ReplacedSuffix:
			s.replaced = item
		default:
			s.strays = append(s.strays, *item)
		}
	}
	return s
}

// inspect returns a container, or nil when it does not exist.
func (e *Engine) inspect(ctx context.Context, id string) (*container.InspectResponse, error) {
	found, err := e.api.ContainerInspect(ctx, id)
	switch {
	case err == nil:
		return &found, nil
	case errdefs.IsNotFound(err):
		return nil, nil
	default:
		return nil, e.fail(ctx, err, "inspect container %s", id)
	}
}

// stop gives a container its stop timeout to end by itself. What is stopped or gone already is success. It cannot be called off:
// engines go on with a stop that nobody waits for. A rollback, or the next plan after an interrupted destroy, would take the
// container for one that runs, and its restart policy would not bring it back.
func (e *Engine) stop(ctx context.Context, id, name string) error {
	stopping, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	if deadline, has := ctx.Deadline(); has {
		stopping, cancel = context.WithDeadline(stopping, deadline)
		defer cancel()
	}
	ctx = stopping
	if err := e.api.ContainerStop(ctx, id, container.StopOptions{}); err != nil && !errdefs.IsNotFound(err) {
		return e.fail(ctx, err, "stop container %s", name)
	}
	return nil
}

// remove removes a container with its anonymous volumes and returns when it is gone.
func (e *Engine) remove(ctx context.Context, id, name string) error {
	err := e.api.ContainerRemove(ctx, id, container.RemoveOptions{Force: true, RemoveVolumes: true})
	if err == nil || errdefs.IsNotFound(err) {
		e.log.Info("removed container", "container", name)
		return nil
	}
	if !errdefs.IsConflict(err) {
		return e.fail(ctx, err, "remove container %s", name)
	}
	// Somebody else is removing it.
	return e.until(ctx, 30*time.Second, func() (bool, error) {
		found, err := e.inspect(ctx, id)
		return found == nil, err
	}, contract.Fail(contract.Unavailable, "remove container %s: %s", name, oneLine(err)))
}

// toTheEnd is a context for what must be done although ctx may have ended, within a time.
func toTheEnd(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
}

// removeLent removes a container that was made to lend something for a moment, also when ctx has ended.
func (e *Engine) removeLent(ctx context.Context, id, what string) error {
	ctx, cancel := toTheEnd(ctx)
	defer cancel()
	return e.remove(ctx, id, what)
}

// stopAndRemove lets a container end by itself before it is removed.
func (e *Engine) stopAndRemove(ctx context.Context, s container.Summary) error {
	if s.State != container.StateExited && s.State != container.StateCreated {
		if err := e.stop(ctx, s.ID, nameOf(s)); err != nil {
			return err
		}
	}
	// A container that was stopped in order to be removed is of no use to anybody.
	ctx, cancel := toTheEnd(ctx)
	defer cancel()
	return e.remove(ctx, s.ID, nameOf(s))
}

// rename gives a container another name.
//
// For one that runs, the engine also writes its networks' counts of endpoints, from a copy that may be older than the last
// endpoint that went; a network that is counted as used cannot be removed any more. Asking for networks makes that copy anew.
func (e *Engine) rename(ctx context.Context, r contract.Ref, id, name string) error {
	if _, err := e.networks(ctx, r); err != nil {
		return err
	}
	err := e.api.ContainerRename(ctx, id, name)
	if err != nil && errdefs.IsConflict(err) {
		return e.nameTaken(ctx, r, name, err)
	}
	if err != nil {
		return e.fail(ctx, err, "rename container %.12s to %s", id, name)
	}
	return nil
}

// nameTaken explains a conflict over a container name.
func (e *Engine) nameTaken(ctx context.Context, r contract.Ref, name string, conflict error) error {
	found, err := e.inspect(ctx, name)
	if err != nil {
		return err
	}
	if found != nil && !r.Owns(found.Config.Labels) {
		return notOwned("container", name, "image "+found.Config.Image, found.Config.Labels)
	}
	// It is ours, so a call that nobody waits for any more is still at work; the next attempt finds what it made.
	return contract.Fail(contract.Unavailable, "container name %s is being used by another attempt: %s", name, oneLine(conflict))
}

// notOwned says that an object with a name that the service needs is somebody else's.
func notOwned(what, name, details string, labels map[string]string) *contract.StepFailure {
	failure := contract.Fail(contract.NotOwned, "%s %q exists already and is not this service's: %s, %s",
		what, name, details, ownerOf(labels))
	failure.Attribute = "service_name"
	command := "docker " + what + " rm " + name
	if what == "container" {
		command = fmt.Sprintf("docker rename %s <other name>` or `docker rm %s", name, name)
	}
	failure.Hint = "remove or rename it (`" + command + "`), or choose another service_name or scope"
	return failure
}

// ownerOf says in words whom labels name as the owner of an object.
func ownerOf(labels map[string]string) string {
	if labels[contract.LabelManaged] == "true" {
		other := contract.Ref{Scope: labels[contract.LabelScope], Kind: labels[contract.LabelKind], Service: labels[contract.LabelService]}
		return "owned by orch service " + other.ID()
	}
	if project := labels["com.docker.compose.project"]; project != "" {
		return fmt.Sprintf("owned by compose project %q", project)
	}
	return "without labels of orch"
}

// until polls a condition until it holds, and returns late when it does not within the time.
func (e *Engine) until(ctx context.Context, limit time.Duration, holds func() (bool, error), late error) error {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	delay := 20 * time.Millisecond
	for {
		ok, err := holds()
		if err != nil || ok {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline.C:
			return late
		case <-time.After(delay):
		}
		delay = min(2*delay, 500*time.Millisecond)
	}
}

// named lists the names of the containers that a filter selects, as a phrase; it is empty when there are none.
func (e *Engine) named(ctx context.Context, filter filters.Args) (string, error) {
	list, err := e.api.ContainerList(ctx, container.ListOptions{All: true, Filters: filter})
	if err != nil {
		return "", e.fail(ctx, err, "list containers")
	}
	var names []string
	for _, s := range list {
		names = append(names, fmt.Sprintf("container %q (%s)", nameOf(s), ownerOf(s.Labels)))
	}
	return strings.Join(names, ", "), nil
}
