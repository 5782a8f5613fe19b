// Command github serves the double of GitHub, with real Git repositories, so that the examples can be tried without an
// account:
//
//	go run ./test/doubles/cmd/github -listen 127.0.0.1:21501
//
// Repositories live in a temporary directory that goes away with it.
package main

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/github"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/standalone"
)

// resource has the double of Render build what is pushed here.
const resource = `resource "orch_render_deployment" "app" {
  service_name = "shop"
  repository = {
    name    = "%[2]s/shop"
    create  = true
    private = false
    source  = "/path/to/a/folder/with/a/Dockerfile"
    git_url = "%[1]s"
  }
  delete_repository = true
}
`

func main() { os.Exit(run()) }

func run() int {
	token := flag.String("token", "double-token", "the only token that is good")
	login := flag.String("login", "octo", "user that the token belongs to")
	orgs := flag.String("orgs", "", "organizations of the user, separated by commas")
	dir, err := os.MkdirTemp("", "github-double-*")
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "github:", err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // it is a temporary directory
	return standalone.Main("github", "127.0.0.1:21501", func(url string) (standalone.Double, error) {
		double, err := github.New(github.Config{Token: *token, Login: *login, Orgs: strings.Split(*orgs, ","), Dir: dir}, slog.Default())
		return standalone.Double{
			Name: "GitHub", Handler: double, Resource: fmt.Sprintf(resource, url, *login),
			Env: fmt.Sprintf("GITHUB_TOKEN=%s ORCH_GITHUB_API_URL=%s # and what go run ./test/doubles/cmd/render says", *token, url),
		}, err
	})
}
