package engine

import (
	"archive/tar"
	"io/fs"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// TestDriftIsSeenAndRepairedInOneComponentOnly does behind the service's back what people do, and expects that the
// inspection names it, and that one Ensure repairs it without touching the neighbour.
func TestDriftIsSeenAndRepairedInOneComponentOnly(t *testing.T) {
	t.Parallel()
	overwrite := func(s *service, c contract.Component, mode int64) {
		a := newArchive()
		a.add(tar.Header{Typeflag: tar.TypeReg, Name: "/etc/box/config.txt", Uid: 10001, Gid: 10001, Mode: mode}, "one")
		must(s.t, s.e.put(s.t.Context(), c.Container, c.Container, a))
	}
	cases := []struct {
		name, want string
		do         func(s *service, c contract.Component)
		// anew says that the repair makes another container.
		anew bool
	}{
		{name: "stopped", want: "is stopped", do: func(s *service, c contract.Component) {
			must(s.t, s.api.ContainerStop(s.t.Context(), c.Container, container.StopOptions{}))
		}},
		{name: "removed", want: "was removed", anew: true, do: func(s *service, c contract.Component) {
			must(s.t, s.api.ContainerRemove(s.t.Context(), c.Container, container.RemoveOptions{Force: true}))
		}},
		{name: "paused", want: "is paused", do: func(s *service, c contract.Component) {
			must(s.t, s.api.ContainerPause(s.t.Context(), c.Container))
		}},
		{name: "renamed", want: "was renamed to", do: func(s *service, c contract.Component) {
			must(s.t, s.api.ContainerRename(s.t.Context(), c.Container, c.Container+"-elsewhere"))
		}},
		{name: "limits changed", want: "memory limit is 64 MiB instead of none", anew: true, do: func(s *service, c contract.Component) {
			_, err := s.api.ContainerUpdate(s.t.Context(), c.Container, container.UpdateConfig{Resources: container.Resources{Memory: 64 << 20, MemorySwap: 64 << 20}})
			must(s.t, err)
		}},
		{name: "cpu shares changed", want: "limits were set that are not configured", anew: true, do: func(s *service, c contract.Component) {
			_, err := s.api.ContainerUpdate(s.t.Context(), c.Container, container.UpdateConfig{Resources: container.Resources{CPUShares: 512}})
			must(s.t, err)
		}},
		{name: "restart policy changed", want: `restart policy is "no"`, anew: true, do: func(s *service, c contract.Component) {
			_, err := s.api.ContainerUpdate(s.t.Context(), c.Container, container.UpdateConfig{RestartPolicy: container.RestartPolicy{Name: "no"}})
			must(s.t, err)
		}},
		{name: "disconnected", want: "is not connected to network", do: func(s *service, c contract.Component) {
			must(s.t, s.api.NetworkDisconnect(s.t.Context(), c.Network, c.Container, true))
		}},
		{name: "file edited", want: "config.txt was edited", do: func(s *service, c contract.Component) {
			must(s.t, s.e.inject(s.t.Context(), s.id(c.Container), edited(c, "hacked")))
			must(s.t, s.api.ContainerRestart(s.t.Context(), c.Container, container.StopOptions{}))
			eventually(s.t, "edited file is served", func() bool { return s.says(c, "hacked") })
		}},
		{name: "file mode changed", want: "has mode 0777", do: func(s *service, c contract.Component) { overwrite(s, c, 0o777) }},
	}
	s := newService(t)
	c, neighbour := s.component("alpha"), s.component("beta")
	s.up(c, neighbour)
	undisturbed := s.id(neighbour.Container)
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			s.t = t
			before := s.id(c.Container)
			tc.do(s, c)
			observed := s.observe(c, neighbour)
			drift := strings.Join(observed.Drifted(), "\n")
			if !observed.Found || !strings.Contains(drift, "alpha: ") || !strings.Contains(drift, tc.want) || strings.Contains(drift, "beta: ") {
				t.Fatalf("want %q of alpha only, got %q", tc.want, drift)
			}
			if tc.anew != (tc.want == "was removed") && s.id(c.Container) != before {
				t.Error("the inspection changed something")
			}
			s.run = "repair"
			s.up(c, neighbour)
			s.noDrift(c, neighbour)
			if got := s.answer(c); got != "box is ready with one" {
				t.Errorf("answer %q after the repair", got)
			}
			if s.id(neighbour.Container) != undisturbed {
				t.Error("the neighbour was made anew")
			}
			if anew := s.id(c.Container) != before; anew != tc.anew {
				t.Errorf("made anew: %v, want %v", anew, tc.anew)
			}
		})
	}
}

// says asks a component that may not listen yet.
func (s *service) says(c contract.Component, words string) bool {
	c.Probe.Contains = words
	_, ok := s.e.probe(s.t.Context(), s.id(c.Container), c)
	return ok
}

func TestANetworkThatWasRemovedIsDriftOfEveryComponentAndRepaired(t *testing.T) {
	t.Parallel()
	s := newService(t)
	a, b := s.component("alpha"), s.component("beta")
	s.up(a, b)
	must(t, s.api.NetworkDisconnect(t.Context(), a.Network, a.Container, true))
	must(t, s.api.ContainerStop(t.Context(), b.Container, container.StopOptions{}))
	must(t, s.api.NetworkRemove(t.Context(), a.Network))
	drift := strings.Join(s.observe(a, b).Drifted(), "\n")
	if strings.Count(drift, "the network "+a.Network+" is missing") != 2 {
		t.Errorf("drift %q", drift)
	}
	s.up(a, b)
	s.noDrift(a, b)
}

