package prometheus

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	metricsv1 "go.opentelemetry.io/proto/otlp/metrics/v1"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/otlphttp"
)

// keptExemplars is Prometheus' default; like there, they live in memory.
const keptExemplars = 100000

// exemplar is one measurement with the trace it was made in.
type exemplar struct {
	series    map[string]string
	Labels    map[string]string `json:"labels"`
	Value     string            `json:"value"`
	Timestamp float64           `json:"timestamp"`
}

func pointExemplars(series map[string]string, point *metricsv1.NumberDataPoint) []exemplar {
	var out []exemplar
	for _, given := range point.GetExemplars() {
		labels := otlphttp.Texts(given.GetFilteredAttributes())
		if id := given.GetTraceId(); len(id) > 0 {
			labels["trace_id"] = hex.EncodeToString(id)
		}
		if id := given.GetSpanId(); len(id) > 0 {
			labels["span_id"] = hex.EncodeToString(id)
		}
		value := given.GetAsDouble()
		if integer, ok := given.GetValue().(*metricsv1.Exemplar_AsInt); ok {
			value = float64(integer.AsInt)
		}
		out = append(out, exemplar{
			series: series, Labels: labels, Value: strconv.FormatFloat(value, 'f', -1, 64),
			Timestamp: float64(given.GetTimeUnixNano()/uint64(time.Millisecond)) / 1000,
		})
	}
	return out
}

func (s *Server) keepExemplars(more []exemplar) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.exemplars = append(s.exemplars, more...)
	s.exemplars = s.exemplars[max(0, len(s.exemplars)-keptExemplars):]
}

func (s *Server) queryExemplars(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		s.badData(w, r, err)
		return
	}
	for name := range r.Form {
		if name != "query" && name != "start" && name != "end" {
			s.badData(w, r, fmt.Errorf("parameter %q is unknown to the Prometheus double", name))
			return
		}
	}
	q, err := parseSelector(r.Form.Get("query"))
	from, fromErr := parseTime(r.Form.Get("start"))
	to, toErr := parseTime(r.Form.Get("end"))
	if err := errors.Join(err, fromErr, toErr); err != nil {
		s.badData(w, r, err)
		return
	}
	type row struct {
		SeriesLabels map[string]string `json:"seriesLabels"`
		Exemplars    []exemplar        `json:"exemplars"`
	}
	rows, byKey := []*row{}, map[string]*row{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.exemplars {
		at := time.UnixMilli(int64(e.Timestamp * 1000))
		if !q.matches(e.series) || at.Before(from) || at.After(to) {
			continue
		}
		k := key(e.series)
		if byKey[k] == nil {
			byKey[k] = &row{SeriesLabels: e.series}
			rows = append(rows, byKey[k])
		}
		byKey[k].Exemplars = append(byKey[k].Exemplars, e)
	}
	s.answer(w, rows)
}
