package engine

import (
	"strings"
	"testing"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

func TestFirstSetupMakesEverythingAndASecondOneNothing(t *testing.T) {
	t.Parallel()
	s := newService(t)
	a, b := s.component("alpha"), s.component("beta")
	a.Volumes = []contract.Volume{{Name: s.ref.Volume("alpha", "data"), Path: "/data"}}
	prepared, err := s.e.Prepare(t.Context(), s.call(a, b), nil)
	must(t, err)
	if prepared.EngineID == "" || prepared.Adopted != nil {
		t.Fatalf("prepared %+v", prepared)
	}
	state, err := s.ensure(a)
	must(t, err)
	if state.State != "running" || state.Health != contract.HealthReady || !strings.HasPrefix(state.Digest, "sha256:") {
		t.Errorf("state %+v", state)
	}
	_, err = s.ensure(b)
	must(t, err)
	must(t, s.e.Commit(t.Context(), s.call(a, b)))
	if got := s.answer(a); got != "box is ready with one" {
		t.Errorf("answer %q", got)
	}
	s.noDrift(a, b)

	ids := []string{s.id(a.Container), s.id(b.Container)}
	s.run = "run-2"
	create := s.call(a, b)
	create.Operation = contract.OpCreate
	prepared, err = s.e.Prepare(t.Context(), create, nil)
	must(t, err)
	if prepared.Adopted == nil || prepared.Adopted.RunID != "run-1" || prepared.Adopted.Created.IsZero() {
		t.Errorf("adoption %+v", prepared.Adopted)
	}
	s.up(a, b)
	if got := []string{s.id(a.Container), s.id(b.Container)}; got[0] != ids[0] || got[1] != ids[1] {
		t.Errorf("containers were made anew: %v, before %v", got, ids)
	}

	removed, err := s.e.Remove(t.Context(), s.call(), nil)
	must(t, err)
	if len(removed.Containers) != 2 || len(removed.Networks) != 1 || len(removed.KeptVolumes) != 1 || len(removed.Volumes) != 0 {
		t.Errorf("removed %+v", removed)
	}
	if observed := s.observe(); observed.Found {
		t.Errorf("found %+v after removal", observed)
	}
	again := s.call()
	again.DeleteVolumes = true
	removed, err = s.e.Remove(t.Context(), again, nil)
	must(t, err)
	if len(removed.Volumes) != 1 || len(removed.Containers) != 0 {
		t.Errorf("removed %+v the second time", removed)
	}
}
