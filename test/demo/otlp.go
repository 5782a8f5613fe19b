package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// probeService is the service.name under which the demo sends telemetry.
const probeService = "orch-demo"

type object = map[string]any

func attribute(key, value string) object {
	return object{"key": key, "value": object{"stringValue": value}}
}

// resource is who sends.
func resource() object {
	return object{"attributes": []any{attribute("service.name", probeService)}}
}

func nanoseconds(at time.Time) string { return strconv.FormatInt(at.UnixNano(), 10) }

// span is one span of a trace. Its zero value means none.
type span struct {
	trace, id, name string
	begin, end      time.Time
}

// newSpan is a span that ended just now, the only one of its trace.
func newSpan(name string) span {
	var id [24]byte
	_, _ = rand.Read(id[:]) // never fails
	end := time.Now()
	return span{trace: hex.EncodeToString(id[:16]), id: hex.EncodeToString(id[16:]), name: name, begin: end.Add(-120 * time.Millisecond), end: end}
}

// sendLine exports one log record, written within a span where there is one.
func sendLine(ctx context.Context, collector, line string, within span) error {
	record := object{
		"timeUnixNano": nanoseconds(time.Now()), "severityNumber": 9, "severityText": "INFO", "body": object{"stringValue": line},
	}
	if within.trace != "" {
		record["traceId"], record["spanId"], record["flags"] = within.trace, within.id, 1
	}
	return export(ctx, collector, "logs", object{"resourceLogs": []any{object{
		"resource": resource(), "scopeLogs": []any{object{"logRecords": []any{record}}},
	}}})
}

// sendSpan exports a span.
func sendSpan(ctx context.Context, collector string, s span) error {
	const kindServer = 2
	return export(ctx, collector, "traces", object{"resourceSpans": []any{object{
		"resource": resource(),
		"scopeSpans": []any{object{"spans": []any{object{
			"traceId": s.trace, "spanId": s.id, "name": s.name, "kind": kindServer,
			"startTimeUnixNano": nanoseconds(s.begin), "endTimeUnixNano": nanoseconds(s.end),
		}}}},
	}}})
}

// counterName is what sendCount's counter is called in OTLP, and promCounter in Prometheus.
const (
	counterName = "orch_demo_requests"
	promCounter = "orch_demo_requests_total"
)

// sendCount exports a counter's value, with the span that it was last raised in as its exemplar.
func sendCount(ctx context.Context, collector, marker string, value int, last span) error {
	const cumulative = 2
	point := object{
		"attributes":        []any{attribute("marker", marker)},
		"startTimeUnixNano": nanoseconds(last.begin), "timeUnixNano": nanoseconds(last.end), "asInt": strconv.Itoa(value),
		"exemplars": []any{object{"timeUnixNano": nanoseconds(last.end), "asInt": "1", "traceId": last.trace, "spanId": last.id}},
	}
	return export(ctx, collector, "metrics", object{"resourceMetrics": []any{object{
		"resource": resource(),
		"scopeMetrics": []any{object{"metrics": []any{object{
			"name": counterName,
			"sum":  object{"aggregationTemporality": cumulative, "isMonotonic": true, "dataPoints": []any{point}},
		}}}},
	}}})
}

// export sends a request of OTLP/HTTP and sees that nothing of it was rejected.
func export(ctx context.Context, collector, signal string, request object) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, collector+"/v1/"+signal, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("send %s: %w", signal, err)
	}
	req.Header.Set("Content-Type", "application/json")
	answer, err := do(req)
	if err != nil {
		return fmt.Errorf("send %s to the Collector: %w", signal, err)
	}
	// The number is named after the signal; the message is set whenever there is one.
	var partial struct {
		PartialSuccess struct {
			Message string `json:"errorMessage"`
			Logs    string `json:"rejectedLogRecords"`
			Points  string `json:"rejectedDataPoints"`
			Spans   string `json:"rejectedSpans"`
		} `json:"partialSuccess"`
	}
	if err := json.Unmarshal(answer, &partial); err != nil {
		return fmt.Errorf("send %s: the Collector's answer cannot be read: %w\n%s", signal, err, answer)
	}
	p := partial.PartialSuccess
	for _, rejected := range []string{p.Logs, p.Points, p.Spans} {
		if p.Message != "" || (rejected != "" && rejected != "0") {
			return fmt.Errorf("the Collector rejected the %s: %s", signal, p.Message)
		}
	}
	return nil
}

var client = &http.Client{Timeout: 10 * time.Second}

// statusError is an answer that says no.
type statusError struct {
	code int
	text string
}

// Error is the request and what was answered.
func (e *statusError) Error() string { return e.text }

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
		return nil, &statusError{resp.StatusCode, fmt.Sprintf("%s %s: %s: %s", req.Method, req.URL.Redacted(), resp.Status, bytes.TrimSpace(body))}
	}
	return body, nil
}
