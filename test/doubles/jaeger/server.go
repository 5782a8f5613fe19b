package jaeger

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/otlphttp"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

// Server is the double behind its four HTTP ports.
type Server struct {
	log      *slog.Logger
	ledger   *strict.Ledger
	store    *store
	accepted atomic.Int64
	started  time.Time
}

// New opens the directories of badger and fails when they are not writable, as Jaeger does.
func New(cfg Config, log *slog.Logger) (*Server, error) {
	st, err := openStore(cfg.Keys, cfg.Values)
	if err != nil {
		return nil, err
	}
	return &Server{log: log, ledger: strict.NewLedger(log), store: st, started: time.Now()}, nil
}

// Close closes the directories.
func (s *Server) Close() error { return s.store.close() }

// Handlers returns what serves each address of cfg.
func (s *Server) Handlers(cfg Config) map[string]http.Handler {
	return map[string]http.Handler{
		cfg.Health:   s.strictly("GET /status", s.health),
		cfg.OTLPHTTP: s.strictly("POST /v1/traces", s.receive),
		cfg.Metrics:  s.strictly("GET /metrics", s.metrics),
		cfg.Query:    s.queryRoutes(),
	}
}

func (s *Server) queryRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/services", s.services)
	mux.HandleFunc("GET /api/services/{service}/operations", s.operations)
	mux.HandleFunc("GET /api/traces", s.search)
	mux.HandleFunc("GET /api/traces/{id}", s.trace)
	return s.withLedger(mux)
}

func (s *Server) strictly(pattern string, handle http.HandlerFunc) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(pattern, handle)
	return s.withLedger(mux)
}

// withLedger makes what mux does not know 404 and recorded.
func (s *Server) withLedger(mux *http.ServeMux) http.Handler {
	mux.Handle("GET /double/unknown", s.ledger)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.ledger.Record(r, "no such route")
		http.NotFound(w, r)
	})
	return mux
}

func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	s.write(w, http.StatusOK, map[string]any{
		"start_time": s.started.Format(time.RFC3339Nano), "healthy": true, "status": "StatusOK", "status_time": s.started.Format(time.RFC3339Nano),
	})
}

func (s *Server) metrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, err := fmt.Fprintf(w, "# TYPE otelcol_process_uptime_seconds_total counter\notelcol_process_uptime_seconds_total %f\n"+
		"# TYPE otelcol_receiver_accepted_spans_total counter\notelcol_receiver_accepted_spans_total{receiver=\"otlp\",transport=\"http\"} %d\n",
		time.Since(s.started).Seconds(), s.accepted.Load())
	if err != nil {
		s.log.Debug("client went away", "err", err)
	}
}

func (s *Server) receive(w http.ResponseWriter, r *http.Request) {
	var data tracev1.TracesData
	mediaType, err := otlphttp.Read(r, &data)
	records := flatten(&data)
	for _, next := range records {
		if err == nil && (len(next.Span.TraceID) != 32 || len(next.Span.SpanID) != 16) {
			err = fmt.Errorf("span %q: trace ID %q or span ID %q is not 16 and 8 bytes long", next.Span.OperationName, next.Span.TraceID, next.Span.SpanID)
		}
	}
	if err != nil {
		status := http.StatusBadRequest
		if errors.Is(err, otlphttp.ErrMediaType) {
			status = http.StatusUnsupportedMediaType
		}
		s.ledger.Record(r, err.Error())
		s.write(w, status, map[string]any{"code": 3, "message": err.Error()})
		return
	}
	if err := s.store.append(records); err != nil {
		s.log.Error("store spans", "err", err)
		s.write(w, http.StatusServiceUnavailable, map[string]any{"code": 14, "message": err.Error()})
		return
	}
	s.accepted.Add(int64(len(records)))
	if mediaType == otlphttp.JSON {
		s.write(w, http.StatusOK, map[string]any{"partialSuccess": map[string]any{}})
		return
	}
	// An empty export response has no bytes.
	w.Header().Set("Content-Type", otlphttp.Protobuf)
	w.WriteHeader(http.StatusOK)
}

func (s *Server) services(w http.ResponseWriter, _ *http.Request) {
	names := s.store.names(func(r record) string { return r.Process.ServiceName })
	s.answer(w, names, len(names))
}

func (s *Server) operations(w http.ResponseWriter, r *http.Request) {
	service := r.PathValue("service")
	names := s.store.names(func(r record) string {
		if r.Process.ServiceName != service {
			return ""
		}
		return r.Span.OperationName
	})
	s.answer(w, names, len(names))
}

func (s *Server) search(w http.ResponseWriter, r *http.Request) {
	q, err := parseSearch(r.URL.Query(), time.Now())
	if err != nil {
		s.ledger.Record(r, err.Error())
		s.fail(w, http.StatusBadRequest, err.Error())
		return
	}
	s.answer(w, s.store.search(q), 0)
}

func (s *Server) trace(w http.ResponseWriter, r *http.Request) {
	for name := range r.URL.Query() {
		if name != "prettyPrint" && name != "raw" {
			s.ledger.Record(r, "parameter "+name+" is unknown")
			s.fail(w, http.StatusBadRequest, "parameter '"+name+"' is unknown to the Jaeger double")
			return
		}
	}
	id, err := traceID(r.PathValue("id"))
	if err != nil {
		s.ledger.Record(r, err.Error())
		s.fail(w, http.StatusBadRequest, err.Error())
		return
	}
	found, exists := s.store.trace(id)
	if !exists {
		s.fail(w, http.StatusNotFound, "trace not found")
		return
	}
	s.answer(w, []Trace{found}, 0)
}

// traceID completes an ID whose leading zeros were left out.
func traceID(text string) (string, error) {
	if len(text) == 0 || len(text) > 32 {
		return "", fmt.Errorf("TraceID cannot be longer than 32 hex characters: %s", text)
	}
	id := strings.Repeat("0", 32-len(text)) + strings.ToLower(text)
	if _, err := hex.DecodeString(id); err != nil {
		return "", fmt.Errorf("cannot parse traceID param: %w", err)
	}
	return id, nil
}

func (s *Server) answer(w http.ResponseWriter, data any, total int) {
	s.write(w, http.StatusOK, map[string]any{"data": data, "total": total, "limit": 0, "offset": 0, "errors": nil})
}

func (s *Server) fail(w http.ResponseWriter, status int, message string) {
	s.write(w, status, map[string]any{
		"data": nil, "total": 0, "limit": 0, "offset": 0, "errors": []any{map[string]any{"code": status, "msg": message}},
	})
}

func (s *Server) write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		s.log.Debug("client went away", "err", err)
	}
}
