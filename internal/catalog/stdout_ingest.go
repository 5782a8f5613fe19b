package catalog

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// StdoutIngestInput is the input of orch_stdout_ingest as written: nil where an attribute is absent.
type StdoutIngestInput struct {
	Files      *LogFilesInput      `json:"files"`
	Containers *LogContainersInput `json:"containers"`
	// Endpoint is an OTLP/HTTP receiver as the worker reaches it.
	Endpoint *string `json:"endpoint"`
	// Headers are sent with every request, by name.
	Headers map[string]HeaderInput `json:"headers"`
	// Labels are added to every line as resource attributes.
	Labels               map[string]string   `json:"labels"`
	Grafana              *IngestGrafanaInput `json:"grafana"`
	BatchSize            *int64              `json:"batch_size"`
	FlushIntervalSeconds *float64            `json:"flush_interval_seconds"`
	TimeoutSeconds       *float64            `json:"timeout_seconds"`
	// StartAt is "beginning" (default) or "end".
	StartAt *string `json:"start_at"`
}

// HeaderInput is the value of a header for everybody to see, or where the worker finds it; one of the three is set.
type HeaderInput struct {
	Value *string `json:"value"`
	Env   *string `json:"env"`
	File  *string `json:"file"`
}

// LogFilesInput selects files on the worker's host.
type LogFilesInput struct {
	Include  []string `json:"include"`
	Exclude  []string `json:"exclude"`
	MaxDepth *int64   `json:"max_depth"`
}

// LogContainersInput selects containers of the worker's Docker Engine.
type LogContainersInput struct {
	Labels  map[string]string `json:"labels"`
	Names   []string          `json:"names"`
	Service *string           `json:"service"`
}

// IngestGrafanaInput names a Grafana that gets Loki as a data source.
type IngestGrafanaInput struct {
	// URL of the Grafana as the worker reaches it.
	URL *string `json:"url"`
	// PipelineID is the id of the pipeline that owns it.
	PipelineID *string `json:"pipeline_id"`
	// Token opens a Grafana that no pipeline owns.
	Token     *TokenInput `json:"token"`
	AdminUser *string     `json:"admin_user"`
	// LokiURL is Loki as that Grafana reaches it.
	LokiURL *string `json:"loki_url"`
}

// Defaults of orch_stdout_ingest.
const (
	IngestEndpoint      = "http://localhost:4318"
	IngestBatchSize     = 1000
	IngestMaxBatchSize  = 10000
	IngestFlushInterval = 1.0
	IngestTimeout       = 10.0
)

// Steps of orch_stdout_ingest, in order.
const (
	StepConfigure          = "configure"
	StepLokiDatasource     = "add_loki_datasource"
	StepDiscoverFiles      = "discover_log_files"
	StepDiscoverContainers = "discover_container_logs"
	StepMerge              = "merge_sources"
	StepEnrich             = "enrich_sources"
	StepStartTail          = "start_tail"
)

// Attributes that every line of an ingest may have as labels of its stream in Loki, besides the user's.
var ownIngestLabels = []string{"service.name", "container.name", "ingest"}

// reservedIngestLabels are attributes that orch sets itself.
var reservedIngestLabels = []string{"service.name", "container.name", "container.id", "host.name", "log.file.path", "ingest"}

// maxStreamLabels is Loki's limit on the labels of a stream.
const maxStreamLabels = 15

