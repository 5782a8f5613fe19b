package grafana

import (
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

// Version is what /api/health reports: the Grafana release that the double imitates.
const Version = "12.4.15"

// Server is the double as an http.Handler.
type Server struct {
	cfg    Config
	log    *slog.Logger
	store  *store
	logins *loginGuard
	ledger *strict.Ledger
	mux    *http.ServeMux

	// provisioning serialises reloads; mu guards what requests read.
	provisioning sync.Mutex
	mu           sync.RWMutex
	boards       map[string]dashboard
}

// New opens the database in cfg.Data and reads the provisioning files, and fails as
// Grafana's start-up would.
func New(cfg Config, log *slog.Logger) (*Server, error) {
	if err := strict.Writable(cfg.Data); err != nil {
		return nil, fmt.Errorf("GF_PATHS_DATA='%s' is not writable, you may have issues with file permissions: %w", cfg.Data, err)
	}
	st, fresh, err := openStore(cfg.Data, cfg.AdminUser, cfg.AdminPassword)
	if err != nil {
		return nil, err
	}
	if fresh {
		log.Info("created default admin", "user", cfg.AdminUser)
	} else {
		log.Info("database exists: the admin settings of the environment have no effect", "user", st.adminUser())
	}
	s := &Server{cfg: cfg, log: log, store: st, logins: newLoginGuard(time.Now), ledger: strict.NewLedger(log)}
	if err := s.reloadDatasources(); err != nil {
		return nil, fmt.Errorf("datasource provisioning error: %w", err)
	}
	if err := s.reloadDashboards(); err != nil {
		return nil, fmt.Errorf("dashboard provisioning error: %w", err)
	}
	s.mux = s.routes()
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Unknown returns the requests that the double refused because it does not know them.
func (s *Server) Unknown() []strict.UnknownRequest { return s.ledger.Requests() }

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page)
	mux.HandleFunc("GET /api/health", s.health)
	mux.HandleFunc("GET /api/user", s.require(admin, s.user))
	mux.HandleFunc("PUT /api/user/password", s.require(admin, s.changePassword))
	mux.HandleFunc("GET /api/datasources", s.require(admin, s.listDatasources))
	mux.HandleFunc("GET /api/datasources/uid/{uid}", s.require(admin, s.getDatasource))
	mux.HandleFunc("GET /api/datasources/uid/{uid}/health", s.require(viewer, s.datasourceHealth))
	mux.HandleFunc("GET /api/datasources/proxy/uid/{uid}/{path...}", s.require(viewer, s.proxy))
	mux.HandleFunc("GET /api/dashboards/uid/{uid}", s.require(viewer, s.getDashboard))
	mux.HandleFunc("GET /api/search", s.require(viewer, s.search))
	mux.HandleFunc("POST /api/admin/provisioning/datasources/reload", s.require(admin, s.reload("Datasources", s.reloadDatasources)))
	mux.HandleFunc("POST /api/admin/provisioning/dashboards/reload", s.require(admin, s.reload("Dashboards", s.reloadDashboards)))
	mux.HandleFunc("GET /double/unknown", s.require(admin, s.ledger.ServeHTTP))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.unknown(w, r, http.StatusNotFound, "no such route") })
	return mux
}

func (s *Server) unknown(w http.ResponseWriter, r *http.Request, status int, reason string) {
	s.ledger.Record(r, reason)
	s.answer(w, status, map[string]any{"message": http.StatusText(status) + ": unknown to the Grafana double: " + reason})
}

func (s *Server) reload(what string, load func() error) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if err := load(); err != nil {
			s.log.Error("reload failed", "what", what, "err", err)
			s.answer(w, http.StatusInternalServerError, map[string]any{"message": err.Error()})
			return
		}
		s.answer(w, http.StatusOK, map[string]any{"message": what + " config reloaded"})
	}
}

func (s *Server) reloadDatasources() error {
	s.provisioning.Lock()
	defer s.provisioning.Unlock()
	files, err := readDatasources(s.cfg.Provisioning)
	if err != nil {
		return err
	}
	return s.store.update(func(db *database) error { return applyDatasources(db, files) })
}

func (s *Server) reloadDashboards() error {
	s.provisioning.Lock()
	defer s.provisioning.Unlock()
	specs, err := readProviders(s.cfg.Provisioning)
	if err != nil {
		return err
	}
	boards, err := readDashboards(specs, s.store.datasource)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.boards = boards
	return nil
}

func (s *Server) dashboards() map[string]dashboard {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.boards
}
