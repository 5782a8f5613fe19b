package grafana

import (
	"fmt"
	"strconv"

	"gopkg.in/yaml.v3"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

// kind is a data source type that the double knows.
type kind struct {
	// title is what Grafana shows as typeName.
	title string
	// healthPath answers 200 on a backend that can be queried.
	healthPath string
	// jsonData returns a pointer to the only shape that jsonData may have.
	jsonData func() linking
}

// linking is a jsonData shape that may lead to other data sources.
type linking interface{ links() []link }

var kinds = map[string]kind{
	"loki":       {title: "Loki", healthPath: "/loki/api/v1/labels", jsonData: func() linking { return new(lokiJSONData) }},
	"prometheus": {title: "Prometheus", healthPath: "/api/v1/query?query=1%2B1", jsonData: func() linking { return new(prometheusJSONData) }},
	"jaeger":     {title: "Jaeger", healthPath: "/api/services", jsonData: func() linking { return new(jaegerJSONData) }},
}

// link leads from a field of one data source to another one of a type that makes sense there.
type link struct {
	From  string `json:"from"`
	Field string `json:"field"`
	To    string `json:"to"`
	want  string
	// Problem is why following the link fails; empty when it does not.
	Problem string `json:"problem,omitempty"`
}

// owned is the mark that orch puts on data sources that it adds to a Grafana of somebody else's. Grafana keeps any field.
type owned struct {
	OrchOwner string `yaml:"orchOwner"`
}

type lokiJSONData struct {
	owned         `yaml:",inline"`
	MaxLines      int            `yaml:"maxLines"`
	Timeout       int            `yaml:"timeout"`
	ManageAlerts  bool           `yaml:"manageAlerts"`
	DerivedFields []derivedField `yaml:"derivedFields"`
}

type derivedField struct {
	Name            string `yaml:"name"`
	MatcherType     string `yaml:"matcherType"`
	MatcherRegex    string `yaml:"matcherRegex"`
	DatasourceUID   string `yaml:"datasourceUid"`
	URL             string `yaml:"url"`
	URLDisplayLabel string `yaml:"urlDisplayLabel"`
	TargetBlank     bool   `yaml:"targetBlank"`
}

func (d *lokiJSONData) links() []link {
	var out []link
	for i, field := range d.DerivedFields {
		out = append(out, link{Field: "derivedFields[" + strconv.Itoa(i) + "]", To: field.DatasourceUID, want: "jaeger"})
	}
	return out
}

type prometheusJSONData struct {
	owned                       `yaml:",inline"`
	HTTPMethod                  string `yaml:"httpMethod"`
	TimeInterval                string `yaml:"timeInterval"`
	QueryTimeout                string `yaml:"queryTimeout"`
	PrometheusType              string `yaml:"prometheusType"`
	PrometheusVersion           string `yaml:"prometheusVersion"`
	CacheLevel                  string `yaml:"cacheLevel"`
	ManageAlerts                bool   `yaml:"manageAlerts"`
	ExemplarTraceIDDestinations []struct {
		Name            string `yaml:"name"`
		DatasourceUID   string `yaml:"datasourceUid"`
		URL             string `yaml:"url"`
		URLDisplayLabel string `yaml:"urlDisplayLabel"`
	} `yaml:"exemplarTraceIdDestinations"`
}

func (d *prometheusJSONData) links() []link {
	var out []link
	for i, destination := range d.ExemplarTraceIDDestinations {
		out = append(out, link{Field: "exemplarTraceIdDestinations[" + strconv.Itoa(i) + "]", To: destination.DatasourceUID, want: "jaeger"})
	}
	return out
}

type jaegerJSONData struct {
	owned     `yaml:",inline"`
	NodeGraph struct {
		Enabled bool `yaml:"enabled"`
	} `yaml:"nodeGraph"`
	SpanBar struct {
		Type string `yaml:"type"`
		Tag  string `yaml:"tag"`
	} `yaml:"spanBar"`
	TraceIDTimeParams struct {
		Enabled bool `yaml:"enabled"`
	} `yaml:"traceIdTimeParams"`
	TracesToLogsV2 *struct {
		DatasourceUID      string     `yaml:"datasourceUid"`
		SpanStartTimeShift string     `yaml:"spanStartTimeShift"`
		SpanEndTimeShift   string     `yaml:"spanEndTimeShift"`
		Tags               []tagValue `yaml:"tags"`
		FilterByTraceID    bool       `yaml:"filterByTraceID"`
		FilterBySpanID     bool       `yaml:"filterBySpanID"`
		CustomQuery        bool       `yaml:"customQuery"`
		Query              string     `yaml:"query"`
	} `yaml:"tracesToLogsV2"`
	TracesToMetrics *struct {
		DatasourceUID      string     `yaml:"datasourceUid"`
		SpanStartTimeShift string     `yaml:"spanStartTimeShift"`
		SpanEndTimeShift   string     `yaml:"spanEndTimeShift"`
		Tags               []tagValue `yaml:"tags"`
		Queries            []struct {
			Name  string `yaml:"name"`
			Query string `yaml:"query"`
		} `yaml:"queries"`
	} `yaml:"tracesToMetrics"`
}

type tagValue struct {
	Key   string `yaml:"key"`
	Value string `yaml:"value"`
}

func (d *jaegerJSONData) links() []link {
	var out []link
	if d.TracesToLogsV2 != nil {
		out = append(out, link{Field: "tracesToLogsV2", To: d.TracesToLogsV2.DatasourceUID, want: "loki"})
	}
	if d.TracesToMetrics != nil {
		out = append(out, link{Field: "tracesToMetrics", To: d.TracesToMetrics.DatasourceUID, want: "prometheus"})
	}
	return out
}

// decodeJSONData checks jsonData against the shape of its kind.
func (k kind) decodeJSONData(data map[string]any) (linking, error) {
	out := k.jsonData()
	if len(data) == 0 {
		return out, nil
	}
	raw, err := yaml.Marshal(data)
	if err != nil {
		return nil, fmt.Errorf("jsonData: %w", err)
	}
	if err := strict.DecodeYAML(raw, out); err != nil {
		return nil, fmt.Errorf("jsonData: %w", err)
	}
	return out, nil
}
