package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// contestant makes the thing that is measured, in its own way. Every method returns when its work is done and proven.
type contestant interface {
	// Name is the contestant's name as -only takes it.
	Name() string
	// Create returns when every component answers its probe.
	Create(ctx context.Context) error
	// NoOp finds that what is there is what is wanted.
	NoOp(ctx context.Context) error
	// Destroy removes everything, volumes too.
	Destroy(ctx context.Context) error
	// Verify is called after Create (exists is true) and after Destroy, outside of the measurement: it returns an error when
	// the contestant did not do what it was asked for.
	Verify(ctx context.Context, exists bool) error
	// Explain says what is measured in each phase.
	Explain(p phase) string
}

// phase is what every contestant does in its turn.
type phase int

const (
	create phase = iota
	noOp
	destroy
)

var phases = []phase{create, noOp, destroy}

var phaseTitles = map[phase]string{
	create:  "Create: until every component answers its probe",
	noOp:    "No-op: find that nothing has to change",
	destroy: "Destroy: until containers, network and volumes are gone",
}

// results holds a sample per contestant and phase.
type results map[string]map[phase]sample

// measure gives every contestant its turn in every round. Who begins changes with the round, so that what one contestant does
// to the machine does not always hit the same other one.
func measure(ctx context.Context, all []contestant, rounds, warmUp int) (results, error) {
	measured := results{}
	for _, c := range all {
		measured[c.Name()] = map[phase]sample{}
	}
	for round := range warmUp + rounds {
		var line []string
		for i := range all {
			c := all[(i+round)%len(all)]
			times, err := turn(ctx, c)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.Name(), err)
			}
			line = append(line, fmt.Sprintf("%s %s/%s/%s", c.Name(), short(times[create]), short(times[noOp]), short(times[destroy])))
			if round < warmUp {
				continue
			}
			for p, took := range times {
				measured[c.Name()][p] = append(measured[c.Name()][p], took)
			}
		}
		title := fmt.Sprintf("round %d of %d", round-warmUp+1, rounds)
		if round < warmUp {
			title = "warm-up"
		}
		say("%s, create/no-op/destroy: %s", title, strings.Join(line, ", "))
	}
	return measured, nil
}

func turn(ctx context.Context, c contestant) (map[phase]time.Duration, error) {
	times := map[phase]time.Duration{}
	for _, p := range phases {
		begin := time.Now()
		if err := do(ctx, c, p); err != nil {
			return nil, err
		}
		times[p] = time.Since(begin)
		if p == noOp {
			continue
		}
		if err := c.Verify(ctx, p == create); err != nil {
			return nil, fmt.Errorf("check: %w", err)
		}
	}
	return times, nil
}

func do(ctx context.Context, c contestant, p phase) error {
	switch p {
	case create:
		return wrap("create", c.Create(ctx))
	case noOp:
		return wrap("no-op", c.NoOp(ctx))
	default:
		return wrap("destroy", c.Destroy(ctx))
	}
}

func wrap(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
