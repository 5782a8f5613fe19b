package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// scrapeLimit covers a refresh of the targets and two intervals between scrapes.
const scrapeLimit = time.Minute

// telemetry is what the demo sends: three signals of one request.
type telemetry struct {
	marker, line string
	count        int
	span         span
}

// proof holds what the parts of proveSignals have in common.
type proof struct {
	*demo
	all     pipelines
	sent    telemetry
	grafana source
	// read is the log line as it came back.
	read entry
}

// proveSignals sends a log line, a metric and a trace to the Collector, reads each back through the one Grafana, and follows
// the links between them.
func proveSignals(ctx context.Context, d *demo, all pipelines) error {
	marker := rand.Text()
	p := &proof{demo: d, all: all, sent: telemetry{
		marker: marker, line: "hello from make demo-full, marker " + marker, count: 1 + len(marker)%7, span: newSpan("GET /demo/" + marker),
	}}
	for _, step := range []struct {
		name string
		do   func(ctx context.Context) (note string, err error)
	}{
		{"log, metric and trace to the Collector", p.send},
		{"log line through Grafana", p.log},
		{"metric through Grafana", p.metric},
		{"trace through Grafana", p.trace},
		{"from the log to its trace, and back", p.links},
		{"from the metric to its trace", p.exemplar},
		{"Collector is scraped", p.scraped},
	} {
		if err := d.part(step.name, func() (string, error) { return step.do(ctx) }); err != nil {
			return err
		}
	}
	return nil
}

// store is Grafana's data source of a pipeline.
func (p *proof) store(kind contract.Kind) source {
	return p.grafana.datasource(p.all.of(kind).DatasourceUID)
}

func (p *proof) send(ctx context.Context) (string, error) {
	collector := p.all.of(contract.LogsPipeline).Endpoints["otlp_http"]
	s := p.sent
	say("OTLP/HTTP to %s", collector)
	say("log:    %s", s.line)
	say("metric: %s{marker=%q} %d", promCounter, s.marker, s.count)
	say("trace:  %s, span %q", s.span.trace, s.span.name)
	err := errors.Join(
		sendSpan(ctx, collector, s.span),
		sendCount(ctx, collector, s.marker, s.count, s.span),
		sendLine(ctx, collector, s.line, s.span),
	)
	if err != nil {
		return "", err
	}
	p.grafana, err = p.openGrafana(ctx, p.all)
	return "OTLP/HTTP", err
}

func (p *proof) log(ctx context.Context) (string, error) {
	logs := p.all.of(contract.LogsPipeline)
	var err error
	p.read, err = p.store(contract.LogsPipeline).readLine(ctx, selector(p.sent.marker))
	return "LogQL, uid " + logs.DatasourceUID, logs.got(p.read.line, p.sent.line, err, catalog.CollectorName, catalog.LokiName)
}

// series is the PromQL of the demo's own counter.
func (p *proof) series() string { return fmt.Sprintf("%s{marker=%q}", promCounter, p.sent.marker) }

func (p *proof) metric(ctx context.Context) (string, error) {
	metrics := p.all.of(contract.MetricsPipeline)
	anySample := func(sample) bool { return true }
	read, err := p.store(contract.MetricsPipeline).readSample(ctx, p.series(), arrivalLimit, anySample)
	return "PromQL, uid " + metrics.DatasourceUID, metrics.got(read.value, strconv.Itoa(p.sent.count), err, catalog.PrometheusName)
}

func (p *proof) trace(ctx context.Context) (string, error) {
	tracing := p.all.of(contract.TracingPipeline)
	spans, err := p.store(contract.TracingPipeline).readTrace(ctx, p.sent.span.trace)
	return "/api/traces/{id}, uid " + tracing.DatasourceUID, tracing.got(strings.Join(spans, ", "), p.sent.span.name, err, catalog.JaegerName)
}

// settings are what Grafana knows of a data source, as far as it leads to others.
type settings struct {
	JSONData struct {
		DerivedFields []struct {
			Name          string `json:"name"`
			DatasourceUID string `json:"datasourceUid"`
			MatcherRegex  string `json:"matcherRegex"`
			MatcherType   string `json:"matcherType"`
		} `json:"derivedFields"`
		Exemplars []struct {
			Name          string `json:"name"`
			DatasourceUID string `json:"datasourceUid"`
		} `json:"exemplarTraceIdDestinations"`
		TracesToLogs struct {
			DatasourceUID string `json:"datasourceUid"`
		} `json:"tracesToLogsV2"`
	} `json:"jsonData"`
}

