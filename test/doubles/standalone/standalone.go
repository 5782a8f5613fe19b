package standalone

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/cloudfault"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/httpserve"
)

// Start makes a double that will be reached at url, when the flags are parsed. advice tells what to set to use it.
type Start func(url string) (double http.Handler, advice string, err error)

// Main serves a double at the address that -listen names, until the process is told to stop. It returns the exit code.
func Main(name, address string, start Start) int {
	listen := flag.String("listen", address, "address to listen on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, *listen, start); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, name+":", err)
		return 1
	}
	return 0
}

func serve(ctx context.Context, listen string, start Start) error {
	url := "http://" + listen
	double, advice, err := start(url)
	if err != nil {
		return err
	}
	fmt.Printf("%s\n\nFaults: POST %s/double/faults, see package cloudfault. Ctrl-C ends it.\n\n", advice, url)
	return httpserve.Run(ctx, map[string]http.Handler{listen: cloudfault.New(double)})
}
