package catalog

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// PrometheusName is Prometheus' component name.
const PrometheusName = "prometheus"

// PrometheusImage is the image that Prometheus runs by default.
const PrometheusImage = "prom/prometheus:v3.13.2"

// prometheusUID is "nobody", the user of the upstream image.
const prometheusUID = 65534

// PrometheusInput configures a Prometheus.
type PrometheusInput struct {
	Container
	// Port is the host port of the API and user interface.
	Port *int64 `json:"port"`
	// RetentionTime and RetentionSize bound what is kept, for example "15d" and "5GB".
	RetentionTime *string `json:"retention_time"`
	RetentionSize *string `json:"retention_size"`
	// ScrapeInterval is how often targets are asked, for example "15s".
	ScrapeInterval *string `json:"scrape_interval"`
	// ScrapeTargets may change without a restart.
	ScrapeTargets []ScrapeTarget `json:"scrape_targets"`
}

// ScrapeTarget is a group of addresses that Prometheus asks for /metrics, in the form of its file_sd.
type ScrapeTarget struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// Defaults of Prometheus.
const (
	PrometheusPort           = 9090
	PrometheusMemoryMB       = 1024
	PrometheusRetentionTime  = "15d"
	PrometheusRetentionSize  = "5GB"
	PrometheusScrapeInterval = "15s"
)

func prometheus(ref contract.Ref, in PrometheusInput) contract.Component {
	targets := in.ScrapeTargets
	if targets == nil {
		targets = []ScrapeTarget{}
	}
	config := map[string]string{
		"Interval": or(in.ScrapeInterval, PrometheusScrapeInterval),
		"Time":     or(in.RetentionTime, PrometheusRetentionTime), "Size": or(in.RetentionSize, PrometheusRetentionSize),
	}
	return contract.Component{
		Name: PrometheusName, InputPath: "prometheus",
		Image: or(in.Image, PrometheusImage), MemoryMB: or(in.MemoryMB, PrometheusMemoryMB), CPUs: or(in.CPUs, 0),
		// Arguments take the place of the image's, so its first two are repeated.
		Command: []string{
			"--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus",
			"--web.enable-otlp-receiver", "--web.enable-lifecycle", "--enable-feature=exemplar-storage",
		},
		Ports: []contract.Port{{Name: "http", Container: 9090, Host: int(or(in.Port, PrometheusPort)), Attribute: "prometheus.port"}},
		Files: []contract.File{
			file("prometheus.yml", "/etc/prometheus/prometheus.yml", config),
			{Path: "/etc/prometheus/targets/orch.json", Content: string(mustJSON(targets)) + "\n", Mode: 0o444, Live: true},
		},
		Volumes:     []contract.Volume{{Name: ref.Volume(PrometheusName, "data"), Path: "/prometheus", UID: prometheusUID, GID: prometheusUID}},
		StopTimeout: 60,
		Probe:       contract.Probe{Port: "http", Path: "/-/ready", TimeoutSeconds: 90},
		LiveKeys:    []string{"scrape_targets"},
	}
}

var sizePattern = regexp.MustCompile(`^[1-9][0-9]*(B|KB|MB|GB|TB)$`)

// checkPrometheus finds what Prometheus would refuse at start.
func checkPrometheus(in PrometheusInput) []Problem {
	problems := checkRetention("prometheus.retention_time", or(in.RetentionTime, PrometheusRetentionTime), time.Hour)
	if size := or(in.RetentionSize, PrometheusRetentionSize); !sizePattern.MatchString(size) {
		problems = append(problems, Problem{"prometheus.retention_size", fmt.Sprintf("%q is not a size such as 512MB or 5GB", size)})
	}
	problems = append(problems, checkRetention("prometheus.scrape_interval", or(in.ScrapeInterval, PrometheusScrapeInterval), time.Second)...)
	for i, group := range in.ScrapeTargets {
		attribute := fmt.Sprintf("prometheus.scrape_targets.%d.targets", i)
		if len(group.Targets) == 0 {
			problems = append(problems, Problem{attribute, "a group needs at least one target, such as app:8080"})
		}
		for _, target := range group.Targets {
			if target == "" || strings.ContainsAny(target, " /\n") {
				problems = append(problems, Problem{attribute, fmt.Sprintf("%q is not of the form host:port", target)})
			}
		}
	}
	return problems
}
