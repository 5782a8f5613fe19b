package prometheus

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

type file struct {
	Global struct {
		ScrapeInterval     strict.Duration   `yaml:"scrape_interval"`
		ScrapeTimeout      strict.Duration   `yaml:"scrape_timeout"`
		EvaluationInterval strict.Duration   `yaml:"evaluation_interval"`
		ExternalLabels     map[string]string `yaml:"external_labels"`
	} `yaml:"global"`
	OTLP struct {
		PromoteResourceAttributes         []string `yaml:"promote_resource_attributes"`
		KeepIdentifyingResourceAttributes bool     `yaml:"keep_identifying_resource_attributes"`
		TranslationStrategy               string   `yaml:"translation_strategy"`
	} `yaml:"otlp"`
	Storage struct {
		TSDB struct {
			OutOfOrderTimeWindow strict.Duration `yaml:"out_of_order_time_window"`
			Retention            struct {
				Time strict.Duration `yaml:"time"`
				Size string          `yaml:"size"`
			} `yaml:"retention"`
		} `yaml:"tsdb"`
		Exemplars struct {
			MaxExemplars int64 `yaml:"max_exemplars"`
		} `yaml:"exemplars"`
	} `yaml:"storage"`
	ScrapeConfigs []scrapeConfig `yaml:"scrape_configs"`
}

type scrapeConfig struct {
	JobName        string          `yaml:"job_name"`
	ScrapeInterval strict.Duration `yaml:"scrape_interval"`
	ScrapeTimeout  strict.Duration `yaml:"scrape_timeout"`
	MetricsPath    string          `yaml:"metrics_path"`
	Scheme         string          `yaml:"scheme"`
	StaticConfigs  []group         `yaml:"static_configs"`
	FileSDConfigs  []struct {
		Files           []string        `yaml:"files"`
		RefreshInterval strict.Duration `yaml:"refresh_interval"`
	} `yaml:"file_sd_configs"`
}

// group is one target group, of static_configs and of file_sd files alike.
type group struct {
	Targets []string          `yaml:"targets" json:"targets"`
	Labels  map[string]string `yaml:"labels" json:"labels"`
}

// Config is a checked configuration.
type Config struct {
	// Promote are the resource attributes that become labels of every sample.
	Promote []string
	// KeepIdentifying leaves service.name and its like on target_info.
	KeepIdentifying bool
	// OutOfOrder is how far back in time a sample may be.
	OutOfOrder time.Duration
	Jobs       []Job
}

// Job is one scrape configuration with Prometheus' defaults applied.
type Job struct {
	Name     string
	Scheme   string
	Path     string
	Interval time.Duration
	Timeout  time.Duration
	Static   []group
	// Files are the file_sd patterns.
	Files []string
}

var (
	sizePattern  = regexp.MustCompile(`^\d+(?:\.\d+)?(?:B|KB|MB|GB|TB|PB|EB)$`)
	labelPattern = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	hostPattern  = regexp.MustCompile(`^[a-zA-Z0-9._-]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$`)
	// filePattern is Prometheus' own: an asterisk in the last path element only.
	filePattern = regexp.MustCompile(`^[^*]*(\*[^/]*)?\.(json|yml|yaml|JSON|YML|YAML)$`)
)

// Parse checks a configuration file.
func Parse(raw []byte) (Config, error) {
	var f file
	if err := strict.DecodeYAML(raw, &f); err != nil {
		return Config{}, err
	}
	if size := f.Storage.TSDB.Retention.Size; size != "" && !sizePattern.MatchString(size) {
		return Config{}, fmt.Errorf("storage: tsdb: retention: size %q is not a size such as 5GB", size)
	}
	switch strategy := f.OTLP.TranslationStrategy; strategy {
	case "", "UnderscoreEscapingWithSuffixes":
	default:
		return Config{}, fmt.Errorf("otlp: translation_strategy %q, the double knows UnderscoreEscapingWithSuffixes only", strategy)
	}
	cfg := Config{
		Promote: f.OTLP.PromoteResourceAttributes, KeepIdentifying: f.OTLP.KeepIdentifyingResourceAttributes,
		OutOfOrder: time.Duration(f.Storage.TSDB.OutOfOrderTimeWindow),
	}
	for i, attribute := range cfg.Promote {
		if strings.TrimSpace(attribute) == "" || slices.Contains(cfg.Promote[:i], attribute) {
			return Config{}, fmt.Errorf("otlp: promote_resource_attributes: %q is empty or twice in the list", attribute)
		}
	}
	names := map[string]bool{}
	for _, scrape := range f.ScrapeConfigs {
		job, err := scrape.job(f)
		if err != nil {
			return Config{}, fmt.Errorf("scrape_configs: job %q: %w", scrape.JobName, err)
		}
		if names[job.Name] {
			return Config{}, fmt.Errorf("found multiple scrape configs with job name %q", job.Name)
		}
		names[job.Name] = true
		cfg.Jobs = append(cfg.Jobs, job)
	}
	return cfg, nil
}

func (s scrapeConfig) job(f file) (Job, error) {
	job := Job{Name: s.JobName, Scheme: "http", Path: "/metrics", Interval: time.Minute, Timeout: 10 * time.Second, Static: s.StaticConfigs}
	for _, interval := range []strict.Duration{f.Global.ScrapeInterval, s.ScrapeInterval} {
		if interval > 0 {
			job.Interval = time.Duration(interval)
		}
	}
	// The default timeout shrinks with the interval, a written one does not.
	job.Timeout = min(job.Timeout, job.Interval)
	for _, timeout := range []strict.Duration{f.Global.ScrapeTimeout, s.ScrapeTimeout} {
		if timeout > 0 {
			job.Timeout = time.Duration(timeout)
		}
	}
	if s.Scheme != "" {
		job.Scheme = s.Scheme
	}
	if s.MetricsPath != "" {
		job.Path = s.MetricsPath
	}
	switch {
	case job.Name == "":
		return Job{}, errors.New("job_name is empty")
	case job.Timeout > job.Interval:
		return Job{}, errors.New("scrape timeout greater than scrape interval")
	case job.Scheme != "http" && job.Scheme != "https":
		return Job{}, fmt.Errorf("scheme %q is neither http nor https", job.Scheme)
	case !path.IsAbs(job.Path):
		return Job{}, fmt.Errorf("metrics_path %q does not begin with a slash", job.Path)
	case len(s.StaticConfigs) == 0 && len(s.FileSDConfigs) == 0:
		return Job{}, errors.New("neither static_configs nor file_sd_configs: it would scrape nothing")
	}
	for _, discovery := range s.FileSDConfigs {
		if len(discovery.Files) == 0 {
			return Job{}, errors.New("file service discovery config must contain at least one path name")
		}
		for _, pattern := range discovery.Files {
			if !filePattern.MatchString(pattern) || !path.IsAbs(pattern) {
				return Job{}, fmt.Errorf("path name %q is not valid for file discovery", pattern)
			}
			job.Files = append(job.Files, pattern)
		}
	}
	return job, checkGroups(job.Static)
}

func checkGroups(groups []group) error {
	for _, g := range groups {
		if len(g.Targets) == 0 {
			return errors.New("a target group without targets")
		}
		for _, target := range g.Targets {
			if !hostPattern.MatchString(target) {
				return fmt.Errorf("target %q is not HOST:PORT", target)
			}
		}
		for name := range g.Labels {
			if !labelPattern.MatchString(name) {
				return fmt.Errorf("%q is not a valid label name", name)
			}
		}
	}
	return nil
}
