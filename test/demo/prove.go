package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
)

const (
	// probeService is the service.name under which the demo logs.
	probeService = "orch-demo"
	arrivalLimit = 30 * time.Second
	lokiQuery    = "/loki/api/v1/query_range"
	grafanaProxy = "/api/datasources/proxy/uid/orch-loki"
)

// prove sends a log line with a random marker to the Collector and reads it back, from Loki and through Grafana.
func (d *demo) prove(ctx context.Context, out outputs) error {
	marker := rand.Text()
	line := "hello from make demo, marker " + marker
	err := d.part("log line to the Collector", func() (string, error) {
		say("OTLP/HTTP: %s", line)
		return "OTLP/HTTP", sendLine(ctx, out.Endpoints["otlp_http"], line)
	})
	if err != nil {
		return err
	}
	err = d.part("read back from Loki", func() (string, error) {
		say("LogQL: %s", selector(marker))
		read, err := readLine(ctx, out.Endpoints["loki"], marker, nil)
		return "LogQL", d.got(read, line, err, out)
	})
	if err != nil {
		return err
	}
	return d.part("read back through Grafana", func() (string, error) {
		password, err := d.grafanaPassword(ctx)
		if err != nil {
			return "", err
		}
		read, err := readLine(ctx, out.Endpoints["grafana"]+grafanaProxy, marker, url.UserPassword(catalog.GrafanaAdminUser, password))
		return "datasource proxy", d.got(read, line, err, out)
	})
}

func (d *demo) got(read, sent string, err error, out outputs) error {
	if err != nil {
		return fmt.Errorf("%w\nlogs: docker logs %s; docker logs %s", err,
			out.Containers[catalog.CollectorName].Name, out.Containers[catalog.LokiName].Name)
	}
	if read != sent {
		return fmt.Errorf("the line that came back is another one\nsent: %s\nread: %s", sent, read)
	}
	say("read: %s", read)
	return nil
}

func selector(marker string) string {
	return fmt.Sprintf("{service_name=%q} |= %q", probeService, marker)
}

// grafanaPassword asks the worker's own command for the generated password.
func (d *demo) grafanaPassword(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, d.worker.Binary, d.secretArguments()...)
	cmd.Env = append(os.Environ(), d.tf.Env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("read Grafana's password: orch-worker %s: %w\n%s", strings.Join(d.secretArguments(), " "), err, stderr.String())
	}
	return strings.TrimRight(stdout.String(), "\n"), nil
}

func (d *demo) secretArguments() []string {
	return []string{"secret", d.ref.Kind, d.ref.Service, catalog.GrafanaName}
}

type attribute struct {
	Key   string `json:"key"`
	Value value  `json:"value"`
}

type value struct {
	String string `json:"stringValue"`
}

// otlpBody is an export request with one log record.
func otlpBody(line string, at time.Time) ([]byte, error) {
	type object = map[string]any
	record := object{
		"timeUnixNano": strconv.FormatInt(at.UnixNano(), 10), "severityNumber": 9, "severityText": "INFO", "body": value{line},
	}
	return json.Marshal(object{"resourceLogs": []any{object{
		"resource":  object{"attributes": []attribute{{"service.name", value{probeService}}}},
		"scopeLogs": []any{object{"logRecords": []any{record}}},
	}}})
}

func sendLine(ctx context.Context, collector, line string) error {
	body, err := otlpBody(line, time.Now())
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, collector+"/v1/logs", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("send a log line: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	answer, err := do(req)
	if err != nil {
		return fmt.Errorf("send a log line to the Collector: %w", err)
	}
	var partial struct {
		PartialSuccess struct {
			Rejected string `json:"rejectedLogRecords"`
			Message  string `json:"errorMessage"`
		} `json:"partialSuccess"`
	}
	if err := json.Unmarshal(answer, &partial); err != nil {
		return fmt.Errorf("send a log line: the Collector's answer cannot be read: %w\n%s", err, answer)
	}
	if p := partial.PartialSuccess; p.Message != "" || (p.Rejected != "" && p.Rejected != "0") {
		return fmt.Errorf("the Collector rejected the log line: %s", p.Message)
	}
	return nil
}

// readLine polls Loki at base until the line with the marker is there, and returns it.
func readLine(ctx context.Context, base, marker string, login *url.Userinfo) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, arrivalLimit)
	defer cancel()
	begin, said := time.Now(), time.Now()
	last := errors.New("it never answered")
	for {
		lines, err := query(ctx, base, marker, login)
		switch {
		case err == nil && len(lines) == 1:
			return lines[0], nil
		case err == nil && len(lines) > 1:
			return "", fmt.Errorf("the line came back %d times\n%s", len(lines), strings.Join(lines, "\n"))
		case err == nil:
			last = errors.New("its answers held no such line")
		case ctx.Err() == nil:
			last = err
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("the line did not come back from %s within %s: %w", base, arrivalLimit, last)
		case <-time.After(50 * time.Millisecond):
		}
		if time.Since(said) >= 3*time.Second {
			said = time.Now()
			say("waiting for the line, %.0f s", time.Since(begin).Seconds())
		}
	}
}

func query(ctx context.Context, base, marker string, login *url.Userinfo) ([]string, error) {
	now := time.Now()
	parameters := url.Values{
		"query": {selector(marker)},
		"start": {strconv.FormatInt(now.Add(-time.Hour).UnixNano(), 10)},
		"end":   {strconv.FormatInt(now.Add(time.Minute).UnixNano(), 10)},
		"limit": {"10"},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+lokiQuery+"?"+parameters.Encode(), nil)
	if err != nil {
		return nil, err
	}
	if login != nil {
		password, _ := login.Password()
		req.SetBasicAuth(login.Username(), password)
	}
	answer, err := do(req)
	if err != nil {
		return nil, err
	}
	var result struct {
		Data struct {
			Result []struct {
				Values [][]string `json:"values"`
			} `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal(answer, &result); err != nil {
		return nil, fmt.Errorf("the answer to %s cannot be read: %w", req.URL.Path, err)
	}
	var lines []string
	for _, stream := range result.Data.Result {
		for _, entry := range stream.Values {
			if len(entry) >= 2 { // time, line, and possibly metadata
				lines = append(lines, entry[1])
			}
		}
	}
	return lines, nil
}

var client = &http.Client{Timeout: 10 * time.Second}

// do returns the body of a successful answer.
func do(req *http.Request) ([]byte, error) {
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s: %s: %s", req.Method, req.URL.Redacted(), resp.Status, bytes.TrimSpace(body))
	}
	return body, nil
}
