package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/docker/docker/api/types/container"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// beforePath is where a container keeps the live files that the last run has replaced, until another run does.
const beforePath = "/etc/orch/before.json"

// before is the content of that file.
type before struct {
	RunID string `json:"run_id"`
	// Taken says that the process works with what has replaced the files.
	Taken bool            `json:"taken"`
	Files []contract.File `json:"files"`
}

// live are the component's live files.
func live(c contract.Component) []contract.File {
	return slices.DeleteFunc(slices.Clone(c.Files), func(f contract.File) bool { return !f.Live })
}

// before reads what a container keeps; it is zero where nothing was replaced yet.
func (e *Engine) before(ctx context.Context, id, name string) (before, error) {
	var b before
	files, err := e.read(ctx, id, name, beforePath)
	if err != nil || files[beforePath].Content == "" {
		return b, err
	}
	if err := json.Unmarshal([]byte(files[beforePath].Content), &b); err != nil {
		// Somebody has edited it. What cannot be read cannot be brought back, and must not stand in the way.
		e.log.Warn("a container's record of replaced files cannot be read", "container", name, "error", err)
	}
	return b, nil
}

func (a *archive) before(b before) {
	// Strings, numbers and booleans always have a JSON form.
	text, _ := json.Marshal(b)
	a.file(contract.File{Path: beforePath, Content: string(text), Mode: keepersMode})
}

// reloads reports whether the running process has to take files over: they differ, or a run that was killed, this one or another,
// has copied them and not told the process.
func (j *job) reloads(ctx context.Context, id string, findings []finding) (bool, error) {
	if needs(findings, remedyLive) {
		return true, nil
	}
	b, err := j.before(ctx, id, j.c.Container)
	return b.RunID != "" && !b.Taken, err
}

// pushLive validates the live files and copies them into the container, keeping what was there.
func (j *job) pushLive(ctx context.Context, id string) error {
	if err := j.validate(ctx); err != nil {
		return err
	}
	kept, err := j.before(ctx, id, j.c.Container)
	if err != nil {
		return inStep(contract.StepPush, err)
	}
	if kept.RunID != j.call.RunID {
		// A retry of this run keeps what its first attempt has found.
		old := j.c
		old.Files = live(j.c)
		files, err := j.injected(ctx, id, old)
		if err != nil {
			return inStep(contract.StepPush, err)
		}
		kept = before{RunID: j.call.RunID}
		for _, f := range old.Files {
			if was, found := files[f.Path]; found {
				kept.Files = append(kept.Files, was)
			}
		}
	}
	kept.Taken = false
	a := newArchive()
	a.before(kept)
	for _, f := range live(j.c) {
		a.file(f)
	}
	return inStep(contract.StepPush, j.put(ctx, id, j.c.Container, a))
}

// reload makes the running process take over changed live files. When it does not come up with them, the old ones are put
// back and the process is restarted with them: what ran before runs again.
func (j *job) reload(ctx context.Context, got *container.InspectResponse) error {
	if err := j.pushLive(ctx, got.ID); err != nil {
		return err
	}
	failed := j.signal(ctx, got)
	if failed == nil {
		return j.taken(ctx, got.ID)
	}
	if contract.AsFailure(failed) == nil {
		return failed // cancelled: Restore puts the files back
	}
	restored, err := j.restoreLive(ctx, got.ID)
	failure := contract.AsFailure(failed)
	if failure.Attribute == "" {
		failure.Attribute = j.c.Reload.Attribute
	}
	if said := lastError(failure.Evidence); said != "" {
		failure.Cause += ": " + said
	}
	switch {
	case err != nil:
		failure.Cause += fmt.Sprintf("; and the configuration before it could not be put back: %v", err)
	case restored:
		failure.Cause += "; the configuration before it was put back and runs again"
	}
	return failure
}

// taken notes that the process works with the new files.
func (j *job) taken(ctx context.Context, id string) error {
	b, err := j.before(ctx, id, j.c.Container)
	if err != nil || b.RunID != j.call.RunID {
		return err
	}
	b.Taken = true
	a := newArchive()
	a.before(b)
	return j.put(ctx, id, j.c.Container, a)
}

