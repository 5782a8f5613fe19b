package engine

import (
	"context"
	"slices"

	"github.com/docker/docker/api/types/container"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// Restore undoes what the run has done for one component: the container that it made goes, the one that was replaced comes
// back with the secrets that it knows, and volumes that the run was the first to make are removed. It can be repeated.
func (e *Engine) Restore(ctx context.Context, call contract.ComponentCall) (contract.Undone, error) {
	var undone contract.Undone
	if _, err := e.check(ctx, call.EngineID); err != nil {
		return undone, err
	}
	c := call.Component
	owned, err := e.owned(ctx, call.Ref)
	if err != nil {
		return undone, err
	}
	at := locate(owned, call.Ref, c.Name)
	if at.incoming != nil {
		if err := e.remove(ctx, at.incoming.ID, nameOf(*at.incoming)); err != nil {
			return undone, err
		}
		undone.Done = append(undone.Done, "removed container "+nameOf(*at.incoming))
	}
	if at.current != nil && at.current.Labels[contract.LabelRunID] == call.RunID {
		if err := e.stopAndRemove(ctx, *at.current); err != nil {
			return undone, err
		}
		undone.Done = append(undone.Done, "removed container "+c.Container)
		at.current = nil
	}
	if at.current == nil && at.replaced != nil {
		if err := e.bringBack(ctx, call, at.replaced); err != nil {
			return undone, err
		}
		undone.Done = append(undone.Done, "brought back container "+c.Container)
	}
	volumes, err := e.removeRunVolumes(ctx, call)
	undone.Done = append(undone.Done, volumes...)
	return undone, err
}

// bringBack starts the replaced container and gives it its name back last, so that a Restore that is interrupted goes on
// where it was. A secret that its data has been told to change is changed back.
func (e *Engine) bringBack(ctx context.Context, call contract.ComponentCall, replaced *container.Summary) error {
	c, name := call.Component, nameOf(*replaced)
	stored := vault{}
	if len(c.Secrets) > 0 {
		var err error
		if stored, err = e.vault(ctx, replaced.ID, name); err != nil {
			return err
		}
	}
	var back []rotation
	files := newArchive()
	for _, s := range c.Secrets {
		before, version := stored[s.Name+previousSuffix], stored[s.Name+previousSuffix+versionSuffix]
		if before == "" {
			continue
		}
		if s.Rotation != "" {
			back = append(back, rotation{secret: s, to: before, toVersion: version, from: candidates(call.Secrets[s.Name], stored[s.Name])})
			continue
		}
		files.value(s, before, version)
		files.previous(s, "", "")
	}
	if err := e.put(ctx, replaced.ID, name, files); err != nil {
		return err
	}
	j := &job{Engine: e, call: call, c: c, masked: slices.Collect(stored.values(c))}
	if len(back) == 0 {
		if err := j.launch(ctx, replaced.ID); err != nil {
			return err
		}
	} else if err := j.rotateBack(ctx, replaced.ID, back); err != nil {
		return err
	}
	return e.rename(ctx, call.Ref, replaced.ID, c.Container)
}

func (j *job) rotateBack(ctx context.Context, id string, back []rotation) error {
	if err := j.start(ctx, id); err != nil {
		return err
	}
	for _, r := range back {
		if err := j.tellComponent(ctx, id, r); err != nil {
			return err
		}
		files := newArchive()
		files.value(r.secret, r.to, r.toVersion)
		files.previous(r.secret, "", "")
		if err := j.put(ctx, id, j.c.Container, files); err != nil {
			return err
		}
	}
	return nil
}

// removeRunVolumes removes the component's volumes that the run made. One that was there before keeps its first labels, and
// so names another run.
func (e *Engine) removeRunVolumes(ctx context.Context, call contract.ComponentCall) ([]string, error) {
	all, err := e.volumes(ctx, call.Ref)
	if err != nil {
		return nil, err
	}
	var done []string
	for _, v := range all {
		if v.Labels[contract.LabelRunID] != call.RunID || v.Labels[contract.LabelComponent] != call.Component.Name {
			continue
		}
		if err := e.removeVolume(ctx, v.Name); err != nil {
			return done, err
		}
		done = append(done, "removed volume "+v.Name)
	}
	return done, nil
}

// Rollback undoes what the run has done outside its components: the network goes, once the service has no container left that
// needs it. Which run made it does not count: one that was killed before cannot take it back any more. It can be repeated.
func (e *Engine) Rollback(ctx context.Context, call contract.StackCall) (contract.Undone, error) {
	var undone contract.Undone
	if _, err := e.check(ctx, call.Stack.EngineID); err != nil {
		return undone, err
	}
	found, err := e.network(ctx, call.Stack.Ref.Network())
	if err != nil || found == nil {
		return undone, err
	}
	if !call.Stack.Ref.Owns(found.Labels) || len(found.Containers) > 0 {
		return undone, nil
	}
	// A stopped container is not among the network's, and could not start any more without it.
	owned, err := e.owned(ctx, call.Stack.Ref)
	if err != nil || len(owned) > 0 {
		return undone, err
	}
	if err := e.removeNetwork(ctx, call.Stack.Ref, found.Name); err != nil {
		return undone, err
	}
	undone.Done = append(undone.Done, "removed network "+found.Name)
	return undone, nil
}

// Commit makes a setup final: replaced containers go, as do those of components that the service no longer has and whatever
// else an interrupted run left, and the previous values of secrets are forgotten.
func (e *Engine) Commit(ctx context.Context, call contract.StackCall) error {
	if _, err := e.check(ctx, call.Stack.EngineID); err != nil {
		return err
	}
	owned, err := e.owned(ctx, call.Stack.Ref)
	if err != nil {
		return err
	}
	keep := map[string]bool{}
	for _, c := range call.Stack.Components {
		if at := locate(owned, call.Stack.Ref, c.Name); at.current != nil {
			keep[at.current.ID] = true
			if err := e.forgetPrevious(ctx, at.current.ID, c); err != nil {
				return err
			}
		}
	}
	for _, s := range owned {
		if keep[s.ID] {
			continue
		}
		if err := e.stopAndRemove(ctx, s); err != nil {
			return err
		}
	}
	return nil
}
