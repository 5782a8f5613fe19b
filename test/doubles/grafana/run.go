package grafana

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/httpserve"
)

// dashboardPoll is the default of updateIntervalSeconds.
const dashboardPoll = 10 * time.Second

// Main runs the double until ctx ends and returns the exit code of the process.
func Main(ctx context.Context, args, environ []string, stdout io.Writer) int {
	cfg, err := ParseEnv(environ)
	log := slog.New(slog.NewTextHandler(stdout, &slog.HandlerOptions{Level: cfg.LogLevel})).With("logger", "grafana-double")
	if err == nil && len(args) > 0 {
		err = fmt.Errorf("arguments %q: the Grafana double takes none", args)
	}
	if err != nil {
		log.Error("invalid settings", "err", err)
		return 1
	}
	log.Info("Starting the Grafana double: a test stand-in of orch, not Grafana", "imitates", Version)
	if err := run(ctx, cfg, log); err != nil {
		log.Error("Grafana double stopped", "err", err)
		return 1
	}
	log.Info("Shutdown complete")
	return 0
}

func run(ctx context.Context, cfg Config, log *slog.Logger) error {
	server, err := New(cfg, log)
	if err != nil {
		return err
	}
	go server.pollDashboards(ctx, dashboardPoll)
	addr := net.JoinHostPort("", strconv.Itoa(cfg.Port))
	log.Info("HTTP Server Listen", "address", addr)
	return httpserve.Run(ctx, map[string]http.Handler{addr: server})
}

// pollDashboards picks up changed files without a reload, as Grafana does. A bad file
// keeps the last good dashboards.
func (s *Server) pollDashboards(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := s.reloadDashboards(); err != nil {
				s.log.Error("failed to read dashboards", "err", err)
			}
		}
	}
}
