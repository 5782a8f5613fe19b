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
	for _, route := range []struct {
		pattern string
		least   role
		handle  http.HandlerFunc
	}{
		{"GET /api/user", serverAdmin, s.user},
		{"PUT /api/user/password", serverAdmin, s.changePassword},
		{"GET /api/org", viewer, s.org},
		{"GET /api/datasources", admin, s.listDatasources},
		{"POST /api/datasources", admin, s.addDatasource},
		{"GET /api/datasources/uid/{uid}", admin, s.getDatasource},
		{"PUT /api/datasources/uid/{uid}", admin, s.updateDatasource},
		{"DELETE /api/datasources/uid/{uid}", admin, s.deleteDatasource},
		{"GET /api/datasources/uid/{uid}/health", viewer, s.datasourceHealth},
		{"GET /api/datasources/proxy/uid/{uid}/{path...}", viewer, s.proxy},
		{"POST /api/datasources/proxy/uid/{uid}/{path...}", viewer, s.proxy},
		{"GET /api/folders", viewer, s.listFolders},
		{"POST /api/folders", editor, s.addFolder},
		{"GET /api/folders/{uid}", viewer, s.getFolder},
		{"PUT /api/folders/{uid}", editor, s.renameFolder},
		{"DELETE /api/folders/{uid}", editor, s.deleteFolder},
		{"POST /api/dashboards/db", editor, s.saveDashboard},
		{"GET /api/dashboards/uid/{uid}", viewer, s.getDashboard},
		{"DELETE /api/dashboards/uid/{uid}", editor, s.deleteDashboard},
		{"GET /api/search", viewer, s.search},
		{"POST /api/serviceaccounts", admin, s.addAccount},
		{"GET /api/serviceaccounts/search", admin, s.searchAccounts},
		{"DELETE /api/serviceaccounts/{id}", admin, s.deleteAccount},
		{"POST /api/serviceaccounts/{id}/tokens", admin, s.addToken},
		{"POST /api/admin/provisioning/datasources/reload", serverAdmin, s.reload("Datasources", s.reloadDatasources)},
		{"POST /api/admin/provisioning/dashboards/reload", serverAdmin, s.reload("Dashboards", s.reloadDashboards)},
		{"GET /double/links", admin, s.listLinks},
		{"GET /double/unknown", admin, s.ledger.ServeHTTP},
	} {
		mux.HandleFunc(route.pattern, s.require(route.least, route.handle))
	}
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
	for uid, board := range boards {
		if s.store.hasBoard(uid) {
			return fmt.Errorf("dashboard %s: uid %s was saved through the API: one owner per dashboard", board.File, uid)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.boards = boards
	return nil
}

// provisioned returns the dashboards that files own.
func (s *Server) provisioned() map[string]dashboard {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.boards
}
