package engine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/docker/docker/api/types/container"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// checkPorts finds host ports of the stack that somebody else has. A port that the service itself publishes is in place.
func (e *Engine) checkPorts(ctx context.Context, s contract.Stack, all []container.Summary) error {
	type taken struct {
		number   int
		protocol string
	}
	seen := map[taken]contract.Port{}
	for _, c := range s.Components {
		for _, p := range c.Ports {
			if p.Host == 0 {
				continue
			}
			at := taken{p.Host, protocol(p)}
			if other, twice := seen[at]; twice && overlap(bindOf(p), bindOf(other)) {
				return contract.Fail(contract.InvalidInput, "port %d is asked for twice, by %s and %s", p.Host, other.Attribute, p.Attribute).On(p.Attribute)
			}
			seen[at] = p
			if err := e.checkPort(ctx, s.Ref, p, all); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *Engine) checkPort(ctx context.Context, r contract.Ref, p contract.Port, all []container.Summary) error {
	holder := publisher(p, all)
	switch {
	case holder != nil && r.Owns(holder.Labels):
		return nil
	case holder != nil, e.remoteHost() == "" && bound(ctx, p):
		return portConflict(p, holder, "")
	default:
		return nil
	}
}

// publisher is the container that publishes the port, or nil.
func publisher(p contract.Port, all []container.Summary) *container.Summary {
	for i, item := range all {
		for _, published := range item.Ports {
			if int(published.PublicPort) == p.Host && published.Type == protocol(p) && overlap(published.IP, bindOf(p)) {
				return &all[i]
			}
		}
	}
	return nil
}

// overlap reports whether two addresses cannot have the same port at a time.
func overlap(a, b string) bool {
	x, y := net.ParseIP(a), net.ParseIP(b)
	if x == nil || y == nil || x.IsUnspecified() || y.IsUnspecified() {
		return true
	}
	return x.Equal(y)
}

// bound reports whether a process on this host has the port. Anything but a clear yes is a no: the engine may be in another
// network namespace than the worker, and it has the last word when the container starts.
func bound(ctx context.Context, p contract.Port) bool {
	var config net.ListenConfig
	var listener io.Closer
	var err error
	address := net.JoinHostPort(bindOf(p), strconv.Itoa(p.Host))
	if protocol(p) == "udp" {
		listener, err = config.ListenPacket(ctx, "udp", address)
	} else {
		listener, err = config.Listen(ctx, "tcp", address)
	}
	if err != nil {
		return errors.Is(err, syscall.EADDRINUSE)
	}
	// Nothing was accepted, so there is nothing to lose.
	_ = listener.Close()
	return false
}

// holder is the running container that publishes the port now, or nil.
func (e *Engine) holder(ctx context.Context, p contract.Port) (*container.Summary, error) {
	all, err := e.api.ContainerList(ctx, container.ListOptions{})
	if err != nil {
		return nil, e.fail(ctx, err, "list containers")
	}
	return publisher(p, all), nil
}

// portConflict names who has the port: a container, else a process where that can be found out.
func portConflict(p contract.Port, holder *container.Summary, cause string) *contract.StepFailure {
	failure := &contract.StepFailure{Class: contract.Conflict, Attribute: p.Attribute}
	where := net.JoinHostPort(bindOf(p), strconv.Itoa(p.Host))
	switch {
	case holder != nil:
		failure.Cause = fmt.Sprintf("port %s is taken by container %q, image %s, %s", where, nameOf(*holder), holder.Image, ownerOf(holder.Labels))
		failure.Hint = fmt.Sprintf("choose another port, or stop the container with `docker stop %s`", nameOf(*holder))
	default:
		process := listeningProcess(p)
		if process == "" {
			process = "a process on the Docker Engine's host"
		}
		failure.Cause = fmt.Sprintf("port %s is taken by %s", where, process)
		failure.Hint = fmt.Sprintf("choose another port, or see who has it with `ss -l%.1snp 'sport = :%d'`", protocol(p), p.Host)
	}
	if holder == nil && cause != "" {
		failure.Cause += ": " + cause
	}
	return failure
}

// listeningProcess finds the process that listens on a port through Linux' /proc, for example "process python3 (pid 42)". It
// is empty where there is no /proc or no right to look.
func listeningProcess(p contract.Port) string {
	inodes := map[string]bool{}
	for _, table := range []string{"/proc/net/" + protocol(p), "/proc/net/" + protocol(p) + "6"} {
		for _, inode := range listeners(table, p.Host) {
			inodes["socket:["+inode+"]"] = true
		}
	}
	if len(inodes) == 0 {
		return ""
	}
	descriptors, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return ""
	}
	for _, descriptor := range descriptors {
		target, err := os.Readlink(descriptor)
		if err != nil || !inodes[target] {
			continue
		}
		dir := filepath.Dir(filepath.Dir(descriptor))
		name, err := os.ReadFile(filepath.Join(dir, "comm"))
		if err != nil {
			continue
		}
		return fmt.Sprintf("process %s (pid %s)", strings.TrimSpace(string(name)), filepath.Base(dir))
	}
	return ""
}

// listeners reads the inodes of the sockets that listen on a port. A line of the table reads
//
//	0: 0100007F:0C1C 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 123456 1
//
// with the local port in hexadecimal, state 0A for listening (07 for UDP), and the inode as tenth field.
func listeners(table string, port int) []string {
	file, err := os.Open(table)
	if err != nil {
		return nil
	}
	defer file.Close() //nolint:errcheck // nothing was written
	suffix := fmt.Sprintf(":%04X", port)
	var inodes []string
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) > 9 && (fields[3] == "0A" || fields[3] == "07") && strings.HasSuffix(fields[1], suffix) {
			inodes = append(inodes, fields[9])
		}
	}
	return inodes
}
