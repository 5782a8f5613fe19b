package prometheus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/httpserve"
)

// errConfig marks what Prometheus ends with exit code 2 for.
var errConfig = errors.New("error loading config")

// Main runs the double with Prometheus' flags until ctx ends, and returns the exit code.
// SIGHUP reloads the configuration; a bad one keeps the old.
func Main(ctx context.Context, args []string, stdout io.Writer) int {
	log := slog.New(slog.NewTextHandler(stdout, nil)).With("double", "prometheus")
	opts, err := parseFlags(args)
	if err != nil {
		log.Error("error parsing command line arguments", "err", err)
		return 1
	}
	switch err := run(ctx, opts, log); {
	case errors.Is(err, errConfig):
		log.Error("Error loading config", "file", opts.configFile, "err", err)
		return 2
	case err != nil:
		log.Error("Prometheus double stopped", "err", err)
		return 1
	}
	log.Info("See you next time!")
	return 0
}

func run(ctx context.Context, opts options, log *slog.Logger) error {
	log.Info("Starting the Prometheus double: a test stand-in of orch, not Prometheus", "imitates", Version, "config", opts.configFile)
	server, err := New(opts, log)
	if err != nil {
		return err
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go server.reloadOn(ctx, hup)
	go server.discoverAndScrape(ctx)
	log.Info("Server is ready to receive web requests.", "address", opts.listen)
	return errors.Join(httpserve.Run(ctx, map[string]http.Handler{opts.listen: server}), server.Close())
}

func (s *Server) reloadOn(ctx context.Context, hup <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			if err := s.reload(); err != nil {
				s.log.Error("Error reloading config", "err", err)
			}
		}
	}
}

// reload reads the configuration file again and keeps the old one when it is bad.
func (s *Server) reload() error {
	raw, err := os.ReadFile(s.opts.configFile)
	if err != nil {
		return fmt.Errorf("%w: %w", errConfig, err)
	}
	cfg, err := Parse(raw)
	if err != nil {
		return fmt.Errorf("%w: couldn't load configuration (--config.file=%q): %w", errConfig, s.opts.configFile, err)
	}
	s.cfg.Store(&cfg)
	s.log.Info("Completed loading of configuration file", "filename", s.opts.configFile, "jobs", len(cfg.Jobs))
	return nil
}
