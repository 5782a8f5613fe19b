package otlplog

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"

	commonv1 "go.opentelemetry.io/proto/otlp/common/v1"
	logsv1 "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// Media types of OTLP/HTTP.
const (
	JSON     = "application/json"
	Protobuf = "application/x-protobuf"
)

// maxBody is the limit of the real Collector's OTLP receiver (20 MiB).
const maxBody = 20 << 20

// ErrMediaType says that a request is neither JSON nor protobuf; the answer is 415.
var ErrMediaType = errors.New("content type is neither " + JSON + " nor " + Protobuf)

// Read decodes the body of an OTLP/HTTP request, gzip included, and returns its media type.
func Read(r *http.Request) (*logsv1.LogsData, string, error) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || (mediaType != JSON && mediaType != Protobuf) {
		return nil, "", fmt.Errorf("%w: %q", ErrMediaType, r.Header.Get("Content-Type"))
	}
	body := io.Reader(http.MaxBytesReader(nil, r.Body, maxBody))
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip":
		if body, err = gzip.NewReader(body); err != nil {
			return nil, "", fmt.Errorf("open gzip body: %w", err)
		}
		body = io.LimitReader(body, maxBody)
	default:
		return nil, "", fmt.Errorf("%w: content encoding %q", ErrMediaType, encoding)
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		return nil, "", fmt.Errorf("read body: %w", err)
	}
	data, err := Unmarshal(mediaType, raw)
	return data, mediaType, err
}

// Unmarshal decodes raw, which is JSON or protobuf by mediaType.
func Unmarshal(mediaType string, raw []byte) (*logsv1.LogsData, error) {
	data := &logsv1.LogsData{}
	if mediaType == Protobuf {
		if err := proto.Unmarshal(raw, data); err != nil {
			return nil, fmt.Errorf("decode OTLP protobuf: %w", err)
		}
		return data, nil
	}
	canonical, err := hexIDsToBase64(raw)
	if err != nil {
		return nil, fmt.Errorf("decode OTLP JSON: %w", err)
	}
	if err := protojson.Unmarshal(canonical, data); err != nil {
		return nil, fmt.Errorf("decode OTLP JSON: %w", err)
	}
	return data, nil
}

// hexIDsToBase64 rewrites traceId and spanId: OTLP/JSON writes them in hexadecimal where
// the protobuf JSON mapping wants base64.
func hexIDsToBase64(raw []byte) ([]byte, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, err
	}
	if err := rewriteIDs(tree); err != nil {
		return nil, err
	}
	return json.Marshal(tree)
}

func rewriteIDs(node any) error {
	switch value := node.(type) {
	case []any:
		for _, item := range value {
			if err := rewriteIDs(item); err != nil {
				return err
			}
		}
	case map[string]any:
		for key, item := range value {
			text, isText := item.(string)
			if !isText || (key != "traceId" && key != "spanId") {
				if err := rewriteIDs(item); err != nil {
					return err
				}
				continue
			}
			id, err := hex.DecodeString(text)
			if err != nil {
				return fmt.Errorf("%s %q is not hexadecimal: %w", key, text, err)
			}
			value[key] = base64.StdEncoding.EncodeToString(id)
		}
	}
	return nil
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
		attributes := texts(resource.GetResource().GetAttributes())
		for _, scope := range resource.GetScopeLogs() {
			for _, entry := range scope.GetLogRecords() {
				records = append(records, flattenRecord(entry, attributes, now))
			}
		}
	}
	return records
}

func flattenRecord(entry *logsv1.LogRecord, resource map[string]string, now uint64) Record {
	metadata := texts(entry.GetAttributes())
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
	return Record{UnixNano: at, Line: text(entry.GetBody()), Resource: resource, Metadata: metadata}
}

func texts(attributes []*commonv1.KeyValue) map[string]string {
	out := make(map[string]string, len(attributes))
	for _, attribute := range attributes {
		out[attribute.GetKey()] = text(attribute.GetValue())
	}
	return out
}

// text renders a value as Loki does: a string as it is, everything else as JSON.
func text(value *commonv1.AnyValue) string {
	switch kind := value.GetValue().(type) {
	case nil:
		return ""
	case *commonv1.AnyValue_StringValue:
		return kind.StringValue
	case *commonv1.AnyValue_BoolValue:
		return strconv.FormatBool(kind.BoolValue)
	case *commonv1.AnyValue_IntValue:
		return strconv.FormatInt(kind.IntValue, 10)
	case *commonv1.AnyValue_DoubleValue:
		return strconv.FormatFloat(kind.DoubleValue, 'f', -1, 64)
	default:
		raw, err := protojson.Marshal(value)
		if err != nil {
			return fmt.Sprintf("unprintable value: %v", err)
		}
		return string(raw)
	}
}
