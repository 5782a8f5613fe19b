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
	"os"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/cloudflare"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/standalone"
)

const resource = `resource "orch_chat_service" "app" {
  service_name = "app"
  image        = "nginx:1.29"
  cloudflare = {
    api_url    = "%s"
    token      = { env = "CLOUDFLARE_API_TOKEN" }
    account_id = "0123456789abcdef0123456789abcdef"
    zone       = "example.com"
    record     = "chat.example.com"
    tunnel     = "chat"
  }
}
`

func main() {
	file := flag.String("state", "", "JSON file with the state to begin with")
	os.Exit(standalone.Main("cloudflare", "127.0.0.1:8787", func(url string) (standalone.Double, error) {
		state, err := begin(*file)
		return standalone.Double{
			Name: "Cloudflare", Handler: cloudflare.New(state, slog.Default()),
			Env: "CLOUDFLARE_API_TOKEN=" + cloudflare.ExampleToken, Resource: fmt.Sprintf(resource, url+cloudflare.Base),
		}, err
	}))
}

// begin is the state to begin with, which it prints.
func begin(file string) (cloudflare.State, error) {
	state := cloudflare.Example()
	if file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			return state, err
		}
		if err := json.Unmarshal(data, &state); err != nil {
			return state, fmt.Errorf("%s: %w", file, err)
		}
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	return state, encoder.Encode(state)
}
