package qdrant

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/httpserve"
)

// Main runs the double below root, which is the working directory of the image, until ctx
// ends, and returns the exit code.
func Main(ctx context.Context, root string, args, environ []string, stdout io.Writer) int {
	log := slog.New(slog.NewTextHandler(stdout, nil)).With("double", "qdrant")
	configPath := path.Join(root, "config", "production.yaml")
	var err error
	switch {
	case len(args) == 2 && args[0] == "--config-path":
		// Qdrant takes a missing file for a mistake only when it was named.
		configPath = args[1]
		_, err = os.Stat(configPath)
	case len(args) > 0:
		err = fmt.Errorf("arguments %q: the Qdrant double knows --config-path FILE only", args)
	}
	var cfg Config
	if err == nil {
		cfg, err = Load(root, configPath, environ)
	}
	if err == nil {
		log.Info("Starting the Qdrant double: a test stand-in of orch, not Qdrant", "imitates", Version)
		err = run(ctx, cfg, log)
	}
	if err != nil {
		log.Error("Qdrant double stopped", "err", err)
		return 1
	}
	return 0
}

func run(ctx context.Context, cfg Config, log *slog.Logger) error {
	server, err := New(cfg, log)
	if err != nil {
		return err
	}
	if cfg.APIKey == "" {
		log.Warn("no API key is configured: everybody may do everything")
	}
	grpc, err := httpserve.Hold(ctx, cfg.GRPC)
	if err != nil {
		return errors.Join(err, server.Close())
	}
	log.Info("Qdrant HTTP listening", "address", cfg.HTTP)
	return errors.Join(httpserve.Run(ctx, map[string]http.Handler{cfg.HTTP: server}), grpc.Close(), server.Close())
}
