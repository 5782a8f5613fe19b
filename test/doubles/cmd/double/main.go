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
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/jaeger"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/loki"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/neo4j"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/prometheus"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/qdrant"
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
	case "prometheus":
		return prometheus.Main(ctx, args, os.Stdout)
	case "jaeger-linux":
		return jaeger.Main(ctx, args, os.Stdout)
	case "docker-entrypoint.sh":
		return neo4j.Main(ctx, args, os.Environ(), os.Stdout)
	case "entrypoint.sh":
		return qdrant.Main(ctx, ".", args, os.Environ(), os.Stdout)
	case "box":
		return box.Main(ctx, args, os.Stdout)
	}
	_, _ = fmt.Fprintf(os.Stderr, "double: started as %q, want run.sh (Grafana), otelcol-contrib, loki, prometheus, jaeger-linux, "+
		"docker-entrypoint.sh (Neo4j), entrypoint.sh (Qdrant) or box\n", name)
	return 2
}
