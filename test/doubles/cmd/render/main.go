// Command render serves the double of Render, so that the examples can be tried without an account:
//
//	go run ./test/doubles/cmd/render -listen 127.0.0.1:21500
//
// Its API is under /v1 and its applications under /double/apps/<name>. Faults are laid under /double/ (package cloudfault).
// For services that are built from a repository, serve the double of GitHub as well.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/cloudfault"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/httpserve"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/render"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:21500", "address to listen on")
	token := flag.String("token", "double-token", "the only token that is good")
	owner := flag.String("owner", "acme", "name of the workspace that the token sees")
	creates := flag.Int("creates", 0, "how many services may be created in an hour; 0 is Render's own 20")
	queue := flag.Bool("queue", false, "answer deploys with 202, as for those that have to wait")
	gone := flag.Int("gone", 1, "how often a deleted service is answered as if it were there")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	double := render.New(render.Config{
		Token: *token, Owners: []render.Owner{{ID: "tea-00000000000000000001", Name: *owner, Email: "team@example.test", Type: "team"}},
		Creates: *creates, QueueDeploys: *queue, GoneFor: *gone,
	}, slog.Default())
	fmt.Printf("Render double on http://%[1]s\n\n  where the worker runs: export RENDER_API_KEY=%[2]s ORCH_RENDER_API_URL=http://%[1]s/v1\n\n", *listen, *token)
	if err := httpserve.Run(ctx, map[string]http.Handler{*listen: cloudfault.New(double)}); err != nil {
		fmt.Fprintln(os.Stderr, "render:", err)
		os.Exit(1)
	}
}
