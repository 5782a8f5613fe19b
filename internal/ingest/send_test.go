package ingest

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// A wrong scheme, or something else that answers in the receiver's place, is no reason to drop lines.
func TestLinesWaitForTheRightReceiver(t *testing.T) {
	d := newDesk(t)
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	d.spec.Endpoint = strings.Replace(secure.URL, "https:", "http:", 1)
	d.write("app.log", "one\n")
	tail, stop := d.start()
	waitFor(t, func() bool { return tail.Status().Failing })
	require.Contains(t, tail.Status().LastError, "it begins with https://")
	require.Zero(t, tail.Status().Rejected)
	stop()

	d.spec.Endpoint = d.server.URL
	d.fault(func(w http.ResponseWriter, _ []received) bool {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, err := w.Write([]byte("<html>welcome</html>"))
		require.NoError(t, err)
		return false
	})
	tail, _ = d.start()
	waitFor(t, func() bool { return tail.Status().Failing })
	require.Contains(t, tail.Status().LastError, "web page")
	d.fault(nil)
	d.gets("one")
}

// The token in a file has expired, and another one takes its place while lines wait.
func TestHeadersAreSentAndFoundAnewWhenTheyAreRefused(t *testing.T) {
	d := newDesk(t)
	var renewed atomic.Bool
	file := contract.SecretSource{File: "/run/token"}
	d.secrets = Secrets{
		Resolve: func(source contract.SecretSource) (string, error) {
			require.Equal(t, file, source)
			if renewed.Load() {
				return "Bearer good-token", nil
			}
			return "Bearer expired-token", nil
		},
		Mask: func(text string, values ...string) string {
			for _, value := range values {
				text = strings.ReplaceAll(text, value, "***")
			}
			return text
		},
	}
	d.spec.Headers = map[string]contract.IngestHeader{"Authorization": {Secret: &file}, "X-Scope-OrgID": {Value: "team"}}
	d.demand = func(h http.Header) (refusal string) {
		require.Equal(t, "team", h.Get("X-Scope-OrgID"))
		if h.Get("Authorization") != "Bearer good-token" {
			return strings.TrimPrefix(h.Get("Authorization"), "Bearer ") + " has expired"
		}
		return ""
	}
	d.write("app.log", "one\n")
	tail, _ := d.start()
	waitFor(t, func() bool { return tail.Status().Failing })
	require.Contains(t, tail.Status().LastError, "401 Unauthorized: *** has expired")
	renewed.Store(true)
	d.gets("one")
	_, _, err := Secrets{Resolve: func(contract.SecretSource) (string, error) { return "a\nb", nil }}.Headers(d.spec)
	require.ErrorContains(t, err, "header Authorization: the value has more than one line")
}

func TestWhatKeepsLinesFromBeingShippedIsNotHiddenByOtherTrouble(t *testing.T) {
	var log bytes.Buffer
	w := &watch{log: slog.New(slog.NewTextHandler(&log, nil))}
	for range 3 {
		w.stuck(errors.New("503"))
		w.trouble(errors.New("a.log: permission denied"))
		w.trouble(errors.New("b.log: permission denied"))
	}
	l, err := openLedger(filepath.Join(t.TempDir(), checkpointFile))
	require.NoError(t, err)
	require.Equal(t, "503", w.status(contract.Ingest{}, l).LastError)
	require.Equal(t, 3, strings.Count(log.String(), "WARN"), "each once a minute")
	w.taken()
	require.False(t, w.status(contract.Ingest{}, l).Failing)
	require.Equal(t, "b.log: permission denied", w.status(contract.Ingest{}, l).LastError)
}
