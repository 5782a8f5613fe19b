package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/demo/devenv"
)

const (
	pullPatience   = 10 * time.Second
	cleanUpTimeout = 3 * time.Minute
)

// sweeper is a contestant that can remove what an interrupted turn of its left.
type sweeper interface {
	Sweep(ctx context.Context) error
}

// arena is what the contestants run in. It grows while it is set up, and cleanUp removes what there is of it.
type arena struct {
	repo   devenv.Repo
	id     string
	dir    string
	api    *dockerAPI
	worker *devenv.Worker
	all    []contestant
}

// newArena makes an empty one. cleanUp must be called whatever the error.
func newArena(ctx context.Context, repo devenv.Repo) (*arena, error) {
	// Names of a run are its own: an earlier one's leftovers, or another one at the same time, are not in the way.
	a := &arena{repo: repo, id: fmt.Sprintf("%06x", rand.IntN(1<<24))}
	var err error
	if a.dir, err = os.MkdirTemp("", "orch-bench-"); err != nil {
		return a, fmt.Errorf("make a directory for the benchmark: %w", err)
	}
	a.api, err = newDockerAPI(ctx)
	return a, err
}

// contestants makes the chosen ones for a pipeline.
func (a *arena) contestants(ctx context.Context, kind string, o options) ([]contestant, error) {
	var all []contestant
	for _, name := range o.only {
		if slices.ContainsFunc(all, func(c contestant) bool { return c.Name() == name }) {
			continue
		}
		p, err := newPipeline(kind, "bench-"+a.id+"-"+name, o.images)
		if err != nil {
			return nil, err
		}
		c, err := a.contestant(ctx, name, p)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, c)
		a.all = append(a.all, c)
	}
	return all, nil
}

func (a *arena) contestant(ctx context.Context, name string, p pipeline) (contestant, error) {
	switch name {
	case nameCompose:
		return newCompose(ctx, a.repo, a.api, p, a.dir)
	case nameDirect:
		return newDirect(a.api, p), nil
	}
	env, err := a.ensureWorker(ctx)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(a.dir, p.Kind.Short+"-"+name)
	if name == nameEmpty {
		tf, err := newTerraform(a.repo, dir, emptyConfiguration, env)
		return &empty{tf}, err
	}
	verify := name == nameVerify
	configuration, err := p.configuration(verify)
	if err != nil {
		return nil, err
	}
	tf, err := newTerraform(a.repo, dir, string(configuration), env)
	return &orch{a.api, p.Stack, tf, "orch_" + p.Kind.Name, verify}, err
}

// ensureWorker starts a worker with data of its own.
func (a *arena) ensureWorker(ctx context.Context) (env []string, err error) {
	if a.worker == nil {
		binary, err := a.repo.Binary("orch-worker")
		if err != nil {
			return nil, err
		}
		a.worker = &devenv.Worker{Binary: binary, Dir: filepath.Join(a.dir, "worker"), Ports: devenv.UnusualPorts, Say: say}
	}
	process, started, err := a.worker.Ensure(ctx)
	if started {
		say("orch-worker dev: process %d, Temporal on %s", process.PID, devenv.Address(process.Temporal))
	}
	return a.worker.Env(process), err
}

// cleanUp removes everything that the benchmark made, also after an interrupt.
func (a *arena) cleanUp() error {
	ctx, cancel := context.WithTimeout(context.Background(), cleanUpTimeout)
	defer cancel()
	var errs []error
	// The worker first: it might still be making something.
	if a.worker != nil {
		_, err := a.worker.Stop(ctx)
		errs = append(errs, err)
	}
	for _, c := range a.all {
		if s, ok := c.(sweeper); ok {
			errs = append(errs, s.Sweep(ctx))
		}
	}
	if a.dir != "" {
		errs = append(errs, os.RemoveAll(a.dir))
	}
	return errors.Join(errs...)
}
