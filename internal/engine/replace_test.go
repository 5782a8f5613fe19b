package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// edited is the component with another configuration file.
func edited(c contract.Component, content string) contract.Component {
	c.Files = slices.Clone(c.Files)
	c.Files[0].Content = content
	return c
}

func TestReplacementIsCommittedOrRestored(t *testing.T) {
	t.Parallel()
	for _, commit := range []bool{true, false} {
		name := map[bool]string{true: "committed", false: "restored"}[commit]
		t.Run(name, func(t *testing.T) {
			s := newService(t)
			old := s.component("alpha")
			s.up(old)
			before := s.id(old.Container)

			s.run = "run-2"
			changed := edited(old, "two")
			_, err := s.ensure(changed)
			must(t, err)
			if got := s.answer(changed); got != "box is ready with two" {
				t.Fatalf("answer %q", got)
			}
			if got := s.id(old.Container + contract.ReplacedSuffix); got != before {
				t.Fatalf("put aside %s, want %s", got, before)
			}
			drift := s.observe(changed).Drifted()
			if len(drift) != 1 || !strings.Contains(drift[0], "left over from an interrupted update") {
				t.Errorf("drift before the commit: %q", drift)
			}
			want := "box is ready with two"
			if commit {
				must(t, s.e.Commit(t.Context(), s.call(changed)))
				s.noDrift(changed)
			} else {
				want = "box is ready with one"
				undone, err := s.e.Restore(t.Context(), s.componentCall(changed))
				must(t, err)
				if !slices.Equal(undone.Done, []string{"removed container " + old.Container, "brought back container " + old.Container}) {
					t.Errorf("undone %q", undone.Done)
				}
				if s.id(old.Container) != before {
					t.Error("another container than the replaced one came back")
				}
				eventually(t, "restored component answers", func() bool { _, ok := s.e.probe(t.Context(), before, old); return ok })
				undone, err = s.e.Restore(t.Context(), s.componentCall(changed))
				must(t, err)
				if len(undone.Done) != 0 {
					t.Errorf("a second restore did %q", undone.Done)
				}
				s.noDrift(old)
			}
			if got := s.answer(old); got != want {
				t.Errorf("answer %q, want %q", got, want)
			}
			if s.exists(old.Container + contract.ReplacedSuffix) {
				t.Error("the replaced container is still there")
			}
		})
	}
}

func TestRestoreAndRollbackRemoveWhatTheRunMadeAndNoMore(t *testing.T) {
	t.Parallel()
	s := newService(t)
	old := s.component("alpha")
	old.Volumes = []contract.Volume{{Name: s.ref.Volume("alpha", "data"), Path: "/data"}}
	s.up(old)

	s.run = "run-2"
	fresh := s.component("beta")
	fresh.Volumes = []contract.Volume{{Name: s.ref.Volume("beta", "data"), Path: "/data"}}
	call := s.call(old, fresh)
	_, err := s.ensure(fresh)
	must(t, err)
	for _, c := range call.Stack.Components {
		_, err := s.e.Restore(t.Context(), s.componentCall(c))
		must(t, err)
	}
	undone, err := s.e.Rollback(t.Context(), call)
	must(t, err)
	if len(undone.Done) != 0 {
		t.Errorf("rolled back %q, which an earlier run made", undone.Done)
	}
	if s.exists(fresh.Container) {
		t.Error("the run's container is still there")
	}
	if _, err := s.api.VolumeInspect(t.Context(), fresh.Volumes[0].Name); err == nil {
		t.Error("the run's volume is still there")
	}
	s.noDrift(old)

	s.run = "run-1"
	undone, err = s.e.Restore(t.Context(), s.componentCall(old))
	must(t, err)
	rolled, err := s.e.Rollback(t.Context(), s.call(old))
	must(t, err)
	want := []string{"removed container " + old.Container, "removed volume " + old.Volumes[0].Name, "removed network " + s.ref.Network()}
	if got := slices.Concat(undone.Done, rolled.Done); !slices.Equal(got, want) {
		t.Errorf("undone %q, want %q", got, want)
	}
	must(t, s.e.proveGone(t.Context(), s.ref, true))
}

