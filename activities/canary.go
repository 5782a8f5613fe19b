package activities

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
)

const (
	defaultCanaryTimeout = time.Minute
	firstLook            = 50 * time.Millisecond
	slowestLook          = 500 * time.Millisecond
	// cleanTimeout is how long taking a canary back may take, also when the run was cancelled.
	cleanTimeout = 10 * time.Second
)

// bird is a canary under way.
type bird struct {
	contract.Canary
	// into and from say where it is written and where it is looked for.
	into, from string
	// reader is the component that reads go through, when it is one of the stack's.
	reader string
	// prepare makes room for it, and write puts it in. Failures that can pass are tried again.
	prepare func(ctx context.Context) error
	write   func(ctx context.Context) error
	// read looks for it once; seen is what was there instead.
	read func(ctx context.Context) (found bool, seen string, err error)
	// clean takes it back; nil where that cannot be done.
	clean func(ctx context.Context) error
}

// verification is one VerifyStack at work.
type verification struct {
	engine   Engine
	stack    contract.Stack
	run      string
	progress engine.Progress
	// view opens the Grafana that the stack's data is seen in, once for all canaries.
	view func() (grafana, string, error)
}

// VerifyStack writes the stack's canaries and reads each back through the whole way, at the same time.
func (d *Docker) VerifyStack(ctx context.Context, call contract.StackCall) ([]contract.Proof, error) {
	return beating(ctx, func(ctx context.Context, progress engine.Progress) ([]contract.Proof, error) {
		if err := d.Engine.CheckEngine(ctx, call.Stack.EngineID); err != nil {
			return nil, err
		}
		v := verification{engine: d.Engine, stack: call.Stack, run: call.RunID, progress: progress}
		type opened struct {
			grafana grafana
			name    string
		}
		open := sync.OnceValues(func() (opened, error) {
			var o opened
			var err error
			if spec := call.Stack.Grafana; spec != nil {
				o.grafana, err = d.foreignGrafana(ctx, *spec)
			} else {
				o.grafana, o.name, err = ownGrafana(ctx, d.Engine, call.Stack)
			}
			return o, err
		})
		v.view = func() (grafana, string, error) {
			o, err := open()
			return o.grafana, o.name, err
		}
		return v.all(ctx)
	})
}

func (v verification) all(ctx context.Context) ([]contract.Proof, error) {
	proofs := make([]contract.Proof, len(v.stack.Canaries))
	failures := make([]error, len(proofs))
	var flying sync.WaitGroup
	for i, c := range v.stack.Canaries {
		flying.Go(func() { proofs[i], failures[i] = v.one(ctx, c) })
	}
	flying.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return proofs, worst(failures)
}

// worst is the failure to report: the first that trying again does not help, else the first. The causes of the others follow.
func worst(failures []error) error {
	var first *contract.StepFailure
	var others []string
	for _, err := range failures {
		var failure *contract.StepFailure
		switch {
		case err == nil:
			continue
		case !errors.As(err, &failure):
			failure = contract.Fail(contract.Internal, "%v", err)
		}
		switch {
		case first == nil:
			first = failure
		case first.Class.Retryable() && !failure.Class.Retryable():
			others = append(others, first.Cause)
			first = failure
		default:
			others = append(others, failure.Cause)
		}
	}
	if first == nil {
		return nil
	}
	if len(others) > 0 {
		first.Cause += "; and " + strings.Join(others, "; and ")
	}
	return first
}

// one lets one canary fly.
func (v verification) one(ctx context.Context, c contract.Canary) (proof contract.Proof, err error) {
	b, err := v.open(ctx, c)
	if err != nil {
		return proof, err
	}
	limit := time.Duration(c.TimeoutSeconds) * time.Second
	if limit <= 0 {
		limit = defaultCanaryTimeout
	}
	flight, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if b.clean != nil {
		defer func() {
			if cleaned := v.clean(ctx, b); cleaned != nil && err == nil {
				err = cleaned
			}
		}()
	}
	v.progress("%s canary: writing to %s", c.Signal, b.into)
	written, err := v.written(flight, b)
	if err != nil {
		return proof, v.lost(ctx, b, limit, c.Component, fmt.Sprintf("it could not be written to %s", b.into), err)
	}
	v.progress("%s canary: written to %s, looking in %s", c.Signal, b.into, b.from)
	at, seen, err := v.seen(flight, b)
	if err != nil {
		blame := c.Component
		if classOf(err) == contract.Unavailable && b.reader != "" {
			blame = b.reader
		}
		what := fmt.Sprintf("it was written to %s and did not come out of %s", b.into, b.from)
		if b.into == b.from {
			what = fmt.Sprintf("it was written to %s and did not come out again", b.into)
		}
		return proof, v.lost(ctx, b, limit, blame, what, withSeen(err, seen))
	}
	latency := at.Sub(written)
	v.progress("%s canary: came out of %s after %s", c.Signal, b.from, latency.Round(time.Millisecond))
	return contract.Proof{Signal: c.Signal, LatencyMS: latency.Milliseconds()}, nil
}

