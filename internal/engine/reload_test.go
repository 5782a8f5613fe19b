package engine

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// reloading is a component whose configuration can change while it runs, when its process is told.
func (s *service) reloading(name, config string) contract.Component {
	c := s.component(name)
	c.Files = []contract.File{{Path: "/etc/box/config.txt", Content: config, UID: 10001, GID: 10001, Mode: 0o440, Live: true}}
	c.Probe = contract.Probe{Port: "http", Path: "/health", TimeoutSeconds: 10}
	c.Reload = &contract.Reload{Validate: []string{"validate"}, Signal: "HUP", Changes: "upSince", Attribute: "config"}
	return c
}

// works is the configuration that the process works with.
func (s *service) works(c contract.Component) string {
	s.t.Helper()
	_, config, _ := strings.Cut(s.get(c, "/health"), `"config":"`)
	return strings.TrimSuffix(config, `"}`)
}

func TestAChangedConfigurationIsReloaded(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.reloading("alpha", "one")
	s.up(c)
	s.noDrift(c)
	id, started := s.id(c.Container), s.startedAt(c.Container)
	s.run = "run-2"
	changed := s.reloading("alpha", "two")
	s.up(changed)
	s.noDrift(changed)
	if got := s.works(changed); got != "two" {
		t.Errorf("the process works with %q", got)
	}
	if s.id(c.Container) != id || s.startedAt(c.Container) != started {
		t.Error("the container was restarted or made anew")
	}
	if s.exists(c.Container + validateSuffix) {
		t.Error("the container of the validation is left")
	}

	// A stopped one is started with what it is to have.
	must(t, s.e.stop(t.Context(), id, c.Container))
	s.run = "run-3"
	s.up(c)
	s.noDrift(c)
	if got := s.works(c); got != "one" || s.id(c.Container) != id {
		t.Errorf("the process works with %q after it was stopped", got)
	}
}

func TestARefusedConfigurationChangesNothing(t *testing.T) {
	t.Parallel()
	s := newService(t)
	_, err := s.ensure(s.reloading("alpha", "invalid from the start"))
	wantFailure(t, err, contract.InvalidInput, "alpha refuses the configuration", `Error: config "invalid from the start" is invalid`, "config", "validate_config")
	c := s.reloading("alpha", "one")
	if s.exists(c.Container) || s.exists(c.Container+contract.IncomingSuffix) || s.exists(c.Container+validateSuffix) {
		t.Error("a refused configuration has left a container")
	}
	s.up(c)
	started := s.startedAt(c.Container)
	s.run = "run-2"
	_, err = s.ensure(s.reloading("alpha", "invalid now"))
	wantFailure(t, err, contract.InvalidInput, "is invalid")
	if got := s.works(c); got != "one" || s.startedAt(c.Container) != started {
		t.Errorf("the process works with %q", got)
	}
	s.noDrift(c)
}

func TestAFailedReloadPutsTheOldConfigurationBack(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.reloading("alpha", "one")
	s.up(c)
	id := s.id(c.Container)
	s.run = "run-2"
	unusable := s.reloading("alpha", "unusable")
	_, err := s.ensure(unusable)
	wantFailure(t, err, contract.Unhealthy, "exited with code 3", `Error: config "unusable" cannot be used`, "put back and runs again")
	if got := s.works(c); got != "one" || s.id(c.Container) != id {
		t.Errorf("the process works with %q", got)
	}
	s.noDrift(c)
	undone, err := s.e.Restore(t.Context(), s.componentCall(unusable))
	must(t, err)
	if !slices.Contains(undone.Done, "put back the configuration of container "+c.Container) {
		t.Errorf("undone %q", undone.Done)
	}
}

func TestARollbackBringsTheOldConfigurationBack(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.reloading("alpha", "one")
	s.up(c)
	id := s.id(c.Container)
	s.run = "run-2"
	changed := s.reloading("alpha", "two")
	_, err := s.ensure(changed)
	must(t, err)
	for range 2 { // a rollback that was interrupted is repeated
		undone, err := s.e.Restore(t.Context(), s.componentCall(changed))
		must(t, err)
		if !slices.Contains(undone.Done, "put back the configuration of container "+c.Container) {
			t.Errorf("undone %q", undone.Done)
		}
		if got := s.works(c); got != "one" || s.id(c.Container) != id {
			t.Errorf("the process works with %q", got)
		}
	}
	s.noDrift(c)

	// What another run has done is not this one's to undo.
	s.run = "run-3"
	s.up(changed)
	s.run = "run-4"
	undone, err := s.e.Restore(t.Context(), s.componentCall(changed))
	must(t, err)
	if len(undone.Done) != 0 || s.works(changed) != "two" {
		t.Errorf("undone %q", undone.Done)
	}
}

