package engine

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/go-connections/nat"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// defaultBind keeps a port that names no address off the network: published ports pass by most host firewalls.
const defaultBind = "127.0.0.1"

// containerConfig is what runs: the part of a container that comes from the image and the component.
func containerConfig(call contract.ComponentCall) *container.Config {
	c := call.Component
	config := &container.Config{
		Hostname:     hostname(c),
		User:         c.User,
		Image:        c.Image,
		Env:          environment(c),
		Labels:       labels(call),
		ExposedPorts: nat.PortSet{},
	}
	if len(c.Entrypoint) > 0 {
		config.Entrypoint = slices.Clone(c.Entrypoint)
	}
	if len(c.Command) > 0 {
		config.Cmd = slices.Clone(c.Command)
	}
	if c.StopTimeout > 0 {
		config.StopTimeout = &c.StopTimeout
	}
	// A binding of a port that is not exposed as well is ignored without a word.
	for port := range portBindings(c) {
		config.ExposedPorts[port] = struct{}{}
	}
	return config
}

// hostConfig is how it runs on the host: limits, ports, mounts, logs.
func hostConfig(r contract.Ref, c contract.Component) *container.HostConfig {
	return &container.HostConfig{
		NetworkMode:    container.NetworkMode(c.Network),
		PortBindings:   portBindings(c),
		Mounts:         mounts(r, c),
		Tmpfs:          tmpfs(c),
		ReadonlyRootfs: c.ReadOnly,
		RestartPolicy:  restartPolicy(c),
		LogConfig: container.LogConfig{
			Type:   "json-file",
			Config: map[string]string{"max-size": "10m", "max-file": "3"},
		},
		Resources: container.Resources{Memory: memoryBytes(c), NanoCPUs: nanoCPUs(c)},
	}
}

// restartPolicy is the component's; one that checkOptions refuses counts as Docker's own word.
func restartPolicy(c contract.Component) container.RestartPolicy {
	mode, times, _ := strings.Cut(c.Restart, ":")
	if mode == "" {
		mode = string(container.RestartPolicyUnlessStopped)
	}
	count, _ := strconv.Atoi(times)
	return container.RestartPolicy{Name: container.RestartPolicyMode(mode), MaximumRetryCount: count}
}

func tmpfs(c contract.Component) map[string]string {
	if len(c.Tmpfs) == 0 {
		return nil
	}
	all := map[string]string{}
	for _, entry := range c.Tmpfs {
		at, options, _ := strings.Cut(entry, ":")
		all[at] = options
	}
	return all
}

// hostname is the component's name, with three exceptions. Engines from 25 on answer to a container's host name on all of its
// networks: on another service's network it may be the name of one of theirs, and in a handover it would make the new
// container known before it is ready. And one that looks into the host is told by its own ID, which the engine gives as host
// name then, which of the host's log files are its own.
func hostname(c contract.Component) string {
	if len(c.Joins) > 0 || c.Handover != nil || len(c.Mounts) > 0 {
		return ""
	}
	return c.Name
}

// networkingConfig holds the own network alone: engines with an API before 1.44 take one with a create. The others follow.
func networkingConfig(own place) *network.NetworkingConfig {
	return &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{own.network: own.endpoint()}}
}

// labels are the user's, then orch's own, which win.
func labels(call contract.ComponentCall) map[string]string {
	all := maps.Clone(call.Component.Labels)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, call.Ref.Labels())
	all[contract.LabelComponent] = call.Component.Name
	all[contract.LabelConfigHash] = call.Component.ConfigHash()
	all[contract.LabelInput] = string(call.Component.Input)
	all[contract.LabelPorts] = portNames(call.Component)
	all[contract.LabelRunID] = call.RunID
	return all
}

func environment(c contract.Component) []string {
	var env []string
	for _, name := range slices.Sorted(maps.Keys(c.Env)) {
		env = append(env, name+"="+c.Env[name])
	}
	return env
}

func containerPort(p contract.Port) nat.Port {
	return nat.Port(strconv.Itoa(p.Container) + "/" + protocol(p))
}

func protocol(p contract.Port) string {
	if p.Protocol == "" {
		return "tcp"
	}
	return p.Protocol
}

func portBindings(c contract.Component) nat.PortMap {
	bindings := nat.PortMap{}
	for _, p := range c.Ports {
		binding := nat.PortBinding{HostIP: bindOf(p)}
		if p.Host != 0 {
			binding.HostPort = strconv.Itoa(p.Host)
		}
		bindings[containerPort(p)] = append(bindings[containerPort(p)], binding)
	}
	return bindings
}

func bindOf(p contract.Port) string {
	if p.Bind == "" {
		return defaultBind
	}
	return p.Bind
}

func mounts(r contract.Ref, c contract.Component) []mount.Mount {
	var all []mount.Mount
	for _, v := range c.Volumes {
		all = append(all, mount.Mount{Type: mount.TypeVolume, Source: v.Name, Target: v.Path, ReadOnly: v.ReadOnly})
	}
	for _, m := range c.Mounts {
		all = append(all, mount.Mount{Type: mount.TypeBind, Source: m.Source, Target: m.Target, ReadOnly: true})
	}
	if len(c.Secrets) > 0 {
		all = append(all, mount.Mount{Type: mount.TypeVolume, Source: r.SecretsVolume(c.Name), Target: contract.SecretsPath})
	}
	return all
}

func memoryBytes(c contract.Component) int64 { return c.MemoryMB << 20 }

func nanoCPUs(c contract.Component) int64 { return int64(c.CPUs * 1e9) }
