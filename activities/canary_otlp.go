package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// probeService is the service.name that all canaries of the telemetry signals carry.
const probeService = "orch-probe"

// lookAround is how far before and after its write a log line is looked for: clocks of hosts differ.
const lookAround = 5 * time.Minute

// object is OTLP's JSON.
type object = map[string]any

// telemetry is a canary that goes in by OTLP and comes out through a data source of Grafana.
type telemetry struct {
	// path is where OTLP/HTTP takes the signal.
	path string
	// payload is the request, made at the time of the write.
	payload func(now time.Time) object
	// ask is the path and query at the data source.
	ask func(written time.Time) (string, url.Values)
	// found looks for the canary in what the data source says.
	found func(body []byte) (found bool, seen string, err error)
}

func (v verification) otlp(ctx context.Context, c contract.Canary) (bird, error) {
	receiver, err := v.receiver(ctx, c)
	if err != nil {
		return bird{}, err
	}
	var t telemetry
	switch c.Signal {
	case contract.SignalLog:
		t = logLine(marker())
	case contract.SignalMetric:
		t = gauge(marker(), 1+rand.Float64()*1e6)
	default:
		t = span(marker())
	}
	if c.Path != "" {
		t.path = c.Path
	}
	var written time.Time
	b := bird{
		Canary: c,
		into:   fmt.Sprintf("%s at %s", c.Component, receiver.base+t.path),
		write: func(ctx context.Context) error {
			written = time.Now()
			return export(ctx, receiver, t.path, t.payload(written))
		},
	}
	var from source
	switch {
	case c.Store != nil:
		from, err = v.store(ctx, *c.Store, t, &written)
	case c.Sent:
		from, err = v.sent(ctx, c)
	default:
		from, b.reader, err = v.throughGrafana(c, t, &written)
	}
	b.from, b.prepare, b.read = from.from, from.prepare, from.read
	return b, err
}

// throughGrafana reads a canary back through the data source that a person would look at it through.
func (v verification) throughGrafana(c contract.Canary, t telemetry, written *time.Time) (from source, reader string, err error) {
	view, reader, err := v.view()
	if err != nil {
		return source{}, "", err
	}
	return source{
		from: fmt.Sprintf("data source %s of Grafana at %s", c.DatasourceUID, view.at()),
		read: func(ctx context.Context) (bool, string, error) {
			path, query := t.ask(*written)
			got, err := view.ask(ctx, http.MethodGet, through(c.DatasourceUID, path, query), nil)
			if err != nil {
				return false, "", err
			}
			return t.look(got)
		},
	}, reader, nil
}

// export sends one OTLP request. A receiver may take a request and refuse what is in it.
func export(ctx context.Context, to rest, path string, payload object) error {
	got, err := to.call(ctx, http.MethodPost, path, payload)
	if err != nil {
		return err
	}
	switch got.status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return contract.Fail(contract.Unavailable, "%s", got)
	}
	if !got.ok() {
		return contract.Fail(contract.Unhealthy, "%s", got)
	}
	var partial struct {
		Success struct {
			Message string `json:"errorMessage"`
		} `json:"partialSuccess"`
	}
	if len(got.body) > 0 && got.decode(&partial) == nil && partial.Success.Message != "" {
		return contract.Fail(contract.Unhealthy, "%d, but it was not taken: %s", got.status, quote(partial.Success.Message))
	}
	return nil
}

func attributes(pairs ...string) []object {
	var all []object
	for i := 0; i+1 < len(pairs); i += 2 {
		all = append(all, object{"key": pairs[i], "value": object{"stringValue": pairs[i+1]}})
	}
	return all
}

// envelope puts items of a signal into the layers that OTLP wraps them in, for example "resourceLogs", "scopeLogs" and
// "logRecords".
func envelope(resources, scopes, items string, item object) object {
	return object{resources: []object{{
		"resource": object{"attributes": attributes("service.name", probeService)},
		scopes:     []object{{"scope": object{"name": "orch"}, items: []object{item}}},
	}}}
}

