package engine

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/go-connections/nat"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

func freePort(t *testing.T) (net.Listener, int) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	_, text, err := net.SplitHostPort(listener.Addr().String())
	must(t, err)
	port, err := strconv.Atoi(text)
	must(t, err)
	return listener, port
}

func TestPrepareRefusesWhatIsNotTheServices(t *testing.T) {
	t.Parallel()
	for _, suffix := range []string{"", contract.IncomingSuffix, contract.ReplacedSuffix} {
		t.Run("container"+suffix, func(t *testing.T) {
			s := newService(t)
			c := s.component("alpha")
			s.foreign(c.Container+suffix, &container.Config{Labels: map[string]string{"com.docker.compose.project": "shop"}}, nil)
			_, err := s.e.Prepare(t.Context(), s.call(c), nil)
			wantFailure(t, err, contract.NotOwned, c.Container+suffix, `compose project "shop"`, "docker rename", "service_name")
			must(t, s.e.proveGone(t.Context(), s.ref, true))
			if suffix != contract.ReplacedSuffix {
				_, err = s.ensure(c)
				wantFailure(t, err, contract.NotOwned, c.Container+suffix)
			}
		})
	}
	t.Run("network", func(t *testing.T) {
		s := newService(t)
		made, err := s.api.NetworkCreate(t.Context(), s.ref.Network(), network.CreateOptions{})
		must(t, err)
		t.Cleanup(func() { _ = s.api.NetworkRemove(context.Background(), made.ID) })
		_, err = s.e.Prepare(t.Context(), s.call(s.component("alpha")), nil)
		wantFailure(t, err, contract.NotOwned, "network", s.ref.Network(), "docker network rm")
		_, err = s.ensure(s.component("alpha"))
		wantFailure(t, err, contract.NotOwned, "network")
	})
	t.Run("volume", func(t *testing.T) {
		s := newService(t)
		c := s.component("alpha")
		c.Volumes = []contract.Volume{{Name: s.ref.Volume("alpha", "data"), Path: "/data"}}
		other := contract.Ref{Scope: "enginetest", Kind: "logs", Service: "somebody"}
		_, err := s.api.VolumeCreate(t.Context(), volume.CreateOptions{Name: c.Volumes[0].Name, Labels: other.Labels()})
		must(t, err)
		t.Cleanup(func() { _ = s.api.VolumeRemove(context.Background(), c.Volumes[0].Name, true) })
		_, err = s.e.Prepare(t.Context(), s.call(c), nil)
		wantFailure(t, err, contract.NotOwned, c.Volumes[0].Name, other.ID())
		_, err = s.ensure(c)
		wantFailure(t, err, contract.NotOwned, c.Volumes[0].Name)
	})
	t.Run("external volume that does not exist", func(t *testing.T) {
		s := newService(t)
		c := s.component("alpha")
		c.Volumes = []contract.Volume{{Name: "enginetest-nowhere", Path: "/data", External: true}}
		_, err := s.e.Prepare(t.Context(), s.call(c), nil)
		wantFailure(t, err, contract.NotFound, "enginetest-nowhere", "docker volume create", "alpha.volume")
		_, err = s.ensure(c)
		wantFailure(t, err, contract.NotFound, "enginetest-nowhere")
	})
}

func TestCreateRefusesAServiceWithOtherInput(t *testing.T) {
	t.Parallel()
	s := newService(t)
	a, b := s.component("alpha"), s.component("beta")
	s.up(a)
	create := s.call(a, b)
	create.Operation = contract.OpCreate
	prepared, err := s.e.Prepare(t.Context(), create, nil)
	must(t, err)
	if prepared.Adopted != nil {
		t.Error("half of a service was adopted as a whole")
	}
	a.Input = []byte(`{"alpha":{"port":1234}}`)
	create = s.call(a, b)
	create.Operation = contract.OpCreate
	_, err = s.e.Prepare(t.Context(), create, nil)
	wantFailure(t, err, contract.Conflict, "other input", "run-1", "terraform import <resource address> "+s.ref.Service)
	s.up(a, b)
	create = s.call(a)
	create.Operation = contract.OpCreate
	_, err = s.e.Prepare(t.Context(), create, nil)
	wantFailure(t, err, contract.Conflict, "other input", b.Container)
	create.Operation = contract.OpUpdate
	_, err = s.e.Prepare(t.Context(), create, nil)
	must(t, err)
}

