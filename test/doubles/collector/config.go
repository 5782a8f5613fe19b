package collector

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

// file is the configuration as written; component sections stay nodes until their type is known.
type file struct {
	Extensions map[string]yaml.Node `yaml:"extensions"`
	Receivers  map[string]yaml.Node `yaml:"receivers"`
	Processors map[string]yaml.Node `yaml:"processors"`
	Exporters  map[string]yaml.Node `yaml:"exporters"`
	Service    service              `yaml:"service"`
}

type service struct {
	Extensions []string            `yaml:"extensions"`
	Pipelines  map[string]pipeline `yaml:"pipelines"`
	Telemetry  struct {
		Metrics struct {
			Level   string   `yaml:"level"`
			Readers []reader `yaml:"readers"`
		} `yaml:"metrics"`
	} `yaml:"telemetry"`
}

type pipeline struct {
	Receivers  []string `yaml:"receivers"`
	Processors []string `yaml:"processors"`
	Exporters  []string `yaml:"exporters"`
}

type reader struct {
	Pull struct {
		Exporter struct {
			Prometheus struct {
				Host string `yaml:"host"`
				Port int    `yaml:"port"`
			} `yaml:"prometheus"`
		} `yaml:"exporter"`
	} `yaml:"pull"`
}

type healthCheck struct {
	Endpoint string `yaml:"endpoint"`
}

type fileStorage struct {
	Directory string `yaml:"directory"`
}

type memoryLimiter struct {
	CheckInterval        time.Duration `yaml:"check_interval"`
	LimitPercentage      int           `yaml:"limit_percentage"`
	SpikeLimitPercentage int           `yaml:"spike_limit_percentage"`
	LimitMiB             int           `yaml:"limit_mib"`
	SpikeLimitMiB        int           `yaml:"spike_limit_mib"`
}

// Config is a checked configuration: the addresses and the exporters of the pipelines.
type Config struct {
	Health    string
	OTLPGRPC  string
	OTLPHTTP  string
	Metrics   string
	Exporters []Exporter
	// Received are the signals that the otlp receiver takes; without any there is none.
	Received []Signal
	// CertFile and KeyFile let the otlp receiver speak TLS when they are not empty.
	CertFile, KeyFile string
	// Origins are the allowed_origins of the otlp receiver, as patterns.
	Origins []*regexp.Regexp
	Tails   []Tail
}

// parser collects what the sections say while they are checked.
type parser struct {
	file       file
	cfg        Config
	storages   map[string]string
	receivers  map[string]bool
	processors map[string]bool
	exporters  map[string]otlpHTTP
}

// Parse checks a configuration file.
func Parse(raw []byte) (Config, error) {
	p := parser{
		storages: map[string]string{}, receivers: map[string]bool{}, processors: map[string]bool{}, exporters: map[string]otlpHTTP{},
	}
	expanded, err := expand(raw)
	if err != nil {
		return Config{}, err
	}
	if err := strict.DecodeYAML(expanded, &p.file); err != nil {
		return Config{}, err
	}
	for _, step := range []func() error{p.extensions, p.receiverSection, p.processorSection, p.exporterSection, p.pipelines, p.telemetry} {
		if err := step(); err != nil {
			return Config{}, err
		}
	}
	return p.cfg, nil
}

var reference = regexp.MustCompile(`\$\$|\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}|\$`)

// expand replaces ${env:NAME} and $$. Any other $ and an unset variable are errors; the
// Collector warns about the latter only.
func expand(raw []byte) ([]byte, error) {
	var errs []error
	out := reference.ReplaceAllFunc(raw, func(match []byte) []byte {
		if string(match) == "$$" {
			return []byte("$")
		}
		name := reference.FindSubmatch(match)[1]
		value, set := os.LookupEnv(string(name))
		if !set {
			errs = append(errs, fmt.Errorf("%q: neither $$ nor a set variable as ${env:NAME}", match))
		}
		return []byte(value)
	})
	return out, errors.Join(errs...)
}