// labelName is what OpenTelemetry's attribute names look like; Loki turns every other character than letters, digits and
// underscores into an underscore.
var labelName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]{0,127}$`)

// containerName is a container's name, with wildcards.
var containerName = regexp.MustCompile(`^[A-Za-z0-9_.*?^\[\]-]+$`)

// Steps are the names of what a setup does, in order.
func (in StdoutIngestInput) Steps() []string {
	steps := []string{StepConfigure}
	if in.Grafana != nil {
		steps = append(steps, StepLokiDatasource)
	}
	return append(steps, StepDiscoverFiles, StepDiscoverContainers, StepMerge, StepEnrich, StepStartTail)
}

// Ingest expands an input into what the tail is to do. Without files and containers it follows the containers of the service.
func (in StdoutIngestInput) Ingest(ref contract.Ref) contract.Ingest {
	spec := contract.Ingest{
		Ref: ref, Endpoint: strings.TrimSuffix(strings.TrimSuffix(or(in.Endpoint, IngestEndpoint), "/"), "/v1/logs"),
		Labels: maps.Clone(in.Labels), BatchSize: int(or(in.BatchSize, IngestBatchSize)),
		FlushInterval: or(in.FlushIntervalSeconds, IngestFlushInterval), Timeout: or(in.TimeoutSeconds, IngestTimeout),
		StartAt: or(in.StartAt, contract.StartAtBeginning),
	}
	for name, h := range in.Headers {
		if spec.Headers == nil {
			spec.Headers = map[string]contract.IngestHeader{}
		}
		spec.Headers[name] = h.header()
	}
	if f := in.Files; f != nil {
		spec.Files = &contract.LogFiles{Include: f.Include, Exclude: f.Exclude, MaxDepth: int(or(f.MaxDepth, 0))}
	}
	if c := in.Containers; c != nil {
		spec.Containers = &contract.LogContainers{Labels: c.Labels, Names: c.Names, Service: or(c.Service, "")}
	}
	if in.Files == nil && in.Containers == nil {
		spec.Containers = &contract.LogContainers{Service: ref.Service}
	}
	if in.Grafana != nil {
		spec.Grafana = in.view().objects(ref)
		if t := in.Grafana.Token; t != nil {
			spec.Grafana.User, spec.Grafana.Password = "", nil
			spec.Grafana.TokenSource = &contract.SecretSource{Env: or(t.Env, ""), File: or(t.File, "")}
		}
	}
	return spec
}

// DatasourceUID is the uid of the data source that the ingest adds to a Grafana, empty when it adds none.
func (in StdoutIngestInput) DatasourceUID(ref contract.Ref) string {
	if in.Grafana == nil {
		return ""
	}
	return in.view().datasourceUID(ref)
}

func (in StdoutIngestInput) view() view {
	g := orZero(in.Grafana)
	url := or(g.URL, "")
	return view{
		in:   GrafanaInput{URL: &url, PipelineID: g.PipelineID, AdminUser: g.AdminUser, DatasourceURL: ptr(g.loki())},
		kind: contract.StdoutIngest, name: "Loki", datasourceType: "loki", store: LokiName, port: "3100", dashboard: "dashboard-logs.json",
	}
}

// loki is Loki as the Grafana reaches it: by its name where both belong to the same logs pipeline.
func (g IngestGrafanaInput) loki() string {
	return or(g.LokiURL, "http://"+LokiName+":3100")
}

func ptr[T any](v T) *T { return &v }

// ExpandStdoutIngest decodes an input (null and absent mean all defaults), validates it and builds the ingest. An error is a
// *contract.StepFailure of class InvalidInput.
func ExpandStdoutIngest(ref contract.Ref, input json.RawMessage) (contract.Ingest, error) {
	in, err := decode[StdoutIngestInput](input)
	if err != nil {
		return contract.Ingest{}, unreadable(ref, err)
	}
	problems := in.Validate()
	if err := ref.Validate(); err != nil {
		problems = append([]Problem{{"service_name", err.Error()}}, problems...)
	}
	if len(problems) > 0 {
		return contract.Ingest{}, contract.Fail(contract.InvalidInput, "%s: %s", problems[0].Attribute, problems[0].Message).On(problems[0].Attribute)
	}
	spec := in.Ingest(ref)
	spec.Input, err = json.Marshal(in)
	return spec, err
}

// Validate finds everything in an input that cannot work, whoever wrote it.
func (in StdoutIngestInput) Validate() []Problem {
	problems := concat(in.Files.check(), in.Containers.check(), checkIngestLabels(in.Labels), checkHeaders(in.Headers), in.Grafana.check())
	if in.Endpoint != nil {
		problems = append(problems, checkBareURL("endpoint", *in.Endpoint, ": set headers instead")...)
	}
	if n := or(in.BatchSize, IngestBatchSize); n < 1 || n > IngestMaxBatchSize {
		problems = append(problems, Problem{"batch_size", fmt.Sprintf("%d is not between 1 and %d lines", n, IngestMaxBatchSize)})
	}
	if s := or(in.FlushIntervalSeconds, IngestFlushInterval); s < 0.05 || s > 60 {
		problems = append(problems, Problem{"flush_interval_seconds", fmt.Sprintf("%v is not between 0.05 and 60 seconds", s)})
	}
	if s := or(in.TimeoutSeconds, IngestTimeout); s < 0.1 || s > 300 {
		problems = append(problems, Problem{"timeout_seconds", fmt.Sprintf("%v is not between 0.1 and 300 seconds", s)})
	}
	if at := or(in.StartAt, contract.StartAtBeginning); at != contract.StartAtBeginning && at != contract.StartAtEnd {
		problems = append(problems, Problem{"start_at", fmt.Sprintf("%q is neither %q nor %q", at, contract.StartAtBeginning, contract.StartAtEnd)})
	}
	return problems
}

func (f *LogFilesInput) check() []Problem {
	if f == nil {
		return nil
	}
	var problems []Problem
	if len(f.Include) == 0 {
		problems = append(problems, Problem{"files.include", "configuration failed: name at least one file or pattern"})
	}
	for _, pattern := range f.Include {
		switch {
		case !doublestar.ValidatePathPattern(pattern):
			problems = append(problems, Problem{"files.include", fmt.Sprintf("%q is not a valid pattern", pattern)})
		case !filepath.IsAbs(pattern):
			problems = append(problems, Problem{"files.include", fmt.Sprintf("%q is not an absolute path on the worker's host", pattern)})
		}
	}
	for _, pattern := range f.Exclude {
		switch {
		case !doublestar.ValidatePathPattern(pattern) || pattern == "":
			problems = append(problems, Problem{"files.exclude", fmt.Sprintf("%q is not a valid pattern", pattern)})
		case !filepath.IsAbs(pattern) && strings.Contains(pattern, "/") && !strings.HasPrefix(pattern, "**/"):
			problems = append(problems, Problem{"files.exclude", fmt.Sprintf("%q fits nothing: a pattern is an absolute path, a name without a slash, or begins with **/", pattern)})
		}
	}
	if d := or(f.MaxDepth, 1); d < 1 {
		problems = append(problems, Problem{"files.max_depth", fmt.Sprintf("%d is less than 1", d)})
	}
	return problems
}

func (c *LogContainersInput) check() []Problem {
	if c == nil {
		return nil
	}
	if len(c.Labels) == 0 && len(c.Names) == 0 && or(c.Service, "") == "" {
		return []Problem{{"containers", "configuration failed: say by labels, names or service which containers are followed"}}
	}
	var problems []Problem
	for _, name := range c.Names {
		if _, err := path.Match(name, ""); err != nil || !containerName.MatchString(name) {
			problems = append(problems, Problem{"containers.names", fmt.Sprintf("%q is not a container name or pattern", name)})
		}
	}
	return problems
}

func checkIngestLabels(labels map[string]string) []Problem {
	var problems []Problem
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		switch {
		case !labelName.MatchString(name):
			problems = append(problems, Problem{"labels", fmt.Sprintf("label %q: a name has letters, digits, dots and underscores, and begins with a letter or underscore", name)})
		case slices.Contains(reservedIngestLabels, name):
			problems = append(problems, Problem{"labels", fmt.Sprintf("label %q is set by orch", name)})
		case len(labels[name]) > 2048 || labels[name] == "":
			problems = append(problems, Problem{"labels", fmt.Sprintf("label %q: a value has 1 to 2048 bytes", name)})
		}
	}
	if most := maxStreamLabels - len(ownIngestLabels); len(labels) > most {
		problems = append(problems, Problem{"labels", fmt.Sprintf("%d labels are too many: Loki takes %d on a stream, and orch sets %d of them (%s)",
			len(labels), maxStreamLabels, len(ownIngestLabels), strings.Join(ownIngestLabels, ", "))})
	}
	return problems
}

func (g *IngestGrafanaInput) check() []Problem {
	if g == nil {
		return nil
	}
	if g.URL == nil {
		return []Problem{{"grafana.url", "tell where the Grafana is"}}
	}
	problems := checkURL("grafana.url", *g.URL)
	var owner contract.Ref
	switch {
	case (g.PipelineID == nil) == (g.Token == nil):
		return append(problems, Problem{"grafana.pipeline_id", "tell in one way how to log in: pipeline_id of the pipeline that owns the Grafana, or token"})
	case g.Token != nil && g.AdminUser != nil:
		return append(problems, Problem{"grafana.admin_user", "a token needs no user"})
	case g.Token != nil:
		problems = append(problems, g.Token.check("grafana.token")...)
	default:
		var err error
		if owner, err = contract.ParseID(*g.PipelineID); err != nil {
			return append(problems, Problem{"grafana.pipeline_id", err.Error()})
		}
	}
	if g.LokiURL != nil {
		return append(problems, checkURL("grafana.loki_url", *g.LokiURL)...)
	}
	if owner.Kind != contract.LogsPipeline.Short {
		problems = append(problems, Problem{"grafana.loki_url", "tell how that Grafana reaches Loki: it does not belong to a logs pipeline"})
	}
	return problems
}