func TestAPortTakenByAContainerNamesIt(t *testing.T) {
	t.Parallel()
	s := newService(t)
	listener, port := freePort(t)
	must(t, listener.Close())
	c := s.component("alpha")
	c.Ports[0].Host = port
	name := s.ref.Network() + "-squatter"
	id := s.foreign(name, &container.Config{ExposedPorts: nat.PortSet{"8080/tcp": {}}, Labels: map[string]string{"com.docker.compose.project": "shop"}},
		&container.HostConfig{PortBindings: nat.PortMap{"8080/tcp": {{HostIP: "127.0.0.1", HostPort: strconv.Itoa(port)}}}})
	must(t, s.api.ContainerStart(t.Context(), id, container.StartOptions{}))
	_, err := s.e.Prepare(t.Context(), s.call(c), nil)
	wantFailure(t, err, contract.Conflict, strconv.Itoa(port), name, `compose project "shop"`, "alpha.port")
	_, err = s.ensure(c)
	wantFailure(t, err, contract.Conflict, strconv.Itoa(port), name, `compose project "shop"`, "alpha.port")
	must(t, s.api.ContainerRemove(t.Context(), id, container.RemoveOptions{Force: true}))
	s.up(c)
	s.noDrift(c)
}

func TestAPortTakenByAProcessNamesIt(t *testing.T) {
	t.Parallel()
	s := newService(t)
	listener, port := freePort(t)
	c := s.component("alpha")
	c.Ports[0].Host = port
	_, err := s.e.Prepare(t.Context(), s.call(c), nil)
	wantFailure(t, err, contract.Conflict, strconv.Itoa(port), "process engine.test", "ss -ltnp", "alpha.port")
	_, err = s.ensure(c)
	wantFailure(t, err, contract.Conflict, strconv.Itoa(port), "process engine.test", "alpha.port")
	must(t, listener.Close())
	s.up(c)
	// In place, its own port is no conflict.
	s.up(c)
}

func TestAPortOfUDPIsNotOneOfTCP(t *testing.T) {
	t.Parallel()
	s := newService(t)
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	_, text, err := net.SplitHostPort(packets.LocalAddr().String())
	must(t, err)
	port, err := strconv.Atoi(text)
	must(t, err)
	c := s.component("alpha")
	c.Ports[0].Host = port
	c.Ports = append(c.Ports, contract.Port{Name: "dns", Container: 8080, Host: port, Protocol: "udp", Attribute: "alpha.dns"})
	_, err = s.e.Prepare(t.Context(), s.call(c), nil)
	wantFailure(t, err, contract.Conflict, strconv.Itoa(port), "process engine.test", "ss -lunp", "alpha.dns")
	_, err = s.ensure(c)
	wantFailure(t, err, contract.Conflict, strconv.Itoa(port), "alpha.dns")
	must(t, packets.Close())
	s.up(c)
	s.up(c)
	s.noDrift(c)
}

func TestAPortAskedForTwiceIsRefused(t *testing.T) {
	t.Parallel()
	s := newService(t)
	a, b := s.component("alpha"), s.component("beta")
	a.Ports[0].Host, b.Ports[0].Host = 45678, 45678
	_, err := s.e.Prepare(t.Context(), s.call(a, b), nil)
	wantFailure(t, err, contract.InvalidInput, "45678", "alpha.port", "beta.port")
}

func TestAnImageThatCannotBeHad(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.component("alpha")
	c.Image = "orch.local/engine-test:absent"
	never := s.componentCall(c)
	never.PullPolicy = contract.PullNever
	_, err := s.e.Ensure(t.Context(), never, nil)
	wantFailure(t, err, contract.NotFound, c.Image, "pull_policy", "alpha.image")

	c.Image = "registry.invalid/engine-test:absent"
	_, err = s.ensure(c)
	wantFailure(t, err, contract.Unavailable, c.Image, "registry registry.invalid", "registry_mirror", "alpha.image")

	c.Image = "Not A Reference"
	_, err = s.ensure(c)
	wantFailure(t, err, contract.InvalidInput, "alpha.image")

	present, err := s.e.ImagePresent(t.Context(), "orch.local/engine-test:absent")
	if err != nil || present {
		t.Errorf("present %v, error %v", present, err)
	}
	present, err = s.e.ImagePresent(t.Context(), boxImage)
	if err != nil || !present {
		t.Errorf("present %v, error %v", present, err)
	}
}

func TestAComponentThatExitsLeavesEvidence(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.component("alpha")
	c.Env = map[string]string{"BOX_EXIT": "3"}
	c.Secrets = []contract.Secret{{Name: "password", Mode: 0o444}}
	call := s.componentCall(c)
	call.Secrets = map[string]string{"password": "open-sesame"}
	_, err := s.e.Ensure(t.Context(), call, nil)
	wantFailure(t, err, contract.Unhealthy, "exited with code 3", "exit code 3", "box gives up", `secret "***"`)
	f := contract.AsFailure(err)
	if strings.Contains(f.Describe(), "sesame") {
		t.Errorf("a secret shows:\n%s", f.Describe())
	}
	if f.Evidence == nil || f.Evidence.ExitCode != 3 || f.Evidence.Container != c.Container {
		t.Errorf("evidence %+v", f.Evidence)
	}
}

