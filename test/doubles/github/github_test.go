package github

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
)

func double(t *testing.T) *Server {
	t.Helper()
	s, err := New(Config{Token: "good", Login: "octo", Dir: t.TempDir()}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ask(t *testing.T, s *Server, method, path, body string) int {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header = http.Header{
		"Authorization": {"Bearer good"}, "User-Agent": {"test"}, "Accept": {"application/vnd.github+json"}, "X-Github-Api-Version": {"2022-11-28"},
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code
}

func TestRepositoriesComeAndGo(t *testing.T) {
	s := double(t)
	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{http.MethodGet, "/repos/octo/shop", "", 404},
		{http.MethodPost, "/user/repos", `{"name":"shop"}`, 201},
		{http.MethodPost, "/user/repos", `{"name":"Shop"}`, 422},
		{http.MethodPost, "/orgs/acme/repos", `{"name":"shop"}`, 404},
		{http.MethodGet, "/repos/octo/shop", "", 200},
		{http.MethodGet, "/user/repos", "", 200},
		{http.MethodDelete, "/repos/octo/shop", "", 204},
		{http.MethodDelete, "/repos/octo/shop", "", 404},
	} {
		if got := ask(t, s, c.method, c.path, c.body); got != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, got, c.want)
		}
	}
	if unknown := s.Unknown(); len(unknown) != 0 {
		t.Errorf("unknown: %v", unknown)
	}
	ask(t, s, http.MethodGet, "/gists", "")
	ask(t, s, http.MethodPost, "/user/repos", `{"nome":"x"}`)
	if unknown := s.Unknown(); len(unknown) != 2 {
		t.Errorf("unknown: %v", unknown)
	}
}

// The real git is the client here: the server must be a real one too.
func TestGitClonesAndPushesWithTheTokenOnly(t *testing.T) {
	s := double(t)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	if err := s.AddRepository("octo", "shop", "", true); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	run := func(args ...string) error {
		command := exec.CommandContext(t.Context(), "git", args...)
		command.Dir = dir
		command.Env = []string{"GIT_TERMINAL_PROMPT=0", "HOME=" + dir, "PATH=/usr/local/bin:/usr/bin:/bin", "GIT_CONFIG_NOSYSTEM=1"}
		out, err := command.CombinedOutput()
		t.Logf("git %s: %s", args[0], out)
		return err
	}
	if err := run("clone", "--quiet", server.URL+"/octo/shop.git", "anonymous"); err == nil {
		t.Error("a private repository was cloned without a token")
	}
	url := strings.Replace(server.URL, "http://", "http://x-access-token:good@", 1) + "/octo/shop"
	for _, args := range [][]string{
		{"clone", "--quiet", url, "."},
		{"-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--allow-empty", "--message", "first"},
		{"push", "--quiet", "origin", "HEAD:main"},
	} {
		if err := run(args...); err != nil {
			t.Fatal(args, err)
		}
	}
	if s.Commits("octo", "shop", "main") != 1 {
		t.Error("the commit did not arrive")
	}
}
