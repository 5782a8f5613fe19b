package neo4j

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/httpserve"
)

// Main runs the double with the arguments of the image's entry point until ctx ends, and
// returns the exit code.
func Main(ctx context.Context, args, environ []string, stdout io.Writer) int {
	log := slog.New(slog.NewTextHandler(stdout, nil)).With("double", "neo4j")
	cfg, err := ParseEnv(environ)
	if err == nil && !slices.Equal(args, []string{"neo4j"}) {
		err = fmt.Errorf("arguments %q, want neo4j", args)
	}
	if err == nil {
		err = refuseConf("/conf")
	}
	if err != nil {
		log.Error("Failed to read config", "err", err)
		return 1
	}
	log.Info("Starting the Neo4j double: a test stand-in of orch, not Neo4j", "imitates", Version)
	if err := dropPrivileges(cfg.Data, cfg.Logs); err != nil {
		log.Error("Neo4j double stopped", "err", err)
		return 1
	}
	if err := run(ctx, cfg, log); err != nil {
		log.Error("Neo4j double stopped", "err", err)
		return 1
	}
	log.Info("Stopped.")
	return 0
}

// refuseConf makes a trap of the image an error: its files would replace the whole
// configuration directory.
func refuseConf(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return fmt.Errorf("%s exists and would replace the whole configuration: use NEO4J_ variables", dir)
	}
	return nil
}

func run(ctx context.Context, cfg Config, log *slog.Logger) error {
	server, err := New(cfg, log)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", cfg.Bolt)
	if err != nil {
		return errors.Join(fmt.Errorf("listen on %s: %w", cfg.Bolt, err), server.Close())
	}
	ended := make(chan error, 1)
	go func() {
		defer cancel()
		ended <- server.ServeBolt(ctx, ln)
	}()
	log.Info("Bolt enabled", "address", cfg.Bolt)
	log.Info("HTTP enabled", "address", cfg.HTTP)
	err = httpserve.Run(ctx, map[string]http.Handler{cfg.HTTP: server})
	cancel()
	return errors.Join(err, <-ended, server.Close())
}
