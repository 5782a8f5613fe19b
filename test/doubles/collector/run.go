package collector

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/httpserve"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/otlphttp"
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
			_, _ = fmt.Fprintf(stdout, "Error: failed to get config: %v\n", err)
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
			_, _ = fmt.Fprintf(stdout, "Error: cannot start pipelines: %v\n", err)
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
	accepted map[Signal]*atomic.Int64
	started  time.Time
}

func serve(ctx context.Context, cfg Config, hup <-chan os.Signal, log *slog.Logger) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	g := &generation{log: log, ledger: strict.NewLedger(log), accepted: map[Signal]*atomic.Int64{}, started: time.Now()}
	var sending sync.WaitGroup
	defer sending.Wait()
	for _, exporter := range cfg.Exporters {
		q, err := openQueue(exporter, log)
		if err != nil {
			cancel(nil)
			return err
		}
		g.queues = append(g.queues, q)
		g.accepted[exporter.Signal] = new(atomic.Int64)
		sending.Go(func() { q.run(ctx) })
	}
	handlers, certificates, closeGRPC, err := g.receivers(ctx, cfg)
	if err != nil {
		cancel(nil)
		return err
	}
	defer closeGRPC()
	for _, tail := range cfg.Tails {
		t := &tailing{Tail: tail, log: log, emit: g.take}
		if err := t.load(); err != nil {
			cancel(nil)
			return err
		}
		sending.Go(func() { t.run(ctx) })
	}
	go func() {
		select {
		case <-hup:
			cancel(errReload)
		case <-ctx.Done():
		}
	}()
	log.Info("Everything is ready. Begin running and processing data.")
	err = httpserve.RunTLS(ctx, handlers, certificates)
	reloading := errors.Is(context.Cause(ctx), errReload)
	cancel(nil)
	if err == nil && reloading {
		return errReload
	}
	return err
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
		for _, signal := range slices.Sorted(maps.Keys(g.accepted)) {
			name := "otelcol_receiver_accepted_" + signal.items() + "_total"
			out += fmt.Sprintf("# TYPE %s counter\n%s{receiver=\"otlp\"} %d\n", name, name, g.accepted[signal].Load())
		}
		for _, q := range g.queues {
			label, items := fmt.Sprintf("{exporter=%q}", q.exporter.Name), q.exporter.Signal.items()
			out += fmt.Sprintf("otelcol_exporter_sent_%s_total%s %d\n", items, label, q.sent.Load())
			out += fmt.Sprintf("otelcol_exporter_send_failed_%s_total%s %d\n", items, label, q.dropped.Load())
			out += fmt.Sprintf("otelcol_exporter_queue_size{data_type=%q,exporter=%q} %d\n", q.exporter.Signal, q.exporter.Name, q.size())
		}
		if _, err := io.WriteString(w, out); err != nil {
			g.log.Debug("client went away", "err", err)
		}
	})
	return g.strictly(mux)
}

// receivers are what is served: health, the Collector's own metrics and, where a pipeline has one, the otlp receiver.
func (g *generation) receivers(ctx context.Context, cfg Config) (handlers map[string]http.Handler, certificates map[string]*tls.Config, stop func(), err error) {
	handlers, certificates, stop = map[string]http.Handler{cfg.Health: g.healthRoutes()}, map[string]*tls.Config{}, func() {}
	if _, taken := handlers[cfg.Metrics]; taken {
		return nil, nil, nil, busy(cfg.Metrics)
	}
	handlers[cfg.Metrics] = g.metricsRoutes()
	if len(cfg.Received) == 0 {
		return handlers, certificates, stop, nil
	}
	if _, taken := handlers[cfg.OTLPHTTP]; taken {
		return nil, nil, nil, busy(cfg.OTLPHTTP)
	}
	handlers[cfg.OTLPHTTP] = allowing(cfg.Origins, g.otlpRoutes(cfg.Received))
	if cfg.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(cfg.CertFile, cfg.KeyFile)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("failed to load TLS config: %w", err)
		}
		certificates[cfg.OTLPHTTP] = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	grpc, err := httpserve.Hold(ctx, cfg.OTLPGRPC)
	if err != nil {
		return nil, nil, nil, err
	}
	return handlers, certificates, func() { _ = grpc.Close() }, nil
}

func busy(address string) error {
	return fmt.Errorf("listen tcp %s: bind: address already in use", address)
}

// allowing adds what CORS needs of the receiver.
func allowing(origins []*regexp.Regexp, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		allowed := origin != "" && slices.ContainsFunc(origins, func(p *regexp.Regexp) bool { return p.MatchString(origin) })
		if allowed {
			w.Header().Set("Access-Control-Allow-Origin", origin)
			w.Header().Add("Vary", "Origin")
		}
		if r.Method == http.MethodOptions && allowed {
			w.Header().Set("Access-Control-Allow-Methods", "POST")
			w.Header().Set("Access-Control-Allow-Headers", r.Header.Get("Access-Control-Request-Headers"))
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (g *generation) otlpRoutes(received []Signal) http.Handler {
	mux := http.NewServeMux()
	for _, signal := range received {
		mux.HandleFunc("POST "+signal.path(), func(w http.ResponseWriter, r *http.Request) { g.receive(w, r, signal) })
	}
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

func (g *generation) receive(w http.ResponseWriter, r *http.Request, signal Signal) {
	data := signal.message()
	mediaType, err := otlphttp.Read(r, data)
	if err != nil {
		status := http.StatusBadRequest
		if errors.Is(err, otlphttp.ErrMediaType) {
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
	items := count(data)
	for _, q := range g.queues {
		if q.exporter.Signal != signal {
			continue
		}
		if err := q.put(payload, items); err != nil {
			g.answer(w, http.StatusServiceUnavailable, map[string]any{"code": 14, "message": err.Error()})
			return
		}
	}
	g.accepted[signal].Add(int64(items))
	if mediaType == otlphttp.JSON {
		g.answer(w, http.StatusOK, map[string]any{"partialSuccess": map[string]any{}})
		return
	}
	// An empty export response has no bytes.
	w.Header().Set("Content-Type", otlphttp.Protobuf)
	w.WriteHeader(http.StatusOK)
}

func (g *generation) answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		g.log.Debug("client went away", "err", err)
	}
}
