package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// loki answers the nth query with the nth list of lines, and everything that it does not know with an error.
func loki(t *testing.T, answers ...[]string) string {
	t.Helper()
	queries := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		switch {
		case r.URL.Path != lokiQuery:
			http.NotFound(w, r)
		case user != "admin" || password != "right":
			http.Error(w, "Invalid username or password", http.StatusUnauthorized)
		case r.FormValue("query") != `{service_name="orch-demo"} |= "MARK"`:
			http.Error(w, "unknown query", http.StatusBadRequest)
		default:
			values := [][]string{}
			for i, line := range answers[min(queries, len(answers)-1)] {
				values = append(values, []string{fmt.Sprint(i), line})
			}
			queries++
			result := map[string]any{"data": map[string]any{"result": []any{map[string]any{"values": values}}}}
			_ = json.NewEncoder(w).Encode(result)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestLineIsReadBackAsSoonAsItIsThere(t *testing.T) {
	line, err := readLine(t.Context(), loki(t, nil, nil, []string{"a MARK"}), "MARK", url.UserPassword("admin", "right"))
	require.NoError(t, err)
	require.Equal(t, "a MARK", line)
}

func TestLineThatCameTwiceIsAnError(t *testing.T) {
	_, err := readLine(t.Context(), loki(t, []string{"a MARK", "a MARK"}), "MARK", url.UserPassword("admin", "right"))
	require.ErrorContains(t, err, "came back 2 times")
}

func TestLineThatNeverCameNamesTheLastAnswer(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := readLine(ctx, loki(t, nil), "MARK", url.UserPassword("admin", "wrong"))
	require.ErrorContains(t, err, "did not come back")
	require.ErrorContains(t, err, "401")
	require.NotContains(t, err.Error(), "wrong", "a password is in no message")
}

func TestLogLineIsValidOTLP(t *testing.T) {
	var got struct {
		ResourceLogs []struct {
			Resource  struct{ Attributes []attribute }
			ScopeLogs []struct {
				LogRecords []struct {
					TimeUnixNano string
					Body         value
				}
			}
		}
	}
	answer := `{"partialSuccess":{}}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/v1/logs" || r.Header.Get("Content-Type") != "application/json" {
			http.Error(w, "unknown request", http.StatusBadRequest)
			return
		}
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	require.NoError(t, sendLine(t.Context(), server.URL, "hello"))
	require.Equal(t, "service.name", got.ResourceLogs[0].Resource.Attributes[0].Key)
	require.Equal(t, "hello", got.ResourceLogs[0].ScopeLogs[0].LogRecords[0].Body.String)

	answer = `{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"too old"}}`
	require.ErrorContains(t, sendLine(t.Context(), server.URL, "hello"), "rejected the log line: too old")
}

func TestOutputOfProgramsIsIndented(t *testing.T) {
	var b strings.Builder
	w := &indent{to: &b}
	for _, piece := range []string{"one\ntw", "o\n\nthree", "\n"} {
		n, err := io.WriteString(w, piece)
		require.NoError(t, err)
		require.Equal(t, len(piece), n)
	}
	require.Equal(t, "    one\n    two\n\n    three\n", b.String())
}

func TestWordsAreQuotedForTheShell(t *testing.T) {
	for word, want := range map[string]string{
		"/a/b-c.d": "/a/b-c.d", "a b": "'a b'", "it's": `'it'\''s'`, "": "''", "$x": "'$x'",
	} {
		require.Equal(t, want, quote(word))
	}
}
