package jaeger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/httpserve"
)

// Main runs `--config FILE` until ctx ends, or checks a file with `validate --config=FILE`,
// and returns the exit code.
func Main(ctx context.Context, args []string, stdout io.Writer) int {
	log := slog.New(slog.NewTextHandler(stdout, nil)).With("double", "jaeger")
	if err := run(ctx, args, log); err != nil {
		log.Error("Jaeger double stopped", "err", err)
		return 1
	}
	return 0
}

func run(ctx context.Context, args []string, log *slog.Logger) error {
	path, validate, err := parseArgs(args)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	cfg, err := Parse(raw)
	if err != nil {
		return fmt.Errorf("failed to get config: %s: %w", path, err)
	}
	if validate {
		return nil
	}
	log.Info("Starting the Jaeger double: a test stand-in of orch, not Jaeger", "config", path)
	server, err := New(cfg, log)
	if err != nil {
		return err
	}
	grpc, err := httpserve.Hold(ctx, cfg.OTLPGRPC)
	if err != nil {
		return errors.Join(err, server.Close())
	}
	log.Info("Everything is ready. Begin running and processing data.")
	return errors.Join(httpserve.Run(ctx, server.Handlers(cfg)), grpc.Close(), server.Close())
}

func parseArgs(args []string) (path string, validate bool, err error) {
	given := args
	if len(args) > 0 && args[0] == "validate" {
		validate, args = true, args[1:]
	}
	switch {
	case len(args) == 2 && args[0] == "--config":
		path = args[1]
	case len(args) == 1 && strings.HasPrefix(args[0], "--config="):
		path = strings.TrimPrefix(args[0], "--config=")
	default:
		// Without a file Jaeger keeps the spans in memory, which orch never wants.
		return "", false, fmt.Errorf("arguments %q, want [validate] --config FILE", given)
	}
	return strings.TrimPrefix(path, "file:"), validate, nil
}
