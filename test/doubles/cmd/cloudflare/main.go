// Command cloudflare serves the double of Cloudflare's API, so that a chat service can be tried without an account:
//
//	go run ./test/doubles/cmd/cloudflare -listen 127.0.0.1:8787
//
// Without -state it has the example state, which it prints.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/cloudflare"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/standalone"
)

func main() {
	file := flag.String("state", "", "JSON file with the state to begin with")
	os.Exit(standalone.Main("cloudflare", "127.0.0.1:8787", func(url string) (http.Handler, string, error) {
		state := cloudflare.Example()
		if *file != "" {
			data, err := os.ReadFile(*file)
			if err != nil {
				return nil, "", err
			}
			if err := json.Unmarshal(data, &state); err != nil {
				return nil, "", fmt.Errorf("%s: %w", *file, err)
			}
		}
		text, err := json.MarshalIndent(state, "", "  ")
		advice := fmt.Sprintf("Cloudflare double with\n\n%s\n\n  in the resource: cloudflare = { api_url = \"%s%s\", ... }", text, url, cloudflare.Base)
		return cloudflare.New(state, slog.Default()), advice, err
	}))
}
