package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/demo/devenv"
)

// down removes everything that up made. It can be repeated: what is gone already is no error.
func (d *demo) down(ctx context.Context) error {
	_, running, err := d.worker.Running()
	if err != nil {
		return err
	}
	_, err = os.Stat(d.tf.State())
	applied := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("find the demo's state: %w", err)
	}
	if applied {
		if err := d.destroy(ctx); err != nil {
			return err
		}
	}
	heading("worker")
	stopped, err := d.worker.Stop(ctx)
	switch {
	case err != nil:
		return err
	case stopped:
		say("stopped")
	default:
		say("none is running")
	}
	if err := d.proveGone(ctx, applied); err != nil {
		return err
	}
	if err := os.RemoveAll(d.dir); err != nil {
		return fmt.Errorf("remove the demo's files: %w", err)
	}
	if !applied && !running {
		say("no demo was there; nothing to remove")
		return nil
	}
	heading(fmt.Sprintf("done in %s: no container, network or volume of the demo is left", seconds(time.Since(d.began))))
	return nil
}

// destroy runs `terraform destroy`, for which a worker must run.
func (d *demo) destroy(ctx context.Context) error {
	heading("destroy")
	if err := d.tf.Write(); err != nil {
		return err
	}
	choice, err := d.choice()
	if err != nil {
		return err
	}
	process, started, err := d.worker.Ensure(ctx)
	if err != nil {
		return fmt.Errorf("a worker is needed to destroy the demo: %w", err)
	}
	if started {
		say("no worker was running: started one (process %d) for the destroy", process.PID)
	}
	if err := d.configure(choice, process); err != nil {
		return err
	}
	args := append([]string{"destroy", "-auto-approve"}, colorFlag()...)
	if err := d.tf.Run(ctx, stream(), args...); err != nil {
		return fmt.Errorf("the destroy of examples/%s failed: %w\nthe diagnostic is above; worker's log: %s\nafter the cause is gone: make %s-down",
			d.example, err, d.relative(d.worker.Log()), d.target)
	}
	return nil
}

// proveGone asks the engine itself whether anything of the demo's services is left.
func (d *demo) proveGone(ctx context.Context, applied bool) error {
	heading("what is left on the engine")
	for _, ref := range d.refs() {
		left, err := devenv.Leftovers(ctx, ref.Labels())
		if err != nil {
			return err
		}
		if len(left) == 0 {
			say("nothing with the labels of the %s pipeline %q", ref.Kind, ref.Service)
			continue
		}
		if applied {
			return fmt.Errorf("the destroy left %d objects of the %s pipeline %q behind\n%s", len(left), ref.Kind, ref.Service, strings.Join(left, "\n"))
		}
		// Without the demo's state they may be somebody's own service of that name: not ours to delete.
		return fmt.Errorf("the %s pipeline %q exists, but this demo has no state of it\n%s\nto take it over and remove it: make %s && make %s-down",
			ref.Kind, ref.Service, strings.Join(left, "\n"), d.target, d.target)
	}
	return nil
}
