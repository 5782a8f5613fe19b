package github

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

// Config is what the double is.
type Config struct {
	// Token is the only one that is let in.
	Token string
	// Login is the user that the token belongs to.
	Login string
	// Orgs are the organizations that the user may make repositories in.
	Orgs []string
	// Dir holds the repositories; it must exist.
	Dir string
	// NoDelete makes the token one without the right to delete repositories.
	NoDelete bool
}

// Server is the double as an http.Handler.
type Server struct {
	cfg     Config
	log     *slog.Logger
	ledger  *strict.Ledger
	mux     *http.ServeMux
	backend string

	mu    sync.Mutex
	next  int
	repos map[string]*repository // by "owner/name" in lower case
}

type repository struct {
	id                 int
	owner, name        string
	description        string
	private, archived  bool
	created            time.Time
	defaultBranch, dir string
}

func (r *repository) fullName() string { return r.owner + "/" + r.name }

// New finds git and returns the double.
func New(cfg Config, log *slog.Logger) (*Server, error) {
	out, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		return nil, fmt.Errorf("the git double needs git: %w", err)
	}
	backend := filepath.Join(strings.TrimSpace(string(out)), "git-http-backend")
	if _, err := os.Stat(backend); err != nil {
		return nil, fmt.Errorf("the git double needs git http-backend: %w", err)
	}
	s := &Server{cfg: cfg, log: log, ledger: strict.NewLedger(log), mux: http.NewServeMux(), backend: backend, repos: map[string]*repository{}}
	s.mux.Handle("GET /user", s.api(s.user))
	s.mux.Handle("GET /user/repos", s.api(s.list))
	s.mux.Handle("POST /user/repos", s.api(s.create))
	s.mux.Handle("POST /orgs/{org}/repos", s.api(s.create))
	s.mux.Handle("GET /repos/{owner}/{repo}", s.api(s.get))
	s.mux.Handle("DELETE /repos/{owner}/{repo}", s.api(s.remove))
	s.mux.Handle("GET /repos/{owner}/{repo}/git/commits/{sha}", s.api(s.commit))
	s.mux.HandleFunc("GET /{owner}/{repo}/info/refs", s.git)
	s.mux.HandleFunc("POST /{owner}/{repo}/git-upload-pack", s.git)
	s.mux.HandleFunc("POST /{owner}/{repo}/git-receive-pack", s.git)
	s.mux.Handle("GET /double/unknown", s.ledger)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.ledger.Record(r, "no such route")
		s.refuse(w, http.StatusNotFound, "Not Found")
	})
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Unknown returns the requests that the double did not expect.
func (s *Server) Unknown() []strict.UnknownRequest { return s.ledger.Requests() }

// Repositories returns the full names of what exists.
func (s *Server) Repositories() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := []string{}
	for _, repo := range s.repos {
		names = append(names, repo.fullName())
	}
	return names
}

// api lets requests in that a client of GitHub's REST API would send.
func (s *Server) api(handle http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("X-Github-Request-Id", fmt.Sprintf("D0:%d", time.Now().UnixNano()))
		header.Set("X-Ratelimit-Limit", "5000")
		switch {
		case r.Header.Get("Authorization") != "Bearer "+s.cfg.Token:
			s.refuse(w, http.StatusUnauthorized, "Bad credentials")
		case r.Header.Get("User-Agent") == "" || strings.HasPrefix(r.Header.Get("User-Agent"), "Go-http-client"):
			s.unexpected(w, r, http.StatusForbidden, "no User-Agent of the program")
		case r.Header.Get("Accept") != "application/vnd.github+json":
			s.unexpected(w, r, http.StatusUnsupportedMediaType, "Accept is "+r.Header.Get("Accept"))
		case r.Header.Get("X-Github-Api-Version") != "2022-11-28":
			s.unexpected(w, r, http.StatusBadRequest, "X-GitHub-Api-Version is "+r.Header.Get("X-Github-Api-Version"))
		default:
			handle(w, r)
		}
	})
}

func (s *Server) unexpected(w http.ResponseWriter, r *http.Request, status int, reason string) {
	s.ledger.Record(r, reason)
	s.refuse(w, status, reason)
}

func (s *Server) refuse(w http.ResponseWriter, status int, message string) {
	s.answer(w, status, map[string]any{
		"message": message, "documentation_url": "https://docs.github.com/rest", "status": fmt.Sprint(status),
	})
}

func (s *Server) answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		s.log.Debug("client went away", "err", err)
	}
}