// signal tells the process and waits until it answers anew. One that ends, or that does not answer in time, has failed.
func (j *job) signal(ctx context.Context, got *container.InspectResponse) error {
	was, _ := j.change(ctx, got.ID)
	if was == "" {
		// It does not answer, so there is nothing to tell an answer before the signal from one after it by.
		if err := j.halt(ctx, got.ID); err != nil {
			return err
		}
		return j.start(ctx, got.ID)
	}
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	w, err := j.watch(watching, got.ID)
	if err != nil {
		return err
	}
	if err := j.api.ContainerKill(ctx, got.ID, j.c.Reload.Signal); err != nil {
		return j.fail(ctx, err, "send signal %s to container %s", j.c.Reload.Signal, j.c.Container)
	}
	j.log.Info("told the process to reload", "container", j.c.Container, "signal", j.c.Reload.Signal)
	if err := j.anew(ctx, got.ID, w, was); err != nil {
		return err
	}
	now, err := j.inspect(ctx, got.ID)
	if err != nil {
		return err
	}
	if now == nil || !now.State.Running || now.RestartCount != got.RestartCount {
		return j.exited(ctx, got.ID, 0, false)
	}
	return nil
}

// anew waits until the probe's answer is another than before the signal.
func (j *job) anew(ctx context.Context, id string, w watch, was string) error {
	return j.await(ctx, id, w, "waiting for "+j.c.Name+" to reload", w.limit, newPace(contract.Probe{}), func() answer {
		now, said := j.change(ctx, id)
		return answer{ok: now != "" && now != was, text: said}
	})
}

// change is the field of the probe's answer that tells one life of the process from the next; it is empty without a good
// answer, and then said is what came instead.
func (j *job) change(ctx context.Context, id string) (value, said string) {
	address, err := j.portAddress(ctx, id, j.c, j.c.Probe.Port)
	if err != nil {
		return "", err.Error()
	}
	ctx, cancel := context.WithTimeout(ctx, probeAttempt)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+j.c.Probe.Path, nil)
	if err != nil {
		return "", err.Error()
	}
	response, err := j.probes.Do(request)
	if err != nil {
		return "", err.Error()
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err := anyOf(err, response.Body.Close()); err != nil {
		return "", err.Error()
	}
	said = fmt.Sprintf("GET %s: %s %s", request.URL, response.Status, excerpt(string(body)))
	var fields map[string]any
	if response.StatusCode != http.StatusOK || json.Unmarshal(body, &fields) != nil || fields[j.c.Reload.Changes] == nil {
		return "", said
	}
	return fmt.Sprint(fields[j.c.Reload.Changes]), said
}

// restoreLive puts back the live files that this run has replaced, and restarts the process with them. It reports whether
// there were any; it can be repeated.
func (j *job) restoreLive(ctx context.Context, id string) (bool, error) {
	b, err := j.before(ctx, id, j.c.Container)
	if err != nil || b.RunID != j.call.RunID || len(b.Files) == 0 {
		return false, err
	}
	old := j.c
	old.Files = b.Files
	files, err := j.injected(ctx, id, old)
	if err != nil {
		return false, err
	}
	if _, runs := j.probe(ctx, id, j.c); runs && len(fileDrift(old, files)) == 0 {
		return true, nil
	}
	if err := j.halt(ctx, id); err != nil {
		return false, err
	}
	b.Taken = true // by the start that follows
	a := newArchive()
	a.before(b)
	for _, f := range b.Files {
		a.file(f)
	}
	if err := j.put(ctx, id, j.c.Container, a); err != nil {
		return false, err
	}
	return true, j.start(ctx, id)
}

// inStep names the step that an error belongs to, where it is not the component's own.
func inStep(step string, err error) error {
	if failure := contract.AsFailure(err); failure != nil {
		failure.Step = step
	}
	return err
}
