package engine

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

const (
	defaultProbeTimeout = time.Minute
	probeAttempt        = time.Second // how long one answer may take
	firstPoll           = 50 * time.Millisecond
	slowestPoll         = 500 * time.Millisecond
	maxAnswer           = 1 << 20
)

func probeTimeout(c contract.Component) time.Duration {
	if c.Probe.TimeoutSeconds <= 0 {
		return defaultProbeTimeout
	}
	return c.Probe.Timeout()
}

// ready waits until the container answers its probe, and fails as soon as it ends.
func (j *job) ready(ctx context.Context, id string, w watch, limit time.Duration) error {
	what := fmt.Sprintf("waiting for %s to become ready", j.c.Name)
	return j.progress.during(ctx, what, func() error {
		began, delay := time.Now(), firstPoll
		deadline := time.NewTimer(limit)
		defer deadline.Stop()
		for {
			answer, ok := j.probe(ctx, id, j.c)
			if ok {
				j.log.Info("component is ready", "component", j.c.Name, "after", time.Since(began).Round(time.Millisecond))
				return nil
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case result := <-w.exit:
				return j.exited(ctx, id, j.exitCode(ctx, id, w, result.StatusCode))
			case err := <-w.err:
				return j.fail(ctx, err, "watch container %s", j.c.Container)
			case <-deadline.C:
				return j.neverReady(ctx, id, limit, answer)
			case <-time.After(delay):
			}
			delay = min(delay*3/2, slowestPoll)
		}
	})
}

// probe asks once. The answer says what came back instead of what was wanted.
func (e *Engine) probe(ctx context.Context, id string, c contract.Component) (answer string, ok bool) {
	target, err := e.baseURL(ctx, id, c)
	if err != nil {
		return err.Error(), false
	}
	if target == "" {
		// Without a probe, a component is ready when it has stayed up for a moment.
		found, err := e.inspect(ctx, id)
		if err != nil || found == nil || !found.State.Running {
			return "it does not run", false
		}
		started, err := time.Parse(time.RFC3339Nano, found.State.StartedAt)
		return "it has only just started", err == nil && time.Since(started) >= probeAttempt
	}
	return e.ask(ctx, target+c.Probe.Path, c.Probe.Contains)
}

func (e *Engine) ask(ctx context.Context, target, contains string) (answer string, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, probeAttempt)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return err.Error(), false
	}
	response, err := e.probes.Do(request)
	if err != nil {
		return err.Error(), false
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err := anyOf(err, response.Body.Close()); err != nil {
		return err.Error(), false
	}
	switch {
	case response.StatusCode != http.StatusOK:
		return fmt.Sprintf("GET %s: %s %s", target, response.Status, excerpt(string(body))), false
	case !strings.Contains(string(body), contains):
		return fmt.Sprintf("GET %s: 200 without %q: %s", target, contains, excerpt(string(body))), false
	default:
		return "", true
	}
}

func excerpt(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 120 {
		text = text[:120] + "…"
	}
	return strings.ToValidUTF8(text, "")
}

// baseURL is where the port of the component's probe is published; it is empty when the component has no probe.
func (e *Engine) baseURL(ctx context.Context, id string, c contract.Component) (string, error) {
	if c.Probe.Port == "" {
		return "", nil
	}
	port, ok := c.Port(c.Probe.Port)
	if !ok {
		return "", contract.Fail(contract.Internal, "the probe of %s names port %q, which it does not have", c.Name, c.Probe.Port)
	}
	found, err := e.inspect(ctx, id)
	if err != nil {
		return "", err
	}
	if found == nil {
		return "", contract.Fail(contract.NotFound, "container %s is gone", c.Container)
	}
	for _, binding := range found.NetworkSettings.Ports[containerPort(port)] {
		if binding.HostPort == "" || binding.HostPort == "0" {
			continue
		}
		return "http://" + net.JoinHostPort(e.reach(binding.HostIP), binding.HostPort), nil
	}
	return "", contract.Fail(contract.Unhealthy, "port %d of container %s is not published", port.Container, c.Container)
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
