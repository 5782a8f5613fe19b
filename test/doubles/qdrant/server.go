package qdrant

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

// Version is the release of Qdrant that the double imitates.
const Version = "1.19.0"

// Server is the double as an http.Handler.
type Server struct {
	cfg    Config
	log    *slog.Logger
	ledger *strict.Ledger
	store  *store
	mux    *http.ServeMux
}

// access is what a request needs to be allowed.
type access int

const (
	open access = iota
	read
	write
)

// New opens the storage and fails when it is not writable, as Qdrant does.
func New(cfg Config, log *slog.Logger) (*Server, error) {
	st, err := openStore(cfg.Storage, cfg.Snapshots)
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, log: log, ledger: strict.NewLedger(log), store: st, mux: http.NewServeMux()}
	for _, route := range []struct {
		pattern string
		needs   access
		handle  http.HandlerFunc
	}{
		{"GET /{$}", open, s.root},
		{"GET /readyz", open, s.say("all shards are ready")},
		{"GET /livez", open, s.say("healthz check passed")},
		{"GET /healthz", open, s.say("healthz check passed")},
		{"GET /collections", read, s.listCollections},
		{"GET /collections/{name}", read, s.getCollection},
		{"GET /collections/{name}/exists", read, s.collectionExists},
		{"PUT /collections/{name}", write, s.createCollection},
		{"DELETE /collections/{name}", write, s.deleteCollection},
		{"PUT /collections/{name}/points", write, s.upsertPoints},
		{"POST /collections/{name}/points/delete", write, s.deletePoints},
		{"POST /collections/{name}/points/query", read, s.queryPoints},
		{"POST /collections/{name}/points/count", read, s.countPoints},
		{"GET /collections/{name}/points/{id}", read, s.getPoint},
		{"GET /double/unknown", read, s.ledger.ServeHTTP},
		{"/", open, s.unknown},
	} {
		s.mux.HandleFunc(route.pattern, s.require(route.needs, route.handle))
	}
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Close closes the storage.
func (s *Server) Close() error { return s.store.close() }

// require enforces the API key, which comes as api-key or as a bearer token.
func (s *Server) require(needs access, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s.cfg.APIKey == "" || needs == open {
			next(w, r)
			return
		}
		key := r.Header.Get("api-key")
		if key == "" {
			key, _ = strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		}
		is := func(want string) bool {
			return want != "" && subtle.ConstantTimeCompare([]byte(key), []byte(want)) == 1
		}
		switch {
		case key == "":
			s.text(w, http.StatusUnauthorized, "Must provide an API key or an Authorization bearer token")
		case is(s.cfg.APIKey), is(s.cfg.ReadOnlyAPIKey) && needs == read:
			next(w, r)
		case is(s.cfg.ReadOnlyAPIKey):
			s.fail(w, http.StatusForbidden, "Forbidden: Global manage access is required")
		default:
			s.text(w, http.StatusUnauthorized, "Invalid API key or JWT")
		}
	}
}

func (s *Server) unknown(w http.ResponseWriter, r *http.Request) {
	s.ledger.Record(r, "no such route")
	w.WriteHeader(http.StatusNotFound)
}

func (s *Server) root(w http.ResponseWriter, _ *http.Request) {
	s.write(w, http.StatusOK, map[string]any{"title": "qdrant - vector search engine", "version": Version, "commit": "double"})
}

func (s *Server) say(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { s.text(w, http.StatusOK, text) }
}

func (s *Server) listCollections(w http.ResponseWriter, _ *http.Request) {
	rows := []any{}
	for _, name := range s.store.names() {
		rows = append(rows, map[string]any{"name": name})
	}
	s.ok(w, map[string]any{"collections": rows})
}

// withCollection finds the collection of the path or answers 404 as Qdrant does.
func (s *Server) withCollection(w http.ResponseWriter, r *http.Request, use func(*collection)) {
	c, exists := s.store.get(r.PathValue("name"))
	if !exists {
		s.fail(w, http.StatusNotFound, fmt.Sprintf("Not found: Collection `%s` doesn't exist!", r.PathValue("name")))
		return
	}
	use(c)
}

func (s *Server) getCollection(w http.ResponseWriter, r *http.Request) {
	s.withCollection(w, r, func(c *collection) {
		s.ok(w, map[string]any{
			"status": "green", "optimizer_status": "ok", "points_count": len(c.Points), "indexed_vectors_count": 0, "segments_count": 1,
			"config": map[string]any{"params": map[string]any{
				"vectors": c.Vectors, "shard_number": 1, "replication_factor": 1, "write_consistency_factor": 1, "on_disk_payload": true,
			}},
			"payload_schema": map[string]any{},
		})
	})
}

func (s *Server) collectionExists(w http.ResponseWriter, r *http.Request) {
	_, exists := s.store.get(r.PathValue("name"))
	s.ok(w, map[string]any{"exists": exists})
}

var namePattern = regexp.MustCompile(`^[^<>:"/\\|?*\x00\x1F.][^<>:"/\\|?*\x00\x1F]{0,254}$`)