func nanos(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }

func logLine(mark string) telemetry {
	return telemetry{
		path: "/v1/logs",
		payload: func(now time.Time) object {
			return envelope("resourceLogs", "scopeLogs", "logRecords", object{
				"timeUnixNano": nanos(now), "observedTimeUnixNano": nanos(now), "severityNumber": 9, "severityText": "INFO",
				"body": object{"stringValue": "orch canary " + mark},
			})
		},
		ask: func(written time.Time) (string, url.Values) {
			return "/loki/api/v1/query_range", url.Values{
				"query": {fmt.Sprintf("{service_name=%q} |= %q", probeService, mark)}, "limit": {"1"},
				"start": {nanos(written.Add(-lookAround))}, "end": {nanos(written.Add(lookAround))},
			}
		},
		found: func(body []byte) (bool, string, error) {
			var said struct {
				Data struct {
					Result []struct {
						Values [][]any `json:"values"`
					} `json:"result"`
				} `json:"data"`
			}
			if err := json.Unmarshal(body, &said); err != nil {
				return false, "", err
			}
			for _, stream := range said.Data.Result {
				for _, value := range stream.Values {
					if len(value) > 1 && strings.Contains(fmt.Sprint(value[1]), mark) {
						return true, "", nil
					}
				}
			}
			return false, "no line with it yet", nil
		},
	}
}

func gauge(mark string, value float64) telemetry {
	return telemetry{
		path: "/api/v1/otlp/v1/metrics",
		payload: func(now time.Time) object {
			// No unit: Prometheus would put it into the name.
			return envelope("resourceMetrics", "scopeMetrics", "metrics", object{"name": "orch_probe", "gauge": object{"dataPoints": []object{{
				"timeUnixNano": nanos(now), "asDouble": value, "attributes": attributes("marker", mark),
			}}}})
		},
		ask: func(time.Time) (string, url.Values) {
			return "/api/v1/query", url.Values{"query": {fmt.Sprintf("orch_probe{marker=%q}", mark)}}
		},
		found: func(body []byte) (bool, string, error) {
			var said struct {
				Data struct {
					Result []struct {
						Value []any `json:"value"`
					} `json:"result"`
				} `json:"data"`
			}
			if err := json.Unmarshal(body, &said); err != nil {
				return false, "", err
			}
			if len(said.Data.Result) == 0 || len(said.Data.Result[0].Value) < 2 {
				return false, "no sample of it yet", nil
			}
			text := fmt.Sprint(said.Data.Result[0].Value[1])
			got, err := strconv.ParseFloat(text, 64)
			return got == value, fmt.Sprintf("the value %s instead of %v", text, value), err
		},
	}
}

func span(traceID string) telemetry {
	return telemetry{
		path: "/v1/traces",
		payload: func(now time.Time) object {
			return envelope("resourceSpans", "scopeSpans", "spans", object{
				"traceId": traceID, "spanId": traceID[:16], "name": "canary", "kind": 1,
				"startTimeUnixNano": nanos(now.Add(-time.Millisecond)), "endTimeUnixNano": nanos(now),
			})
		},
		ask: func(time.Time) (string, url.Values) { return "/api/traces/" + traceID, nil },
		found: func(body []byte) (bool, string, error) {
			var said struct {
				Data []struct {
					TraceID string            `json:"traceID"`
					Spans   []json.RawMessage `json:"spans"`
				} `json:"data"`
			}
			if err := json.Unmarshal(body, &said); err != nil {
				return false, "", err
			}
			for _, trace := range said.Data {
				if strings.EqualFold(trace.TraceID, traceID) && len(trace.Spans) > 0 {
					return true, "", nil
				}
			}
			return false, "no span of it yet", nil
		},
	}
}
