package engine

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/mount"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// A component's secrets volume holds these files per secret, of which only the first two are the component's business:
//
//	grafana_admin                    the value
//	grafana_admin.yaml               the value as Secret.Rendered has it, under its name; only where there is one
//	grafana_admin.version            the user's version of it, empty when it was generated
//	grafana_admin.previous           the value before, while an update is not committed
//	grafana_admin.previous.version   and its version
//
// Files in a volume cannot be deleted through the engine, so an empty file counts as absent.
const (
	versionSuffix  = ".version"
	previousSuffix = ".previous"
	keepersMode    = 0o600
)

// rotation is a change of one secret that the component itself must be told.
type rotation struct {
	secret        contract.Secret
	to, toVersion string
	// from are the values that may be in force: a run that died in between may have told the component already.
	from []string
}

// vault is the content of a secrets volume.
type vault map[string]string

// vault reads the secrets volume through any container that mounts it.
func (e *Engine) vault(ctx context.Context, id, name string) (vault, error) {
	files, err := e.read(ctx, id, name, contract.SecretsPath)
	if err != nil {
		return nil, err
	}
	v := vault{}
	for at, file := range files {
		v[path.Base(at)] = file.Content
	}
	return v, nil
}

// value puts a secret in all its forms and its version into an archive, to be written in one go.
func (a *archive) value(s contract.Secret, value, version string) {
	a.secret(s, s.Name, value)
	a.rendered(s, value)
	a.keep(s.Name+versionSuffix, version)
}

// rendered puts a secret into an archive in the form that the process reads, where that is not the value alone.
func (a *archive) rendered(s contract.Secret, value string) {
	if s.Rendered != nil {
		a.secret(s, s.Rendered.Name, render(s, value))
	}
}

func render(s contract.Secret, value string) string { return fmt.Sprintf(s.Rendered.Format, value) }

func (a *archive) secret(s contract.Secret, name, content string) {
	a.file(contract.File{Path: path.Join(contract.SecretsPath, name), Content: content, UID: s.UID, GID: s.GID, Mode: s.Mode})
}

// previous puts aside what a secret was before, or clears it.
func (a *archive) previous(s contract.Secret, value, version string) {
	a.keep(s.Name+previousSuffix, value)
	a.keep(s.Name+previousSuffix+versionSuffix, version)
}

func (a *archive) keep(name, content string) {
	a.file(contract.File{Path: path.Join(contract.SecretsPath, name), Content: content, Mode: keepersMode})
}

// settleSecrets brings the secrets volume to what the component asks for, through the container id, which mounts it and need
// not run. A changed secret that the component stores in its own data is told to the predecessor that runs with it, else
// kept for rotateLate.
func (j *job) settleSecrets(ctx context.Context, id string, predecessor *container.InspectResponse) error {
	if len(j.c.Secrets) == 0 {
		return nil
	}
	stored, err := j.vault(ctx, id, j.c.Container)
	if err != nil {
		return err
	}
	j.masked = slices.AppendSeq(j.masked, stored.values(j.c))
	// The volume's own directory must let the component's user pass, whatever the image has there.
	created := newArchive()
	created.directory(contract.SecretsPath, 0, 0, directoryMode)
	var changes []rotation
	for _, s := range j.c.Secrets {
		what, value, err := decide(s, stored, j.call.Secrets[s.Name], func() (string, error) { return j.fetch(ctx, s) })
		if err != nil {
			return j.blame(err, s)
		}
		j.masked = append(j.masked, value)
		switch what {
		case keepStored:
			// It was stored by a version that rendered it otherwise or not at all.
			if s.Rendered != nil && stored[s.Rendered.Name] != render(s, value) {
				created.rendered(s, value)
			}
		case makeNew:
			created.value(s, value, versionOf(s))
			j.progress.tell("%s: stored secret %s", j.c.Name, s.Name)
		case change:
			changes = append(changes, rotation{secret: s, to: value, toVersion: versionOf(s),
				from: candidates(stored[s.Name], stored[s.Name+previousSuffix])})
			// What an uncommitted run before this one put aside stays: it is what the replaced container knows.
			if stored[s.Name+previousSuffix] == "" {
				created.previous(s, stored[s.Name], stored[s.Name+versionSuffix])
			}
		}
	}
	if err := j.put(ctx, id, j.c.Container, created); err != nil {
		return err
	}
	return j.applyChanges(ctx, id, changes, predecessor)
}

// values are all values in the vault, present and past.
func (v vault) values(c contract.Component) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, s := range c.Secrets {
			if !yield(v[s.Name]) || !yield(v[s.Name+previousSuffix]) {
				return
			}
		}
	}
}

func candidates(values ...string) []string {
	var all []string
	for _, value := range values {
		if value != "" && !slices.Contains(all, value) {
			all = append(all, value)
		}
	}
	return all
}

func (j *job) applyChanges(ctx context.Context, id string, changes []rotation, predecessor *container.InspectResponse) error {
	for _, r := range changes {
		if r.secret.Rotation != "" {
			if predecessor == nil || !j.awake(ctx, predecessor) {
				j.late = append(j.late, r)
				continue
			}
			if err := j.tellComponent(ctx, predecessor.ID, r); err != nil {
				return err
			}
		}
		if err := j.writeValue(ctx, id, r.secret, r.to, r.toVersion); err != nil {
			return err
		}
	}
	return nil
}

