package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// answer is what one attempt to ask a component came to.
type answer struct {
	ok bool
	// text says what came back instead of what was wanted.
	text string
	// final means that asking again will not help.
	final bool
	// early means that the image's HEALTHCHECK has not come to a result yet, so that there is nothing to count.
	early bool
}

func notReady(format string, args ...any) answer { return answer{text: fmt.Sprintf(format, args...)} }

// probe asks once.
func (e *Engine) probe(ctx context.Context, id string, c contract.Component) (text string, ok bool) {
	got := e.ask(ctx, id, c)
	return got.text, got.ok
}

// ask asks once, in the way that the component's probe wants.
func (e *Engine) ask(ctx context.Context, id string, c contract.Component) answer {
	p := c.Probe
	if p.Type == contract.ProbeImage {
		return e.askImage(ctx, id)
	}
	if p.Type == "" && p.Port == "" {
		return e.stayedUp(ctx, id)
	}
	address, err := e.portAddress(ctx, id, c, p.Port)
	if err != nil {
		return notReady("%s", err)
	}
	if p.Type == contract.ProbeTCP {
		return connects(ctx, address, attempt(p))
	}
	return e.askHTTP(ctx, "http://"+address+p.Path, p)
}

func attempt(p contract.Probe) time.Duration {
	if p.AttemptSeconds <= 0 {
		return probeAttempt
	}
	return seconds(p.AttemptSeconds)
}

// stayedUp stands for a probe: a component without one is ready when it has stayed up for a moment.
func (e *Engine) stayedUp(ctx context.Context, id string) answer {
	found, err := e.inspect(ctx, id)
	if err != nil || found == nil || !found.State.Running {
		return notReady("it does not run")
	}
	started, err := time.Parse(time.RFC3339Nano, found.State.StartedAt)
	return answer{ok: err == nil && time.Since(started) >= probeAttempt, text: "it has only just started"}
}

// askImage goes by the image's HEALTHCHECK, whose own retries an unhealthy container has used up.
func (e *Engine) askImage(ctx context.Context, id string) answer {
	found, err := e.inspect(ctx, id)
	switch {
	case err != nil:
		return notReady("%s", err)
	case found == nil:
		return notReady("the container is gone")
	case found.State.Health == nil || found.State.Health.Status == container.NoHealthcheck:
		return answer{text: "the image has no HEALTHCHECK", final: true}
	case found.State.Health.Status == container.Healthy:
		return answer{ok: true}
	}
	health := found.State.Health
	got := answer{text: "the HEALTHCHECK of the image says " + health.Status, final: health.Status == container.Unhealthy, early: health.Status == container.Starting}
	if last := len(health.Log) - 1; last >= 0 {
		got.text += fmt.Sprintf(" (exit code %d): %s", health.Log[last].ExitCode, excerpt(health.Log[last].Output))
	}
	return got
}

// connects finds out whether somebody listens. The engine's proxy takes every connection, also when nobody does in the
// container, and closes it at once; who stays on the line, or speaks, listens.
func connects(ctx context.Context, address string, limit time.Duration) answer {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return notReady("connect to %s: %s", address, plain(err, limit))
	}
	defer conn.Close() //nolint:errcheck // nothing was written
	if err := conn.SetReadDeadline(time.Now().Add(min(limit/2, quietEnough))); err != nil {
		return notReady("connect to %s: %v", address, err)
	}
	_, err = conn.Read(make([]byte, 1))
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		return answer{ok: true}
	}
	return notReady("connect to %s: the connection was closed at once: nothing listens on the port in the container", address)
}

// askHTTP gets a page.
func (e *Engine) askHTTP(ctx context.Context, target string, p contract.Probe) answer {
	limit := attempt(p)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return notReady("%v", err)
	}
	response, err := e.probes.Do(request)
	if err != nil {
		return notReady("GET %s: %s", target, plain(err, limit))
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err := anyOf(err, response.Body.Close()); err != nil {
		return notReady("GET %s: %s, and then %s", target, response.Status, plain(err, limit))
	}
	switch status := response.StatusCode; {
	case status >= 300 && status < 400 && response.Header.Get("Location") != "":
		return notReady("GET %s: %s redirects to %s; redirects are not followed, so name a path that answers 200 to 299 itself",
			target, response.Status, excerpt(response.Header.Get("Location")))
	case status < 200 || status > 299:
		return notReady("GET %s: %s %s", target, response.Status, excerpt(string(body)))
	case !strings.Contains(string(body), p.Contains):
		return notReady("GET %s: %d without %q: %s", target, status, p.Contains, excerpt(string(body)))
	default:
		return answer{ok: true}
	}
}

// plain says in plain words what the network's commonest errors mean for a probe.
func plain(err error, limit time.Duration) string {
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("no answer came within %g s", limit.Seconds())
	case errors.Is(err, io.EOF), strings.Contains(err.Error(), "connection reset by peer"):
		return "the connection was closed without an answer: nothing listens on the port in the container, or it speaks another protocol"
	default:
		var inner interface{ Unwrap() error }
		if errors.As(err, &inner) && inner.Unwrap() != nil {
			return inner.Unwrap().Error()
		}
		return err.Error()
	}
}

// ownTime is how long an image's HEALTHCHECK may take to come to a result, and a moment more. What it leaves out is Docker's
// default.
func ownTime(h *container.HealthConfig) time.Duration {
	if h == nil {
		return 0
	}
	interval, attempt := cmp.Or(h.Interval, 30*time.Second), cmp.Or(h.Timeout, 30*time.Second)
	return h.StartPeriod + time.Duration(cmp.Or(h.Retries, 3))*(interval+attempt) + 5*time.Second
}

func excerpt(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 120 {
		text = text[:120] + "…"
	}
	return strings.ToValidUTF8(text, "")
}
