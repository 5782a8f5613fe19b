package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/demo/devenv"
)

func (d *demo) up(ctx context.Context, images string) error {
	if err := d.alone(); err != nil {
		return err
	}
	if err := d.tf.Write(); err != nil {
		return err
	}
	var choice chosen
	err := d.part("images", func() (note string, err error) {
		if choice, err = d.getImages(ctx, images); err != nil {
			return "", err
		}
		d.describe(choice)
		return choice.Set, d.keepChoice(choice)
	})
	if err != nil {
		return err
	}
	var process devenv.Process
	if err := d.part("worker", func() (note string, err error) { process, note, err = d.ensureWorker(ctx); return note, err }); err != nil {
		return err
	}
	if err := d.configure(choice, process); err != nil {
		return err
	}
	var all pipelines
	if err := d.part("apply", func() (note string, err error) {
		all, err = d.apply(ctx)
		return "examples/" + d.example, err
	}); err != nil {
		return err
	}
	if err := d.prove(ctx, d, all); err != nil {
		return err
	}
	d.report(choice, process, all)
	return nil
}

// alone refuses to run next to the other demo, which uses the same host ports and names.
func (d *demo) alone() error {
	for _, other := range []scenario{logsScenario, fullScenario} {
		if other.target == d.target {
			continue
		}
		tf := devenv.Terraform{Work: d.repo.Path(".cache", other.target)}
		if _, err := os.Stat(tf.State()); err == nil {
			return fmt.Errorf("make %s is up, and uses the same ports and names\nfirst: make %s-down", other.target, other.target)
		}
	}
	return nil
}

func (d *demo) ensureWorker(ctx context.Context) (p devenv.Process, note string, err error) {
	p, started, err := d.worker.Ensure(ctx)
	if err != nil {
		return p, "", err
	}
	note = "already running"
	if started {
		note = "started"
	}
	say("orch-worker dev: process %d (%s), Temporal on %s, log %s", p.PID, note, devenv.Address(p.Temporal), d.relative(d.worker.Log()))
	const usual = 7233
	if started && p.Temporal != usual {
		say("port %d or %d is taken by something else (another Temporal server?): the demo uses %d and leaves it alone", usual, usual+1000, p.Temporal)
	}
	return p, note, nil
}

// configure points Terraform at the worker and the images.
func (d *demo) configure(choice chosen, p devenv.Process) error {
	d.tf.Env = append(d.worker.Env(p), d.variables(choice)...)
	return d.writeEnv()
}

func (d *demo) apply(ctx context.Context) (pipelines, error) {
	args := append([]string{"apply", "-auto-approve"}, colorFlag()...)
	if err := d.tf.Run(ctx, stream(), args...); err != nil {
		return nil, fmt.Errorf("the apply of examples/%s failed: %w\nthe diagnostic is above; worker's log: %s\n"+
			"after the cause is gone: make %s; to remove everything: make %s-down", d.example, err, d.relative(d.worker.Log()), d.target, d.target)
	}
	return d.read(ctx, d.tf)
}

// relative is how a path is shown: relative to the working directory where that is shorter.
func (d *demo) relative(path string) string {
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	rel, err := filepath.Rel(wd, path)
	if err != nil || len(rel) > len(path) {
		return path
	}
	return rel
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }
