package collector

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/httpserve"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/otlplog"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

// errReload ends one generation of the double because SIGHUP came.
var errReload = errors.New("reload")

// Main runs `--config FILE` until ctx ends, or checks a file with `validate --config=FILE`.
// It returns the exit code. SIGHUP reloads; like the Collector it exits when that fails.
func Main(ctx context.Context, args []string, stdout io.Writer) int {
	log := slog.New(slog.NewTextHandler(stdout, nil)).With("double", "otel-collector")
	path, validate, err := parseArgs(args)
	if err != nil {
		log.Error("invalid arguments", "err", err)
		return 1
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for {
		cfg, err := load(path)
		if err != nil {
			log.Error("failed to get config", "err", err)
			return 1
		}
		if validate {
			return 0
		}
		log.Info("Starting the Collector double: a test stand-in of orch, not the Collector", "config", path)
		switch err := serve(ctx, cfg, hup, log); {
		case errors.Is(err, errReload):
			log.Info("Received signal from OS, reloading", "signal", "hangup")
		case err != nil:
			log.Error("collector double stopped", "err", err)
			return 1
		default:
			log.Info("Shutdown complete.")
			return 0
		}
	}
}

func parseArgs(args []string) (path string, validate bool, err error) {
	if len(args) > 0 && args[0] == "validate" {
		validate, args = true, args[1:]
	}
	switch {
	case len(args) == 2 && args[0] == "--config":
		path = args[1]
	case len(args) == 1 && strings.HasPrefix(args[0], "--config="):
		path = strings.TrimPrefix(args[0], "--config=")
	default:
		return "", false, fmt.Errorf("arguments %q, want [validate] --config FILE", args)
	}
	return strings.TrimPrefix(path, "file:"), validate, nil
}

func load(path string) (Config, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return Config{}, err
	}
	cfg, err := Parse(raw)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return cfg, nil
}

// generation is the double between two loads of its configuration.
type generation struct {
	log      *slog.Logger
	ledger   *strict.Ledger
	queues   []*queue
	accepted atomic.Int64
	started  time.Time
}

func serve(ctx context.Context, cfg Config, hup <-chan os.Signal, log *slog.Logger) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	g := &generation{log: log, ledger: strict.NewLedger(log), started: time.Now()}
	var sending sync.WaitGroup
	defer sending.Wait()
	for _, exporter := range cfg.Exporters {
		q, err := openQueue(exporter, log)
		if err != nil {
			cancel(nil)
			return err
		}
		g.queues = append(g.queues, q)
		sending.Go(func() { q.run(ctx) })
	}
	grpc, err := listenGRPC(ctx, cfg.OTLPGRPC)
	if err != nil {
		cancel(nil)
		return err
	}
	defer func() { _ = grpc.Close() }()
	go func() {
		select {
		case <-hup:
			cancel(errReload)
		case <-ctx.Done():
		}
	}()
	log.Info("Everything is ready. Begin running and processing data.")
	err = httpserve.Run(ctx, map[string]http.Handler{
		cfg.Health: g.healthRoutes(), cfg.OTLPHTTP: g.otlpRoutes(), cfg.Metrics: g.metricsRoutes(),
	})
	reloading := errors.Is(context.Cause(ctx), errReload)
	cancel(nil)
	if err == nil && reloading {
		return errReload
	}
	return err
}

// listenGRPC holds the port, so that port conflicts and probes behave; it hangs up on every
// caller because the double does not speak gRPC.
func listenGRPC(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	return ln, nil
}

func (g *generation) healthRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		g.answer(w, http.StatusOK, map[string]any{
			"status": "Server available", "upSince": g.started.Format(time.RFC3339Nano), "uptime": time.Since(g.started).String(),
		})
	})
	return g.strictly(mux)
}

func (g *generation) metricsRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		out := fmt.Sprintf("# TYPE otelcol_process_uptime_seconds_total counter\notelcol_process_uptime_seconds_total %f\n", time.Since(g.started).Seconds())
		out += fmt.Sprintf("# TYPE otelcol_receiver_accepted_log_records_total counter\notelcol_receiver_accepted_log_records_total{receiver=\"otlp\"} %d\n", g.accepted.Load())
		for _, q := range g.queues {
			label := fmt.Sprintf("{exporter=%q}", q.exporter.Name)
			out += fmt.Sprintf("otelcol_exporter_sent_log_records_total%s %d\n", label, q.sent.Load())
			out += fmt.Sprintf("otelcol_exporter_send_failed_log_records_total%s %d\n", label, q.dropped.Load())
			out += fmt.Sprintf("otelcol_exporter_queue_size%s %d\n", label, q.size())
		}
		if _, err := io.WriteString(w, out); err != nil {
			g.log.Debug("client went away", "err", err)
		}
	})
	return g.strictly(mux)
}

func (g *generation) otlpRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/logs", g.receiveLogs)
	return g.strictly(mux)
}

// strictly adds the ledger: what mux does not know is 404 and recorded.
func (g *generation) strictly(mux *http.ServeMux) http.Handler {
	mux.Handle("GET /double/unknown", g.ledger)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		g.ledger.Record(r, "no such route")
		http.NotFound(w, r)
	})
	return mux
}

func (g *generation) receiveLogs(w http.ResponseWriter, r *http.Request) {
	data, mediaType, err := otlplog.Read(r)
	if err != nil {
		status := http.StatusBadRequest
		if errors.Is(err, otlplog.ErrMediaType) {
			status = http.StatusUnsupportedMediaType
		}
		g.ledger.Record(r, err.Error())
		g.answer(w, status, map[string]any{"code": 3, "message": err.Error()})
		return
	}
	payload, err := proto.Marshal(data)
	if err != nil {
		g.answer(w, http.StatusInternalServerError, map[string]any{"code": 13, "message": err.Error()})
		return
	}
	records := len(otlplog.Flatten(data, 0))
	for _, q := range g.queues {
		if err := q.put(payload, records); err != nil {
			g.answer(w, http.StatusServiceUnavailable, map[string]any{"code": 14, "message": err.Error()})
			return
		}
	}
	g.accepted.Add(int64(records))
	if mediaType == otlplog.JSON {
		g.answer(w, http.StatusOK, map[string]any{"partialSuccess": map[string]any{}})
		return
	}
	// An empty ExportLogsServiceResponse has no bytes.
	w.Header().Set("Content-Type", otlplog.Protobuf)
	w.WriteHeader(http.StatusOK)
}

func (g *generation) answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		g.log.Debug("client went away", "err", err)
	}
}
