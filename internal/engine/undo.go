package engine

import (
	"context"
	"slices"

	"github.com/docker/docker/api/types/container"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// Restore undoes what the run has done for one component: the container that it made goes, the one that was replaced comes
// back with the secrets that it knows, and volumes and the image that the run was the first to make are removed. It can be repeated.
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
	if c.Reload != nil {
		if removed, err := e.removeTrialOf(ctx, call.Ref, c); err != nil {
			return undone, err
		} else if removed {
			undone.Done = append(undone.Done, "removed container "+c.Container+validateSuffix)
		}
	}
	j := &job{Engine: e, call: call, c: c}
	done, err := j.restore(ctx, at)
	undone.Done = append(undone.Done, done...)
	if err != nil {
		return undone, err
	}
	// The run's own container has gone with its files.
	if at.current != nil && at.current.Labels[contract.LabelRunID] != call.RunID && c.Reload != nil {
		if restored, err := j.restoreLive(ctx, at.current.ID); err != nil {
			return undone, err
		} else if restored {
			undone.Done = append(undone.Done, "put back the configuration of container "+c.Container)
		}
	}
	volumes, err := e.removeRunVolumes(ctx, call)
	undone.Done = append(undone.Done, volumes...)
	if err != nil {
		return undone, err
	}
	images, err := e.removeRunImages(ctx, call)
	undone.Done = append(undone.Done, images...)
	return undone, err
}

// restore undoes what the run has done to the component's containers.
func (j *job) restore(ctx context.Context, at siblings) ([]string, error) {
	var done []string
	if at.incoming != nil && at.current != nil {
		if err := j.withdrawn(ctx, at); err != nil {
			return done, err
		}
		done = append(done, "removed container "+nameOf(*at.incoming))
		at.incoming = nil
	}
	if at.current != nil && at.current.Labels[contract.LabelRunID] == j.call.RunID {
		stays, err := j.handsBack(ctx, at)
		if err != nil {
			return done, err
		}
		if stays {
			// From here on it is like a handover that was interrupted before the last name was given.
			if err := j.rename(ctx, j.call.Ref, at.current.ID, j.c.Container+contract.IncomingSuffix); err != nil {
				return done, err
			}
			at.incoming = at.current
		} else {
			if err := j.stopAndRemove(ctx, *at.current); err != nil {
				return done, err
			}
			done = append(done, "removed container "+j.c.Container)
		}
		at.current = nil
	}
	if at.current == nil && at.replaced != nil {
		if err := j.bringBack(ctx, at.replaced, at.incoming); err != nil {
			return done, err
		}
		done = append(done, "brought back container "+j.c.Container)
	}
	if at.incoming != nil {
		if err := j.stopAndRemove(ctx, *at.incoming); err != nil {
			return done, err
		}
		done = append(done, "removed container "+nameOf(*at.incoming))
	}
	if at.current != nil {
		again, err := j.startAgain(ctx, at.current.ID)
		if err != nil {
			return done, err
		}
		if again {
			done = append(done, "started container "+j.c.Container)
		}
	}
	return done, nil
}

// startAgain starts a container that the run has stopped, to replace or to repair it, and then left. One that does not start was
// perhaps stopped before: that is the next plan's to tell.
func (j *job) startAgain(ctx context.Context, id string) (bool, error) {
	got, err := j.inspect(ctx, id)
	if err != nil || got == nil || got.State.Status != container.StateExited {
		return false, err
	}
	if err := j.launch(ctx, id); err != nil {
		j.log.Warn("the old container does not start", "container", j.c.Container, "error", err)
		return false, ctx.Err()
	}
	return true, nil
}

// withdrawn removes a successor that has not got its last name, and gives the predecessor names and secrets back.
func (j *job) withdrawn(ctx context.Context, at siblings) error {
	current, err := j.inspect(ctx, at.current.ID)
	if err != nil {
		return err
	}
	// With an older container put aside, what is kept of the secrets is what that one knows.
	if at.replaced == nil && current != nil && at.current.Labels[contract.LabelRunID] != j.call.RunID {
		if _, err := j.secretsBack(ctx, current.ID, j.c.Container); err != nil {
			return err
		}
	}
	return j.withdraw(ctx, at.incoming, current)
}

// handsBack reports whether the run's container can serve on until its predecessor does again.
func (j *job) handsBack(ctx context.Context, at siblings) (bool, error) {
	if at.replaced == nil {
		return false, nil
	}
	current, err := j.inspect(ctx, at.current.ID)
	if err != nil {
		return false, err
	}
	replaced, err := j.inspect(ctx, at.replaced.ID)
	return runs(current) && replaced != nil && j.isAside(replaced), err
}

// bringBack starts the replaced container and gives it its name back last, so that a Restore that is interrupted goes on
// where it was. A secret that its data has been told to change is changed back. A successor that serves until then, which may be
// nil, loses its names when the replaced one has them.
func (j *job) bringBack(ctx context.Context, replaced, successor *container.Summary) error {
	back, err := j.secretsBack(ctx, replaced.ID, nameOf(*replaced))
	if err != nil {
		return err
	}
	got, err := j.inspect(ctx, replaced.ID)
	if err != nil {
		return err
	}
	if got == nil {
		return contract.Fail(contract.Unavailable, "container %s was removed while it was being brought back", nameOf(*replaced))
	}
	if successor == nil {
		if err := j.giveNames(ctx, replaced.ID); err != nil {
			return err
		}
	}
	switch {
	case len(back) > 0:
		err = j.rotateBack(ctx, replaced.ID, back)
	case successor != nil && j.isAside(got):
		err = j.reinstate(ctx, replaced.ID)
	default:
		err = j.launch(ctx, replaced.ID)
	}
	if err != nil {
		return err
	}
	if err := j.giveNames(ctx, replaced.ID); err != nil {
		return err
	}
	if successor != nil {
		if err := j.retire(ctx, contract.IncomingSuffix, successor.ID); err != nil {
			return err
		}
	}
	return j.rename(ctx, j.call.Ref, replaced.ID, j.c.Container)
}

// secretsBack puts the secrets back that the run has changed, as the container id knows them. Those that its data has been told
// are returned, to be changed back when it runs.
func (j *job) secretsBack(ctx context.Context, id, name string) ([]rotation, error) {
	if len(j.c.Secrets) == 0 {
		return nil, nil
	}
	stored, err := j.vault(ctx, id, name)
	if err != nil {
		return nil, err
	}
	j.masked = slices.AppendSeq(j.masked, stored.values(j.c))
	var back []rotation
	files := newArchive()
	for _, s := range j.c.Secrets {
		before, version := stored[s.Name+previousSuffix], stored[s.Name+previousSuffix+versionSuffix]
		if before == "" {
			continue
		}
		if s.Rotation != "" {
			back = append(back, rotation{secret: s, to: before, toVersion: version, from: candidates(j.call.Secrets[s.Name], stored[s.Name])})
			continue
		}
		files.value(s, before, version)
		files.previous(s, "", "")
	}
	return back, j.put(ctx, id, name, files)
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
	if err := e.removeRanges(ctx, call.Stack.Ref); err != nil {
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
// else an interrupted run left, the images that only they used, and the previous values of secrets.
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
	return e.removeOldImages(ctx, call.Stack)
}
