// Command custom-worker serves the workflows of this directory, and those that orch bundles, on one task queue.
package main

import (
	"context"
	"flag"
	"log"
	"os/signal"
	"syscall"

	"github.com/temporal-orchestrator/terraform-provider-orch/worker"
)

func main() {
	queue := flag.String("task-queue", "greetings", "task `queue` to poll")
	address := flag.String("address", "", "`host:port` of Temporal; default: TEMPORAL_ADDRESS, else 127.0.0.1:7233")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	err := worker.Run(ctx, worker.Options{
		Connection: worker.Connection{Address: *address},
		TaskQueues: []string{*queue},
		Register: func(r worker.Registry) {
			r.RegisterWorkflow(GreetingWorkflow)
			r.RegisterActivity(Greet)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
}
