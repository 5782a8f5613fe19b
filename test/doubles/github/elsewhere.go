package github

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// What somebody does elsewhere, with git.

// CommitFile commits one more file to a branch, as somebody else.
func (s *Server) CommitFile(owner, name, branch, path, content string) {
	dir, err := os.MkdirTemp(s.cfg.Dir, ".clone-*")
	must(err)
	defer os.RemoveAll(dir) //nolint:errcheck // it lies in the double's own directory
	git(s.cfg.Dir, "clone", "--quiet", "--branch", branch, s.find(owner, name).dir, dir)
	must(os.WriteFile(filepath.Join(dir, path), []byte(content), 0o600))
	git(dir, "add", "--all")
	git(dir, "-c", "user.name=Somebody Else", "-c", "user.email=else@example.test", "commit", "--quiet", "--message", "By hand")
	git(dir, "push", "--quiet", "origin", branch)
}

// Archive makes a repository read-only, or not any more.
func (s *Server) Archive(owner, name string, archived bool) {
	repo := s.find(owner, name)
	s.mu.Lock()
	defer s.mu.Unlock()
	repo.archived = archived
}

// Commits is how many commits a branch has; 0 when there is none.
func (s *Server) Commits(owner, name, branch string) int {
	out, err := exec.Command("git", "-C", s.find(owner, name).dir, "rev-list", "--count", branch).Output()
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(out)))
	must(err)
	return n
}

func git(dir string, args ...string) {
	command := exec.Command("git", args...)
	command.Dir, command.Stderr = dir, os.Stderr
	must(command.Run())
}

func must(err error) {
	if err != nil {
		panic("github double: " + err.Error())
	}
}
