// Command flyio serves the double of Fly.io, so that the example can be tried without an account:
//
//	go run ./test/doubles/cmd/flyio -listen 127.0.0.1:21300
//
// Its API is under /v1 and its applications under /app/<name>.
package main

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/flyio"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/standalone"
)

const resource = `resource "orch_flyio_deployment" "app" {
  app_name   = "shop"
  image      = "nginx:1.29"
  public_url = "%s/app/shop"
}
`

func main() {
	token := flag.String("token", "double-token", "the only token that is good")
	org := flag.String("org", "personal", "organization that the token belongs to")
	taken := flag.String("taken", "", "names of apps that somebody else has, separated by commas")
	appear := flag.Duration("appear", 0, "how long a new app cannot be seen")
	vanish := flag.Duration("vanish", time.Second, "how long a deleted app still can be seen")
	start := flag.Duration("start", time.Second, "how long a Machine takes to start")
	os.Exit(standalone.Main("flyio", "127.0.0.1:21300", func(url string) (standalone.Double, error) {
		return standalone.Double{
			Name: "Fly.io", Env: fmt.Sprintf("FLY_API_TOKEN=%s ORCH_FLYIO_API_URL=%s/v1", *token, url), Resource: fmt.Sprintf(resource, url),
			Handler: flyio.New(flyio.Options{
				Token: *token, Org: *org, Taken: strings.Split(*taken, ","), Appear: *appear, Vanish: *vanish, Start: *start, Log: slog.Default(),
			}),
		}, nil
	}))
}
