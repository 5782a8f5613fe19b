package otlphttp

import (
	"bytes"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"testing"

	metricsv1 "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
)

func post(contentType, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewBufferString(body))
	r.Header.Set("Content-Type", contentType)
	return r
}

func TestReadDecodesEverySignalIntoItsMessage(t *testing.T) {
	var spans tracev1.TracesData
	_, err := Read(post(JSON, `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c",
	 "spanId":"eee19b7ec3c1b174","parentSpanId":"eee19b7ec3c1b173","name":"a","kind":1}]}]}]}`), &spans)
	if err != nil {
		t.Fatal(err)
	}
	span := spans.GetResourceSpans()[0].GetScopeSpans()[0].GetSpans()[0]
	if hex.EncodeToString(span.GetTraceId()) != "5b8efff798038103d269b633813fc60c" || hex.EncodeToString(span.GetParentSpanId()) != "eee19b7ec3c1b173" {
		t.Errorf("ids are %x and %x", span.GetTraceId(), span.GetParentSpanId())
	}
	var metrics metricsv1.MetricsData
	mediaType, err := Read(post(JSON, `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":[{"asInt":"3"}]}}]}]}]}`), &metrics)
	if err != nil || mediaType != JSON || metrics.GetResourceMetrics()[0].GetScopeMetrics()[0].GetMetrics()[0].GetGauge().GetDataPoints()[0].GetAsInt() != 3 {
		t.Errorf("%v, media type %q, err %v", &metrics, mediaType, err)
	}
}

func TestReadRefusesTheFieldsOfAnotherSignal(t *testing.T) {
	if _, err := Read(post(JSON, `{"resourceSpans":[]}`), &metricsv1.MetricsData{}); err == nil {
		t.Error("spans were taken for metrics")
	}
}
