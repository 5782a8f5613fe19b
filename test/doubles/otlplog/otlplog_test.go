package otlplog

import (
	"bytes"
	"compress/gzip"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	logsv1 "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/otlphttp"
)

const request = `{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"probe"}}]},
 "scopeLogs":[{"logRecords":[{"timeUnixNano":"1700000000000000001","severityText":"INFO","body":{"stringValue":"hello"},
  "traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174",
  "attributes":[{"key":"n","value":{"intValue":"3"}},{"key":"ok","value":{"boolValue":true}}]},
  {"observedTimeUnixNano":"5","body":{"kvlistValue":{"values":[{"key":"a","value":{"stringValue":"b"}}]}}},{}]}]}]}`

func decode(t *testing.T) *logsv1.LogsData {
	t.Helper()
	data := &logsv1.LogsData{}
	if err := otlphttp.Unmarshal(otlphttp.JSON, []byte(request), data); err != nil {
		t.Fatal(err)
	}
	return data
}

func TestReadUnderstandsJSONAndProtobufAlike(t *testing.T) {
	fromJSON := decode(t)
	wire, err := proto.Marshal(fromJSON)
	if err != nil {
		t.Fatal(err)
	}
	var zipped bytes.Buffer
	zip := gzip.NewWriter(&zipped)
	if _, err := zip.Write(wire); err != nil || zip.Close() != nil {
		t.Fatal("gzip failed")
	}
	r := httptest.NewRequest(http.MethodPost, "/v1/logs", &zipped)
	r.Header.Set("Content-Type", otlphttp.Protobuf)
	r.Header.Set("Content-Encoding", "gzip")
	fromWire, mediaType, err := Read(r)
	if err != nil || mediaType != otlphttp.Protobuf {
		t.Fatalf("media type %q, err %v", mediaType, err)
	}
	if !proto.Equal(fromJSON, fromWire) {
		t.Fatal("JSON and protobuf decode to different logs")
	}
}

func TestFlattenKeepsTimeLineAttributesAndTrace(t *testing.T) {
	data := decode(t)
	records := Flatten(data, 42)
	if len(records) != 3 {
		t.Fatalf("%d records, want 3", len(records))
	}
	first := records[0]
	if first.UnixNano != 1700000000000000001 || first.Line != "hello" || first.Resource["service.name"] != "probe" {
		t.Errorf("first record is %+v", first)
	}
	want := map[string]string{"n": "3", "ok": "true", "severity_text": "INFO", "trace_id": "5b8efff798038103d269b633813fc60c", "span_id": "eee19b7ec3c1b174"}
	for name, value := range want {
		if first.Metadata[name] != value {
			t.Errorf("metadata %s is %q, want %q", name, first.Metadata[name], value)
		}
	}
	if records[1].UnixNano != 5 || records[1].Line == "" {
		t.Errorf("a record without a time must take the observed one and keep its structure: %+v", records[1])
	}
	if records[2].UnixNano != 42 {
		t.Errorf("a record without any time must take the given one: %+v", records[2])
	}
}

func TestReadRefusesWhatOTLPDoesNotAllow(t *testing.T) {
	tests := []struct {
		name, contentType, body string
		mediaType               bool
	}{
		{"no content type", "", "{}", true},
		{"another content type", "text/plain", "{}", true},
		{"an unknown field", otlphttp.JSON, `{"resourceLogz":[]}`, false},
		{"broken JSON", otlphttp.JSON, `{`, false},
		{"a trace id that is not hexadecimal", otlphttp.JSON, `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"zz"}]}]}]}`, false},
		{"broken protobuf", otlphttp.Protobuf, "\xff", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/v1/logs", bytes.NewBufferString(tt.body))
			r.Header.Set("Content-Type", tt.contentType)
			_, _, err := Read(r)
			if err == nil || errors.Is(err, otlphttp.ErrMediaType) != tt.mediaType {
				t.Fatalf("error %v, media type error wanted: %v", err, tt.mediaType)
			}
		})
	}
}
