package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// limit ends a verification that hangs; a working cluster needs seconds.
const limit = 3 * time.Minute

// cluster is what is looked at.
type cluster struct {
	address, namespace, webUI string
	// worker is the path of orch-worker.
	worker string
}

func main() {
	var c cluster
	flag.StringVar(&c.address, "address", "127.0.0.1:7233", "`host:port` of the Temporal frontend")
	flag.StringVar(&c.namespace, "namespace", "default", "Temporal `namespace`")
	flag.StringVar(&c.webUI, "web-ui", "http://127.0.0.1:8080", "`URL` of the Web UI")
	flag.StringVar(&c.worker, "worker", "bin/orch-worker", "`path` of orch-worker")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := c.verify(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "temporal: FAIL ", err)
		os.Exit(1)
	}
}

func ok(format string, args ...any) { fmt.Printf("temporal: ok    "+format+"\n", args...) }

func (c cluster) verify(ctx context.Context) (err error) {
	total, err := c.list(ctx)
	if err != nil {
		return err
	}
	ok("workflow list over the Web UI's API at %s (%d on its first page)", c.webUI, len(total))
	w, err := startWorker(ctx, c, probeQueue())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.stop()) }()
	run, took, err := c.probe(ctx, w)
	if err != nil {
		return err
	}
	ok("workflow %s went through a worker on queue %s in %s", run.WorkflowID, w.queue, took.Round(time.Millisecond))
	if err := c.listed(ctx, run.WorkflowID); err != nil {
		return err
	}
	ok("the Web UI lists it")
	return nil
}
