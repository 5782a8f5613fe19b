package catalog

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// ContainerLogsIngestInput is the input of orch_container_logs_ingest as written: nil where an attribute is absent.
type ContainerLogsIngestInput struct {
	Shared
	TemplateInput
	Collector *FileCollectorInput `json:"collector"`
	// LogPaths are globs on the Docker host.
	LogPaths []string `json:"log_paths"`
	// LokiEndpoint is the URL of a Loki as the Collector reaches it; LogsPipelineID names a logs pipeline instead.
	LokiEndpoint   *string `json:"loki_endpoint"`
	LogsPipelineID *string `json:"logs_pipeline_id"`
	// ResourceAttributes are put on every line.
	ResourceAttributes map[string]string `json:"resource_attributes"`
}

// FileCollectorInput configures a Collector that reads files.
type FileCollectorInput struct {
	Container
	// User is "uid:gid"; null is root where container logs are read, else the image's own user.
	User *string `json:"user"`
}

// DockerLogPaths is where a Docker Engine with the json-file driver keeps its containers' logs.
const DockerLogPaths = "/var/lib/docker/containers/*/*-json.log"

// ContainerLogsTemplate holds the fields of the template of orch_container_logs_ingest.
type ContainerLogsTemplate struct {
	// ServiceName is the ingest's service_name.
	ServiceName string
	// LogPaths are all of log_paths, which the container sees under the paths of the host. FileLogPaths are those of plain
	// files, and DockerLogPaths those of Docker's json-file logs.
	LogPaths, FileLogPaths, DockerLogPaths []string
	// LokiEndpoint is Loki's OTLP endpoint, without the signal's path.
	LokiEndpoint string
	// ResourceAttributes are those of the input, never nil.
	ResourceAttributes map[string]string
}

// ContainerLogsIngest reads log files of the Docker host and sends them to Loki, with a Collector of its own.
var ContainerLogsIngest = Pipeline[ContainerLogsIngestInput]{
	Kind:    contract.ContainerLogsIngest,
	Message: "container_logs ingest configured",
	Shared:  func(in ContainerLogsIngestInput) Shared { return in.Shared },
	Complete: func(ref contract.Ref, in ContainerLogsIngestInput) (ContainerLogsIngestInput, error) {
		if named, err := contract.ParseID(or(in.LogsPipelineID, "")); err == nil && ref.Scope != "" && named.Scope != ref.Scope {
			return in, Problem{"logs_pipeline_id", fmt.Sprintf("%q is of scope %q, and only services of scope %q can be joined", named.ID(), named.Scope, ref.Scope)}
		}
		text, problem := in.render(ref)
		if problem != nil {
			return in, *problem
		}
		in.Config = &text
		return in, nil
	},
	Components: func(ref contract.Ref, in ContainerLogsIngestInput) []contract.Component {
		return []contract.Component{in.component(ref)}
	},
	Endpoints: func(contract.Ref, ContainerLogsIngestInput) map[string]string { return map[string]string{} },
	Check:     func(in ContainerLogsIngestInput) []Problem { return in.check() },
}

func (in ContainerLogsIngestInput) component(ref contract.Ref) contract.Component {
	own := orZero(in.Collector)
	c := ingestCollector(ref, own.Container, or(in.Config, ""), in.attribute())
	c.Mounts = folders(in.logPaths())
	if _, docker := in.splitPaths(); len(docker) > 0 {
		c.User = "0:0" // only root may look into the engine's folder
	}
	c.User = or(own.User, c.User)
	if uid, gid, ok := userIDs(c.User); ok {
		c.Volumes[0].UID, c.Volumes[0].GID = uid, gid
	}
	endpoint, attribute := in.endpoint(ref)
	c.Joins = joins(ref, CollectorName, endpoint)
	for i := range c.Joins {
		c.Joins[i].Attribute = attribute
	}
	c.LiveKeys = append(c.LiveKeys, ".log_paths", ".loki_endpoint", ".logs_pipeline_id", ".resource_attributes")
	return c
}

func (in ContainerLogsIngestInput) logPaths() []string {
	if in.LogPaths == nil {
		return []string{DockerLogPaths}
	}
	return in.LogPaths
}

// splitPaths tells plain files and container logs apart.
func (in ContainerLogsIngestInput) splitPaths() (plain, docker []string) {
	for _, p := range in.logPaths() {
		if strings.Contains(p, "/containers/") && strings.HasSuffix(p, "-json.log") {
			docker = append(docker, p)
		} else {
			plain = append(plain, p)
		}
	}
	return plain, docker
}

// endpoint is the URL of Loki and the attribute that it comes from. Without one it is that of the logs pipeline of the same
// service name, which is what a start by the service's name alone means.
func (in ContainerLogsIngestInput) endpoint(ref contract.Ref) (text, attribute string) {
	if in.LokiEndpoint != nil {
		return lokiOTLP(*in.LokiEndpoint), "loki_endpoint"
	}
	pipeline := contract.NewRef(contract.LogsPipeline, ref.Scope, ref.Service)
	attribute = "loki_endpoint"
	if in.LogsPipelineID != nil {
		attribute = "logs_pipeline_id"
		if named, err := contract.ParseID(*in.LogsPipelineID); err == nil {
			pipeline = named
		}
	}
	return lokiOTLP("http://" + pipeline.Alias(LokiName) + ":3100"), attribute
}