func (j *job) writeValue(ctx context.Context, id string, s contract.Secret, value, version string) error {
	a := newArchive()
	a.value(s, value, version)
	return j.put(ctx, id, j.c.Container, a)
}

// awake makes sure that the predecessor runs and answers. One that cannot is no obstacle: its successor is told instead.
func (j *job) awake(ctx context.Context, predecessor *container.InspectResponse) bool {
	if predecessor.State.Paused {
		if err := j.api.ContainerUnpause(ctx, predecessor.ID); err != nil {
			return false
		}
	}
	if predecessor.State.Running && !predecessor.State.Restarting {
		_, ok := j.probe(ctx, predecessor.ID, j.c)
		return ok
	}
	if err := j.start(ctx, predecessor.ID); err != nil {
		j.log.Warn("the old container cannot be told its new secret", "container", j.c.Container, "error", err)
		return false
	}
	return true
}

// tellComponent changes a secret in the component that runs in a container.
func (j *job) tellComponent(ctx context.Context, id string, r rotation) error {
	address, err := j.portAddress(ctx, id, j.c, cmp.Or(r.secret.Port, j.c.Probe.Port))
	if err != nil {
		return err
	}
	return j.rotateAt(ctx, "http://"+address, r)
}

func (e *Engine) rotateAt(ctx context.Context, base string, r rotation) error {
	rotate := e.rotate[r.secret.Rotation]
	if rotate == nil {
		return contract.Fail(contract.Internal, "no way to rotate %q is known to this worker", r.secret.Rotation)
	}
	var err error
	for _, from := range r.from {
		if err = rotate(ctx, base, r.secret, from, r.to); err == nil {
			return nil
		}
	}
	return e.fail(ctx, err, "rotate secret %s", r.secret.Name)
}

// rotateLate tells the new container what its predecessor could not be told, for example because it was destroyed and only
// its data was kept. Until then the stored value is the one that the data knows.
func (j *job) rotateLate(ctx context.Context, id string) error {
	for _, r := range j.late {
		if err := j.tellComponent(ctx, id, r); err != nil {
			return err
		}
		if err := j.writeValue(ctx, id, r.secret, r.to, r.toVersion); err != nil {
			return err
		}
	}
	return nil
}

// forgetPrevious clears what was put aside, when an update is committed.
func (e *Engine) forgetPrevious(ctx context.Context, id string, c contract.Component) error {
	if len(c.Secrets) == 0 {
		return nil
	}
	stored, err := e.vault(ctx, id, c.Container)
	if err != nil {
		return err
	}
	a := newArchive()
	for _, s := range c.Secrets {
		if stored[s.Name+previousSuffix] != "" {
			a.previous(s, "", "")
		}
	}
	return e.put(ctx, id, c.Container, a)
}

// Secret returns the value of a component's secret, as it is stored on the engine.
func (e *Engine) Secret(ctx context.Context, r contract.Ref, component, name string) (value string, err error) {
	owned, err := e.owned(ctx, r)
	if err != nil {
		return "", err
	}
	id := ""
	at := locate(owned, r, component)
	for _, s := range slices.Concat([]*container.Summary{at.current, at.replaced}, pointers(at.strays)) {
		if s != nil && id == "" {
			id = s.ID
		}
	}
	if id == "" {
		if id, err = e.window(ctx, r, component); err != nil {
			return "", err
		}
		defer func() { err = anyOf(err, e.removeLent(ctx, id, "for reading secrets")) }()
	}
	stored, err := e.vault(ctx, id, r.Container(component))
	if err != nil {
		return "", err
	}
	if value = stored[name]; value != "" {
		return value, nil
	}
	var known []string
	for _, file := range slices.Sorted(maps.Keys(stored)) {
		if stored[file] != "" && !strings.HasSuffix(file, versionSuffix) && !strings.HasSuffix(file, previousSuffix) {
			known = append(known, file)
		}
	}
	failure := contract.Fail(contract.NotFound, "component %s of %s has no secret %q", component, r.ID(), name)
	if len(known) > 0 {
		failure.Hint = "it has: " + strings.Join(known, ", ")
	}
	return "", failure
}

func pointers(list []container.Summary) []*container.Summary {
	all := make([]*container.Summary, len(list))
	for i := range list {
		all[i] = &list[i]
	}
	return all
}

// window makes a container that is never started, only to look into the secrets volume of a component that has none. Any
// image does.
func (e *Engine) window(ctx context.Context, r contract.Ref, component string) (string, error) {
	name := r.SecretsVolume(component)
	found, err := e.volume(ctx, name)
	if err != nil {
		return "", err
	}
	if found == nil || !r.Owns(found.Labels) {
		return "", contract.Fail(contract.NotFound, "component %s of %s has no secrets on this Docker Engine", component, r.ID())
	}
	images, err := e.api.ImageList(ctx, image.ListOptions{Filters: filters.NewArgs(filters.Arg("dangling", "false"))})
	if err != nil {
		return "", e.fail(ctx, err, "list images")
	}
	if len(images) == 0 {
		return "", contract.Fail(contract.NotFound, "volume %s can only be read with an image, and the Docker Engine has none", name)
	}
	return e.neverStarted(ctx, r, images[0].ID, []mount.Mount{{Type: mount.TypeVolume, Source: name, Target: contract.SecretsPath}})
}
