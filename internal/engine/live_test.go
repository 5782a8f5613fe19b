package engine

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

const targetsPath = "/etc/box/live/orch.json"

// live is a component whose targets can change while it runs.
func (s *service) live(name, targets string) contract.Component {
	c := s.component(name)
	c.LiveInput = json.RawMessage(`{"` + name + `":{"targets":` + targets + `}}`)
	c.Files = append(c.Files,
		contract.File{Path: targetsPath, Content: targets, Mode: 0o444, Live: true},
		contract.File{Path: contract.LiveInputPath, Content: string(c.LiveInput), Mode: 0o444, Live: true})
	return c
}

func TestALiveFileChangesInTheRunningContainer(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.live("alpha", `["one"]`)
	s.up(c)
	s.noDrift(c)
	id, started := s.id(c.Container), s.startedAt(c.Container)

	changed := s.live("alpha", `["two"]`)
	s.run = "run-2"
	if drift := s.observe(changed).Drifted(); len(drift) != 2 || !strings.Contains(drift[0], "the file "+targetsPath+" was edited") {
		t.Errorf("drift %q", drift)
	}
	s.up(changed)
	s.noDrift(changed)
	if got := s.get(changed, "/live"); got != `["two"]` {
		t.Errorf("the process reads %q", got)
	}
	if s.id(c.Container) != id || s.startedAt(c.Container) != started {
		t.Error("a live file's change has restarted the container")
	}

	// Another file next to it still needs a restart, which takes live ones along.
	must(t, s.e.inject(t.Context(), id, edited(c, "hacked")))
	s.up(changed)
	s.noDrift(changed)
	if s.id(c.Container) != id || s.startedAt(c.Container) == started {
		t.Error("an edited file that the process has read at its start was put right without a restart")
	}

	must(t, s.api.ContainerStop(t.Context(), id, container.StopOptions{}))
	s.up(c)
	s.noDrift(c)
	if got := s.get(c, "/live"); got != `["one"]` {
		t.Errorf("the process reads %q after it was stopped", got)
	}
}

func TestImportPutsTheLiveInputBackToWhereItCameFrom(t *testing.T) {
	t.Parallel()
	s := newService(t)
	a, b := s.live("alpha", `["one"]`), s.component("beta")
	s.up(a, b)
	s.up(s.live("alpha", `["two"]`), b)
	want := `{"alpha":{"targets":["two"]},"beta":{}}`
	for _, components := range [][]contract.Component{nil, {s.live("alpha", `["two"]`), b}} {
		if got := s.observe(components...).Input; !sameJSON(string(got), want) {
			t.Errorf("input %s of %d components", got, len(components))
		}
	}
	must(t, s.api.ContainerStop(t.Context(), a.Container, container.StopOptions{}))
	if got := s.observe().Input; !sameJSON(string(got), want) {
		t.Errorf("input %s of a stopped container", got)
	}

	// Nothing that somebody writes there may stand in the way of putting it right.
	broken := s.live("alpha", `["two"]`)
	broken.Files = slices.Clone(broken.Files)
	broken.Files[2].Content = "no JSON"
	must(t, s.e.inject(t.Context(), s.id(a.Container), broken))
	if got := s.observe().Input; !sameJSON(string(got), `{"alpha":{},"beta":{}}`) {
		t.Errorf("input %s of a broken file", got)
	}
}

func TestACreateRefusesAServiceWithAnotherLiveInput(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.up(s.live("alpha", `["one"]`))
	create := s.call(s.live("alpha", `["two"]`))
	create.Operation = contract.OpCreate
	_, err := s.e.Prepare(t.Context(), create, nil)
	wantFailure(t, err, contract.Conflict, "exists already with other input", "terraform import")
	create = s.call(s.live("alpha", `[ "one" ]`))
	create.Operation = contract.OpCreate
	prepared, err := s.e.Prepare(t.Context(), create, nil)
	must(t, err)
	if prepared.Adopted == nil {
		t.Error("the same live input was not adopted")
	}
}

func TestTheNewerContainersInputCountsLiveOrNot(t *testing.T) {
	t.Parallel()
	summary := func(id, input string, created int64) container.Summary {
		return container.Summary{ID: id, Names: []string{"/" + id}, Created: created, Labels: map[string]string{contract.LabelInput: input}}
	}
	owned := []container.Summary{summary("new", `{"a":{"x":1},"labels":null}`, 2), summary("old", `{"a":{"x":0,"y":0},"labels":{}}`, 1), summary("bare", `{"b":null}`, 3)}
	live := map[string]json.RawMessage{
		"new":  json.RawMessage(`{"a":{"z":[1]}}`),
		"old":  json.RawMessage(`{"a":{"z":[0]}}`),
		"bare": json.RawMessage(`{"b":{"z":null},"c":null}`),
	}
	got, err := joinInputs(owned, live)
	must(t, err)
	if want := `{"a":{"x":1,"z":[1]},"b":{}}`; !sameJSON(string(got), want) {
		t.Errorf("input %s, want %s", got, want)
	}
}

// A service of which nothing was written has the empty input, which import must find; a container without the label has none.
func TestAnEmptyLabelIsAnInput(t *testing.T) {
	t.Parallel()
	for label, want := range map[string]string{`{}`: `{}`, `{"a":null}`: `{}`, `null`: ``, ``: ``} {
		got, err := joinInputs([]container.Summary{{ID: "a", Names: []string{"/a"}, Labels: map[string]string{contract.LabelInput: label}}}, nil)
		must(t, err)
		if string(got) != want {
			t.Errorf("label %q: input %q, want %q", label, got, want)
		}
	}
}