// settings asks Grafana for a data source, which must exist.
func (p *proof) settings(ctx context.Context, uid string) (settings, error) {
	var s settings
	if uid == "" {
		return s, errors.New("a data source has no link to the other signal")
	}
	err := p.grafana.get(ctx, "/api/datasources/uid/"+url.PathEscape(uid), nil, &s)
	return s, err
}

// links goes the ways that somebody goes in Grafana by clicking: from the line by its derived field to the trace, and from
// the trace by its identifier to the line.
func (p *proof) links(ctx context.Context) (string, error) {
	logs, err := p.settings(ctx, p.all.of(contract.LogsPipeline).DatasourceUID)
	if err != nil {
		return "", err
	}
	fields := logs.JSONData.DerivedFields
	if len(fields) != 1 || fields[0].MatcherType != "label" {
		return "", fmt.Errorf("the logs' data source has no derived field that leads to a trace: %+v", fields)
	}
	id := p.read.labels[fields[0].MatcherRegex]
	if id != p.sent.span.trace {
		return "", fmt.Errorf("label %s of the line is %q, but it was written in trace %s", fields[0].MatcherRegex, id, p.sent.span.trace)
	}
	if _, err := p.settings(ctx, fields[0].DatasourceUID); err != nil {
		return "", fmt.Errorf("the derived field leads to a data source that is not there: %w", err)
	}
	spans, err := p.grafana.datasource(fields[0].DatasourceUID).readTrace(ctx, id)
	if err != nil {
		return "", err
	}
	say("log -> trace: derived field %s=%s leads to %s: %s", fields[0].Name, id, fields[0].DatasourceUID, strings.Join(spans, ", "))

	traces, err := p.settings(ctx, p.all.of(contract.TracingPipeline).DatasourceUID)
	if err != nil {
		return "", err
	}
	back := traces.JSONData.TracesToLogs.DatasourceUID
	if _, err := p.settings(ctx, back); err != nil {
		return "", fmt.Errorf("the traces' data source leads to logs that are not there: %w", err)
	}
	logQL := fmt.Sprintf("{service_name=%q} | trace_id=%q", probeService, id)
	found, err := p.grafana.datasource(back).readLine(ctx, logQL)
	if err != nil {
		return "", err
	}
	say("trace -> log: %s at %s: %s", logQL, back, found.line)
	if found.line != p.sent.line {
		return "", fmt.Errorf("the trace leads to another line: %s", found.line)
	}
	return "derived field; LogQL | trace_id", nil
}

// exemplar follows the counter to the trace of the request that raised it last.
func (p *proof) exemplar(ctx context.Context) (string, error) {
	metrics, err := p.settings(ctx, p.all.of(contract.MetricsPipeline).DatasourceUID)
	if err != nil {
		return "", err
	}
	destinations := metrics.JSONData.Exemplars
	if len(destinations) != 1 {
		return "", fmt.Errorf("the metrics' data source has no place where exemplars lead to: %+v", destinations)
	}
	id, err := p.store(contract.MetricsPipeline).readExemplar(ctx, p.series())
	if err != nil {
		return "", err
	}
	spans, err := p.grafana.datasource(destinations[0].DatasourceUID).readTrace(ctx, id)
	if err != nil {
		return "", err
	}
	say("metric -> trace: exemplar %s=%s leads to %s: %s", destinations[0].Name, id, destinations[0].DatasourceUID, strings.Join(spans, ", "))
	return "exemplar", nil
}

// scraped sees that Prometheus asks the logs pipeline's Collector for its own metrics.
func (p *proof) scraped(ctx context.Context) (string, error) {
	ref := contract.NewRef(contract.LogsPipeline, "", p.all.of(contract.LogsPipeline).Service)
	promQL := fmt.Sprintf("up{instance=%q}", ref.Alias(catalog.CollectorName)+":8888")
	metrics := p.all.of(contract.MetricsPipeline)
	up, err := p.store(contract.MetricsPipeline).readSample(ctx, promQL, scrapeLimit, func(s sample) bool { return s.value == "1" })
	if err != nil {
		return "", metrics.got("", "", err, catalog.PrometheusName)
	}
	say("up{job=%q, instance=%q} %s", up.labels["job"], up.labels["instance"], up.value)
	return "up == 1", nil
}
