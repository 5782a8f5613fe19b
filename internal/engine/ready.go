package engine

import (
	"context"
	"fmt"
	"io"
	"net/http"
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
				code, oom := j.exitCode(ctx, id, w, result.StatusCode)
				return j.exited(ctx, id, code, oom)
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
