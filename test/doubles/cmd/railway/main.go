// Command railway serves the double of Railway, so that the example can be tried without an account:
//
//	go run ./test/doubles/cmd/railway -listen 127.0.0.1:21400
//
// Its applications are under /app/<service>. What becomes of a deployment is decided by the image's tag: crashes, fails-build,
// fails-health, stuck or waits; any other succeeds.
package main

import (
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/railway"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/standalone"
)

const advice = `Railway double on %[1]s

  where the worker runs: export RAILWAY_API_TOKEN=%[2]s ORCH_RAILWAY_API_URL=%[1]s
  in the resource:       public_url = "%[1]s/app/<service_name>"`

func main() {
	token := flag.String("token", "double-token", "the account's token")
	repos := flag.String("repos", "acme/shop", "repositories that Railway's GitHub App has access to, separated by commas")
	pace := flag.Duration("pace", time.Second, "how long a deployment stays in each of its states")
	lag := flag.Duration("lag", time.Second, "how long a new service cannot be seen")
	deletion := flag.Duration("deletion", 2*time.Second, "how long a deleted project stays listed, marked as deleted")
	os.Exit(standalone.Main("railway", "127.0.0.1:21400", func(url string) (http.Handler, string, error) {
		return railway.New(railway.Config{
			Token: *token, Repos: strings.Split(*repos, ","), Pace: *pace, Lag: *lag, DeletionTime: *deletion,
		}, slog.Default()), fmt.Sprintf(advice, url, *token), nil
	}))
}
