// Command cloudflare runs the double of Cloudflare's API by itself, for a look by hand:
//
//	go run ./test/doubles/cmd/cloudflare -listen 127.0.0.1:8787
//
// Without -state it has the example state, which it prints. Faults are laid under /double/, see package cloudfault.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/cloudfault"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/cloudflare"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/httpserve"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8787", "address to listen on")
	file := flag.String("state", "", "JSON file with the state to begin with")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *listen, *file)
	stop()
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "cloudflare:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, listen, file string) error {
	state := cloudflare.Example()
	if file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(data, &state); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(state); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(os.Stderr, "listening: api_url = \"http://%s%s\"\n", listen, cloudflare.Base)
	double := cloudflare.New(state, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	return httpserve.Run(ctx, map[string]http.Handler{listen: cloudfault.New(double)})
}
