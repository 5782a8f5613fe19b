package catalog

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// DefaultBindAddress keeps published ports on the host itself: Docker's port publishing bypasses most host firewalls.
const DefaultBindAddress = "127.0.0.1"

// MinMemoryMB is the least that Docker accepts as a memory limit.
const MinMemoryMB = 6

// minCPUs is the least that Docker accepts as a limit of CPUs.
const minCPUs = 0.01

// OwnLabelPrefix begins the labels that are orch's own.
const OwnLabelPrefix = "io.orch."

// PullPolicies are the values that pull_policy takes.
func PullPolicies() []string {
	return []string{contract.PullMissing, contract.PullAlways, contract.PullNever}
}

func (s Shared) check() []Problem {
	var problems []Problem
	if s.BindAddress != nil && net.ParseIP(*s.BindAddress) == nil {
		problems = append(problems, Problem{"bind_address", fmt.Sprintf("%q is not an IP address, such as 127.0.0.1 or 0.0.0.0", *s.BindAddress)})
	}
	if s.PullPolicy != nil && !slices.Contains(PullPolicies(), *s.PullPolicy) {
		problems = append(problems, Problem{"pull_policy", fmt.Sprintf("%q is not one of %s", *s.PullPolicy, strings.Join(PullPolicies(), ", "))})
	}
	for name := range s.Labels {
		if strings.HasPrefix(name, OwnLabelPrefix) {
			problems = append(problems, Problem{"labels", fmt.Sprintf("label %q: names beginning with %q are orch's own", name, OwnLabelPrefix)})
		}
	}
	return problems
}

func checkContainer(c contract.Component) []Problem {
	var problems []Problem
	at := func(attribute string) string {
		if c.InputPath == "" {
			return attribute
		}
		return c.InputPath + "." + attribute
	}
	// An image that may be built instead is asked for where the build is.
	missing := c.Image == "" && c.InputPath != ""
	if missing || strings.ContainsAny(c.Image, " \t\n") {
		problems = append(problems, Problem{at("image"), fmt.Sprintf("%q is not an image reference", c.Image)})
	}
	// What is configured at the top level has no limit by default.
	if limited := c.InputPath != "" || c.MemoryMB != 0; limited && c.MemoryMB < MinMemoryMB {
		problems = append(problems, Problem{at("memory_mb"), fmt.Sprintf("%d MiB is less than the %d MiB that Docker needs", c.MemoryMB, MinMemoryMB)})
	}
	switch {
	case c.CPUs < 0:
		problems = append(problems, Problem{at("cpus"), "a number of CPUs cannot be negative"})
	case c.CPUs != 0 && c.CPUs < minCPUs:
		problems = append(problems, Problem{at("cpus"), fmt.Sprintf("%g is less than %g, the least that Docker takes", c.CPUs, minCPUs)})
	}
	return problems
}

// checkPorts finds host ports out of range and host ports that two attributes claim. A Port without an attribute is
// chosen by the engine.
func checkPorts(components []contract.Component) []Problem {
	var problems []Problem
	taken := map[string]string{}
	for _, c := range components {
		for _, p := range c.Ports {
			if p.Attribute == "" {
				continue
			}
			if p.Host < 1 || p.Host > 65535 {
				problems = append(problems, Problem{p.Attribute, fmt.Sprintf("port %d is not between 1 and 65535", p.Host)})
				continue
			}
			key := fmt.Sprintf("%d/%s", p.Host, cmp.Or(p.Protocol, ProtocolTCP))
			if other, ok := taken[key]; ok {
				problems = append(problems, Problem{p.Attribute, fmt.Sprintf("port %d is already used by %s of the same resource", p.Host, other)})
				continue
			}
			taken[key] = p.Attribute
		}
	}
	return problems
}

// mirrored puts a registry mirror in front of an image that names no registry of its own; Docker Hub's official images
// live under "library/" there.
func mirrored(image, mirror string) string {
	if mirror == "" {
		return image
	}
	first, _, hasPath := strings.Cut(image, "/")
	if hasPath && (strings.ContainsAny(first, ".:") || first == "localhost") {
		return image
	}
	if !hasPath {
		image = "library/" + image
	}
	return strings.TrimSuffix(mirror, "/") + "/" + image
}