func (s *Server) createCollection(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	var form struct {
		Vectors *vectorParams `json:"vectors"`
	}
	if !s.decode(w, r, &form, "timeout") {
		return
	}
	if form.Vectors == nil || !namePattern.MatchString(name) {
		s.refuse(w, r, http.StatusBadRequest, "Wrong input: vectors are missing or the name is not valid")
		return
	}
	if err := form.Vectors.check(); err != nil {
		s.refuse(w, r, http.StatusUnprocessableEntity, "Validation error in JSON body: ["+err.Error()+"]")
		return
	}
	switch err := s.store.create(name, *form.Vectors); {
	case errors.Is(err, errExists):
		s.fail(w, http.StatusConflict, fmt.Sprintf("Wrong input: Collection `%s` already exists!", name))
	case err != nil:
		s.internal(w, err)
	default:
		s.ok(w, true)
	}
}

func (s *Server) deleteCollection(w http.ResponseWriter, r *http.Request) {
	if !s.parameters(w, r, "timeout") {
		return
	}
	removed, err := s.store.remove(r.PathValue("name"))
	if err != nil {
		s.internal(w, err)
		return
	}
	s.ok(w, removed)
}

func (s *Server) upsertPoints(w http.ResponseWriter, r *http.Request) {
	var form struct {
		Points []point `json:"points"`
	}
	if s.decode(w, r, &form, "wait", "ordering") {
		s.change(w, r, func(c *collection) error { return c.upsert(form.Points) })
	}
}

func (s *Server) deletePoints(w http.ResponseWriter, r *http.Request) {
	var form struct {
		Points []pointID `json:"points"`
	}
	if s.decode(w, r, &form, "wait", "ordering") {
		s.change(w, r, func(c *collection) error {
			c.Version++
			for _, id := range form.Points {
				delete(c.Points, string(id))
			}
			return nil
		})
	}
}

// change answers an update; without wait=true it only says that it will happen.
func (s *Server) change(w http.ResponseWriter, r *http.Request, change func(*collection) error) {
	s.withCollection(w, r, func(*collection) {
		var operation int64
		err := s.store.change(r.PathValue("name"), func(c *collection) error {
			err := change(c)
			operation = c.Version
			return err
		})
		if err != nil {
			s.refuse(w, r, http.StatusBadRequest, err.Error())
			return
		}
		status := "acknowledged"
		if r.URL.Query().Get("wait") == "true" {
			status = "completed"
		}
		s.ok(w, map[string]any{"operation_id": operation, "status": status})
	})
}

func (s *Server) queryPoints(w http.ResponseWriter, r *http.Request) {
	var form searchRequest
	if !s.decode(w, r, &form, "consistency", "timeout") {
		return
	}
	s.withCollection(w, r, func(c *collection) {
		hits, err := c.search(form)
		if err != nil {
			s.refuse(w, r, http.StatusBadRequest, err.Error())
			return
		}
		s.ok(w, map[string]any{"points": hits})
	})
}

func (s *Server) countPoints(w http.ResponseWriter, r *http.Request) {
	var form struct {
		Exact *bool `json:"exact"`
	}
	if s.decode(w, r, &form, "timeout") {
		s.withCollection(w, r, func(c *collection) { s.ok(w, map[string]any{"count": len(c.Points)}) })
	}
}

func (s *Server) getPoint(w http.ResponseWriter, r *http.Request) {
	id, err := parseID(r.PathValue("id"))
	if err != nil {
		s.refuse(w, r, http.StatusBadRequest, err.Error())
		return
	}
	s.withCollection(w, r, func(c *collection) {
		p, exists := c.Points[string(id)]
		if !exists {
			s.fail(w, http.StatusNotFound, fmt.Sprintf("Not found: Point with id %s does not exists!", id))
			return
		}
		s.ok(w, p.hit(true, true))
	})
}

// parameters refuses those that are not allowed.
func (s *Server) parameters(w http.ResponseWriter, r *http.Request, allowed ...string) bool {
	for name := range r.URL.Query() {
		if !slices.Contains(allowed, name) {
			s.refuse(w, r, http.StatusBadRequest, "parameter "+name+" is unknown to the Qdrant double")
			return false
		}
	}
	return true
}

// decode reads one JSON document without unknown fields.
func (s *Server) decode(w http.ResponseWriter, r *http.Request, out any, parameters ...string) bool {
	if !s.parameters(w, r, parameters...) {
		return false
	}
	dec := json.NewDecoder(io.LimitReader(r.Body, 32<<20))
	dec.DisallowUnknownFields()
	if err := dec.Decode(out); err != nil {
		s.refuse(w, r, http.StatusBadRequest, "Format error in JSON body: "+err.Error())
		return false
	}
	return true
}

func (s *Server) refuse(w http.ResponseWriter, r *http.Request, status int, message string) {
	s.ledger.Record(r, message)
	s.fail(w, status, message)
}

func (s *Server) internal(w http.ResponseWriter, err error) {
	s.log.Error("internal error", "err", err)
	s.fail(w, http.StatusInternalServerError, "Service internal error: "+err.Error())
}

func (s *Server) ok(w http.ResponseWriter, result any) {
	s.write(w, http.StatusOK, map[string]any{"result": result, "status": "ok", "time": time.Microsecond.Seconds()})
}

func (s *Server) fail(w http.ResponseWriter, status int, message string) {
	s.write(w, status, map[string]any{"status": map[string]any{"error": message}, "time": 0})
}

func (s *Server) write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		s.log.Debug("client went away", "err", err)
	}
}

func (s *Server) text(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	if _, err := io.WriteString(w, text); err != nil {
		s.log.Debug("client went away", "err", err)
	}
}
