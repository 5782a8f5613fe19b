package loki

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/otlphttp"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/otlplog"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

// Loki's default limits on the age of a line.
const (
	maxAge    = 7 * 24 * time.Hour
	maxFuture = 10 * time.Minute
)

// Server is the double as an http.Handler.
type Server struct {
	cfg    Config
	log    *slog.Logger
	ledger *strict.Ledger
	store  *store
	mux    *http.ServeMux
}

// New opens the lines below cfg.Path and fails when it is not writable, as Loki does.
func New(cfg Config, log *slog.Logger) (*Server, error) {
	st, err := openStore(cfg.Path)
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, log: log, ledger: strict.NewLedger(log), store: st, mux: http.NewServeMux()}
	s.mux.HandleFunc("GET /ready", s.ready)
	s.mux.HandleFunc("POST /otlp/v1/logs", s.push)
	s.mux.HandleFunc("GET /loki/api/v1/query_range", s.queryRange)
	s.mux.HandleFunc("GET /loki/api/v1/labels", s.labels)
	s.mux.Handle("GET /double/unknown", s.ledger)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.ledger.Record(r, "no such route")
		http.Error(w, "404 page not found", http.StatusNotFound)
	})
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Close closes the file of lines.
func (s *Server) Close() error { return s.store.close() }

func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	if _, err := io.WriteString(w, "ready\n"); err != nil {
		s.log.Debug("client went away", "err", err)
	}
}

func (s *Server) push(w http.ResponseWriter, r *http.Request) {
	data, _, err := otlplog.Read(r)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	now := time.Now()
	var entries []entry
	for _, record := range otlplog.Flatten(data, nano(now)) {
		if err := checkAge(record.UnixNano, now); err != nil {
			s.refuse(w, r, err)
			return
		}
		entries = append(entries, s.entry(record))
	}
	if err := s.store.append(entries); err != nil {
		s.log.Error("push", "err", err)
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func checkAge(unixNano uint64, now time.Time) error {
	switch {
	case unixNano < nano(now.Add(-maxAge)):
		return fmt.Errorf("entry has timestamp too old: %d, oldest acceptable is one week", unixNano)
	case unixNano > nano(now.Add(maxFuture)):
		return fmt.Errorf("entry has timestamp too new: %d", unixNano)
	}
	return nil
}

// entry splits a record's attributes into stream labels and structured metadata, dots
// becoming underscores.
func (s *Server) entry(record otlplog.Record) entry {
	e := entry{UnixNano: record.UnixNano, Line: record.Line, Labels: map[string]string{}, Metadata: map[string]string{}}
	for name, value := range record.Resource {
		if slices.Contains(s.cfg.IndexLabels, name) {
			e.Labels[labelName(name)] = value
		} else {
			e.Metadata[labelName(name)] = value
		}
	}
	if _, named := e.Labels["service_name"]; !named {
		e.Labels["service_name"] = "unknown_service"
	}
	for name, value := range record.Metadata {
		e.Metadata[labelName(name)] = value
	}
	return e
}

func labelName(attribute string) string {
	return strings.Map(func(r rune) rune {
		if (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z') || (r >= '0' && r <= '9') || r == '_' {
			return r
		}
		return '_'
	}, attribute)
}

func (s *Server) queryRange(w http.ResponseWriter, r *http.Request) {
	query, err := parseRangeQuery(r.URL.Query(), time.Now())
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.answer(w, map[string]any{"resultType": "streams", "result": streams(s.store.query(query)), "stats": map[string]any{}})
}

type stream struct {
	Stream map[string]string `json:"stream"`
	Values [][2]string       `json:"values"`
}

// streams groups entries as query_range does: structured metadata joins the labels.
func streams(entries []entry) []*stream {
	out, byLabels := []*stream{}, map[string]*stream{}
	for _, e := range entries {
		labels := make(map[string]string, len(e.Labels)+len(e.Metadata))
		for name, value := range e.Metadata {
			labels[name] = value
		}
		for name, value := range e.Labels {
			labels[name] = value
		}
		// Printing sorts a map's keys, so equal label sets have equal keys.
		key := fmt.Sprintf("%q", labels)
		if byLabels[key] == nil {
			byLabels[key] = &stream{Stream: labels}
			out = append(out, byLabels[key])
		}
		byLabels[key].Values = append(byLabels[key].Values, [2]string{strconv.FormatUint(e.UnixNano, 10), e.Line})
	}
	return out
}

func (s *Server) labels(w http.ResponseWriter, r *http.Request) {
	for name := range r.URL.Query() {
		if name != "start" && name != "end" {
			s.refuse(w, r, fmt.Errorf("parameter %s is unknown to the Loki double", name))
			return
		}
	}
	s.answer(w, s.store.labels())
}

func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusBadRequest
	if errors.Is(err, otlphttp.ErrMediaType) {
		status = http.StatusUnsupportedMediaType
	}
	s.ledger.Record(r, err.Error())
	http.Error(w, err.Error(), status)
}

func (s *Server) answer(w http.ResponseWriter, data any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	if err := json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": data}); err != nil {
		s.log.Debug("client went away", "err", err)
	}
}