func TestAComponentThatNeverBecomesReady(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.component("alpha")
	c.Env = map[string]string{"BOX_NEVER_READY": "1"}
	c.Probe.TimeoutSeconds = 3
	var told atomic.Int32
	_, err := s.e.Ensure(t.Context(), s.componentCall(c), func(format string, args ...any) {
		if strings.Contains(fmt.Sprintf(format, args...), "waiting for alpha") {
			told.Add(1)
		}
	})
	wantFailure(t, err, contract.Unhealthy, "within 3 s", "503", "still thinking", "box starts")
	if told.Load() < 3 {
		t.Errorf("told %d times in 3 seconds that it waits", told.Load())
	}

	c = s.component("beta")
	c.Probe.TimeoutSeconds = 3
	c.Probe.Contains = "something else"
	_, err = s.ensure(c)
	wantFailure(t, err, contract.Unhealthy, `without "something else"`, "box is ready with one")
}

func TestAComponentThatRunsOutOfMemory(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.component("alpha")
	c.Env = map[string]string{"BOX_EAT": "1"}
	c.MemoryMB = 16
	_, err := s.ensure(c)
	wantFailure(t, err, contract.Unhealthy, "killed for running out of memory", "16 MiB", "memory_mb", "exit code 137")
}

func TestAnImageThatCannotBeStarted(t *testing.T) {
	t.Parallel()
	s := newService(t)
	ref := "orch.local/engine-test-broken:" + s.ref.Service
	must(t, importImage(s.api, ref, []byte("not a program"), []string{`ENTRYPOINT ["/box"]`}))
	t.Cleanup(func() { untag(s, ref) })
	c := s.component("alpha")
	c.Image = ref
	_, err := s.ensure(c)
	wantFailure(t, err, contract.InvalidInput, "processor architecture", "alpha.image")

	absent := ref + "-absent"
	must(t, importImage(s.api, absent, nil, []string{`ENTRYPOINT ["/nowhere"]`}))
	t.Cleanup(func() { untag(s, absent) })
	c.Image = absent
	_, err = s.ensure(c)
	wantFailure(t, err, contract.InvalidInput, "no such program", "alpha.image")
}

func TestSettingsThatOnlyTheEngineCanJudgeAreNamed(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.component("alpha")
	c.User = "stranger"
	_, err := s.ensure(c)
	wantFailure(t, err, contract.InvalidInput, "no such user", "alpha.user")
	c = s.component("beta")
	c.CPUs = 10_000
	_, err = s.ensure(c)
	wantFailure(t, err, contract.InvalidInput, "CPUs", "beta.cpus")
}

func TestAnotherEngineOrNone(t *testing.T) {
	t.Parallel()
	s := newService(t)
	call := s.call(s.component("alpha"))
	call.Stack.EngineID = "ANOTHER"
	_, err := s.e.Prepare(t.Context(), call, nil)
	wantFailure(t, err, contract.WrongEngine, "ANOTHER")
	_, err = s.e.Inspect(t.Context(), call)
	wantFailure(t, err, contract.WrongEngine)
	_, err = s.e.Remove(t.Context(), call, nil)
	wantFailure(t, err, contract.WrongEngine)
	component := s.componentCall(s.component("alpha"))
	component.EngineID = "ANOTHER"
	_, err = s.e.Ensure(t.Context(), component, nil)
	wantFailure(t, err, contract.WrongEngine)
	if !contract.AsFailure(err).Class.Retryable() {
		t.Error("the right worker could not take it")
	}

	for _, host := range []string{"unix:///nowhere/docker.sock", "tcp://127.0.0.1:1"} {
		down, err := New(Options{Host: host})
		must(t, err)
		_, err = down.Info(t.Context())
		wantFailure(t, err, contract.Unavailable, host, "docker info")
		_, err = down.Prepare(t.Context(), s.call(s.component("alpha")), nil)
		wantFailure(t, err, contract.Unavailable, host)
	}
	_, err = New(Options{Host: "nonsense"})
	wantFailure(t, err, contract.InvalidInput, "nonsense")
	_, err = New(Options{Host: "ssh://me@there"})
	wantFailure(t, err, contract.InvalidInput, "ssh -NL", "me@there")
}
