// Command render serves the double of Render, so that the example can be tried without an account:
//
//	go run ./test/doubles/cmd/render -listen 127.0.0.1:21500
//
// Its API is under /v1 and its applications under /double/apps/<name>. For services that are built from a repository, serve the
// double of GitHub as well.
package main

import (
	"flag"
	"fmt"
	"log/slog"
	"os"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/render"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/standalone"
)

const resource = `resource "orch_render_deployment" "app" {
  service_name = "shop"
  image        = "docker.io/library/nginx:1.29"
}
`

func main() {
	token := flag.String("token", "double-token", "the only token that is good")
	owner := flag.String("owner", "acme", "name of the workspace that the token sees")
	creates := flag.Int("creates", 0, "how many services may be created in an hour; 0 is Render's own 20")
	queue := flag.Bool("queue", false, "answer deploys with 202, as for those that have to wait")
	gone := flag.Int("gone", 1, "how often a deleted service is answered as if it were there")
	os.Exit(standalone.Main("render", "127.0.0.1:21500", func(url string) (standalone.Double, error) {
		return standalone.Double{
			Name: "Render", Env: fmt.Sprintf("RENDER_API_KEY=%s ORCH_RENDER_API_URL=%s/v1", *token, url), Resource: resource,
			Handler: render.New(render.Config{
				Token: *token, Owners: []render.Owner{{ID: "tea-00000000000000000001", Name: *owner, Email: "team@example.test", Type: "team"}},
				Creates: *creates, QueueDeploys: *queue, GoneFor: *gone,
			}, slog.Default()),
		}, nil
	}))
}
