package grafana

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"strings"
)

// minPassword is Grafana's lower limit without a password policy.
const minPassword = 4

const frontPage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Grafana double</title></head>
<body style="font-family:sans-serif;max-width:40em;margin:4em auto">
<h1>Grafana double (orch test stand-in)</h1>
<p>This is not Grafana. It stands in for Grafana %s where the real image cannot be pulled: it reads the
provisioning files, checks passwords, and proxies to the data sources, without a user interface.</p>
<p>Try <a href="/api/health">/api/health</a>, <a href="/api/datasources">/api/datasources</a>,
<a href="/api/search?type=dash-db">/api/search?type=dash-db</a>.</p>
</body></html>
`

func (s *Server) page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	if _, err := fmt.Fprintf(w, frontPage, Version); err != nil {
		s.log.Debug("client went away", "err", err)
	}
}

func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	s.answer(w, http.StatusOK, map[string]any{"database": "ok", "version": Version, "commit": "double"})
}

func (s *Server) user(w http.ResponseWriter, _ *http.Request) {
	login := s.store.adminUser()
	s.answer(w, http.StatusOK, map[string]any{
		"id": 1, "uid": "double-admin", "login": login, "name": "", "email": login + "@localhost", "orgId": 1,
		"isGrafanaAdmin": true, "isDisabled": false, "isExternal": false,
	})
}

func (s *Server) org(w http.ResponseWriter, _ *http.Request) {
	s.answer(w, http.StatusOK, map[string]any{"id": 1, "name": "Main Org."})
}

func (s *Server) changePassword(w http.ResponseWriter, r *http.Request) {
	var form struct {
		OldPassword string  `json:"oldPassword"`
		NewPassword string  `json:"newPassword"`
		ConfirmNew  *string `json:"confirmNew"`
	}
	dec := json.NewDecoder(io.LimitReader(r.Body, 1<<16))
	dec.DisallowUnknownFields()
	switch err := dec.Decode(&form); {
	case err != nil:
		s.answer(w, http.StatusBadRequest, map[string]any{"message": "bad request data", "error": err.Error()})
	case !s.store.checkPassword(s.store.adminUser(), form.OldPassword):
		s.answer(w, http.StatusBadRequest, map[string]any{"message": "Invalid old password"})
	case len(form.NewPassword) < minPassword:
		s.answer(w, http.StatusBadRequest, map[string]any{"message": "New password is too short"})
	case form.ConfirmNew != nil && *form.ConfirmNew != form.NewPassword:
		// Grafana ignores confirmNew, its own page checks it; a difference is a mistake of the caller.
		s.unknown(w, r, http.StatusBadRequest, "confirmNew differs from newPassword")
	default:
		if err := s.store.setPassword(form.NewPassword); err != nil {
			s.log.Error("change password", "err", err)
			s.answer(w, http.StatusInternalServerError, map[string]any{"message": "Failed to change user password"})
			return
		}
		s.log.Info("password changed", "user", s.store.adminUser())
		s.answer(w, http.StatusOK, map[string]any{"message": "User password changed"})
	}
}

func (s *Server) listDatasources(w http.ResponseWriter, _ *http.Request) {
	s.answer(w, http.StatusOK, s.store.datasources())
}

// withDatasource finds the data source of the path or answers 404 as Grafana does.
func (s *Server) withDatasource(w http.ResponseWriter, r *http.Request, use func(datasource)) {
	ds, exists := s.store.datasource(r.PathValue("uid"))
	if !exists {
		s.fail(w, http.StatusNotFound, "Data source not found", "datasource.notFound")
		return
	}
	use(ds)
}

func (s *Server) getDatasource(w http.ResponseWriter, r *http.Request) {
	s.withDatasource(w, r, func(ds datasource) { s.answer(w, http.StatusOK, ds) })
}

func (s *Server) datasourceHealth(w http.ResponseWriter, r *http.Request) {
	s.withDatasource(w, r, func(ds datasource) {
		if err := ds.health(r.Context()); err != nil {
			s.log.Warn("data source is not healthy", "uid", ds.UID, "err", err)
			s.answer(w, http.StatusBadRequest, map[string]any{"status": "ERROR", "message": fmt.Sprintf("Unable to connect with %s: %v", ds.TypeName, err)})
			return
		}
		s.answer(w, http.StatusOK, map[string]any{"status": "OK", "message": "Data source successfully connected."})
	})
}

func (s *Server) proxy(w http.ResponseWriter, r *http.Request) {
	s.withDatasource(w, r, func(ds datasource) {
		base, err := ds.base()
		if err != nil {
			s.answer(w, http.StatusInternalServerError, map[string]any{"message": err.Error()})
			return
		}
		if r.Method != http.MethodGet && (ds.Type != "prometheus" || !strings.HasPrefix(r.PathValue("path"), "api/v1/query")) {
			s.unknown(w, r, http.StatusForbidden, "POST through the proxy is for queries of Prometheus only")
			return
		}
		proxy := &httputil.ReverseProxy{
			Rewrite: func(p *httputil.ProxyRequest) {
				p.Out.URL.Path, p.Out.URL.RawPath = "/"+r.PathValue("path"), ""
				p.SetURL(base)
				// The caller's Grafana credentials are none of the backend's business.
				p.Out.Header.Del("Authorization")
				p.Out.Header.Del("Cookie")
			},
			ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
				s.log.Warn("proxy", "uid", ds.UID, "err", err)
				s.answer(w, http.StatusBadGateway, map[string]any{"message": err.Error()})
			},
		}
		proxy.ServeHTTP(w, r)
	})
}
