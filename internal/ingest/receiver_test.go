package ingest

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	collogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"
)

// received is one record as it arrived, with all its attributes.
type received struct {
	text       string
	at         time.Time
	attributes map[string]string
}

// receiver is an OTLP/HTTP receiver with faults.
type receiver struct {
	t      *testing.T
	server *httptest.Server

	mu       sync.Mutex
	records  []received
	requests int
	sizes    []int
	// answer decides about a request before it is taken; false means that it has answered itself.
	answer func(w http.ResponseWriter, records []received) bool
	// demand says what is wrong with the headers of a request, if anything.
	demand func(h http.Header) (refusal string)
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{t: t}
	r.server = httptest.NewServer(r)
	t.Cleanup(r.server.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body := io.Reader(request.Body)
	if request.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = unzipped
	}
	data, err := io.ReadAll(body)
	var export collogspb.ExportLogsServiceRequest
	if err != nil || request.URL.Path != "/v1/logs" || proto.Unmarshal(data, &export) != nil {
		http.Error(w, "not OTLP", http.StatusBadRequest)
		return
	}
	records := unpack(&export)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests++
	if r.demand != nil {
		if refusal := r.demand(request.Header); refusal != "" {
			http.Error(w, refusal, http.StatusUnauthorized)
			return
		}
	}
	if r.answer != nil && !r.answer(w, records) {
		return
	}
	r.sizes = append(r.sizes, len(records))
	r.records = append(r.records, records...)
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func unpack(export *collogspb.ExportLogsServiceRequest) []received {
	var all []received
	for _, resource := range export.GetResourceLogs() {
		for _, scope := range resource.GetScopeLogs() {
			for _, record := range scope.GetLogRecords() {
				all = append(all, unpackRecord(resource, record))
			}
		}
	}
	return all
}

func unpackRecord(resource *logspb.ResourceLogs, record *logspb.LogRecord) received {
	one := received{text: record.GetBody().GetStringValue(), at: time.Unix(0, int64(record.GetTimeUnixNano())), attributes: map[string]string{}}
	for _, attribute := range slices.Concat(resource.GetResource().GetAttributes(), record.GetAttributes()) {
		value := attribute.GetValue().GetStringValue()
		if n, ok := attribute.GetValue().GetValue().(*commonpb.AnyValue_IntValue); ok {
			value = string(rune('0' + n.IntValue))
		}
		one.attributes[attribute.GetKey()] = value
	}
	return one
}

// fault changes how requests are answered.
func (r *receiver) fault(answer func(w http.ResponseWriter, records []received) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *receiver) all() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.records)
}

func (r *receiver) texts() []string {
	var texts []string
	for _, record := range r.all() {
		texts = append(texts, record.text)
	}
	return texts
}

const patience = time.Minute

// gets waits until just these texts have arrived, in any order, each once.
func (r *receiver) gets(texts ...string) {
	r.t.Helper()
	want := slices.Sorted(slices.Values(texts))
	require.Eventually(r.t, func() bool { return len(r.texts()) >= len(want) }, patience, 10*time.Millisecond, "arrived: %q", shortened(r.texts))
	require.Equal(r.t, want, slices.Sorted(slices.Values(r.texts())))
}

type shortened func() []string

// String is evaluated when a wait has failed.
func (s shortened) String() string {
	texts := s()
	return join(texts[max(0, len(texts)-20):])
}

func join(texts []string) string {
	out := ""
	for _, text := range texts {
		out += "\n  " + text[:min(len(text), 80)]
	}
	return out
}
