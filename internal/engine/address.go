package engine

import (
	"context"
	"encoding/json"
	"net"
	"net/url"
	"slices"
	"strconv"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/go-connections/nat"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// Address is the host:port at which this worker reaches a port, by Port.Name, of a component that runs.
func (e *Engine) Address(ctx context.Context, r contract.Ref, component, port string) (string, error) {
	owned, err := e.owned(ctx, r)
	if err != nil {
		return "", err
	}
	at := locate(owned, r, component)
	if at.current == nil && len(at.strays) > 0 {
		at.current = &at.strays[0]
	}
	var found *container.InspectResponse
	if at.current != nil {
		if found, err = e.inspect(ctx, at.current.ID); err != nil {
			return "", err
		}
	}
	name := r.Container(component)
	if found == nil {
		return "", contract.Fail(contract.NotFound, "component %s of %s has no container on this Docker Engine", component, r.ID()).Next("apply the configuration that has it")
	}
	if found.State.Status != container.StateRunning {
		return "", contract.Fail(contract.Unavailable, "container %s is %s", name, found.State.Status).Next("%s", "apply again to start it, or see why it ended with `docker logs "+name+"`")
	}
	var numbers map[string]int
	if err := json.Unmarshal([]byte(found.Config.Labels[contract.LabelPorts]), &numbers); err != nil || numbers[port] == 0 {
		return "", contract.Fail(contract.NotFound, "container %s has no port %q, its label %s is %q",
			name, port, contract.LabelPorts, found.Config.Labels[contract.LabelPorts])
	}
	return e.published(found, name, numbers[port])
}

// portNames is the text of LabelPorts: names stand in no other place on the engine.
func portNames(c contract.Component) string {
	numbers := map[string]int{}
	for _, p := range c.Ports {
		numbers[p.Name] = p.Container
	}
	// A map of numbers always has a JSON form.
	text, _ := json.Marshal(numbers)
	return string(text)
}

// portAddress is the host:port at which a port of the component, by name, is published.
func (e *Engine) portAddress(ctx context.Context, id string, c contract.Component, name string) (string, error) {
	port, ok := c.Port(name)
	if !ok {
		return "", contract.Fail(contract.Internal, "%s has no port of the name %q", c.Name, name)
	}
	found, err := e.inspect(ctx, id)
	if err != nil {
		return "", err
	}
	if found == nil {
		return "", contract.Fail(contract.NotFound, "container %s is gone", c.Container)
	}
	return e.published(found, c.Container, port.Container)
}

// published is the host:port at which a container's port is reached from here.
func (e *Engine) published(found *container.InspectResponse, name string, port int) (string, error) {
	number, ports := strconv.Itoa(port), found.NetworkSettings.Ports
	for _, binding := range slices.Concat(ports[nat.Port(number+"/tcp")], ports[nat.Port(number+"/udp")]) {
		if binding.HostPort == "" || binding.HostPort == "0" {
			continue
		}
		return net.JoinHostPort(e.reach(binding.HostIP), binding.HostPort), nil
	}
	return "", contract.Fail(contract.Unhealthy, "port %d of container %s is not published", port, name)
}

// reach is the address at which a port that is bound to bind on the engine's host is reached from here.
func (e *Engine) reach(bind string) string {
	ip := net.ParseIP(bind)
	if ip != nil && !ip.IsUnspecified() && !ip.IsLoopback() {
		return bind
	}
	if host := e.remoteHost(); host != "" {
		return host
	}
	if ip != nil && ip.IsLoopback() {
		return bind
	}
	return "127.0.0.1"
}

// remoteHost is the host of an engine that is driven over the network; it is empty for a local socket.
func (e *Engine) remoteHost() string {
	parsed, err := url.Parse(e.api.DaemonHost())
	if err != nil || parsed.Scheme == "unix" || parsed.Scheme == "npipe" {
		return ""
	}
	return parsed.Hostname()
}