func TestAnInterruptedReplacementConverges(t *testing.T) {
	t.Parallel()
	t.Run("killed before the new container had its name", func(t *testing.T) {
		s := newService(t)
		old := s.component("alpha")
		s.up(old)
		changed := edited(old, "two")
		j := &job{Engine: s.e, call: s.componentCall(changed), c: changed}
		_, err := j.create(t.Context(), places(s.ref, changed))
		must(t, err)
		_, err = s.ensure(changed)
		must(t, err)
		must(t, s.e.Commit(t.Context(), s.call(changed)))
		s.noDrift(changed)
		if owned, err := s.e.owned(t.Context(), s.ref); err != nil || len(owned) != 1 {
			t.Errorf("%d containers, error %v", len(owned), err)
		}
	})
	t.Run("killed between the two renames", func(t *testing.T) {
		s := newService(t)
		old := s.component("alpha")
		s.up(old)
		before := s.id(old.Container)
		changed := edited(old, "two")
		must(t, s.api.ContainerStop(t.Context(), before, container.StopOptions{}))
		must(t, s.api.ContainerRename(t.Context(), before, old.Container+contract.ReplacedSuffix))
		s.run = "run-2"
		_, err := s.ensure(changed)
		must(t, err)
		if got := s.answer(changed); got != "box is ready with two" {
			t.Errorf("answer %q", got)
		}
		_, err = s.e.Restore(t.Context(), s.componentCall(changed))
		must(t, err)
		if s.id(old.Container) != before {
			t.Error("the last known good container did not come back")
		}
	})
	t.Run("a second replacement keeps the last known good one", func(t *testing.T) {
		s := newService(t)
		old := s.component("alpha")
		s.up(old)
		before := s.id(old.Container)
		bad := edited(old, "bad")
		bad.Env = map[string]string{"BOX_EXIT": "1"}
		s.run = "run-2"
		_, err := s.ensure(bad)
		wantFailure(t, err, contract.Unhealthy)
		s.run = "run-3"
		_, err = s.ensure(edited(old, "three"))
		must(t, err)
		if s.id(old.Container+contract.ReplacedSuffix) != before {
			t.Error("what was put aside is not the last known good container")
		}
		_, err = s.e.Restore(t.Context(), s.componentCall(edited(old, "three")))
		must(t, err)
		if s.id(old.Container) != before {
			t.Error("the last known good container did not come back")
		}
	})
	t.Run("killed after the rename, before the start", func(t *testing.T) {
		s := newService(t)
		c := s.component("alpha")
		_, err := s.e.Prepare(t.Context(), s.call(c), nil)
		must(t, err)
		j := &job{Engine: s.e, call: s.componentCall(c), c: c}
		id, err := j.create(t.Context(), places(s.ref, c))
		must(t, err)
		must(t, s.api.ContainerRename(t.Context(), id, c.Container))
		create := s.call(c)
		create.Operation = contract.OpCreate
		_, err = s.e.Prepare(t.Context(), create, nil)
		must(t, err)
		_, err = s.ensure(c)
		must(t, err)
		if s.id(c.Container) != id {
			t.Error("the created container was not used")
		}
		if got := s.answer(c); got != "box is ready with one" {
			t.Errorf("answer %q: the file did not arrive", got)
		}
	})
}

// TestAReplacementThatIsCalledOffAnywhereIsTakenBack kills an update that stops the old container first at each of its calls.
func TestAReplacementThatIsCalledOffAnywhereIsTakenBack(t *testing.T) {
	t.Parallel()
	s := newService(t)
	first := s.component("alpha")
	s.up(first)
	before := s.id(first.Container)
	for n, more := 1, true; more; n++ {
		s.run = fmt.Sprintf("killed-%d", n)
		next := edited(first, s.run)
		more = s.killed(n, func(ctx context.Context, e *Engine) error {
			_, err := e.Ensure(ctx, s.componentCall(next), nil)
			return err
		})
		_, err := s.e.Restore(t.Context(), s.componentCall(next))
		must(t, err)
		eventually(t, "the old container answers again", func() bool { return s.says(first, "with one") })
		s.oneContainer(first)
		s.noDrift(first)
		if s.id(first.Container) != before {
			t.Fatalf("another container after the kill at call %d", n)
		}
	}
}

