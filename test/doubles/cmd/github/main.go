// Command github serves the double of GitHub, with real Git repositories, so that the examples can be tried without an
// account:
//
//	go run ./test/doubles/cmd/github -listen 127.0.0.1:21501
//
// Repositories live in a temporary directory that goes away with it. Faults are laid under /double/ (package cloudfault).
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

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/cloudfault"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/github"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/httpserve"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "github:", err)
		os.Exit(1)
	}
}

func run() error {
	listen := flag.String("listen", "127.0.0.1:21501", "address to listen on")
	token := flag.String("token", "double-token", "the only token that is good")
	login := flag.String("login", "octo", "user that the token belongs to")
	orgs := flag.String("orgs", "", "organizations of the user, separated by commas")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := os.MkdirTemp("", "github-double-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // it is a temporary directory
	double, err := github.New(github.Config{Token: *token, Login: *login, Orgs: strings.Split(*orgs, ","), Dir: dir}, slog.Default())
	if err != nil {
		return err
	}
	fmt.Printf("GitHub double on http://%[1]s\n\n  where the worker runs: export GITHUB_TOKEN=%[2]s ORCH_GITHUB_API_URL=http://%[1]s\n"+
		"  in the resource:       repository = { git_url = \"http://%[1]s\", name = \"%[3]s/...\" }\n\n", *listen, *token, *login)
	return httpserve.Run(ctx, map[string]http.Handler{*listen: cloudfault.New(double)})
}
