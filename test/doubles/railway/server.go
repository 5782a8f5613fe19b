package railway

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

// Path is where the API is served.
const Path = "/graphql/v2"

// Regions are those that an instance may run in.
var Regions = []string{"us-west2", "us-east4-eqdc4a", "europe-west4-drams3a", "asia-southeast1-eqsg3a"}

// Workspace is a workspace that the account token sees.
type Workspace struct{ ID, Name string }

// ProjectToken is what a project token is for.
type ProjectToken struct{ ProjectID, EnvironmentID string }

// Config is what a double starts with. Zero values make a double that never lags.
type Config struct {
	// Token is the account token.
	Token string
	// ProjectTokens are project tokens by their text.
	ProjectTokens map[string]ProjectToken
	// Workspaces must hold one at least.
	Workspaces []Workspace
	// Repos are the repositories that Railway's GitHub App has access to, as "owner/name".
	Repos []string
	// Pace is how long a deployment stays in each of its states.
	Pace time.Duration
	// Lag is how long an instance is not found after its service was made.
	Lag time.Duration
	// DeletionTime is how long a deleted project stays listed, marked as deleted.
	DeletionTime time.Duration
	// MaxProjects is after how many projects the next is refused as too quick; 0 is never.
	MaxProjects int
}

// Server is the double as an http.Handler.
type Server struct {
	log    *slog.Logger
	ledger *strict.Ledger

	mu    sync.Mutex
	state state
}

// New returns a double without projects.
func New(cfg Config, log *slog.Logger) *Server {
	if len(cfg.Workspaces) == 0 {
		cfg.Workspaces = []Workspace{{ID: "00000000-0000-4000-8000-00000000000a", Name: "My Projects"}}
	}
	return &Server{log: log, ledger: strict.NewLedger(log), state: state{cfg: cfg, now: time.Now}}
}

// Unknown returns the requests that the double refused because it does not know them.
func (s *Server) Unknown() []strict.UnknownRequest { return s.ledger.Requests() }

// AddProjectToken makes a token for an environment of a project.
func (s *Server) AddProjectToken(token, projectID, environmentID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.cfg.ProjectTokens == nil {
		s.state.cfg.ProjectTokens = map[string]ProjectToken{}
	}
	s.state.cfg.ProjectTokens[token] = ProjectToken{projectID, environmentID}
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	app, isApp := strings.CutPrefix(r.URL.Path, "/app/")
	switch {
	case isApp && r.Method == http.MethodGet:
		s.app(w, app)
	case r.URL.Path == "/double/unknown" && r.Method == http.MethodGet:
		s.ledger.ServeHTTP(w, r)
	case r.URL.Path != Path || r.Method != http.MethodPost:
		s.ledger.Record(r, "no such route")
		http.NotFound(w, r)
	case r.URL.Query().Get("source") == "":
		// Railway's edge does so at ten requests a second; a client that forgets the query string must not pass.
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, "error code: 1015")
	default:
		s.graphql(w, r)
	}
}

// app answers in the place of an application, at any path below its service's name.
func (s *Server) app(w http.ResponseWriter, path string) {
	name, _, _ := strings.Cut(path, "/")
	if !s.Up(name) {
		http.Error(w, "Application failed to respond", http.StatusBadGateway)
		return
	}
	_, _ = io.WriteString(w, name+" is up\n") // a caller that is gone misses nothing
}

func (s *Server) graphql(w http.ResponseWriter, r *http.Request) {
	var req request
	dec := json.NewDecoder(io.LimitReader(r.Body, 1<<20))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&req); err != nil {
		s.refuse(w, r, "the body is not a GraphQL request: "+err.Error())
		return
	}
	op, err := parse(req)
	if err != nil {
		s.refuse(w, r, err.Error())
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	path := op.root.Name
	root, known := s.state.operations()[path]
	if !known {
		s.refuse(w, r, "Cannot query field "+path)
		return
	}
	who, err := s.authorize(r)
	if err != nil {
		s.errors(w, path, err)
		return
	}
	s.state.caller = who
	data, err := op.run(root)
	var bad *invalid
	switch {
	case errors.As(err, &bad):
		s.refuse(w, r, path+": "+bad.message)
	case err != nil:
		s.errors(w, path, err)
	default:
		s.write(w, http.StatusOK, map[string]any{"data": map[string]any{path: data}})
	}
}

// authorize tells whose token it is. Each kind has its own header.
func (s *Server) authorize(r *http.Request) (caller, error) {
	if token := r.Header.Get("Project-Access-Token"); token != "" {
		t, known := s.state.cfg.ProjectTokens[token]
		if !known {
			return caller{}, fail(noProjectToken)
		}
		return caller{project: t}, nil
	}
	token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !found || token == "" || token != s.state.cfg.Token {
		return caller{}, fail(notAuthorized)
	}
	return caller{account: true}, nil
}

// refuse answers a request that does not fit the schema.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, reason string) {
	s.ledger.Record(r, reason)
	s.write(w, http.StatusBadRequest, map[string]any{"errors": []any{
		map[string]any{"message": reason, "extensions": map[string]any{"code": "GRAPHQL_VALIDATION_FAILED"}},
	}})
}

// errors answers as Railway does whatever went wrong.
func (s *Server) errors(w http.ResponseWriter, path string, err error) {
	s.state.count++
	s.write(w, http.StatusOK, map[string]any{"data": nil, "errors": []any{map[string]any{
		"message": err.Error(), "path": []string{path}, "locations": []any{map[string]any{"line": 2, "column": 3}},
		"extensions": map[string]any{"code": "INTERNAL_SERVER_ERROR"}, "traceId": "5" + strings.Repeat("0", 10) + s.state.id()[:8],
	}}})
}

func (s *Server) write(w http.ResponseWriter, status int, body any) {
	var buf bytes.Buffer
	if err := json.NewEncoder(&buf).Encode(body); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	if _, err := w.Write(buf.Bytes()); err != nil {
		s.log.Debug("client went away", "err", err)
	}
}
