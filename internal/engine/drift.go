package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/go-connections/nat"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// remedy is what puts a finding right, from the gentlest to making the container anew.
type remedy int

const (
	remedyStart remedy = iota
	remedyUnpause
	remedyRename
	remedyReconnect
	remedyLive
	remedyFiles
	remedyReplace
)

// finding is one thing that is not as configured, in words, with its remedy.
type finding struct {
	text   string
	remedy remedy
}

// expected is what a container is compared with.
type expected struct {
	ref       contract.Ref
	component contract.Component
	// image is what the component's reference stands for on this engine; nil when the engine does not have it any more.
	image *image.InspectResponse
	// network is the service's network; nil when it is missing.
	network *network.Inspect
}

// difference is what a container has that its component has not, and the reverse.
type difference struct {
	findings []finding
	// files are the component's files as they were found, by path.
	files map[string]contract.File
}

// drift compares a container with its component, by what the engine reports and by the bytes of the files. Labels are
// believed for one thing only: which configuration the container was made from.
func (e *Engine) drift(ctx context.Context, want expected, got *container.InspectResponse) (difference, error) {
	var d difference
	connections, err := e.networkDrift(ctx, want, got)
	if err != nil {
		return d, err
	}
	d.findings = slices.Concat(
		stateDrift(want, got), imageDrift(want, got), limitDrift(want, got), configDrift(want, got), connections)
	if got.State.Status == container.StateRemoving || got.State.Status == container.StateDead {
		return d, nil
	}
	if d.files, err = e.injected(ctx, got.ID, want.component); err != nil {
		return d, err
	}
	d.findings = append(d.findings, fileDrift(want.component, d.files)...)
	return d, nil
}

func stateDrift(want expected, got *container.InspectResponse) []finding {
	var findings []finding
	if name := strings.TrimPrefix(got.Name, "/"); name != want.component.Container {
		findings = append(findings, finding{fmt.Sprintf("the container was renamed to %s", name), remedyRename})
	}
	switch status := got.State.Status; status {
	case container.StateRunning:
	case container.StatePaused:
		findings = append(findings, finding{"the container is paused", remedyUnpause})
	case container.StateRestarting:
		findings = append(findings, finding{
			fmt.Sprintf("the container keeps restarting (exit code %d, %d restarts)", got.State.ExitCode, got.RestartCount), remedyStart})
	case container.StateExited:
		text := fmt.Sprintf("the container is stopped (exit code %d)", got.State.ExitCode)
		if got.State.OOMKilled {
			text = "the container is stopped, killed for running out of memory"
		}
		findings = append(findings, finding{text, remedyStart})
	case container.StateCreated:
		findings = append(findings, finding{"the container was never started", remedyStart})
	default:
		findings = append(findings, finding{fmt.Sprintf("the container is %s", status), remedyReplace})
	}
	return findings
}

func imageDrift(want expected, got *container.InspectResponse) []finding {
	c := want.component
	switch {
	case want.image != nil && got.Image != want.image.ID:
		if got.Config.Image == c.Image {
			return []finding{{fmt.Sprintf("the image %s stands for another one now than the container runs", c.Image), remedyReplace}}
		}
		return []finding{{fmt.Sprintf("the container runs image %s instead of %s", got.Config.Image, c.Image), remedyReplace}}
	case want.image == nil && got.Config.Image != c.Image:
		return []finding{{fmt.Sprintf("the container runs image %s instead of %s", got.Config.Image, c.Image), remedyReplace}}
	default:
		return nil
	}
}

// limitDrift finds what `docker update` can change.
func limitDrift(want expected, got *container.InspectResponse) []finding {
	c, host := want.component, got.HostConfig
	var findings []finding
	add := func(format string, args ...any) {
		findings = append(findings, finding{fmt.Sprintf(format, args...), remedyReplace})
	}
	if host.Memory != memoryBytes(c) {
		add("the memory limit is %s instead of %s", memoryText(host.Memory), memoryText(memoryBytes(c)))
	}
	if host.NanoCPUs != nanoCPUs(c) {
		add("the cpu limit is %s instead of %s", cpuText(host.NanoCPUs), cpuText(nanoCPUs(c)))
	}
	if host.CPUQuota != 0 || host.CPUPeriod != 0 || host.CPUShares != 0 || host.CpusetCpus != "" || host.CpusetMems != "" ||
		host.MemoryReservation != 0 || (host.PidsLimit != nil && *host.PidsLimit > 0) {
		add("limits were set that are not configured (docker update)")
	}
	if wanted := restartPolicy(c); host.RestartPolicy != wanted {
		add("the restart policy is %q instead of %q", restartText(host.RestartPolicy), restartText(wanted))
	}
	return findings
}

