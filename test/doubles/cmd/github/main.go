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
	"net/http"
	"os"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/github"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/standalone"
)

const advice = `GitHub double on %[1]s

  where the worker runs: export GITHUB_TOKEN=%[2]s ORCH_GITHUB_API_URL=%[1]s
  in the resource:       repository = { git_url = "%[1]s", name = "%[3]s/...", ... }`

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
	return standalone.Main("github", "127.0.0.1:21501", func(url string) (http.Handler, string, error) {
		double, err := github.New(github.Config{Token: *token, Login: *login, Orgs: strings.Split(*orgs, ","), Dir: dir}, slog.Default())
		return double, fmt.Sprintf(advice, url, *token, *login), err
	})
}
