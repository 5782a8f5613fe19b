package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// dataLimit is how long a line may take through the Collector's batch and Loki.
const dataLimit = time.Minute

var httpClient = &http.Client{Timeout: 20 * time.Second}

func localURL(port int, path string) string { return "http://127.0.0.1:" + strconv.Itoa(port) + path }

// sendLine writes a log line through the Collector by OTLP/HTTP.
func sendLine(t *testing.T, p *pipeline, line string) {
	t.Helper()
	text := func(value string) map[string]any { return map[string]any{"stringValue": value} }
	body, err := json.Marshal(map[string]any{"resourceLogs": []any{map[string]any{
		"resource": map[string]any{"attributes": []any{map[string]any{"key": "service.name", "value": text(p.service)}}},
		"scopeLogs": []any{map[string]any{"logRecords": []any{map[string]any{
			"timeUnixNano": strconv.FormatInt(time.Now().UnixNano(), 10), "body": text(line),
		}}}},
	}}})
	require.NoError(t, err)
	response, err := httpClient.Post(localURL(p.http, "/v1/logs"), "application/json", bytes.NewReader(body))
	require.NoError(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode, "OTLP: %s", answer)
}

func logQL(p *pipeline, line string) string {
	return "?" + url.Values{"query": {fmt.Sprintf("{service_name=%q} |= %q", p.service, line)}}.Encode()
}

// lokiHas waits until LogQL finds the line.
func lokiHas(t *testing.T, p *pipeline, line string) {
	t.Helper()
	eventually(t, dataLimit, "Loki returns "+line, func() bool {
		_, body, err := get(localURL(p.loki, "/loki/api/v1/query_range"+logQL(p, line)), "", "")
		return err == nil && strings.Contains(body, line)
	})
}

// grafanaHas waits until Grafana's datasource proxy finds the line.
func grafanaHas(t *testing.T, p *pipeline, password, line string) {
	t.Helper()
	eventually(t, dataLimit, "Grafana returns "+line, func() bool {
		_, body, err := get(localURL(p.grafana, "/api/datasources/proxy/uid/orch-loki/loki/api/v1/query_range"+logQL(p, line)), "admin", password)
		return err == nil && strings.Contains(body, line)
	})
}

// loginStatus is what Grafana answers to a login: 200 or 401.
func loginStatus(t *testing.T, p *pipeline, password string) int {
	t.Helper()
	status, _, err := get(localURL(p.grafana, "/api/user"), "admin", password)
	require.NoError(t, err)
	return status
}

func get(target, user, password string) (int, string, error) {
	request, err := http.NewRequest(http.MethodGet, target, nil)
	if err != nil {
		return 0, "", err
	}
	if user != "" {
		request.SetBasicAuth(user, password)
	}
	response, err := httpClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

// grafanaPassword asks the worker for the administrator's password.
func grafanaPassword(t *testing.T, s *server, p *pipeline) string {
	t.Helper()
	exit, out := s.orchWorker(t, "secret", "logs", p.service, "grafana")
	require.Zero(t, exit)
	password := strings.TrimSpace(out)
	require.NotEmpty(t, password)
	return password
}
