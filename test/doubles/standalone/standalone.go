package standalone

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/cloudfault"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/httpserve"
)

// Double is a double with what a person needs to try orch on it.
type Double struct {
	// Name is the platform's, for example "Fly.io".
	Name    string
	Handler http.Handler
	// Env is the worker's environment, for example "FLY_API_TOKEN=x"; empty needs none.
	Env string
	// Resource is HCL to apply.
	Resource string
}

// Main serves a double at the address that -listen names, until the process is told to stop. prepare is called when the flags are
// parsed, with the address at which the double will be reached. Main returns the exit code.
func Main(command, address string, prepare func(url string) (Double, error)) int {
	listen := flag.String("listen", address, "address to listen on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, *listen, prepare); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, command+":", err)
		return 1
	}
	return 0
}

func serve(ctx context.Context, listen string, prepare func(url string) (Double, error)) error {
	url := "http://" + listen
	double, err := prepare(url)
	if err != nil {
		return err
	}
	fmt.Print(advice(double, url))
	return httpserve.Run(ctx, map[string]http.Handler{listen: cloudfault.New(double.Handler)})
}

// advice is how to try orch on a double, step by step.
func advice(d Double, url string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s double on %s; Ctrl-C ends it. Faults: POST %s/double/faults, see package cloudfault.\n\nIn a second terminal, after make build:\n\n", d.Name, url, url)
	if d.Env != "" {
		fmt.Fprintf(&b, "  export %s\n", d.Env)
	}
	b.WriteString("  bin/orch-worker dev\n\nIn a third one, with TF_CLI_CONFIG_FILE as CONTRIBUTING.md has it under Set-up, in an empty folder with this as main.tf:\n\n")
	for line := range strings.Lines("terraform {\n  required_providers {\n    orch = { source = \"temporal-orchestrator/orch\" }\n  }\n}\n" + d.Resource) {
		b.WriteString("  " + line)
	}
	b.WriteString("\n  terraform apply\n\n")
	return b.String()
}
