package ingest

import (
	"cmp"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	collogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/protobuf/proto"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// What Loki refuses by default: lines older than a week, more than ten minutes ahead, or more than an hour older than the
// newest of their stream. The bounds here leave room for what happens on the way.
const (
	tooOld    = 167 * time.Hour
	tooNew    = 5 * time.Minute
	tooBehind = 50 * time.Minute
)

// Attributes of records and streams that are not OpenTelemetry's.
const (
	// attributeIngest marks the stream of lines that Loki would refuse in their own.
	attributeIngest = "ingest"
	backfill        = "backfill"
	// attributeTime is the time of such a line, whose record has the time at which it was sent.
	attributeTime = "log.original_time"
	// attributePart numbers the records that a long line was split into.
	attributePart = "log.part"
)

// forgetOld drops the streams whose newest line is so old that nothing is too far behind it which is not too old anyway:
// containers come and go under ever new names.
func forgetOld(newest map[string]int64, now time.Time) {
	oldest := now.Add(-tooOld).UnixNano()
	maps.DeleteFunc(newest, func(_ string, at int64) bool { return at < oldest })
}

// entry is a line on its way to the receiver.
type entry struct {
	chunk *chunk
	line  line
}

// encoder makes requests of lines. It keeps what it allocates, so that a line costs nothing.
type encoder struct {
	resource       []*commonpb.KeyValue
	stdout, stderr []*commonpb.KeyValue

	records []logspb.LogRecord
	bodies  []commonpb.AnyValue
	texts   []commonpb.AnyValue_StringValue
	groups  map[group]*logspb.ResourceLogs
	order   []*logspb.ResourceLogs
	body    []byte
}

// group is what lines of one request have in common.
type group struct {
	stream   *stream
	backfill bool
}

func newEncoder(spec contract.Ingest) *encoder {
	e := &encoder{groups: map[group]*logspb.ResourceLogs{}}
	e.resource = []*commonpb.KeyValue{attribute("service.name", spec.Ref.Service)}
	if host, err := os.Hostname(); err == nil {
		e.resource = append(e.resource, attribute("host.name", host))
	}
	for _, name := range slices.Sorted(maps.Keys(spec.Labels)) {
		e.resource = append(e.resource, attribute(name, spec.Labels[name]))
	}
	e.stdout = []*commonpb.KeyValue{attribute("log.iostream", "stdout")}
	e.stderr = []*commonpb.KeyValue{attribute("log.iostream", "stderr")}
	return e
}

// attribute is a text with a name. The name of a file may be any bytes, and a request takes UTF-8 only.
func attribute(key, value string) *commonpb.KeyValue {
	value = strings.ToValidUTF8(value, "\uFFFD")
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: value}}}
}

// encode is the request for some lines, and what it counts. newest, the newest time of each stream, moves on with them. The
// bytes are valid until the next call.
func (e *encoder) encode(entries []entry, now time.Time, newest map[string]int64) ([]byte, totals, error) {
	e.reset(len(entries))
	var counted totals
	for i, item := range entries {
		text := item.chunk.of(item.line)
		counted.Lines++
		counted.Bytes += int64(len(text))
		if !utf8.ValidString(text) {
			text = strings.ToValidUTF8(text, "\uFFFD")
			counted.Repaired++
		}
		if item.line.part == 1 {
			counted.Split++
		}
		record := &e.records[i]
		e.texts[i].StringValue = text
		e.bodies[i].Value = &e.texts[i]
		record.Body = &e.bodies[i]
		record.ObservedTimeUnixNano = uint64(item.chunk.read.UnixNano())
		late := e.stamp(record, item, now, newest)
		if late {
			counted.Backfilled++
		}
		logs := e.group(group{item.chunk.stream, late})
		logs.ScopeLogs[0].LogRecords = append(logs.ScopeLogs[0].LogRecords, record)
	}
	var err error
	e.body, err = proto.MarshalOptions{}.MarshalAppend(e.body[:0], &collogspb.ExportLogsServiceRequest{ResourceLogs: e.order})
	return e.body, counted, err
}

func (e *encoder) reset(n int) {
	if n > len(e.records) {
		e.records, e.bodies, e.texts = make([]logspb.LogRecord, n), make([]commonpb.AnyValue, n), make([]commonpb.AnyValue_StringValue, n)
	}
	clear(e.groups)
	e.order = e.order[:0]
}

// stamp gives a record its time and attributes, and reports whether it belongs to the backfill stream.
func (e *encoder) stamp(record *logspb.LogRecord, item entry, now time.Time, newest map[string]int64) (late bool) {
	at := cmp.Or(item.line.time, item.chunk.read.UnixNano())
	record.Attributes = nil
	if item.chunk.stream.id != "" {
		record.Attributes = e.stdout
		if item.line.stderr {
			record.Attributes = e.stderr
		}
	}
	key := item.chunk.stream.key
	late = at < now.Add(-tooOld).UnixNano() || at < newest[key]-int64(tooBehind)
	if late || at > now.Add(tooNew).UnixNano() {
		original := attribute(attributeTime, time.Unix(0, at).UTC().Format(time.RFC3339Nano))
		record.Attributes = append(slices.Clip(record.Attributes), original)
		at = now.UnixNano()
	}
	if !late && at > newest[key] {
		newest[key] = at
	}
	if item.line.part > 0 {
		part := &commonpb.KeyValue{Key: attributePart, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: int64(item.line.part)}}}
		record.Attributes = append(slices.Clip(record.Attributes), part)
	}
	record.TimeUnixNano = uint64(at)
	return late
}

// group is the part of the request that lines of one stream go to.
func (e *encoder) group(g group) *logspb.ResourceLogs {
	if logs := e.groups[g]; logs != nil {
		return logs
	}
	attributes := slices.Clip(e.resource)
	if g.stream.path != "" {
		attributes = append(attributes, attribute("log.file.path", g.stream.path))
	} else {
		attributes = append(attributes, attribute("container.name", g.stream.name), attribute("container.id", g.stream.id))
	}
	if g.backfill {
		attributes = append(attributes, attribute(attributeIngest, backfill))
	}
	logs := &logspb.ResourceLogs{
		Resource:  &resourcepb.Resource{Attributes: attributes},
		ScopeLogs: []*logspb.ScopeLogs{{Scope: &commonpb.InstrumentationScope{Name: "orch"}, LogRecords: make([]*logspb.LogRecord, 0, 64)}},
	}
	e.groups[g] = logs
	e.order = append(e.order, logs)
	return logs
}