func TestAComponentThatHangsIsRestarted(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.component("alpha")
	c.Probe.TimeoutSeconds = 4 // so long one that hangs is waited for
	s.up(c)
	id := s.id(c.Container)
	// A paused process inside an unpaused container cannot be had; another answer than the wanted one does as well.
	must(t, s.e.inject(t.Context(), id, edited(c, "wrong")))
	must(t, s.api.ContainerRestart(t.Context(), id, container.StopOptions{}))
	eventually(t, "wrong answer", func() bool { return s.says(c, "wrong") })
	must(t, s.e.inject(t.Context(), id, c))
	c.Probe.Contains = "with one"
	observed := s.observe(c)
	if drift := observed.Drifted(); len(drift) != 1 || !strings.Contains(drift[0], "does not answer its probe") ||
		observed.Components[0].Health != contract.HealthNotReady {
		t.Errorf("drift %q", drift)
	}
	_, err := s.ensure(c)
	must(t, err)
	if s.id(c.Container) != id {
		t.Error("made anew instead of restarted")
	}
	s.noDrift(c)
}

func TestInspectionByLabelsAloneFindsComponentsAndInput(t *testing.T) {
	t.Parallel()
	s := newService(t)
	if observed := s.observe(); observed.Found || observed.EngineID == "" || len(observed.Components) != 0 {
		t.Errorf("observed %+v where there is nothing", observed)
	}
	a, b := s.component("alpha"), s.component("beta")
	a.Input = []byte(`{"alpha":{"port":null},"labels":null}`)
	b.Input = []byte(`{"beta":{"port":1},"labels":null}`)
	if observed := s.observe(a, b); observed.Found || len(observed.Drifted()) != 4 {
		t.Errorf("observed %+v where there is nothing", observed)
	}
	s.up(a, b)
	must(t, s.api.ContainerStop(t.Context(), b.Container, container.StopOptions{}))
	observed := s.observe()
	if !observed.Found || !sameJSON(string(observed.Input), `{"alpha":{},"beta":{"port":1}}`) {
		t.Errorf("observed input %s", observed.Input)
	}
	if len(observed.Components) != 2 || observed.Components[0].Name != "alpha" || observed.Components[0].Health != contract.HealthReady ||
		observed.Components[1].State != "exited" || observed.Components[1].Health != contract.HealthNotReady || observed.Components[0].Image != boxImage {
		t.Errorf("components %+v", observed.Components)
	}
}

func TestAVolumeBelongsToTheUserThatTheImageRunsAs(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.component("alpha")
	c.Image = otherImage
	c.Env = map[string]string{"BOX_DATA": "/var/lib/box"}
	c.Volumes = []contract.Volume{{Name: s.ref.Volume("alpha", "data"), Path: "/var/lib/box", UID: 10001, GID: 10001}}
	s.up(c)
	s.noDrift(c)
	files, err := s.e.read(t.Context(), c.Container, c.Container, "/var/lib/box")
	must(t, err)
	if got := files["/var/lib/box/written"]; got.Content != "one" || got.UID != 10001 {
		t.Errorf("written %+v", got)
	}
	// Data outlives the container that wrote it.
	changed := edited(c, "two")
	changed.Env = nil
	s.up(changed)
	files, err = s.e.read(t.Context(), c.Container, c.Container, "/var/lib/box")
	must(t, err)
	if got := files["/var/lib/box/written"]; got.Content != "one" {
		t.Errorf("written %+v after the replacement", got)
	}

	// A process may have closed the directory to others, and is to find it so.
	closed := newArchive()
	closed.directory("/var/lib/box", 10001, 10001, 0o2700)
	must(t, s.e.put(t.Context(), c.Container, c.Container, closed))
	s.up(c)
	stat, err := s.api.ContainerStatPath(t.Context(), c.Container, "/var/lib/box")
	must(t, err)
	if want := fs.ModeDir | fs.ModeSetgid | 0o700; stat.Mode != want {
		t.Errorf("mode %s, want %s", stat.Mode, want)
	}
	s.noDrift(c)
}

func TestAnImageTagThatMovedIsDriftAndReplaced(t *testing.T) {
	t.Parallel()
	s := newService(t)
	ref := "orch.local/engine-test-moving:" + s.ref.Service
	must(t, s.api.ImageTag(t.Context(), boxImage, ref))
	t.Cleanup(func() { untag(s, ref) })
	c := s.component("alpha")
	c.Image = ref
	s.up(c)
	s.noDrift(c)
	must(t, s.api.ImageTag(t.Context(), otherImage, ref))
	if drift := s.observe(c).Drifted(); len(drift) != 1 || !strings.Contains(drift[0], "stands for another one now") {
		t.Errorf("drift %q", drift)
	}
	s.up(c)
	s.noDrift(c)
}

func TestLimitsAreSetAndShowNoDrift(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.component("alpha")
	c.MemoryMB, c.CPUs, c.Command, c.Labels = 64, 0.5, []string{"serve"}, map[string]string{"team": "obs", contract.LabelManaged: "no"}
	s.up(c)
	s.noDrift(c)
	found, err := s.api.ContainerInspect(t.Context(), c.Container)
	must(t, err)
	if found.HostConfig.Memory != 64<<20 || found.HostConfig.NanoCPUs != 5e8 || found.Config.Labels["team"] != "obs" ||
		found.Config.Labels[contract.LabelManaged] != "true" || found.Config.Hostname != "alpha" || *found.Config.StopTimeout != 2 {
		t.Errorf("container %+v %+v", found.HostConfig.Resources, found.Config)
	}
}
