package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

func TestRemoveTakesEverythingWithTheLabelsAndNothingElse(t *testing.T) {
	t.Parallel()
	s, neighbour := newService(t), newService(t)
	a := s.component("alpha")
	a.Volumes = []contract.Volume{{Name: s.ref.Volume("alpha", "data"), Path: "/data"}}
	a.Secrets = []contract.Secret{{Name: "password", Mode: 0o444}}
	s.up(a)
	other := neighbour.component("alpha")
	neighbour.up(other)
	// What an older version or a killed run left: another component, paused, and a container in the making.
	b := s.component("beta")
	s.up(a)
	_, err := s.ensure(b)
	must(t, err)
	must(t, s.api.ContainerPause(t.Context(), b.Container))
	j := &job{Engine: s.e, call: s.componentCall(a), c: a}
	_, err = j.create(t.Context(), places(s.ref, a))
	must(t, err)

	var mu sync.Mutex
	told := 0
	call := s.call()
	call.DeleteVolumes = true
	removed, err := s.e.Remove(t.Context(), call, func(string, ...any) { mu.Lock(); told++; mu.Unlock() })
	must(t, err)
	if want := []string{a.Container, a.Container + contract.IncomingSuffix, b.Container}; !slices.Equal(removed.Containers, want) {
		t.Errorf("containers %q, want %q", removed.Containers, want)
	}
	if want := []string{a.Volumes[0].Name, s.ref.SecretsVolume("alpha")}; !slices.Equal(removed.Volumes, want) {
		t.Errorf("volumes %q, want %q", removed.Volumes, want)
	}
	if told == 0 {
		t.Error("no progress was told")
	}
	neighbour.noDrift(other)
	removed, err = s.e.Remove(t.Context(), call, nil)
	must(t, err)
	if len(removed.Containers)+len(removed.Networks)+len(removed.Volumes) != 0 {
		t.Errorf("removed %+v where nothing was", removed)
	}
}

// Engines go on with a stop that nobody waits for: an interrupted removal must not leave a container that will be stopped in a
// moment, and stays stopped.
func TestAnInterruptedRemovalStopsNothingHalfWay(t *testing.T) {
	t.Parallel()
	s := newService(t)
	a := s.component("alpha")
	s.up(a)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := s.e.Remove(ctx, s.call(), func(format string, args ...any) {
		if strings.Contains(fmt.Sprintf(format, args...), "stopping") {
			cancel()
		}
	})
	if err == nil {
		t.Error("an interrupted removal is no success")
	}
	if s.exists(a.Container) {
		t.Error("the container is there, and the engine is about to stop it")
	}
	// Going on removes the rest.
	_, err = s.e.Remove(t.Context(), s.call(), nil)
	must(t, err)
}

// Somebody has removed the containers: what is left is the service's all the same, or a destroy would forget it.
func TestWhatContainersLeaveBehindIsFound(t *testing.T) {
	t.Parallel()
	s := newService(t)
	a := s.component("alpha")
	a.Volumes = []contract.Volume{{Name: s.ref.Volume("alpha", "data"), Path: "/data"}}
	s.up(a)
	must(t, s.api.ContainerRemove(t.Context(), a.Container, container.RemoveOptions{Force: true}))
	found := func(deleteVolumes bool, components ...contract.Component) bool {
		call := s.call(components...)
		call.DeleteVolumes = deleteVolumes
		observed, err := s.e.Inspect(t.Context(), call)
		must(t, err)
		return observed.Found
	}
	if !found(false, a) {
		t.Error("the network does not count")
	}
	if found(false) {
		t.Error("an import finds a service without a container to read its input from")
	}
	must(t, s.api.NetworkRemove(t.Context(), s.ref.Network()))
	if found(false, a) {
		t.Error("volumes that outlive the service count as the service")
	}
	if !found(true, a) {
		t.Error("volumes that go with the service do not count")
	}
}

func TestRemoveNamesForeignUsersOfTheNetworkAndOfVolumes(t *testing.T) {
	t.Parallel()
	s := newService(t)
	a := s.component("alpha")
	a.Volumes = []contract.Volume{{Name: s.ref.Volume("alpha", "data"), Path: "/data"}}
	s.up(a)
	guest := s.ref.Network() + "-guest"
	id := s.foreign(guest, nil, &container.HostConfig{NetworkMode: container.NetworkMode(s.ref.Network()),
		Mounts: []mount.Mount{{Type: mount.TypeVolume, Source: a.Volumes[0].Name, Target: "/data"}}})
	must(t, s.api.ContainerStart(t.Context(), id, container.StartOptions{}))
	call := s.call()
	call.DeleteVolumes = true
	_, err := s.e.Remove(t.Context(), call, nil)
	wantFailure(t, err, contract.Conflict, s.ref.Network(), guest, "docker network disconnect")
	must(t, s.api.NetworkDisconnect(t.Context(), s.ref.Network(), id, true))
	_, err = s.e.Remove(t.Context(), call, nil)
	wantFailure(t, err, contract.Conflict, a.Volumes[0].Name, guest, "delete_volumes")
	must(t, s.api.ContainerRemove(context.Background(), id, container.RemoveOptions{Force: true}))
	_, err = s.e.Remove(t.Context(), call, nil)
	must(t, err)
}

func TestAnExternalVolumeIsNeverRemoved(t *testing.T) {
	t.Parallel()
	s := newService(t)
	name := s.ref.Network() + "-theirs"
	// Docker makes a volume that a container names.
	id := s.foreign(name, nil, &container.HostConfig{Mounts: []mount.Mount{{Type: mount.TypeVolume, Source: name, Target: "/x"}}})
	must(t, s.api.ContainerRemove(t.Context(), id, container.RemoveOptions{}))
	t.Cleanup(func() { _ = s.api.VolumeRemove(context.Background(), name, true) })
	a := s.component("alpha")
	a.Volumes = []contract.Volume{{Name: name, Path: "/data", External: true}}
	s.up(a)
	call := s.call()
	call.DeleteVolumes = true
	removed, err := s.e.Remove(t.Context(), call, nil)
	must(t, err)
	if len(removed.Volumes) != 0 {
		t.Errorf("removed %q", removed.Volumes)
	}
	if _, err := s.api.VolumeInspect(t.Context(), name); err != nil {
		t.Errorf("the user's volume is gone: %v", err)
	}
}

// miscounting is an engine that has lost count of a network's endpoints.
type miscounting struct{ dockerAPI }

func (miscounting) NetworkRemove(_ context.Context, name string) error {
	return fmt.Errorf("%w: network %s has active endpoints", errdefs.ErrPermissionDenied, name)
}

func TestANetworkWhoseEndpointsAreMiscountedIsExplained(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.up(s.component("alpha"))
	sound := s.e.api
	s.e.api = miscounting{sound}
	_, err := s.e.Remove(t.Context(), s.call(), nil)
	s.e.api = sound
	wantFailure(t, err, contract.Unavailable, s.ref.Network(), "has active endpoints, although no container is on it", "restart the Docker daemon")
}
