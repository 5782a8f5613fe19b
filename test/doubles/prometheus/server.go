package prometheus

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	metricsv1 "go.opentelemetry.io/proto/otlp/metrics/v1"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/otlphttp"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

// Version is the release of Prometheus that the double imitates.
const Version = "3.15.0"

// Server is the double as an http.Handler.
type Server struct {
	opts    options
	log     *slog.Logger
	cfg     atomic.Pointer[Config]
	ledger  *strict.Ledger
	store   *store
	mux     *http.ServeMux
	started time.Time

	mu        sync.Mutex
	targets   []*target
	exemplars []exemplar
}

// New loads the configuration and opens the data directory, in the order and with the
// failures of Prometheus.
func New(opts options, log *slog.Logger) (*Server, error) {
	s := &Server{opts: opts, log: log, ledger: strict.NewLedger(log), mux: http.NewServeMux(), started: time.Now()}
	if err := s.reload(); err != nil {
		return nil, err
	}
	st, err := openStore(opts.data)
	if err != nil {
		return nil, err
	}
	s.store = st
	s.routes()
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Close closes the data directory.
func (s *Server) Close() error { return s.store.close() }

func (s *Server) routes() {
	s.mux.HandleFunc("GET /-/ready", s.say("Prometheus Server is Ready.\n"))
	s.mux.HandleFunc("GET /-/healthy", s.say("Prometheus Server is Healthy.\n"))
	for _, method := range []string{http.MethodPost, http.MethodPut} {
		s.mux.HandleFunc(method+" /-/reload", s.reloadRequest)
	}
	s.mux.HandleFunc("GET /-/reload", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "Only POST or PUT requests allowed", http.StatusMethodNotAllowed)
	})
	s.mux.HandleFunc("GET /metrics", s.ownMetrics)
	s.mux.HandleFunc("POST /api/v1/otlp/v1/metrics", s.otlp)
	s.mux.HandleFunc("GET /api/v1/query", s.query)
	s.mux.HandleFunc("POST /api/v1/query", s.query)
	s.mux.HandleFunc("GET /api/v1/query_exemplars", s.queryExemplars)
	s.mux.HandleFunc("POST /api/v1/query_exemplars", s.queryExemplars)
	s.mux.HandleFunc("GET /api/v1/targets", s.listTargets)
	s.mux.HandleFunc("GET /api/v1/label/{name}/values", s.labelValues)
	s.mux.Handle("GET /double/unknown", s.ledger)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.ledger.Record(r, "no such route")
		http.Error(w, "404 page not found", http.StatusNotFound)
	})
}

func (s *Server) say(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if _, err := io.WriteString(w, text); err != nil {
			s.log.Debug("client went away", "err", err)
		}
	}
}

func (s *Server) reloadRequest(w http.ResponseWriter, _ *http.Request) {
	if !s.opts.lifecycle {
		http.Error(w, "Lifecycle API is not enabled.", http.StatusForbidden)
		return
	}
	if err := s.reload(); err != nil {
		s.log.Error("Error reloading config", "err", err)
		http.Error(w, fmt.Sprintf("failed to reload config: %s", err), http.StatusInternalServerError)
	}
}

func (s *Server) ownMetrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, err := fmt.Fprintf(w, "# TYPE prometheus_build_info gauge\nprometheus_build_info{version=%q,revision=\"double\"} 1\n"+
		"# TYPE prometheus_tsdb_head_series gauge\nprometheus_tsdb_head_series %d\n"+
		"# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds %d\n", Version, s.store.size(), s.started.Unix())
	if err != nil {
		s.log.Debug("client went away", "err", err)
	}
}

func (s *Server) otlp(w http.ResponseWriter, r *http.Request) {
	if !s.opts.otlp {
		http.Error(w, "otlp write receiver needs to be enabled with --web.enable-otlp-receiver", http.StatusNotFound)
		return
	}
	var data metricsv1.MetricsData
	if _, err := otlphttp.Read(r, &data); err != nil {
		s.refuse(w, r, err)
		return
	}
	t := translation{cfg: *s.cfg.Load(), now: time.Now()}
	if err := t.translate(&data); err != nil {
		s.refuse(w, r, err)
		return
	}
	switch err := s.store.append(t.samples); {
	case errors.Is(err, errDuplicate):
		s.refuse(w, r, err)
		return
	case err != nil:
		s.log.Error("Error appending remote write", "err", err)
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if s.opts.exemplars {
		s.keepExemplars(t.exemplars)
	}
	w.WriteHeader(http.StatusOK)
}

// refuse answers an OTLP request that Prometheus would not take either, or that the double
// does not know.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusBadRequest
	if errors.Is(err, errTranslation) {
		status = http.StatusInternalServerError
	}
	s.ledger.Record(r, err.Error())
	http.Error(w, err.Error(), status)
}

func (s *Server) query(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		s.badData(w, r, err)
		return
	}
	q, err := parseInstantQuery(r.Form, time.Now())
	if err != nil {
		s.badData(w, r, err)
		return
	}
	at := float64(q.at.UnixMilli()) / 1000
	if q.probe {
		s.answer(w, map[string]any{"resultType": "scalar", "result": [2]any{at, "2"}})
		return
	}
	result := []any{}
	for _, found := range s.store.at(q.selector, q.at) {
		value := strconv.FormatFloat(found.Value, 'f', -1, 64)
		result = append(result, map[string]any{"metric": found.Labels, "value": [2]any{at, value}})
	}
	s.answer(w, map[string]any{"resultType": "vector", "result": result})
}

func (s *Server) labelValues(w http.ResponseWriter, r *http.Request) {
	for name := range r.URL.Query() {
		if name != "start" && name != "end" {
			s.badData(w, r, fmt.Errorf("parameter %q is unknown to the Prometheus double", name))
			return
		}
	}
	s.answer(w, s.store.labelValues(r.PathValue("name")))
}

func (s *Server) badData(w http.ResponseWriter, r *http.Request, err error) {
	s.ledger.Record(r, err.Error())
	s.write(w, http.StatusBadRequest, map[string]any{"status": "error", "errorType": "bad_data", "error": err.Error()})
}

func (s *Server) answer(w http.ResponseWriter, data any) {
	s.write(w, http.StatusOK, map[string]any{"status": "success", "data": data})
}

func (s *Server) write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		s.log.Debug("client went away", "err", err)
	}
}
