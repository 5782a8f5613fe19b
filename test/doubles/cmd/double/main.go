// Command double is every double of orch in one binary. Which one it is depends on the name
// it is started as: each image holds it under the path of the real component's entry point,
// so that the same catalog entry runs both.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/box"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/collector"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/grafana"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/loki"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, filepath.Base(os.Args[0]), os.Args[1:])
	stop()
	os.Exit(code)
}

func run(ctx context.Context, name string, args []string) int {
	switch name {
	case "run.sh":
		return grafana.Main(ctx, args, os.Environ(), os.Stdout)
	case "otelcol-contrib":
		return collector.Main(ctx, args, os.Stdout)
	case "loki":
		return loki.Main(ctx, args, os.Stdout, os.Stderr)
	case "box":
		return box.Main(ctx, args, os.Stdout)
	}
	_, _ = fmt.Fprintf(os.Stderr, "double: started as %q, want run.sh (Grafana), otelcol-contrib, loki or box\n", name)
	return 2
}
