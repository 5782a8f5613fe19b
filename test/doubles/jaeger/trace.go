package jaeger

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	commonv1 "go.opentelemetry.io/proto/otlp/common/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/otlphttp"
)

// Trace is one trace in the form of Jaeger's query API.
type Trace struct {
	TraceID   string             `json:"traceID"`
	Spans     []Span             `json:"spans"`
	Processes map[string]Process `json:"processes"`
	Warnings  []string           `json:"warnings"`
}

// Span is one span of a Trace; times are in microseconds.
type Span struct {
	TraceID       string      `json:"traceID"`
	SpanID        string      `json:"spanID"`
	OperationName string      `json:"operationName"`
	References    []Reference `json:"references"`
	StartTime     uint64      `json:"startTime"`
	Duration      uint64      `json:"duration"`
	Tags          []Tag       `json:"tags"`
	Logs          []Log       `json:"logs"`
	ProcessID     string      `json:"processID"`
	Warnings      []string    `json:"warnings"`
}

// Reference leads to the parent of a Span.
type Reference struct {
	RefType string `json:"refType"`
	TraceID string `json:"traceID"`
	SpanID  string `json:"spanID"`
}

// Process is the resource that made a Span.
type Process struct {
	ServiceName string `json:"serviceName"`
	Tags        []Tag  `json:"tags"`
}

// Log is one event of a Span.
type Log struct {
	Timestamp uint64 `json:"timestamp"`
	Fields    []Tag  `json:"fields"`
}

// Tag is one attribute.
type Tag struct {
	Key   string `json:"key"`
	Type  string `json:"type"`
	Value any    `json:"value"`
}

// record is one stored span with its process.
type record struct {
	Span    Span    `json:"span"`
	Process Process `json:"process"`
}

// flatten turns a request into records. Like Jaeger it names a resource without
// service.name unknown_service.
func flatten(data *tracev1.TracesData) []record {
	var out []record
	for _, resource := range data.GetResourceSpans() {
		process := Process{ServiceName: "unknown_service", Tags: []Tag{}}
		for _, attribute := range resource.GetResource().GetAttributes() {
			if attribute.GetKey() == "service.name" {
				process.ServiceName = otlphttp.Text(attribute.GetValue())
				continue
			}
			process.Tags = append(process.Tags, tag(attribute))
		}
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				next := convert(span)
				if name := scope.GetScope().GetName(); name != "" {
					next.Tags = append(next.Tags, Tag{Key: "otel.scope.name", Type: "string", Value: name})
				}
				slices.SortStableFunc(next.Tags, func(a, b Tag) int { return strings.Compare(a.Key, b.Key) })
				out = append(out, record{Span: next, Process: process})
			}
		}
	}
	return out
}

var spanKinds = map[tracev1.Span_SpanKind]string{
	tracev1.Span_SPAN_KIND_INTERNAL: "internal", tracev1.Span_SPAN_KIND_SERVER: "server", tracev1.Span_SPAN_KIND_CLIENT: "client",
	tracev1.Span_SPAN_KIND_PRODUCER: "producer", tracev1.Span_SPAN_KIND_CONSUMER: "consumer",
}

func convert(span *tracev1.Span) Span {
	micros := func(nanos uint64) uint64 { return nanos / uint64(time.Microsecond) }
	out := Span{
		TraceID: hex.EncodeToString(span.GetTraceId()), SpanID: hex.EncodeToString(span.GetSpanId()), OperationName: span.GetName(),
		References: []Reference{}, StartTime: micros(span.GetStartTimeUnixNano()), Tags: []Tag{}, Logs: []Log{},
	}
	if end := span.GetEndTimeUnixNano(); end > span.GetStartTimeUnixNano() {
		out.Duration = micros(end - span.GetStartTimeUnixNano())
	}
	if parent := span.GetParentSpanId(); len(parent) > 0 {
		out.References = append(out.References, Reference{RefType: "CHILD_OF", TraceID: out.TraceID, SpanID: hex.EncodeToString(parent)})
	}
	for _, attribute := range span.GetAttributes() {
		out.Tags = append(out.Tags, tag(attribute))
	}
	if kind := spanKinds[span.GetKind()]; kind != "" {
		out.Tags = append(out.Tags, Tag{Key: "span.kind", Type: "string", Value: kind})
	}
	switch span.GetStatus().GetCode() {
	case tracev1.Status_STATUS_CODE_ERROR:
		out.Tags = append(out.Tags, Tag{Key: "otel.status_code", Type: "string", Value: "ERROR"}, Tag{Key: "error", Type: "bool", Value: true})
	case tracev1.Status_STATUS_CODE_OK:
		out.Tags = append(out.Tags, Tag{Key: "otel.status_code", Type: "string", Value: "OK"})
	}
	if text := span.GetStatus().GetMessage(); text != "" {
		out.Tags = append(out.Tags, Tag{Key: "otel.status_description", Type: "string", Value: text})
	}
	for _, event := range span.GetEvents() {
		entry := Log{Timestamp: micros(event.GetTimeUnixNano()), Fields: []Tag{{Key: "event", Type: "string", Value: event.GetName()}}}
		for _, attribute := range event.GetAttributes() {
			entry.Fields = append(entry.Fields, tag(attribute))
		}
		out.Logs = append(out.Logs, entry)
	}
	return out
}

func tag(attribute *commonv1.KeyValue) Tag {
	out := Tag{Key: attribute.GetKey(), Type: "string", Value: otlphttp.Text(attribute.GetValue())}
	switch value := attribute.GetValue().GetValue().(type) {
	case *commonv1.AnyValue_BoolValue:
		out.Type, out.Value = "bool", value.BoolValue
	case *commonv1.AnyValue_IntValue:
		out.Type, out.Value = "int64", value.IntValue
	case *commonv1.AnyValue_DoubleValue:
		out.Type, out.Value = "float64", value.DoubleValue
	}
	return out
}

// assemble makes one trace of its records, each different process once.
func assemble(id string, records []record) Trace {
	out := Trace{TraceID: id, Processes: map[string]Process{}}
	known := map[string]string{}
	for _, r := range records {
		k := r.Process.ServiceName
		for _, t := range r.Process.Tags {
			k += "\x00" + t.Key + "\x00" + tagText(t)
		}
		if known[k] == "" {
			known[k] = "p" + strconv.Itoa(len(known)+1)
			out.Processes[known[k]] = r.Process
		}
		span := r.Span
		span.ProcessID = known[k]
		out.Spans = append(out.Spans, span)
	}
	return out
}
