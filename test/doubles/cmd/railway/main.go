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
	"os"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/railway"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/standalone"
)

const resource = `resource "orch_railway_deployment" "app" {
  service_name = "shop"
  image        = "ghcr.io/acme/shop:1"
  public_url   = "%s/app/shop"
}
`

func main() {
	token := flag.String("token", "double-token", "the account's token")
	repos := flag.String("repos", "acme/shop", "repositories that Railway's GitHub App has access to, separated by commas")
	pace := flag.Duration("pace", time.Second, "how long a deployment stays in each of its states")
	lag := flag.Duration("lag", time.Second, "how long a new service cannot be seen")
	deletion := flag.Duration("deletion", 2*time.Second, "how long a deleted project stays listed, marked as deleted")
	os.Exit(standalone.Main("railway", "127.0.0.1:21400", func(url string) (standalone.Double, error) {
		return standalone.Double{
			Name: "Railway", Env: fmt.Sprintf("RAILWAY_API_TOKEN=%s ORCH_RAILWAY_API_URL=%s", *token, url), Resource: fmt.Sprintf(resource, url),
			Handler: railway.New(railway.Config{
				Token: *token, Repos: strings.Split(*repos, ","), Pace: *pace, Lag: *lag, DeletionTime: *deletion,
			}, slog.Default()),
		}, nil
	}))
}
