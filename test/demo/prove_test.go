package main

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	logsv1 "go.opentelemetry.io/proto/otlp/logs/v1"
	metricsv1 "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
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
			result := map[string]any{"data": map[string]any{"result": []any{map[string]any{"stream": map[string]string{"trace_id": "1f"}, "values": values}}}}
			_ = json.NewEncoder(w).Encode(result)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestLineIsReadBackAsSoonAsItIsThere(t *testing.T) {
	s := source{loki(t, nil, nil, []string{"a MARK"}), url.UserPassword("admin", "right")}
	read, err := s.readLine(t.Context(), selector("MARK"))
	require.NoError(t, err)
	require.Equal(t, "a MARK", read.line)
	require.Equal(t, "1f", read.labels["trace_id"])
}

func TestLineThatCameTwiceIsAnError(t *testing.T) {
	s := source{loki(t, []string{"a MARK", "a MARK"}), url.UserPassword("admin", "right")}
	_, err := s.readLine(t.Context(), selector("MARK"))
	require.ErrorContains(t, err, "came back 2 times")
}

func TestLineThatNeverCameNamesTheLastAnswer(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := source{loki(t, nil), url.UserPassword("admin", "wrong")}.readLine(ctx, selector("MARK"))
	require.ErrorContains(t, err, "did not come back")
	require.ErrorContains(t, err, "401")
	require.NotContains(t, err.Error(), "wrong", "a password is in no message")
}

// What the demo sends is valid for the messages that every receiver of OTLP decodes it into.
func TestTelemetryIsValidOTLP(t *testing.T) {
	messages := map[string]proto.Message{"/v1/logs": &logsv1.LogsData{}, "/v1/metrics": &metricsv1.MetricsData{}, "/v1/traces": &tracev1.TracesData{}}
	answer := `{"partialSuccess":{}}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		message, ok := messages[r.URL.Path]
		if !ok || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
			http.Error(w, "unknown request", http.StatusBadRequest)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err == nil {
			// OTLP's JSON has its identifiers in hex, protobuf's in base64; the lengths tell them apart.
			err = protojson.Unmarshal(identifier.ReplaceAllFunc(body, inBase64), message)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	s := newSpan("a request")
	require.NoError(t, sendLine(t.Context(), server.URL, "hello", s))
	require.NoError(t, sendCount(t.Context(), server.URL, "MARK", 3, s))
	require.NoError(t, sendSpan(t.Context(), server.URL, s))
	for path, message := range messages {
		require.Contains(t, protojson.Format(message), probeService, path)
	}

	for name, rejected := range map[string]string{"/v1/logs": "rejectedLogRecords", "/v1/metrics": "rejectedDataPoints", "/v1/traces": "rejectedSpans"} {
		answer = `{"partialSuccess":{"` + rejected + `":"1","errorMessage":"too old"}}`
		err := export(t.Context(), server.URL, strings.TrimPrefix(name, "/v1/"), object{})
		require.ErrorContains(t, err, "too old")
	}
}

var identifier = regexp.MustCompile(`"(traceId|spanId)":"[0-9a-f]+"`)

func inBase64(pair []byte) []byte {
	name, text, _ := strings.Cut(string(pair), ":")
	raw, err := hex.DecodeString(strings.Trim(text, `"`))
	if err != nil || (len(raw) != 16 && len(raw) != 8) {
		return []byte("invalid")
	}
	return []byte(name + `:"` + base64.StdEncoding.EncodeToString(raw) + `"`)
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