func TestAProcessThatWasNotToldIsToldByTheNextAttempt(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.reloading("alpha", "one")
	s.up(c)
	s.run = "run-2"
	changed := s.reloading("alpha", "two")
	// As if the worker had been killed between the copy and the signal.
	must(t, (&job{Engine: s.e, call: s.componentCall(changed), c: changed}).pushLive(t.Context(), s.id(c.Container)))
	if got := s.works(c); got != "one" {
		t.Fatalf("the process works with %q without having been told", got)
	}
	_, err := s.ensure(changed)
	must(t, err)
	if got := s.works(changed); got != "two" {
		t.Errorf("the process works with %q", got)
	}
	_, err = s.e.Restore(t.Context(), s.componentCall(changed))
	must(t, err)
	if got := s.works(c); got != "one" {
		t.Errorf("the process works with %q after the rollback", got)
	}

	// The same, and the run that was killed has not come back: another one tells it.
	s.run = "run-3"
	must(t, (&job{Engine: s.e, call: s.componentCall(changed), c: changed}).pushLive(t.Context(), s.id(c.Container)))
	s.run = "run-4"
	_, err = s.ensure(changed)
	must(t, err)
	if got := s.works(changed); got != "two" {
		t.Errorf("the process works with %q, told by another run", got)
	}
}

func TestALeftoverOfAValidationIsRemoved(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.reloading("alpha", "one")
	s.up(c)
	config := containerConfig(s.componentCall(c))
	config.Labels = s.ref.Labels()
	s.foreign(c.Container+validateSuffix, config, nil)
	undone, err := s.e.Restore(t.Context(), s.componentCall(c))
	must(t, err)
	if s.exists(c.Container+validateSuffix) || len(undone.Done) == 0 {
		t.Errorf("undone %q", undone.Done)
	}
	s.foreign(c.Container+validateSuffix, nil, nil)
	_, err = s.ensure(s.reloading("alpha", "two"))
	wantFailure(t, err, contract.NotOwned, validateSuffix)
}

func TestAFolderOfTheHostIsMountedReadOnly(t *testing.T) {
	t.Parallel()
	s := newService(t)
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing")
	c := s.component("alpha")
	c.Mounts = []contract.Mount{{Source: missing, Target: "/logs", Attribute: "log_paths"}}
	_, err := s.ensure(c)
	wantFailure(t, err, contract.NotFound, "the folder "+missing+" does not exist", "log_paths", "mkdir")
	if _, err := os.Stat(missing); err == nil {
		t.Error("the folder was made")
	}
	c.Mounts[0].Source = dir
	s.up(c)
	s.noDrift(c)
	found, err := s.api.ContainerInspect(t.Context(), c.Container)
	must(t, err)
	if len(found.Mounts) != 1 || found.Mounts[0].RW || found.Mounts[0].Source != dir || found.Mounts[0].Destination != "/logs" {
		t.Errorf("mounts %+v", found.Mounts)
	}
	id := s.id(c.Container)
	c.Mounts[0].Target = "/other"
	s.up(c)
	if s.id(c.Container) == id {
		t.Error("another mount needs another container")
	}
}

// What stands in no block is put back as it was, and an absent one stays absent.
func TestImportFindsLiveAttributesOfNoBlock(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.component("alpha")
	c.Input = []byte(`{"alpha":null,"labels":null}`)
	c.LiveInput = []byte(`{"config":"a: 1","paths":["x"],"map":{},"absent":null}`)
	c.Files = append(c.Files, contract.File{Path: contract.LiveInputPath, Content: string(c.LiveInput), Mode: 0o444, Live: true})
	s.up(c)
	if got := s.observe(c).Input; !sameJSON(string(got), `{"config":"a: 1","paths":["x"],"map":{}}`) {
		t.Errorf("input %s", got)
	}
}
