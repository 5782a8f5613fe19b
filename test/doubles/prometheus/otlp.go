package prometheus

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	metricsv1 "go.opentelemetry.io/proto/otlp/metrics/v1"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/otlphttp"
)

// Prometheus' bounds: the head block holds an hour before its newest sample, and remote
// writes may be ten minutes ahead.
const (
	headWindow = time.Hour
	maxAhead   = 10 * time.Minute
)

// units are the suffixes of the units that have one, "1" being the exception of gauges.
var units = map[string]string{
	"d": "days", "h": "hours", "min": "minutes", "s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds",
	"By": "bytes", "KiBy": "kibibytes", "MiBy": "mebibytes", "GiBy": "gibibytes", "KBy": "kilobytes", "MBy": "megabytes", "GBy": "gigabytes",
	"%": "percent", "Hz": "hertz", "Cel": "celsius", "1": "",
}

// perUnits are those after a slash, which have a table of their own.
var perUnits = map[string]string{
	"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year",
}

// errTranslation marks a request whose form Prometheus cannot keep; it answers 500.
var errTranslation = errors.New("cannot translate")

// translation turns one OTLP request into samples, as Prometheus does with the strategy
// UnderscoreEscapingWithSuffixes.
type translation struct {
	cfg       Config
	now       time.Time
	samples   []sample
	exemplars []exemplar
}

func (t *translation) translate(data *metricsv1.MetricsData) error {
	for _, resource := range data.GetResourceMetrics() {
		attributes := otlphttp.Texts(resource.GetResource().GetAttributes())
		base := t.resourceLabels(attributes)
		var newest int64
		for _, scope := range resource.GetScopeMetrics() {
			for _, metric := range scope.GetMetrics() {
				at, err := t.metric(metric, base)
				if err != nil {
					return err
				}
				newest = max(newest, at)
			}
		}
		t.targetInfo(attributes, newest)
	}
	return nil
}

// identity returns the labels job and instance.
func identity(attributes map[string]string) map[string]string {
	out := map[string]string{}
	if name := attributes["service.name"]; name != "" {
		out["job"] = name
		if namespace := attributes["service.namespace"]; namespace != "" {
			out["job"] = namespace + "/" + name
		}
	}
	if instance := attributes["service.instance.id"]; instance != "" {
		out["instance"] = instance
	}
	return out
}

func (t *translation) resourceLabels(attributes map[string]string) map[string]string {
	labels := identity(attributes)
	for _, name := range t.cfg.Promote {
		if value := attributes[name]; value != "" {
			labels[labelName(name)] = value
		}
	}
	return labels
}

// targetInfo keeps what was not promoted where PromQL can join it.
func (t *translation) targetInfo(attributes map[string]string, at int64) {
	labels := identity(attributes)
	if len(labels) == 0 || at == 0 {
		return
	}
	more := 0
	for name, value := range attributes {
		if slices.Contains([]string{"service.name", "service.namespace", "service.instance.id"}, name) && !t.cfg.KeepIdentifying {
			continue
		}
		labels[labelName(name)] = value
		more++
	}
	if more == 0 {
		return
	}
	labels[nameLabel] = "target_info"
	t.samples = append(t.samples, sample{Labels: labels, Millis: at, Value: 1})
}

