package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// arrivalLimit is how long the way from a write to a read may take.
	arrivalLimit = 30 * time.Second
	lokiQuery    = "/loki/api/v1/query_range"
)

// source is an HTTP API that is read from: a store itself, or Grafana's proxy to it.
type source struct {
	base  string
	login *url.Userinfo
}

// datasource is a data source of the Grafana at s, through its proxy.
func (s source) datasource(uid string) source {
	return source{s.base + "/api/datasources/proxy/uid/" + url.PathEscape(uid), s.login}
}

// get decodes the answer to a query into out.
func (s source) get(ctx context.Context, path string, parameters url.Values, out any) error {
	target := s.base + path
	if len(parameters) > 0 {
		target += "?" + parameters.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return err
	}
	if s.login != nil {
		password, _ := s.login.Password()
		req.SetBasicAuth(s.login.Username(), password)
	}
	answer, err := do(req)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("the answer to %s cannot be read: %w", req.URL.Path, err)
	}
	return nil
}

// await polls until look finds something. what is a noun, as in "the line".
func await[T any](ctx context.Context, s source, what string, limit time.Duration, look func(ctx context.Context) (all []T, err error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var none T
	begin, said := time.Now(), time.Now()
	last := errors.New("it never answered")
	for {
		all, err := look(ctx)
		switch {
		case err == nil && len(all) == 1:
			return all[0], nil
		case err == nil && len(all) > 1:
			return none, fmt.Errorf("%s came back %d times\n%s", what, len(all), listed(all))
		case err == nil:
			last = errors.New("its answers did not hold it")
		case ctx.Err() == nil:
			last = err
		}
		select {
		case <-ctx.Done():
			return none, fmt.Errorf("%s did not come back from %s within %s: %w", what, s.base, limit, last)
		case <-time.After(50 * time.Millisecond):
		}
		if time.Since(said) >= 3*time.Second {
			said = time.Now()
			say("waiting for %s, %.0f s", what, time.Since(begin).Seconds())
		}
	}
}

func listed[T any](all []T) string {
	lines := make([]string, len(all))
	for i, one := range all {
		lines[i] = fmt.Sprint(one)
	}
	return strings.Join(lines, "\n")
}

// entry is a line in Loki with its labels, structured metadata among them.
type entry struct {
	labels map[string]string
	line   string
}

// readLine polls Loki until LogQL finds exactly one line.
func (s source) readLine(ctx context.Context, logQL string) (entry, error) {
	return await(ctx, s, "the line", arrivalLimit, func(ctx context.Context) ([]entry, error) { return s.lines(ctx, logQL) })
}

func (s source) lines(ctx context.Context, logQL string) ([]entry, error) {
	now := time.Now()
	var result struct {
		Data struct {
			Result []struct {
				Stream map[string]string   `json:"stream"`
				Values [][]json.RawMessage `json:"values"`
			} `json:"result"`
		} `json:"data"`
	}
	err := s.get(ctx, lokiQuery, url.Values{
		"query": {logQL}, "limit": {"10"},
		"start": {nanoseconds(now.Add(-time.Hour))}, "end": {nanoseconds(now.Add(time.Minute))},
	}, &result)
	if err != nil {
		return nil, err
	}
	var all []entry
	for _, stream := range result.Data.Result {
		for _, value := range stream.Values {
			if len(value) < 2 { // time, line, and possibly metadata
				continue
			}
			e := entry{labels: stream.Stream}
			if err := json.Unmarshal(value[1], &e.line); err != nil {
				return nil, fmt.Errorf("a line in the answer of Loki cannot be read: %w", err)
			}
			all = append(all, e)
		}
	}
	return all, nil
}

// sample is one series of a PromQL result with its value.
type sample struct {
	labels map[string]string
	value  string
}

// readSample polls Prometheus until PromQL finds exactly one series that fits.
func (s source) readSample(ctx context.Context, promQL string, limit time.Duration, fits func(sample) bool) (sample, error) {
	return await(ctx, s, "the metric", limit, func(ctx context.Context) ([]sample, error) {
		var result struct {
			Data struct {
				Result []struct {
					Metric map[string]string `json:"metric"`
					Value  [2]any            `json:"value"`
				} `json:"result"`
			} `json:"data"`
		}
		if err := s.get(ctx, "/api/v1/query", url.Values{"query": {promQL}}, &result); err != nil {
			return nil, err
		}
		var all []sample
		for _, series := range result.Data.Result {
			if one := (sample{series.Metric, fmt.Sprint(series.Value[1])}); fits(one) {
				all = append(all, one)
			}
		}
		return all, nil
	})
}

// readExemplar polls Prometheus until a series has an exemplar, and returns the trace that it leads to.
func (s source) readExemplar(ctx context.Context, promQL string) (trace string, err error) {
	return await(ctx, s, "the exemplar", arrivalLimit, func(ctx context.Context) ([]string, error) {
		now := time.Now()
		var result struct {
			Data []struct {
				Exemplars []struct {
					Labels map[string]string `json:"labels"`
				} `json:"exemplars"`
			} `json:"data"`
		}
		const format = time.RFC3339
		err := s.get(ctx, "/api/v1/query_exemplars", url.Values{
			"query": {promQL}, "start": {now.Add(-time.Hour).UTC().Format(format)}, "end": {now.Add(time.Minute).UTC().Format(format)},
		}, &result)
		var traces []string
		for _, series := range result.Data {
			for _, e := range series.Exemplars {
				traces = append(traces, e.Labels["trace_id"])
			}
		}
		return traces, err
	})
}

// readTrace polls Jaeger until a trace is there, and returns the names of its spans.
func (s source) readTrace(ctx context.Context, id string) (names []string, err error) {
	return await(ctx, s, "the trace", arrivalLimit, func(ctx context.Context) ([][]string, error) {
		var result struct {
			Data []struct {
				Spans []struct {
					OperationName string `json:"operationName"`
				} `json:"spans"`
			} `json:"data"`
		}
		err := s.get(ctx, "/api/traces/"+id, nil, &result)
		if refused := (*statusError)(nil); errors.As(err, &refused) && refused.code == http.StatusNotFound {
			return nil, nil // not stored yet
		}
		var all [][]string
		for _, trace := range result.Data {
			var names []string
			for _, s := range trace.Spans {
				names = append(names, s.OperationName)
			}
			all = append(all, names)
		}
		return all, err
	})
}
