package box

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestExitPrintsItsLinesAndReturnsItsCode(t *testing.T) {
	var out strings.Builder
	if code := Main(t.Context(), []string{"exit", "-code", "3", "-lines", "20"}, &out); code != 3 {
		t.Errorf("exit code %d, want 3", code)
	}
	if lines := strings.Count(out.String(), "\n"); lines != 20 || !strings.HasSuffix(out.String(), "line 20 of 20\n") {
		t.Errorf("%d lines:\n%s", lines, out.String())
	}
}

func TestWrongCommandLinesEndWithTwo(t *testing.T) {
	for _, args := range [][]string{nil, {"dance"}, {"exit", "-cod", "1"}, {"exit", "extra"}} {
		var out strings.Builder
		if code := Main(t.Context(), args, &out); code != 2 || out.Len() == 0 {
			t.Errorf("%q ended with %d and says %q", args, code, out.String())
		}
	}
}

func TestServeFailsWithoutItsDataDirectory(t *testing.T) {
	var out strings.Builder
	if code := Main(t.Context(), []string{"serve", "-data", "/nonexistent/data"}, &out); code != 1 || !strings.Contains(out.String(), "/nonexistent/data") {
		t.Errorf("ended with %d:\n%s", code, out.String())
	}
}

func TestServeBecomesReadyLaterAndShowsFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "injected")
	if err := os.WriteFile(path, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	get := func(readyAt time.Time, target string) (int, string) {
		w := httptest.NewRecorder()
		routes(readyAt).ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
		return w.Code, w.Body.String()
	}
	if status, _ := get(time.Now().Add(time.Hour), "/ready"); status != http.StatusServiceUnavailable {
		t.Errorf("early /ready gave %d", status)
	}
	if status, _ := get(time.Now(), "/ready"); status != http.StatusOK {
		t.Errorf("late /ready gave %d", status)
	}
	if status, body := get(time.Now(), "/?file="+path); status != http.StatusOK || body != "content" {
		t.Errorf("file gave %d %q", status, body)
	}
	if status, _ := get(time.Now(), "/?file=/nonexistent"); status != http.StatusNotFound {
		t.Errorf("missing file gave %d", status)
	}
}

func TestHangAndCrashEndAsAsked(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out strings.Builder
	if code := Main(ctx, []string{"hang"}, &out); code != 0 {
		t.Errorf("hang ended with %d after the signal", code)
	}
	if code := Main(t.Context(), []string{"crash-loop", "-after", "1ms"}, &out); code != 1 {
		t.Errorf("crash-loop ended with %d", code)
	}
}
