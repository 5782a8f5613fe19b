// Command flyio serves the double of Fly.io, so that the examples can be tried without an account:
//
//	go run ./test/doubles/cmd/flyio -listen 127.0.0.1:21300
//
// Its API is under /v1 and its applications under /app/<name>. Faults are laid under /double/ (package cloudfault).
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/cloudfault"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/flyio"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/httpserve"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:21300", "address to listen on")
	token := flag.String("token", "double-token", "the only token that is good")
	org := flag.String("org", "personal", "organization that the token belongs to")
	taken := flag.String("taken", "", "names of apps that somebody else has, separated by commas")
	appear := flag.Duration("appear", 0, "how long a new app cannot be seen")
	vanish := flag.Duration("vanish", time.Second, "how long a deleted app still can be seen")
	start := flag.Duration("start", time.Second, "how long a Machine takes to start")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	double := flyio.New(flyio.Options{
		Token: *token, Org: *org, Taken: strings.Split(*taken, ","), Appear: *appear, Vanish: *vanish, Start: *start, Log: slog.Default(),
	})
	fmt.Printf("Fly.io double on http://%[1]s\n\n  where the worker runs: export FLY_API_TOKEN=%[2]s ORCH_FLYIO_API_URL=http://%[1]s/v1\n"+
		"  in the resource:       public_url = \"http://%[1]s/app/<app_name>\"\n\n", *listen, *token)
	if err := httpserve.Run(ctx, map[string]http.Handler{*listen: cloudfault.New(double)}); err != nil {
		fmt.Fprintln(os.Stderr, "flyio:", err)
		os.Exit(1)
	}
}
