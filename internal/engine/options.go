package engine

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/docker/docker/api/types/image"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

var restartPattern = regexp.MustCompile(`^(no|always|unless-stopped|on-failure(:[1-9][0-9]{0,5})?)?$`)

// checkOptions finds what no container can be made of, and what would be lost without a word if one were.
func checkOptions(c contract.Component) error {
	if !restartPattern.MatchString(c.Restart) {
		return contract.Fail(contract.InvalidInput, "the restart policy %q is not valid", c.Restart).On(attribute(c, "restart")).Next(`it is "no", "always", "unless-stopped", "on-failure" or "on-failure:<times>"`)
	}
	for _, p := range c.Ports {
		if protocol(p) != "tcp" && protocol(p) != "udp" {
			failure := contract.Fail(contract.InvalidInput, "the protocol %q of port %s is not valid", p.Protocol, p.Name)
			failure.Attribute, failure.Hint = p.Attribute, `it is "tcp" or "udp"`
			return failure
		}
	}
	for _, f := range c.Files {
		if failure := unreachable(c, f); failure != nil {
			return failure
		}
	}
	return nil
}

// unreachable says why a file cannot be put into the component's container, or that nobody would see it there.
func unreachable(c contract.Component, f contract.File) *contract.StepFailure {
	var failure *contract.StepFailure
	switch at, kind := mountOf(c, f.Path); {
	case kind == inMemory:
		failure = contract.Fail(contract.InvalidInput, "the file %s would be hidden by the file system in memory at %s", f.Path, at)
		failure.Attribute = attribute(c, "tmpfs")
		failure.Hint = "mount another path in memory, or put the file elsewhere"
	case kind == inReadOnlyVolume:
		failure = contract.Fail(contract.InvalidInput, "the file %s cannot be put into the read-only volume at %s", f.Path, at)
		failure.Attribute = attribute(c, "volumes")
		failure.Hint = "let the volume be written to, or put the file elsewhere"
	case kind == inRoot && c.ReadOnly:
		failure = contract.Fail(contract.InvalidInput, "the file %s cannot be put into a read-only root file system", f.Path)
		failure.Attribute = attribute(c, "read_only")
		failure.Hint = fmt.Sprintf("mount a volume at %s, or set read_only = false", path.Dir(f.Path))
	}
	return failure
}

// kind is what a path in a container lies in.
type kind int

const (
	inRoot kind = iota
	inVolume
	inReadOnlyVolume
	inMemory
)

// mountOf is the innermost mount that a path lies in.
func mountOf(c contract.Component, file string) (at string, in kind) {
	deepest := func(candidate string, as kind) {
		candidate = path.Clean(candidate)
		if strings.HasPrefix(path.Clean(file), strings.TrimSuffix(candidate, "/")+"/") && len(candidate) > len(at) {
			at, in = candidate, as
		}
	}
	for _, v := range c.Volumes {
		as := inVolume
		if v.ReadOnly {
			as = inReadOnlyVolume
		}
		deepest(v.Path, as)
	}
	for memory := range tmpfs(c) {
		deepest(memory, inMemory)
	}
	return at, in
}

// checkHealthcheck refuses to go by a HEALTHCHECK that the image does not have.
func checkHealthcheck(c contract.Component, i image.InspectResponse) error {
	if c.Probe.Type != contract.ProbeImage {
		return nil
	}
	if i.Config != nil && i.Config.Healthcheck != nil && len(i.Config.Healthcheck.Test) > 0 && i.Config.Healthcheck.Test[0] != "NONE" {
		return nil
	}
	return contract.Fail(contract.InvalidInput, "image %s has no HEALTHCHECK to tell whether %s is ready", c.Image, c.Name).On(c.Probe.Attribute).Next("ask the component by HTTP or TCP, or use an image that has one")
}
