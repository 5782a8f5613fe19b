package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

const (
	defaultProbeTimeout = time.Minute
	probeAttempt        = time.Second // how long one answer may take, where the probe does not say
	firstPoll           = 50 * time.Millisecond
	slowestPoll         = 500 * time.Millisecond
	quietEnough         = 400 * time.Millisecond // a port that keeps a connection open so long is listened on
	maxAnswer           = 1 << 20
)

func probeTimeout(c contract.Component) time.Duration {
	if c.Probe.TimeoutSeconds <= 0 {
		return defaultProbeTimeout
	}
	return c.Probe.Timeout()
}

// ready waits until the container answers its probe.
func (j *job) ready(ctx context.Context, id string, w watch, limit time.Duration) error {
	began := time.Now()
	err := j.await(ctx, id, w, "waiting for "+j.c.Name+" to become ready", limit, newPace(j.c.Probe), func() answer { return j.ask(ctx, id, j.c) })
	if err == nil {
		j.log.Info("component is ready", "component", j.c.Name, "after", time.Since(began).Round(time.Millisecond))
	}
	return err
}

// await asks until the answer is good, and fails as soon as the container ends, or as the answer says that waiting is of no use.
func (j *job) await(ctx context.Context, id string, w watch, what string, limit time.Duration, pace *pace, ask func() answer) error {
	return j.progress.during(ctx, what, func() error {
		began, deadline := time.Now(), time.NewTimer(limit)
		defer deadline.Stop()
		for {
			got := ask()
			if got.ok {
				return nil
			}
			if ctx.Err() == nil && pace.over(got, time.Since(began)) {
				// An exit that has come in meanwhile says more.
				select {
				case result := <-w.exit:
					return j.ended(ctx, id, w, result)
				default:
					return j.neverReady(ctx, id, pace.attempts(), got.text)
				}
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case result := <-w.exit:
				return j.ended(ctx, id, w, result)
			case err := <-w.err:
				return j.fail(ctx, err, "watch container %s", j.c.Container)
			case <-deadline.C:
				return j.neverReady(ctx, id, fmt.Sprintf("within %d s", int(limit.Seconds())), got.text)
			case <-time.After(pace.next()):
			}
		}
	})
}

// pace is the rhythm of a wait: how long it pauses, and how many failures it takes.
type pace struct {
	delay, slowest, start time.Duration
	retries, failed       int
}

func newPace(p contract.Probe) *pace {
	a := &pace{delay: firstPoll, slowest: slowestPoll, start: seconds(p.StartPeriodSeconds), retries: p.Retries}
	if p.IntervalSeconds > 0 {
		a.delay, a.slowest = seconds(p.IntervalSeconds), seconds(p.IntervalSeconds)
	}
	return a
}

func (p *pace) next() time.Duration {
	now := p.delay
	p.delay = min(p.delay*3/2, p.slowest)
	return now
}

// over counts a failed attempt and reports whether it was one too many. Those in the start period do not count, nor those that
// come before a HEALTHCHECK's first result: it has intervals and retries of its own.
func (p *pace) over(got answer, since time.Duration) bool {
	if since < p.start || got.early {
		return false
	}
	p.failed++
	return got.final || p.retries > 0 && p.failed >= p.retries
}

func (p *pace) attempts() string {
	if p.failed == 1 {
		return "at the first attempt"
	}
	return fmt.Sprintf("in %d attempts", p.failed)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
