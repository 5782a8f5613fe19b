package jaeger

import (
	"errors"
	"fmt"
	"net"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

type file struct {
	Service struct {
		Extensions []string            `yaml:"extensions"`
		Pipelines  map[string]pipeline `yaml:"pipelines"`
		Telemetry  struct {
			Resource map[string]string `yaml:"resource"`
			Metrics  struct {
				Level   string   `yaml:"level"`
				Readers []reader `yaml:"readers"`
			} `yaml:"metrics"`
			Logs struct {
				Level string `yaml:"level"`
			} `yaml:"logs"`
		} `yaml:"telemetry"`
	} `yaml:"service"`
	Extensions struct {
		HealthCheck struct {
			UseV2 bool     `yaml:"use_v2"`
			HTTP  endpoint `yaml:"http"`
		} `yaml:"healthcheckv2"`
		Query struct {
			Storage struct {
				Traces string `yaml:"traces"`
			} `yaml:"storage"`
			HTTP          endpoint `yaml:"http"`
			GRPC          endpoint `yaml:"grpc"`
			EnableTracing bool     `yaml:"enable_tracing"` // the double never traces itself
		} `yaml:"jaeger_query"`
		Storage struct {
			Backends map[string]backend `yaml:"backends"`
		} `yaml:"jaeger_storage"`
	} `yaml:"extensions"`
	Receivers struct {
		OTLP struct {
			Protocols struct {
				GRPC endpoint `yaml:"grpc"`
				HTTP endpoint `yaml:"http"`
			} `yaml:"protocols"`
		} `yaml:"otlp"`
	} `yaml:"receivers"`
	Processors struct {
		Batch *struct{} `yaml:"batch"`
	} `yaml:"processors"`
	Exporters struct {
		Storage struct {
			TraceStorage string `yaml:"trace_storage"`
		} `yaml:"jaeger_storage_exporter"`
	} `yaml:"exporters"`
}

type endpoint struct {
	Endpoint string `yaml:"endpoint"`
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

type backend struct {
	Badger *struct {
		Directories struct {
			Keys   string `yaml:"keys"`
			Values string `yaml:"values"`
		} `yaml:"directories"`
		Ephemeral bool `yaml:"ephemeral"`
		TTL       struct {
			Spans time.Duration `yaml:"spans"`
		} `yaml:"ttl"`
		MaintenanceInterval time.Duration `yaml:"maintenance_interval"`
	} `yaml:"badger"`
}

// Config is a checked configuration.
type Config struct {
	Health, OTLPGRPC, OTLPHTTP, Metrics, Query string
	// Keys and Values are the directories of badger.
	Keys, Values string
}

// Parse checks a configuration file.
func Parse(raw []byte) (Config, error) {
	if strings.Contains(string(raw), "$") {
		return Config{}, errors.New("the configuration holds a $, the Jaeger double expands no variables")
	}
	var f file
	if err := strict.DecodeYAML(raw, &f); err != nil {
		return Config{}, err
	}
	cfg := Config{
		Health: f.Extensions.HealthCheck.HTTP.Endpoint, OTLPGRPC: f.Receivers.OTLP.Protocols.GRPC.Endpoint,
		OTLPHTTP: f.Receivers.OTLP.Protocols.HTTP.Endpoint, Query: f.Extensions.Query.HTTP.Endpoint,
	}
	// The query service is the only one whose default is every interface.
	if cfg.Query == "" {
		cfg.Query = "0.0.0.0:16686"
	}
	if readers := f.Service.Telemetry.Metrics.Readers; len(readers) == 1 {
		prometheus := readers[0].Pull.Exporter.Prometheus
		cfg.Metrics = net.JoinHostPort(prometheus.Host, strconv.Itoa(prometheus.Port))
	}
	return cfg, errors.Join(f.checkService(), cfg.checkEndpoints(), f.checkStorage(&cfg))
}

func (f file) checkService() error {
	for _, name := range []string{"jaeger_storage", "jaeger_query", "healthcheckv2"} {
		if !slices.Contains(f.Service.Extensions, name) {
			return fmt.Errorf("service::extensions: %s is missing", name)
		}
	}
	if len(f.Service.Extensions) != 3 {
		return fmt.Errorf("service::extensions: %v, the Jaeger double knows three only", f.Service.Extensions)
	}
	traces, defined := f.Service.Pipelines["traces"]
	if !defined || len(f.Service.Pipelines) != 1 {
		return errors.New("service::pipelines: want traces and nothing else")
	}
	if !slices.Equal(traces.Receivers, []string{"otlp"}) || !slices.Equal(traces.Exporters, []string{"jaeger_storage_exporter"}) {
		return fmt.Errorf("service::pipelines::traces: from %v to %v, want otlp to jaeger_storage_exporter", traces.Receivers, traces.Exporters)
	}
	hasBatch := f.Processors.Batch != nil
	if (len(traces.Processors) > 0) != hasBatch || (hasBatch && !slices.Equal(traces.Processors, []string{"batch"})) {
		return fmt.Errorf("service::pipelines::traces: processors %v are not those configured", traces.Processors)
	}
	if !f.Extensions.HealthCheck.UseV2 {
		return errors.New("extensions::healthcheckv2: use_v2 must be true, or /status does not exist")
	}
	return nil
}

func (c Config) checkEndpoints() error {
	for what, address := range map[string]string{
		"extensions::healthcheckv2::http": c.Health, "receivers::otlp::grpc": c.OTLPGRPC, "receivers::otlp::http": c.OTLPHTTP,
		"extensions::jaeger_query::http": c.Query, "service::telemetry::metrics": c.Metrics,
	} {
		host, port, err := net.SplitHostPort(address)
		if err != nil || host != "0.0.0.0" || port == "" {
			return fmt.Errorf("%s: endpoint %q, want 0.0.0.0:PORT", what, address)
		}
	}
	return nil
}

func (f file) checkStorage(cfg *Config) error {
	if len(f.Extensions.Storage.Backends) != 1 {
		return fmt.Errorf("extensions::jaeger_storage: %d backends, the Jaeger double knows one", len(f.Extensions.Storage.Backends))
	}
	for name, store := range f.Extensions.Storage.Backends {
		if f.Extensions.Query.Storage.Traces != name || f.Exporters.Storage.TraceStorage != name {
			return fmt.Errorf("cannot find definition of storage: query reads %q, the exporter writes %q, configured is %q",
				f.Extensions.Query.Storage.Traces, f.Exporters.Storage.TraceStorage, name)
		}
		if store.Badger == nil {
			return fmt.Errorf("extensions::jaeger_storage: backend %s: the Jaeger double knows badger only", name)
		}
		if store.Badger.Ephemeral || store.Badger.TTL.Spans <= 0 {
			return fmt.Errorf("extensions::jaeger_storage: backend %s: want ephemeral: false and a positive ttl of spans", name)
		}
		cfg.Keys, cfg.Values = store.Badger.Directories.Keys, store.Badger.Directories.Values
	}
	if !path.IsAbs(cfg.Keys) || !path.IsAbs(cfg.Values) {
		return fmt.Errorf("badger: directories %q and %q must be absolute paths", cfg.Keys, cfg.Values)
	}
	return nil
}