// decode decodes one component strictly; an empty section keeps the defaults.
func decode(section, name string, node yaml.Node, out any) error {
	if node.Kind == 0 || node.ShortTag() == "!!null" {
		return nil
	}
	raw, err := yaml.Marshal(&node)
	if err != nil {
		return fmt.Errorf("%s::%s: %w", section, name, err)
	}
	if err := strict.DecodeYAML(raw, out); err != nil {
		return fmt.Errorf("%s::%s: %w", section, name, err)
	}
	return nil
}

func unknownType(section, name string) error {
	return fmt.Errorf("%s::%s: unknown type %q for the Collector double", section, name, componentType(name))
}

func componentType(name string) string {
	kind, _, _ := strings.Cut(name, "/")
	return kind
}

// checkEndpoint wants host 0.0.0.0: the Collector's default is localhost, which nobody
// outside the container can reach.
func checkEndpoint(what, endpoint string) error {
	host, port, err := net.SplitHostPort(endpoint)
	if err != nil || host != "0.0.0.0" || port == "" {
		return fmt.Errorf("%s: endpoint %q, want 0.0.0.0:PORT", what, endpoint)
	}
	return nil
}

func (p *parser) extensions() error {
	for name, node := range p.file.Extensions {
		if !slices.Contains(p.file.Service.Extensions, name) {
			return fmt.Errorf("extensions::%s is defined but not in service::extensions", name)
		}
		switch componentType(name) {
		case "health_check":
			var health healthCheck
			if err := decode("extensions", name, node, &health); err != nil {
				return err
			}
			if err := checkEndpoint("extensions::"+name, health.Endpoint); err != nil {
				return err
			}
			p.cfg.Health = health.Endpoint
		case "file_storage":
			var storage fileStorage
			if err := decode("extensions", name, node, &storage); err != nil {
				return err
			}
			if storage.Directory == "" {
				return fmt.Errorf("extensions::%s: directory is missing", name)
			}
			p.storages[name] = storage.Directory
		default:
			return unknownType("extensions", name)
		}
	}
	for _, name := range p.file.Service.Extensions {
		if _, defined := p.file.Extensions[name]; !defined {
			return fmt.Errorf("service::extensions: references extension %q which is not configured", name)
		}
	}
	if p.cfg.Health == "" {
		return errors.New("extensions: health_check is missing")
	}
	return nil
}

func (p *parser) receiverSection() error {
	for _, name := range slices.Sorted(maps.Keys(p.file.Receivers)) {
		node := p.file.Receivers[name]
		switch componentType(name) {
		case "otlp":
		case "file_log":
			tail, err := p.fileLog(name, node)
			if err != nil {
				return err
			}
			p.cfg.Tails, p.receivers[name] = append(p.cfg.Tails, tail), true
			continue
		default:
			return unknownType("receivers", name)
		}
		var otlp otlpReceiver
		if err := decode("receivers", name, node, &otlp); err != nil {
			return err
		}
		if otlp.Protocols.GRPC == nil || otlp.Protocols.HTTP == nil || p.cfg.OTLPHTTP != "" {
			return fmt.Errorf("receivers::%s: the double wants one receiver with both protocols", name)
		}
		p.cfg.OTLPGRPC, p.cfg.OTLPHTTP = otlp.Protocols.GRPC.Endpoint, otlp.Protocols.HTTP.Endpoint
		for _, endpoint := range []string{p.cfg.OTLPGRPC, p.cfg.OTLPHTTP} {
			if err := checkEndpoint("receivers::"+name, endpoint); err != nil {
				return err
			}
		}
		if err := p.security(name, otlp); err != nil {
			return err
		}
		p.receivers[name] = true
	}
	return nil
}

func (p *parser) processorSection() error {
	for name, node := range p.file.Processors {
		if componentType(name) != "memory_limiter" {
			return unknownType("processors", name)
		}
		var limiter memoryLimiter
		if err := decode("processors", name, node, &limiter); err != nil {
			return err
		}
		if limiter.CheckInterval <= 0 || (limiter.LimitPercentage <= 0 && limiter.LimitMiB <= 0) {
			return fmt.Errorf("processors::%s: check_interval and one of limit_percentage, limit_mib must be greater than zero", name)
		}
		if limiter.LimitPercentage > 100 || limiter.SpikeLimitPercentage > 100 {
			return fmt.Errorf("processors::%s: percentages must not exceed 100", name)
		}
		p.processors[name] = true
	}
	return nil
}