// metric translates one metric and returns the time of its newest sample.
func (t *translation) metric(metric *metricsv1.Metric, base map[string]string) (int64, error) {
	var points []*metricsv1.NumberDataPoint
	suffix := ""
	switch kind := metric.GetData().(type) {
	case *metricsv1.Metric_Gauge:
		points = kind.Gauge.GetDataPoints()
		if metric.GetUnit() == "1" {
			suffix = "ratio"
		}
	case *metricsv1.Metric_Sum:
		points = kind.Sum.GetDataPoints()
		if kind.Sum.GetAggregationTemporality() != metricsv1.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE {
			return 0, fmt.Errorf("%w: invalid temporality and type combination for metric %q", errTranslation, metric.GetName())
		}
		if kind.Sum.GetIsMonotonic() {
			suffix = "total"
		}
	default:
		return 0, fmt.Errorf("%w: metric %q: the Prometheus double knows gauges and sums only, not %T", errTranslation, metric.GetName(), kind)
	}
	if len(points) == 0 {
		return 0, fmt.Errorf("%w: empty data points. %s is dropped", errTranslation, metric.GetName())
	}
	name := metricName(metric.GetName(), metric.GetUnit(), suffix)
	if name == "" {
		return 0, fmt.Errorf("%w: a metric has no name", errTranslation)
	}
	var newest int64
	for _, point := range points {
		next, err := t.point(name, point, base)
		if err != nil {
			return 0, fmt.Errorf("metric %q: %w", metric.GetName(), err)
		}
		newest = max(newest, next.Millis)
		if suffix == "total" {
			t.exemplars = append(t.exemplars, pointExemplars(next.Labels, point)...)
		}
	}
	return newest, nil
}

func (t *translation) point(name string, point *metricsv1.NumberDataPoint, base map[string]string) (sample, error) {
	at := time.Unix(0, int64(min(point.GetTimeUnixNano(), math.MaxInt64)))
	switch {
	case at.Before(t.now.Add(-headWindow - t.cfg.OutOfOrder)):
		return sample{}, fmt.Errorf("out of bounds: %s is too old", at.UTC().Format(time.RFC3339))
	case at.After(t.now.Add(maxAhead)):
		return sample{}, fmt.Errorf("out of bounds: %s is in the future", at.UTC().Format(time.RFC3339))
	}
	labels := maps.Clone(base)
	for attribute, value := range otlphttp.Texts(point.GetAttributes()) {
		labels[labelName(attribute)] = value
	}
	labels[nameLabel] = name
	next := sample{Labels: labels, Millis: at.UnixMilli(), Value: number(point)}
	if !math.IsNaN(next.Value) && !math.IsInf(next.Value, 0) {
		t.samples = append(t.samples, next)
	}
	return next, nil
}

func number(point *metricsv1.NumberDataPoint) float64 {
	if integer, ok := point.GetValue().(*metricsv1.NumberDataPoint_AsInt); ok {
		return float64(integer.AsInt)
	}
	return point.GetAsDouble()
}

func labelName(attribute string) string {
	name := strings.Map(func(r rune) rune {
		if alphanumeric(r) {
			return r
		}
		return '_'
	}, attribute)
	if name != "" && name[0] >= '0' && name[0] <= '9' {
		return "key_" + name
	}
	return name
}

func alphanumeric(r rune) bool {
	return (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z') || (r >= '0' && r <= '9') || r == '_'
}

// metricName joins name, unit and suffix by underscores, none of them twice:
//
//	http.server.duration, s, ""  → http_server_duration_seconds
//	requests, {request}, total   → requests_total
func metricName(name, unit, suffix string) string {
	tokens := strings.FieldsFunc(name, func(r rune) bool { return !alphanumeric(r) && r != ':' || r == '_' })
	main, per, _ := strings.Cut(unit, "/")
	if word := unitWord(main, units); word != "" && !slices.Contains(tokens, word) {
		tokens = append(tokens, word)
	}
	if word := unitWord(per, perUnits); word != "" && !slices.Contains(tokens, word) {
		tokens = append(tokens, "per", word)
	}
	if suffix != "" {
		tokens = append(slices.DeleteFunc(tokens, func(token string) bool { return token == suffix }), suffix)
	}
	out := strings.Join(tokens, "_")
	if out != "" && out[0] >= '0' && out[0] <= '9' {
		return "_" + out
	}
	return out
}

func unitWord(unit string, table map[string]string) string {
	unit = strings.TrimSpace(unit)
	if strings.ContainsAny(unit, "{}") {
		return ""
	}
	if word, known := table[unit]; known {
		return word
	}
	return strings.Trim(labelName(unit), "_")
}
