package render

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

// Config is what the double is.
type Config struct {
	// Token is the only one that is let in.
	Token string
	// Owners are the workspaces that the token can see.
	Owners []Owner
	// Creates is how many services may be created in an hour; 0 is Render's own 20.
	Creates int
	// DuplicateStatus is how a taken name is answered; 0 is 409. Render's own answer is not documented.
	DuplicateStatus int
	// QueueDeploys answers every deploy with 202 and no body, as Render does for those that have to wait.
	QueueDeploys bool
	// GitFrom and GitTo are the beginning of repositories' URLs and where those are really asked for: whoever counts the calls of
	// orch does not want to count Render's own.
	GitFrom, GitTo string
	// GoneFor is how often a deleted service is answered as if it were there.
	GoneFor int
	// Complete has the bare name of an image told with its registry and tag.
	Complete bool
}

// Owner is a workspace.
type Owner struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
	Type  string `json:"type"`
}

// Server is the double as an http.Handler.
type Server struct {
	cfg    Config
	log    *slog.Logger
	ledger *strict.Ledger
	mux    *http.ServeMux

	mu       sync.Mutex
	next     int
	creates  []time.Time
	services map[string]*service
	order    []string // service ids as they were made
	deleted  map[string]int
}

// New returns the double.
func New(cfg Config, log *slog.Logger) *Server {
	if cfg.Creates == 0 {
		cfg.Creates = 20
	}
	if cfg.DuplicateStatus == 0 {
		cfg.DuplicateStatus = http.StatusConflict
	}
	s := &Server{cfg: cfg, log: log, ledger: strict.NewLedger(log), mux: http.NewServeMux(), services: map[string]*service{}, deleted: map[string]int{}}
	s.routes()
	return s
}

func (s *Server) routes() {
	for pattern, handle := range map[string]func(call){
		"GET /v1/owners":                                 s.owners,
		"GET /v1/services":                               s.list,
		"POST /v1/services":                              s.create,
		"GET /v1/services/{id}":                          s.get,
		"PATCH /v1/services/{id}":                        s.patch,
		"DELETE /v1/services/{id}":                       s.remove,
		"GET /v1/services/{id}/env-vars":                 s.variables,
		"PUT /v1/services/{id}/env-vars":                 s.putVariables,
		"POST /v1/services/{id}/scale":                   s.scale,
		"POST /v1/services/{id}/resume":                  s.resume,
		"POST /v1/services/{id}/suspend":                 s.suspend,
		"GET /v1/services/{id}/deploys":                  s.deploys,
		"POST /v1/services/{id}/deploys":                 s.deploy,
		"GET /v1/services/{id}/deploys/{deploy}":         s.getDeploy,
		"POST /v1/services/{id}/deploys/{deploy}/cancel": s.cancelDeploy,
		"POST /v1/services/{id}/rollback":                s.rollback,
		"GET /v1/logs":                                   s.logs,
		"POST /v1/blueprints/validate":                   s.validate,
	} {
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			c := call{Server: s, w: w, r: r}
			if r.Header.Get("Authorization") != "Bearer "+s.cfg.Token {
				c.refuse(http.StatusUnauthorized, "unauthorized")
				return
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			handle(c)
		})
	}
	s.mux.HandleFunc("GET /double/apps/{slug}/{path...}", s.app)
	s.mux.Handle("GET /double/unknown", s.ledger)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		call{Server: s, w: w, r: r}.unexpected(http.StatusNotFound, "no such route")
	})
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Unknown returns the requests that the double did not expect.
func (s *Server) Unknown() []strict.UnknownRequest { return s.ledger.Requests() }

// Names returns the names of the services that exist.
func (s *Server) Names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := []string{}
	for _, id := range s.order {
		names = append(names, s.services[id].doc.Name)
	}
	return names
}

// id makes an identifier of Render's form.
func (s *Server) id(prefix string) string {
	s.next++
	return fmt.Sprintf("%s-%020d", prefix, s.next)
}

// call is one request. The server's lock is held.
type call struct {
	*Server
	w http.ResponseWriter
	r *http.Request
}

func (c call) unexpected(status int, reason string) {
	c.ledger.Record(c.r, reason)
	c.refuse(status, reason)
}

func (c call) refuse(status int, message string) {
	c.answer(status, map[string]any{"id": fmt.Sprintf("req-%d", time.Now().UnixNano()), "message": message})
}

func (c call) answer(status int, body any) {
	c.w.Header().Set("Content-Type", "application/json; charset=utf-8")
	c.w.Header().Set("Ratelimit-Limit", "400")
	c.w.WriteHeader(status)
	if err := json.NewEncoder(c.w).Encode(body); err != nil {
		c.log.Debug("client went away", "err", err)
	}
}

// body decodes the request strictly; it has answered when it returns false.
func (c call) body(out any) bool {
	if err := strict.DecodeJSON(c.r, out); err != nil {
		c.unexpected(http.StatusBadRequest, err.Error())
		return false
	}
	return true
}

// empty makes sure that there is no body; it has answered when it returns false.
func (c call) empty() bool {
	if err := strict.NoBody(c.r); err != nil {
		c.unexpected(http.StatusBadRequest, err.Error())
		return false
	}
	return true
}

// query makes sure that only these parameters are given; it has answered when it returns false.
func (c call) query(allowed ...string) bool {
	if err := strict.KnownQuery(c.r, allowed...); err != nil {
		c.unexpected(http.StatusBadRequest, err.Error())
		return false
	}
	return true
}

// page answers the part of a list that cursor and limit ask for. wrap names the thing in each element.
func page[T any](c call, wrap string, all []T, cursor func(T) string) {
	limit := 20
	if text := c.r.URL.Query().Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 100 {
			c.unexpected(http.StatusBadRequest, "limit is 1 to 100, not "+text)
			return
		}
		limit = n
	}
	after := c.r.URL.Query().Get("cursor")
	out, skip := []any{}, after != ""
	for _, one := range all {
		if !skip && len(out) < limit {
			out = append(out, map[string]any{wrap: one, "cursor": cursor(one)})
		}
		skip = skip && cursor(one) != after
	}
	c.answer(http.StatusOK, out)
}

func (s *Server) owners(c call) {
	if !c.query("name", "email", "cursor", "limit") {
		return
	}
	name := c.r.URL.Query().Get("name")
	var found []Owner
	for _, o := range s.cfg.Owners {
		if name == "" || o.Name == name {
			found = append(found, o)
		}
	}
	page(c, "owner", found, func(o Owner) string { return o.ID })
}