func (p *parser) exporterSection() error {
	for name, node := range p.file.Exporters {
		if componentType(name) != "otlp_http" {
			return unknownType("exporters", name)
		}
		var exporter otlpHTTP
		if err := decode("exporters", name, node, &exporter); err != nil {
			return err
		}
		target, err := url.Parse(exporter.Endpoint)
		if err != nil || target.Host == "" || (target.Scheme != "http" && target.Scheme != "https") {
			return fmt.Errorf("exporters::%s: endpoint %q is not an http or https URL", name, exporter.Endpoint)
		}
		for _, signal := range signals {
			if strings.HasSuffix(target.Path, signal.path()) {
				return fmt.Errorf("exporters::%s: endpoint %q: the exporter appends %s itself", name, exporter.Endpoint, signal.path())
			}
		}
		if storage := exporter.SendingQueue.Storage; storage != "" && p.storages[storage] == "" {
			return fmt.Errorf("exporters::%s: sending_queue: storage %q is not a configured extension", name, storage)
		}
		p.exporters[name] = exporter
	}
	return nil
}

func (p *parser) pipelines() error {
	used := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(p.file.Service.Pipelines)) {
		pipe := p.file.Service.Pipelines[name]
		signal := Signal(componentType(name))
		if !slices.Contains(signals, signal) {
			return fmt.Errorf("service::pipelines::%s: the Collector double knows %v only", name, signals)
		}
		if len(pipe.Receivers) == 0 || len(pipe.Exporters) == 0 {
			return fmt.Errorf("service::pipelines::%s: must have at least one receiver and one exporter", name)
		}
		for _, id := range pipe.Receivers {
			if !p.receivers[id] {
				return fmt.Errorf("service::pipelines::%s: references receiver %q which is not configured", name, id)
			}
			used["receivers::"+id] = true
			switch kind := componentType(id); {
			case kind == "otlp" && !slices.Contains(p.cfg.Received, signal):
				p.cfg.Received = append(p.cfg.Received, signal)
			case kind == "file_log" && signal != Logs:
				return fmt.Errorf("service::pipelines::%s: receiver %q: telemetry type is not supported", name, id)
			}
		}
		for _, id := range pipe.Processors {
			if !p.processors[id] {
				return fmt.Errorf("service::pipelines::%s: references processor %q which is not configured", name, id)
			}
			used["processors::"+id] = true
		}
		for _, id := range pipe.Exporters {
			exporter, defined := p.exporters[id]
			if !defined {
				return fmt.Errorf("service::pipelines::%s: references exporter %q which is not configured", name, id)
			}
			p.cfg.add(exporter.resolve(id, signal, p.storages))
			used["exporters::"+id] = true
		}
	}
	return p.unused(used)
}

func (p *parser) unused(used map[string]bool) error {
	sections := map[string]map[string]yaml.Node{"receivers": p.file.Receivers, "processors": p.file.Processors, "exporters": p.file.Exporters}
	for section, components := range sections {
		for name := range components {
			if !used[section+"::"+name] {
				return fmt.Errorf("%s::%s is defined but in no pipeline", section, name)
			}
		}
	}
	if len(p.file.Service.Pipelines) == 0 {
		return errors.New("service::pipelines: must have at least one pipeline")
	}
	return nil
}

func (p *parser) telemetry() error {
	for _, r := range p.file.Service.Telemetry.Metrics.Readers {
		prometheus := r.Pull.Exporter.Prometheus
		endpoint := net.JoinHostPort(prometheus.Host, fmt.Sprint(prometheus.Port))
		if err := checkEndpoint("service::telemetry::metrics", endpoint); err != nil {
			return err
		}
		p.cfg.Metrics = endpoint
	}
	if p.cfg.Metrics == "" {
		return errors.New("service::telemetry::metrics: a prometheus reader on 0.0.0.0 is missing")
	}
	return nil
}
