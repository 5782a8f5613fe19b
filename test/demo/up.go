package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/demo/devenv"
)

// outputs are those of examples/demo.
type outputs struct {
	Endpoints  map[string]string    `json:"endpoints"`
	Containers map[string]container `json:"containers"`
	WebUIURL   string               `json:"web_ui_url"`
}

type container struct {
	Name   string `json:"name"`
	Image  string `json:"image"`
	State  string `json:"state"`
	Health string `json:"health"`
}

func (d *demo) up(ctx context.Context, images string) error {
	if err := d.tf.Write(); err != nil {
		return err
	}
	var choice chosen
	err := d.part("images", func() (note string, err error) {
		if choice, err = d.getImages(ctx, images); err != nil {
			return "", err
		}
		choice.describe()
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
	var out outputs
	if err := d.part("apply", func() (note string, err error) { return "examples/demo", d.apply(ctx, &out) }); err != nil {
		return err
	}
	if err := d.prove(ctx, out); err != nil {
		return err
	}
	d.report(choice, process, out)
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
	d.tf.Env = append(d.worker.Env(p), choice.variables()...)
	return d.writeEnv()
}

func (d *demo) apply(ctx context.Context, out *outputs) error {
	args := append([]string{"apply", "-auto-approve"}, colorFlag()...)
	if err := d.tf.Run(ctx, stream(), args...); err != nil {
		return fmt.Errorf("the apply of examples/demo failed: %w\nthe diagnostic is above; worker's log: %s\nafter the cause is gone: make demo; to remove everything: make demo-down",
			err, d.relative(d.worker.Log()))
	}
	return d.tf.Output(ctx, out)
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
