package neo4j

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/neo4j/bolt"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

// Server is the double behind its Bolt and its HTTP port.
type Server struct {
	cfg    Config
	log    *slog.Logger
	ledger *strict.Ledger
	store  *store
	mux    *http.ServeMux
}

// New opens the data directory and sets the initial password if it is empty.
func New(cfg Config, log *slog.Logger) (*Server, error) {
	if err := strict.Writable(cfg.Logs); err != nil {
		return nil, err
	}
	st, fresh, err := openStore(cfg.Data, cfg.Password)
	if err != nil {
		return nil, err
	}
	if fresh {
		log.Info("Changed password for user 'neo4j'.")
	} else {
		log.Info("/data exists: NEO4J_AUTH has no effect")
	}
	s := &Server{cfg: cfg, log: log, ledger: strict.NewLedger(log), store: st, mux: http.NewServeMux()}
	s.mux.HandleFunc("GET /{$}", s.discovery)
	s.mux.HandleFunc("POST /db/{database}/query/v2", s.queryAPI)
	s.mux.Handle("GET /double/unknown", s.ledger)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.ledger.Record(r, "no such route")
		http.NotFound(w, r)
	})
	return s, nil
}

// ServeHTTP implements http.Handler: the HTTP port.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Close closes the data directory.
func (s *Server) Close() error { return s.store.close() }

// ServeBolt accepts Bolt connections until ctx ends.
func (s *Server) ServeBolt(ctx context.Context, ln net.Listener) error {
	var open sync.WaitGroup
	defer open.Wait()
	defer context.AfterFunc(ctx, func() { _ = ln.Close() })()
	for id := int64(1); ; id++ {
		conn, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		open.Go(func() {
			hangUp := context.AfterFunc(ctx, func() { _ = conn.Close() })
			defer hangUp()
			err := s.serveBolt(conn, id)
			switch {
			case errors.Is(err, bolt.ErrNoVersion):
				s.log.Warn("refused connection", "from", conn.RemoteAddr(), "err", err)
			case err != nil && !errors.Is(err, io.EOF):
				s.log.Debug("connection ended", "from", conn.RemoteAddr(), "err", err)
			}
			_ = conn.Close()
		})
	}
}

// record counts a statement that the double does not know.
func (s *Server) record(query string, failed *failure) {
	if failed.code == codeSyntax {
		s.ledger.Record(&http.Request{Method: "RUN", URL: &url.URL{Path: query}}, failed.message)
	}
}

// discovery is what every client may see.
func (s *Server) discovery(w http.ResponseWriter, r *http.Request) {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	_, boltPort, err := net.SplitHostPort(s.cfg.Bolt)
	if err != nil {
		boltPort = "7687"
	}
	base, address := "http://"+r.Host+"/db/{databaseName}", net.JoinHostPort(host, boltPort)
	s.answer(w, http.StatusOK, map[string]any{
		"bolt_routing": "neo4j://" + address, "bolt_direct": "bolt://" + address, "query": base + "/query/v2", "transaction": base + "/tx",
		"neo4j_version": Version, "neo4j_edition": "community",
	})
}

// queryAPI runs one statement of the Query API:
//
//	{"statement":"RETURN $x AS x","parameters":{"x":1}}
//	→ 202 {"data":{"fields":["x"],"values":[[1]]},"bookmarks":["FB:double"]}
func (s *Server) queryAPI(w http.ResponseWriter, r *http.Request) {
	name, password, _ := r.BasicAuth()
	if failed := s.store.login(name, password); failed != nil {
		status := http.StatusUnauthorized
		if failed == errRateLimit {
			status = http.StatusTooManyRequests
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="Neo4j", charset="UTF-8"`)
		s.fail(w, status, failed)
		return
	}
	var form struct {
		Statement       string         `json:"statement"`
		Parameters      map[string]any `json:"parameters"`
		AccessMode      string         `json:"accessMode"`
		IncludeCounters bool           `json:"includeCounters"`
	}
	dec := json.NewDecoder(io.LimitReader(r.Body, 1<<20))
	dec.DisallowUnknownFields()
	dec.UseNumber()
	if err := dec.Decode(&form); err != nil {
		s.ledger.Record(r, err.Error())
		s.fail(w, http.StatusBadRequest, &failure{codeRequest, err.Error()})
		return
	}
	for name, value := range form.Parameters {
		form.Parameters[name] = fromJSON(value)
	}
	how := access{database: r.PathValue("database"), readOnly: strings.EqualFold(form.AccessMode, "read")}
	out, failed := s.run(form.Statement, form.Parameters, how, nil)
	if failed != nil {
		s.record(form.Statement, failed)
		status := http.StatusBadRequest
		if failed.code == codeDatabase {
			status = http.StatusNotFound
		}
		s.fail(w, status, failed)
		return
	}
	body := map[string]any{"data": map[string]any{"fields": out.fields, "values": plain(out.records)}, "bookmarks": []string{bookmark}}
	if form.IncludeCounters {
		body["counters"] = map[string]any{"containsUpdates": out.stats["contains-updates"] == true}
	}
	s.answer(w, http.StatusAccepted, body)
}

// plain renders records for JSON.
func plain(records [][]any) [][]any {
	out := make([][]any, 0, len(records))
	for _, record := range records {
		row := make([]any, 0, len(record))
		for _, cell := range record {
			if n, isNode := cell.(bolt.Node); isNode {
				cell = map[string]any{"elementId": n.ElementID, "labels": n.Labels, "properties": n.Props}
			}
			row = append(row, cell)
		}
		out = append(out, row)
	}
	return out
}

func (s *Server) fail(w http.ResponseWriter, status int, f *failure) {
	s.answer(w, status, map[string]any{"errors": []any{map[string]any{"code": f.code, "message": f.message}}})
}

func (s *Server) answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		s.log.Debug("client went away", "err", err)
	}
}
