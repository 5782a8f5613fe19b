package httpserve

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

func TestRunFinishesTheRequestInFlightBeforeItEnds(t *testing.T) {
	addr := freeAddress(t)
	entered, release := make(chan struct{}), make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		_, _ = io.WriteString(w, "done")
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, map[string]http.Handler{addr: handler}) }()

	body := make(chan string, 1)
	go func() { body <- getUntilAnswered(t, "http://"+addr) }()
	<-entered
	cancel()
	close(release)
	if got := <-body; got != "done" {
		t.Errorf("request in flight got %q", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("graceful end returned %v", err)
	}
}

func TestRunFailsWhenOneAddressIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	free := freeAddress(t)
	err = Run(t.Context(), map[string]http.Handler{taken.Addr().String(): http.NotFoundHandler(), free: http.NotFoundHandler()})
	if err == nil {
		t.Fatal("a taken port went unnoticed")
	}
	ln, err := net.Listen("tcp", free)
	if err != nil {
		t.Fatalf("the other address was left open: %v", err)
	}
	_ = ln.Close()
}

func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	return ln.Addr().String()
}

func getUntilAnswered(t *testing.T, url string) string {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		resp, err := http.Get(url)
		if err != nil {
			continue
		}
		raw, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			t.Errorf("read body: %v", err)
		}
		return string(raw)
	}
	t.Errorf("%s never answered", url)
	return ""
}
