// Command railway serves the double of Railway, so that the examples can be tried without an account:
//
//	go run ./test/doubles/cmd/railway -listen 127.0.0.1:21400
//
// Its applications are under /app/<service>. Faults are laid under /double/ (package cloudfault). What becomes of a deployment
// is decided by the image's tag: crashes, fails-build, fails-health, stuck or waits; any other succeeds.
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
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/httpserve"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/railway"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:21400", "address to listen on")
	token := flag.String("token", "double-token", "the account's token")
	repos := flag.String("repos", "acme/shop", "repositories that Railway's GitHub App has access to, separated by commas")
	pace := flag.Duration("pace", time.Second, "how long a deployment stays in each of its states")
	lag := flag.Duration("lag", time.Second, "how long a new service cannot be seen")
	deletion := flag.Duration("deletion", 2*time.Second, "how long a deleted project stays listed, marked as deleted")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	double := railway.New(railway.Config{
		Token: *token, Repos: strings.Split(*repos, ","), Pace: *pace, Lag: *lag, DeletionTime: *deletion,
	}, slog.Default())
	fmt.Printf("Railway double on http://%[1]s\n\n  where the worker runs: export RAILWAY_API_TOKEN=%[2]s ORCH_RAILWAY_API_URL=http://%[1]s\n"+
		"  in the resource:       public_url = \"http://%[1]s/app/<service_name>\"\n\n", *listen, *token)
	if err := httpserve.Run(ctx, map[string]http.Handler{*listen: cloudfault.New(double)}); err != nil {
		fmt.Fprintln(os.Stderr, "railway:", err)
		os.Exit(1)
	}
}