func (in ContainerLogsIngestInput) render(ref contract.Ref) (string, *Problem) {
	data := ContainerLogsTemplate{ServiceName: ref.Service, LogPaths: in.logPaths(), ResourceAttributes: maps.Clone(in.ResourceAttributes)}
	data.FileLogPaths, data.DockerLogPaths = in.splitPaths()
	data.LokiEndpoint, _ = in.endpoint(ref)
	if data.ResourceAttributes == nil {
		data.ResourceAttributes = map[string]string{}
	}
	return in.TemplateInput.render("container-logs-collector.yaml", data)
}

var uidAndGID = regexp.MustCompile(`^[0-9]{1,9}:[0-9]{1,9}$`)

func (in ContainerLogsIngestInput) check() []Problem {
	var problems []Problem
	if in.LogPaths != nil && len(in.LogPaths) == 0 {
		problems = append(problems, Problem{"log_paths", "at least one path is needed, or none of the attribute for the logs of all containers"})
	}
	for i, p := range in.LogPaths {
		problems = append(problems, checkLogPath(fmt.Sprintf("log_paths.%d", i), p)...)
	}
	switch {
	case in.LokiEndpoint != nil && in.LogsPipelineID != nil:
		problems = append(problems, Problem{"logs_pipeline_id", "loki_endpoint and logs_pipeline_id exclude each other"})
	case in.LokiEndpoint != nil:
		problems = append(problems, checkLokiURL("loki_endpoint", *in.LokiEndpoint)...)
	case in.LogsPipelineID != nil:
		problems = append(problems, checkPipelineID("logs_pipeline_id", *in.LogsPipelineID)...)
	}
	if user := orZero(in.Collector).User; user != nil && !uidAndGID.MatchString(*user) {
		problems = append(problems, Problem{"collector.user", fmt.Sprintf("%q is not of the form uid:gid in numbers, such as 0:0", *user)})
	}
	if _, clash := in.ResourceAttributes["service.name"]; clash {
		problems = append(problems, Problem{"resource_attributes", "service.name is the service_name"})
	}
	if len(problems) > 0 {
		return problems // the template would be blamed for what it was given
	}
	text, problem := in.render(contract.NewRef(contract.ContainerLogsIngest, "", "service"))
	if problem != nil {
		return []Problem{*problem}
	}
	return checkCollectorConfig(in.attribute(), text)
}

func checkPipelineID(attribute, id string) []Problem {
	ref, err := contract.ParseID(id)
	if err == nil && ref.Kind != contract.LogsPipeline.Short {
		err = fmt.Errorf("%q is of kind %q, not the id of an orch_logs_pipeline", id, ref.Kind)
	}
	if err != nil {
		return []Problem{{attribute, err.Error()}}
	}
	return nil
}

// reserved are the folders that the Collector's container needs for itself or that are not the host's in a container.
var reserved = []string{"/etc/otelcol-contrib", "/etc/orch", collectorState, contract.SecretsPath, "/proc", "/sys", "/dev"}

func checkLogPath(attribute, p string) []Problem {
	problem := func(format string, args ...any) []Problem {
		return []Problem{{attribute, fmt.Sprintf(format, args...)}}
	}
	if !path.IsAbs(p) || path.Clean(p) != p || strings.ContainsAny(p, "\n\r\x00") {
		return problem("%q is not an absolute path of a file or a glob, such as /var/log/app/*.log", p)
	}
	if !doublestar.ValidatePattern(p) {
		return problem("%q is not a valid pattern", p)
	}
	dir := staticDir(p)
	for _, r := range reserved {
		if within(r, dir) || within(dir, r) {
			return problem("%q needs the folder %s of the Docker host in the Collector's container, in the place of its own %s: move the logs to a folder of their own", p, dir, r)
		}
	}
	return nil
}

// folders are the mounts that globs need: the folder that each begins in, once, under its own path.
func folders(globs []string) []contract.Mount {
	var all []contract.Mount
	for _, glob := range globs {
		dir := staticDir(glob)
		covered := func(other string) bool {
			outer := staticDir(other)
			return outer != dir && within(dir, outer)
		}
		known := slices.ContainsFunc(all, func(m contract.Mount) bool { return m.Source == dir })
		if !known && !slices.ContainsFunc(globs, covered) {
			all = append(all, contract.Mount{Source: dir, Target: dir, Attribute: "log_paths"})
		}
	}
	slices.SortFunc(all, func(a, b contract.Mount) int { return strings.Compare(a.Source, b.Source) })
	return all
}

// userIDs are the numbers of a "uid:gid".
func userIDs(user string) (uid, gid int, ok bool) {
	first, second, found := strings.Cut(user, ":")
	uid, err := strconv.Atoi(first)
	if !found || err != nil {
		return 0, 0, false
	}
	gid, err = strconv.Atoi(second)
	return uid, gid, err == nil
}
