package github

import (
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

var repositoryName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)

func (s *Server) user(w http.ResponseWriter, r *http.Request) {
	if err := strict.KnownQuery(r); err != nil {
		s.unexpected(w, r, http.StatusBadRequest, err.Error())
		return
	}
	s.answer(w, http.StatusOK, account(origin(r), s.cfg.Login))
}

func (s *Server) create(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		Private     bool   `json:"private"`
	}
	if err := strict.DecodeJSON(r, &body); err != nil {
		s.unexpected(w, r, http.StatusBadRequest, err.Error())
		return
	}
	owner := s.cfg.Login
	if org := r.PathValue("org"); org != "" {
		if !slices.Contains(s.cfg.Orgs, org) {
			s.refuse(w, http.StatusNotFound, "Not Found")
			return
		}
		owner = org
	}
	if !repositoryName.MatchString(body.Name) {
		s.invalid(w, "name is invalid")
		return
	}
	repo, taken, err := s.add(owner, body.Name, body.Description, body.Private)
	switch {
	case err != nil:
		s.log.Error("create repository", "err", err)
		s.refuse(w, http.StatusInternalServerError, "Server Error")
	case taken:
		s.invalid(w, "name already exists on this account")
	default:
		s.answer(w, http.StatusCreated, repo.document(origin(r)))
	}
}

func (s *Server) invalid(w http.ResponseWriter, message string) {
	s.answer(w, http.StatusUnprocessableEntity, map[string]any{
		"message":           "Repository creation failed.",
		"errors":            []any{map[string]any{"resource": "Repository", "code": "custom", "field": "name", "message": message}},
		"documentation_url": "https://docs.github.com/rest/repos/repos", "status": "422",
	})
}

// AddRepository makes a repository as somebody else would have: empty, with the given description.
func (s *Server) AddRepository(owner, name, description string, private bool) error {
	_, _, err := s.add(owner, name, description, private)
	return err
}

func (s *Server) add(owner, name, description string, private bool) (repo *repository, taken bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.ToLower(owner + "/" + name)
	if s.repos[key] != nil {
		return nil, true, nil
	}
	s.next++
	dir := filepath.Join(s.cfg.Dir, owner, name+".git")
	for _, args := range [][]string{
		{"init", "--quiet", "--bare", "--initial-branch=main", dir},
		{"-C", dir, "config", "http.receivepack", "true"},
	} {
		command := exec.Command("git", args...)
		command.Stderr = os.Stderr
		if err := command.Run(); err != nil {
			return nil, false, err
		}
	}
	repo = &repository{
		id: s.next, owner: owner, name: name, description: description, private: private,
		created: time.Now().UTC().Truncate(time.Second), defaultBranch: "main", dir: dir,
	}
	s.repos[key] = repo
	return repo, false, nil
}

func (s *Server) find(owner, name string) *repository {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.repos[strings.ToLower(owner+"/"+name)]
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	if err := strict.KnownQuery(r, "affiliation", "per_page", "page"); err != nil {
		s.unexpected(w, r, http.StatusBadRequest, err.Error())
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []any{}
	for _, key := range slices.Sorted(maps.Keys(s.repos)) {
		found = append(found, s.repos[key].document(origin(r)))
	}
	if page := r.URL.Query().Get("page"); page != "" && page != "1" {
		found = found[:0]
	}
	s.answer(w, http.StatusOK, found)
}

func (s *Server) get(w http.ResponseWriter, r *http.Request) {
	if err := strict.KnownQuery(r); err != nil {
		s.unexpected(w, r, http.StatusBadRequest, err.Error())
		return
	}
	repo := s.find(r.PathValue("owner"), r.PathValue("repo"))
	if repo == nil {
		s.refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	s.answer(w, http.StatusOK, repo.document(origin(r)))
}

func (s *Server) remove(w http.ResponseWriter, r *http.Request) {
	repo := s.find(r.PathValue("owner"), r.PathValue("repo"))
	switch {
	case repo == nil:
		s.refuse(w, http.StatusNotFound, "Not Found")
		return
	case s.cfg.NoDelete:
		s.refuse(w, http.StatusForbidden, "Must have admin rights to Repository.")
		return
	}
	s.mu.Lock()
	delete(s.repos, strings.ToLower(repo.fullName()))
	err := os.RemoveAll(repo.dir)
	s.mu.Unlock()
	if err != nil {
		s.log.Error("delete repository", "err", err)
	}
	w.WriteHeader(http.StatusNoContent)
}