// configDrift finds what only making the container anew can have changed: by another configuration, or by somebody's hand
// with orch's labels kept.
func configDrift(want expected, got *container.InspectResponse) []finding {
	c := want.component
	var findings []finding
	add := func(text string) { findings = append(findings, finding{text, remedyReplace}) }
	// The ports' names are in the hash; a container without them comes from a version that did not write them down.
	if got.Config.Labels[contract.LabelConfigHash] != c.ConfigHash() || got.Config.Labels[contract.LabelPorts] != portNames(c) {
		add("the container was made from another configuration")
	}
	if want.image != nil && got.Image == want.image.ID {
		for _, text := range processDrift(c, want.image, got.Config) {
			add(text)
		}
	}
	if !sameBindings(portBindings(c), got.HostConfig.PortBindings) {
		add("other ports are published than configured")
	}
	if len(got.HostConfig.Binds) > 0 || !slices.EqualFunc(mounts(want.ref, c), got.HostConfig.Mounts, sameMount) {
		add("other volumes are mounted than configured")
	}
	if !maps.Equal(tmpfs(c), got.HostConfig.Tmpfs) {
		add("other paths are kept in memory than configured")
	}
	if got.HostConfig.ReadonlyRootfs != c.ReadOnly {
		add(fmt.Sprintf("the root file system is %s instead of %s", rootText(got.HostConfig.ReadonlyRootfs), rootText(c.ReadOnly)))
	}
	return findings
}

func sameMount(a, b mount.Mount) bool {
	return a.Type == b.Type && a.Source == b.Source && a.Target == b.Target && a.ReadOnly == b.ReadOnly
}

func rootText(readOnly bool) string {
	if readOnly {
		return "read-only"
	}
	return "writable"
}

func restartText(p container.RestartPolicy) string {
	if p.MaximumRetryCount > 0 {
		return fmt.Sprintf("%s:%d", p.Name, p.MaximumRetryCount)
	}
	return string(p.Name)
}

// processDrift compares what runs, where the component says nothing with the image.
func processDrift(c contract.Component, i *image.InspectResponse, got *container.Config) []string {
	var fromImage struct {
		env, cmd, entrypoint []string
		user                 string
	}
	if i.Config != nil {
		fromImage.env, fromImage.cmd, fromImage.entrypoint, fromImage.user = i.Config.Env, i.Config.Cmd, i.Config.Entrypoint, i.Config.User
	}
	var drift []string
	env := map[string]string{}
	for _, pair := range slices.Concat(fromImage.env, environment(c)) {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	actual := map[string]string{}
	for _, pair := range got.Env {
		name, value, _ := strings.Cut(pair, "=")
		actual[name] = value
	}
	delete(actual, "PATH") // The engine adds one where the image has none.
	delete(env, "PATH")
	if !maps.Equal(env, actual) {
		drift = append(drift, "the environment is not as configured")
	}
	entrypoint, command := fromImage.entrypoint, fromImage.cmd
	if len(c.Entrypoint) > 0 {
		// The image's command is meant for the image's entrypoint; the engine drops both.
		entrypoint, command = c.Entrypoint, nil
	}
	if len(c.Command) > 0 {
		command = c.Command
	}
	if !slices.Equal(command, got.Cmd) || !slices.Equal(entrypoint, got.Entrypoint) {
		drift = append(drift, "the command is not as configured")
	}
	user := fromImage.user
	if c.User != "" {
		user = c.User
	}
	if user != got.User {
		drift = append(drift, fmt.Sprintf("the user is %q instead of %q", got.User, user))
	}
	return drift
}

func sameBindings(want, got nat.PortMap) bool {
	return maps.EqualFunc(want, got, func(a, b []nat.PortBinding) bool {
		return slices.EqualFunc(a, b, func(x, y nat.PortBinding) bool {
			// Engines report a port of their own choice as "" or "0".
			return x.HostIP == y.HostIP && strings.Trim(x.HostPort, "0") == strings.Trim(y.HostPort, "0") &&
				(x.HostPort == y.HostPort || strings.Trim(x.HostPort, "0") == "")
		})
	})
}

// networkDrift finds what is wrong with the container's places on its networks. Places on networks that are not the
// component's business are left alone: they may be how somebody looks into it.
func (e *Engine) networkDrift(ctx context.Context, want expected, got *container.InspectResponse) ([]finding, error) {
	var findings []finding
	for i, p := range places(want.ref, want.component) {
		net, remade := want.network, remedyReplace
		if i > 0 {
			var err error
			if net, err = e.network(ctx, p.network); err != nil {
				return nil, err
			}
			remade = remedyReconnect
		}
		switch fault, text := p.fault(net, got); fault {
		case noFault:
		case networkRemade:
			findings = append(findings, finding{text, remade})
		default:
			findings = append(findings, finding{text, remedyReconnect})
		}
	}
	return findings, nil
}

func memoryText(bytes int64) string {
	if bytes == 0 {
		return "none"
	}
	return fmt.Sprintf("%d MiB", bytes>>20)
}

func cpuText(nano int64) string {
	if nano == 0 {
		return "none"
	}
	return fmt.Sprintf("%g", float64(nano)/1e9)
}
