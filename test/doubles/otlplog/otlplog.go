package otlplog

import (
	"encoding/hex"
	"net/http"

	logsv1 "go.opentelemetry.io/proto/otlp/logs/v1"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/otlphttp"
)

// Read decodes the body of an OTLP/HTTP log request and returns its media type.
func Read(r *http.Request) (*logsv1.LogsData, string, error) {
	data := &logsv1.LogsData{}
	mediaType, err := otlphttp.Read(r, data)
	return data, mediaType, err
}

// Record is one log record with the attributes of its resource.
type Record struct {
	UnixNano uint64
	Line     string
	Resource map[string]string
	Metadata map[string]string
}

// Flatten returns the records of data in order. A record without a time takes the time it
// was observed; without that, now.
func Flatten(data *logsv1.LogsData, now uint64) []Record {
	var records []Record
	for _, resource := range data.GetResourceLogs() {
		attributes := otlphttp.Texts(resource.GetResource().GetAttributes())
		for _, scope := range resource.GetScopeLogs() {
			for _, entry := range scope.GetLogRecords() {
				records = append(records, flattenRecord(entry, attributes, now))
			}
		}
	}
	return records
}

func flattenRecord(entry *logsv1.LogRecord, resource map[string]string, now uint64) Record {
	metadata := otlphttp.Texts(entry.GetAttributes())
	if id := entry.GetTraceId(); len(id) > 0 {
		metadata["trace_id"] = hex.EncodeToString(id)
	}
	if id := entry.GetSpanId(); len(id) > 0 {
		metadata["span_id"] = hex.EncodeToString(id)
	}
	if text := entry.GetSeverityText(); text != "" {
		metadata["severity_text"] = text
	}
	at := entry.GetTimeUnixNano()
	if at == 0 {
		at = entry.GetObservedTimeUnixNano()
	}
	if at == 0 {
		at = now
	}
	return Record{UnixNano: at, Line: otlphttp.Text(entry.GetBody()), Resource: resource, Metadata: metadata}
}
