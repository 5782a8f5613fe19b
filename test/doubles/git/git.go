package git

import (
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Repository is one repository.
type Repository struct {
	// URL ends in .git.
	URL string

	t   testing.TB
	dir string
}

// Serve starts a server with an empty repository, for as long as the test runs.
func Serve(t testing.TB) *Repository {
	t.Helper()
	root := t.TempDir()
	r := &Repository{t: t, dir: filepath.Join(root, "app.git")}
	if err := os.Mkdir(r.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	r.git("init", "--quiet", "--initial-branch=main")
	server := httptest.NewServer(&cgi.Handler{
		Path: filepath.Join(r.git("--exec-path"), "git-http-backend"),
		Env:  []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "HOME=" + root, "GIT_CONFIG_NOSYSTEM=1"},
	})
	t.Cleanup(server.Close)
	r.URL = server.URL + "/app.git"
	return r
}

// Commit writes files and commits them on branch main, under a tag.
func (r *Repository) Commit(tag string, files map[string]string) {
	r.t.Helper()
	for name, content := range files {
		where := filepath.Join(r.dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(where), 0o755); err != nil {
			r.t.Fatal(err)
		}
		if err := os.WriteFile(where, []byte(content), 0o644); err != nil {
			r.t.Fatal(err)
		}
	}
	r.git("add", ".")
	r.git("commit", "--quiet", "--message", tag)
	r.git("tag", tag)
}

func (r *Repository) git(args ...string) string {
	r.t.Helper()
	command := exec.CommandContext(r.t.Context(), "git", args...)
	command.Dir = r.dir
	command.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@example.com",
		"GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@example.com")
	output, err := command.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %v: %v: %s", args, err, output)
	}
	return strings.TrimSpace(string(output))
}