// A stop goes on when nobody waits for it any more, and takes its time.
func TestAStopThatIsCalledOffIsTakenBack(t *testing.T) {
	t.Parallel()
	s := newService(t)
	first := s.component("alpha")
	s.up(first)
	address, err := s.e.Address(t.Context(), s.ref, "alpha", "http")
	must(t, err)
	go func() {
		// It ends its answers before it ends itself.
		if response, err := s.e.probes.Get("http://" + address + "/answer?code=200&wait=20s"); err == nil {
			_ = response.Body.Close()
		}
	}()
	s.run = "run-2"
	next := edited(first, "two")
	ctx, cancel := context.WithCancel(t.Context())
	_, err = s.e.Ensure(ctx, s.componentCall(next), func(format string, args ...any) {
		if strings.Contains(sprintf(format, args...), "stopping container") {
			time.AfterFunc(200*time.Millisecond, cancel)
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	undone, err := s.e.Restore(t.Context(), s.componentCall(next))
	must(t, err)
	if !slices.Contains(undone.Done, "started container "+first.Container) {
		t.Errorf("undone %q", undone.Done)
	}
	eventually(t, "the old container answers again", func() bool { return s.says(first, "with one") })
	s.oneContainer(first)
	s.noDrift(first)
}

func TestAnInterruptedRestoreConverges(t *testing.T) {
	t.Parallel()
	s := newService(t)
	listener, port := freePort(t)
	must(t, listener.Close())
	old := s.component("alpha")
	old.Ports[0].Host = port
	s.up(old)
	before := s.id(old.Container)
	changed := edited(old, "two")
	s.run = "run-2"
	_, err := s.ensure(changed)
	must(t, err)
	// Killed when the old one had been started and had not got its name back.
	must(t, s.api.ContainerRemove(t.Context(), changed.Container, container.RemoveOptions{Force: true}))
	must(t, s.api.ContainerStart(t.Context(), before, container.StartOptions{}))
	s.run = "run-3"
	s.up(changed)
	s.noDrift(changed)
}

func TestPortsCanBeSwappedInOneUpdate(t *testing.T) {
	t.Parallel()
	s := newService(t)
	one, first := freePort(t)
	two, second := freePort(t)
	must(t, one.Close())
	must(t, two.Close())
	a, b := s.component("alpha"), s.component("beta")
	a.Ports[0].Host, b.Ports[0].Host = first, second
	s.up(a, b)
	a, b = s.component("alpha"), s.component("beta")
	a.Ports[0].Host, b.Ports[0].Host = second, first
	s.run = "run-2"
	s.up(a, b)
	s.noDrift(a, b)
}

func TestCommitRemovesComponentsThatTheServiceNoLongerHas(t *testing.T) {
	t.Parallel()
	s := newService(t)
	a, b := s.component("alpha"), s.component("beta")
	s.up(a, b)
	drift := s.observe(a).Drifted()
	if len(drift) != 1 || !strings.Contains(drift[0], "beta: the container belongs to no component") {
		t.Errorf("drift %q", drift)
	}
	must(t, s.e.Commit(t.Context(), s.call(a)))
	if s.exists(b.Container) || !s.exists(a.Container) {
		t.Error("commit did not remove exactly what is no longer configured")
	}
}

func TestACancelledCallEndsWithTheContextsError(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.component("alpha")
	c.Env = map[string]string{"BOX_NEVER_READY": "1"}
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan struct{}, 100)
	go func() {
		for range told {
			cancel()
		}
	}()
	_, err := s.e.Ensure(ctx, s.componentCall(c), func(format string, args ...any) {
		if len(args) > 0 {
			if text, ok := args[0].(string); ok && strings.HasPrefix(text, "waiting for alpha") {
				told <- struct{}{}
			}
		}
	})
	close(told)
	if err == nil || err != ctx.Err() { //nolint:errorlint // it has to be the very error
		t.Errorf("error %v, want the context's", err)
	}
}
