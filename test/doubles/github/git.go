package github

import (
	"bytes"
	"io"
	"net/http"
	"net/http/cgi"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

// git serves one request of git's smart HTTP protocol with git's own server.
func (s *Server) git(w http.ResponseWriter, r *http.Request) {
	if err := strict.KnownQuery(r, "service"); err != nil {
		s.unexpected(w, r, http.StatusBadRequest, err.Error())
		return
	}
	writes := strings.HasSuffix(r.URL.Path, "/git-receive-pack") || r.URL.Query().Get("service") == "git-receive-pack"
	user, password, given := r.BasicAuth()
	allowed := given && user == "x-access-token" && password == s.cfg.Token
	repo := s.find(r.PathValue("owner"), strings.TrimSuffix(r.PathValue("repo"), ".git"))
	hidden := repo == nil || repo.private
	if given && !allowed || !allowed && (hidden || writes) {
		w.Header().Set("WWW-Authenticate", `Basic realm="GitHub"`)
		http.Error(w, "remote: Invalid username or token. Password authentication is not supported for Git operations.", http.StatusUnauthorized)
		return
	}
	if repo == nil {
		http.Error(w, "remote: Repository not found.", http.StatusNotFound)
		return
	}
	// CGI has no chunked bodies, which git uses for large packs.
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	inner := r.Clone(r.Context())
	inner.Body, inner.ContentLength, inner.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
	// The backend looks below its root for the path that it is given.
	inner.URL.Path = "/" + repo.owner + "/" + repo.name + ".git" + strings.TrimPrefix(r.URL.Path, "/"+r.PathValue("owner")+"/"+r.PathValue("repo"))
	inner.URL.RawPath = ""
	(&cgi.Handler{
		Path: s.backend, Dir: s.cfg.Dir,
		Env: []string{"GIT_PROJECT_ROOT=" + s.cfg.Dir, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=" + s.cfg.Login, "HOME=" + s.cfg.Dir, "GIT_CONFIG_NOSYSTEM=1"},
	}).ServeHTTP(w, inner)
}