// open finds out where the canary goes in and comes out.
func (v verification) open(ctx context.Context, c contract.Canary) (bird, error) {
	switch c.Signal {
	case contract.SignalLog, contract.SignalMetric, contract.SignalSpan:
		return v.otlp(ctx, c)
	case contract.SignalCypher:
		return v.cypher(ctx, c)
	case contract.SignalVector:
		return v.vector(ctx, c)
	default:
		return bird{}, contract.Fail(contract.Internal, "this worker knows no canary of the kind %q", c.Signal)
	}
}

// written writes until it is taken, and returns when the write that was taken began.
func (v verification) written(ctx context.Context, b bird) (time.Time, error) {
	var began time.Time
	if b.prepare != nil {
		if err := again(ctx, func() (bool, error) {
			err := b.prepare(ctx)
			return err == nil, err
		}); err != nil {
			return began, err
		}
	}
	err := again(ctx, func() (bool, error) {
		began = time.Now()
		err := b.write(ctx)
		return err == nil, err
	})
	return began, err
}

// errUnseen says that reads worked and the canary was not there.
var errUnseen = errors.New("not there")

// seen looks until the canary is there, and returns when the look that found it ended, or what was there instead.
func (v verification) seen(ctx context.Context, b bird) (time.Time, string, error) {
	last := ""
	err := again(ctx, func() (bool, error) {
		found, seen, err := b.read(ctx)
		if err == nil && !found {
			last, err = seen, errUnseen
		}
		return found, err
	})
	return time.Now(), last, err
}

func withSeen(err error, seen string) error {
	if errors.Is(err, errUnseen) {
		return errors.New(seen)
	}
	return err
}

// again repeats a step until it is done, its failure is one that does not pass, or the time is over. It returns the failure
// of the last try that was not cut off.
func again(ctx context.Context, step func() (bool, error)) error {
	var last error
	for delay := firstLook; ; delay = min(delay*3/2, slowestLook) {
		done, err := step()
		if done {
			return nil
		}
		if ctx.Err() == nil || last == nil {
			last = err
		}
		if !errors.Is(err, errUnseen) && !classOf(err).Retryable() {
			return last
		}
		select {
		case <-ctx.Done():
			return last
		case <-time.After(delay):
		}
	}
}

// lost is the failure of a canary. What has another reason than the way itself, such as a login that is refused, keeps its
// class and what it says to do.
func (v verification) lost(ctx context.Context, b bird, limit time.Duration, blame, what string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	failure := contract.Fail(contract.Unhealthy, "the %s canary failed: %s within %d s, last answer: %v", b.Signal, what, int(limit.Seconds()), err)
	known := contract.AsFailure(err)
	if known != nil && !known.Class.Retryable() {
		failure = contract.Fail(known.Class, "the %s canary failed: %s: %s", b.Signal, what, known.Cause)
		failure.Attribute, failure.Hint = known.Attribute, known.Hint
	}
	if failure.Hint == "" {
		failure.Hint = "the last log lines of " + blame + " may say why; on_failure = \"keep\" keeps everything for inspection, verify = false leaves the proof out"
	}
	evidence, evidenceErr := v.engine.Evidence(ctx, v.stack.Ref, blame)
	if evidenceErr == nil {
		failure.Evidence = evidence
	}
	return failure
}

// clean takes a canary back, also after a failure and a cancellation.
func (v verification) clean(ctx context.Context, b bird) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanTimeout)
	defer cancel()
	if err := b.clean(ctx); err != nil {
		failure := contract.Fail(contract.Unhealthy, "the %s canary came out, but could not be removed from %s: %v", b.Signal, b.into, err)
		known := contract.AsFailure(err)
		if known != nil {
			failure.Class = known.Class
		}
		return failure
	}
	return nil
}

// marker is new with every try: what an earlier one wrote must not pass for it.
func marker() string {
	random := make([]byte, 16)
	// crypto/rand never fails on a supported system: it ends the process instead.
	_, _ = rand.Read(random)
	// Jaeger may leave out leading zeros of a trace's id, which is a marker, too.
	random[0] |= 0x80
	return hex.EncodeToString(random)
}

// place is the same in every try of a run: what a killed worker has left there, the next try takes away.
func (v verification) place(signal string) string {
	sum := sha256.Sum256([]byte(v.run + "/" + signal))
	return hex.EncodeToString(sum[:6])
}
