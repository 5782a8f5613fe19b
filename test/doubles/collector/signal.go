package collector

import (
	logsv1 "go.opentelemetry.io/proto/otlp/logs/v1"
	metricsv1 "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Signal is what a pipeline carries, by the name that the pipeline's ID begins with.
type Signal string

// The signals that the double carries.
const (
	Logs    Signal = "logs"
	Metrics Signal = "metrics"
	Traces  Signal = "traces"
)

var signals = []Signal{Logs, Metrics, Traces}

// path is the signal's path of OTLP/HTTP.
func (s Signal) path() string { return "/v1/" + string(s) }

// items is what the Collector's own metrics call the items of the signal.
func (s Signal) items() string {
	switch s {
	case Metrics:
		return "metric_points"
	case Traces:
		return "spans"
	default:
		return "log_records"
	}
}

// message returns an empty request of the signal.
func (s Signal) message() proto.Message {
	switch s {
	case Metrics:
		return &metricsv1.MetricsData{}
	case Traces:
		return &tracev1.TracesData{}
	default:
		return &logsv1.LogsData{}
	}
}

// count returns the number of items in a request of any signal.
func count(message proto.Message) int {
	total := 0
	switch data := message.(type) {
	case *logsv1.LogsData:
		for _, resource := range data.GetResourceLogs() {
			for _, scope := range resource.GetScopeLogs() {
				total += len(scope.GetLogRecords())
			}
		}
	case *metricsv1.MetricsData:
		for _, resource := range data.GetResourceMetrics() {
			for _, scope := range resource.GetScopeMetrics() {
				for _, metric := range scope.GetMetrics() {
					total += points(metric)
				}
			}
		}
	case *tracev1.TracesData:
		for _, resource := range data.GetResourceSpans() {
			for _, scope := range resource.GetScopeSpans() {
				total += len(scope.GetSpans())
			}
		}
	}
	return total
}

func points(metric *metricsv1.Metric) int {
	return len(metric.GetGauge().GetDataPoints()) + len(metric.GetSum().GetDataPoints()) + len(metric.GetHistogram().GetDataPoints()) +
		len(metric.GetExponentialHistogram().GetDataPoints()) + len(metric.GetSummary().GetDataPoints())
}
