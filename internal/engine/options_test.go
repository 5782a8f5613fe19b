package engine

import (
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// TestAReadOnlyComponentGetsItsFilesSecretsAndVolumes makes a container of all options at once, that no one may write to.
func TestAReadOnlyComponentGetsItsFilesSecretsAndVolumes(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.component("alpha")
	c.Image, c.User = checkedImage, "10001:10001"
	c.ReadOnly, c.Tmpfs, c.Restart = true, []string{"/tmp", "/scratch:size=1m"}, "on-failure:3"
	c.Entrypoint, c.Command = []string{"/box", "serve"}, []string{"one", "two"}
	c.Env = map[string]string{"BOX_DATA": "/var/lib/box"}
	c.Volumes = []contract.Volume{
		{Name: s.ref.Volume("alpha", "config"), Path: "/etc/box"},
		{Name: s.ref.Volume("alpha", "data"), Path: "/var/lib/box", UID: 10001, GID: 10001},
		{Name: s.ref.Volume("alpha", "look"), Path: "/look", ReadOnly: true},
	}
	c.Secrets = []contract.Secret{{Name: "password", UID: 10001, GID: 10001, Mode: 0o400}}
	c.Ports = append(c.Ports, contract.Port{Name: "dns", Container: 5353, Protocol: "udp"})
	s.up(c)
	s.noDrift(c)
	found, err := s.api.ContainerInspect(t.Context(), c.Container)
	must(t, err)
	if !found.HostConfig.ReadonlyRootfs || found.HostConfig.RestartPolicy.MaximumRetryCount != 3 || len(found.HostConfig.Tmpfs) != 2 ||
		!slices.Equal(found.Config.Entrypoint, c.Entrypoint) || !slices.Equal(found.Config.Cmd, c.Command) ||
		len(found.NetworkSettings.Ports["5353/udp"]) == 0 || !found.HostConfig.Mounts[2].ReadOnly {
		t.Errorf("container %+v %+v", found.HostConfig, found.Config)
	}
	if address, err := s.e.Address(t.Context(), s.ref, "alpha", "dns"); err != nil || !strings.HasPrefix(address, "127.0.0.1:") {
		t.Errorf("address %q, error %v", address, err)
	}
	written, err := s.e.read(t.Context(), c.Container, c.Container, "/var/lib/box")
	must(t, err)
	if got := written["/var/lib/box/written"]; got.Content != "one" || got.UID != 10001 {
		t.Errorf("written %+v", got)
	}
	secret, err := s.e.Secret(t.Context(), s.ref, "alpha", "password")
	must(t, err)
	if secret == "" {
		t.Error("no secret")
	}

	// An edited file is repaired, and an update takes the same way.
	must(t, s.e.inject(t.Context(), s.id(c.Container), edited(c, "hacked")))
	if drift := s.observe(c).Drifted(); len(drift) != 1 || !strings.Contains(drift[0], "was edited") {
		t.Errorf("drift %q", drift)
	}
	s.up(edited(c, "two"))
	if got := s.answer(c); got != "box is ready with two" {
		t.Errorf("answer %q", got)
	}
	_, err = s.api.ContainerUpdate(t.Context(), c.Container, container.UpdateConfig{RestartPolicy: container.RestartPolicy{Name: "always"}})
	must(t, err)
	if drift := s.observe(edited(c, "two")).Drifted(); len(drift) != 1 || !strings.Contains(drift[0], `restart policy is "always" instead of "on-failure:3"`) {
		t.Errorf("drift %q", drift)
	}
	owned, err := s.e.owned(t.Context(), s.ref)
	must(t, err)
	if len(owned) != 1 {
		t.Errorf("%d containers, want one", len(owned))
	}
}

func TestAnEntrypointLeavesNothingOfTheImagesCommand(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.component("alpha")
	c.Image, c.Entrypoint = checkedImage, []string{"/box", "serve"}
	s.up(c)
	s.noDrift(c)
	found, err := s.api.ContainerInspect(t.Context(), c.Container)
	must(t, err)
	if len(found.Config.Cmd) != 0 {
		t.Errorf("command %q", found.Config.Cmd)
	}
}

func TestOptionsThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	base := func() contract.Component {
		return contract.Component{Name: "chat", Files: []contract.File{{Path: "/etc/chat/config"}}}
	}
	for name, tc := range map[string]struct {
		change func(c *contract.Component)
		words  []string
	}{
		"restart policy": {func(c *contract.Component) { c.Restart = "sometimes" }, []string{`"sometimes"`, "on-failure:<times>", "restart"}},
		"restart count":  {func(c *contract.Component) { c.Restart = "always:3" }, []string{"always:3", "restart"}},
		"protocol": {func(c *contract.Component) {
			c.Ports = []contract.Port{{Name: "x", Protocol: "sctp", Attribute: "ports.x"}}
		}, []string{"sctp", "ports.x"}},
		"file in a read-only root": {func(c *contract.Component) { c.ReadOnly = true }, []string{"/etc/chat/config", "read-only root", "mount a volume at /etc/chat", "read_only"}},
		"file in a read-only volume": {func(c *contract.Component) {
			c.Volumes = []contract.Volume{{Path: "/etc"}, {Path: "/etc/chat/", ReadOnly: true}}
		}, []string{"read-only volume at /etc/chat", "volumes"}},
		"file in memory": {func(c *contract.Component) { c.Tmpfs = []string{"/etc:size=1m"} }, []string{"in memory at /etc", "tmpfs"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := base()
			must(t, checkOptions(c))
			tc.change(&c)
			wantFailure(t, checkOptions(c), contract.InvalidInput, tc.words...)
		})
	}
	c := base()
	c.ReadOnly, c.Volumes = true, []contract.Volume{{Path: "/etc/chat"}}
	must(t, checkOptions(c))
}
