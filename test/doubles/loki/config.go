package loki

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

type file struct {
	AuthEnabled *bool `yaml:"auth_enabled"`
	Server      struct {
		HTTPListenPort int    `yaml:"http_listen_port"`
		GRPCListenPort int    `yaml:"grpc_listen_port"`
		LogLevel       string `yaml:"log_level"`
		// Sizes in bytes; the double takes requests of any size (dskit server.Config).
		GRPCMaxRecv int `yaml:"grpc_server_max_recv_msg_size"`
		GRPCMaxSend int `yaml:"grpc_server_max_send_msg_size"`
	} `yaml:"server"`
	Common       common       `yaml:"common"`
	SchemaConfig schemaConfig `yaml:"schema_config"`
	Ingester     struct {
		Lifecycler struct {
			MinReadyDuration duration `yaml:"min_ready_duration"`
			FinalSleep       duration `yaml:"final_sleep"`
		} `yaml:"lifecycler"`
	} `yaml:"ingester"`
	Frontend struct {
		SchedulerDNSLookupPeriod duration `yaml:"scheduler_dns_lookup_period"`
	} `yaml:"frontend"`
	FrontendWorker struct {
		DNSLookupDuration duration `yaml:"dns_lookup_duration"`
	} `yaml:"frontend_worker"`
	Limits    limits `yaml:"limits_config"`
	Compactor struct {
		WorkingDirectory   string `yaml:"working_directory"`
		RetentionEnabled   bool   `yaml:"retention_enabled"`
		DeleteRequestStore string `yaml:"delete_request_store"`
	} `yaml:"compactor"`
	Analytics struct {
		ReportingEnabled bool `yaml:"reporting_enabled"`
	} `yaml:"analytics"`
}

type common struct {
	InstanceAddr      string `yaml:"instance_addr"`
	PathPrefix        string `yaml:"path_prefix"`
	ReplicationFactor int    `yaml:"replication_factor"`
	Storage           struct {
		Filesystem struct {
			ChunksDirectory string `yaml:"chunks_directory"`
			RulesDirectory  string `yaml:"rules_directory"`
		} `yaml:"filesystem"`
	} `yaml:"storage"`
	Ring struct {
		KVStore struct {
			Store string `yaml:"store"`
		} `yaml:"kvstore"`
	} `yaml:"ring"`
}

type schemaConfig struct {
	Configs []struct {
		From        string `yaml:"from"`
		Store       string `yaml:"store"`
		ObjectStore string `yaml:"object_store"`
		Schema      string `yaml:"schema"`
		Index       struct {
			Prefix string   `yaml:"prefix"`
			Period duration `yaml:"period"`
		} `yaml:"index"`
	} `yaml:"configs"`
}

type limits struct {
	RetentionPeriod duration `yaml:"retention_period"`
	VolumeEnabled   bool     `yaml:"volume_enabled"`
	// The double knows no rates and no longest line (Loki's pkg/validation/limits.go).
	IngestionRateMB         float64 `yaml:"ingestion_rate_mb"`
	IngestionBurstSizeMB    float64 `yaml:"ingestion_burst_size_mb"`
	PerStreamRateLimit      string  `yaml:"per_stream_rate_limit"`
	PerStreamRateLimitBurst string  `yaml:"per_stream_rate_limit_burst"`
	MaxLineSize             string  `yaml:"max_line_size"`
	OTLPConfig              struct {
		ResourceAttributes struct {
			IgnoreDefaults   bool `yaml:"ignore_defaults"`
			AttributesConfig []struct {
				Action     string   `yaml:"action"`
				Attributes []string `yaml:"attributes"`
			} `yaml:"attributes_config"`
		} `yaml:"resource_attributes"`
	} `yaml:"otlp_config"`
}

// duration is Prometheus' notation: Go's, and d or w with a whole number before it.
type duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *duration) UnmarshalText(text []byte) error {
	value := string(text)
	for suffix, unit := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if count, ok := strings.CutSuffix(value, suffix); ok {
			n, err := strconv.Atoi(count)
			if err != nil {
				return fmt.Errorf("%q is not a duration: %w", value, err)
			}
			*d = duration(time.Duration(n) * unit)
			return nil
		}
	}
	parsed, err := time.ParseDuration(value)
	*d = duration(parsed)
	return err
}

// Config is a checked configuration.
type Config struct {
	Port int
	// Path is the path prefix, below which the data lives.
	Path string
	// IndexLabels are the resource attributes that become stream labels.
	IndexLabels []string
}

// defaultIndexLabels are those of Loki's own list that orch's logs carry.
var defaultIndexLabels = []string{"service.name", "service.namespace", "service.instance.id", "deployment.environment.name", "container.name"}

// Parse checks a configuration file.
func Parse(raw []byte) (Config, error) {
	var f file
	if err := strict.DecodeYAML(raw, &f); err != nil {
		return Config{}, err
	}
	if err := errors.Join(f.checkServing(), f.checkSchema(), f.checkRetention()); err != nil {
		return Config{}, err
	}
	cfg := Config{Port: f.Server.HTTPListenPort, Path: f.Common.PathPrefix}
	if cfg.Port == 0 {
		cfg.Port = 3100
	}
	if !f.Limits.OTLPConfig.ResourceAttributes.IgnoreDefaults {
		cfg.IndexLabels = append(cfg.IndexLabels, defaultIndexLabels...)
	}
	for _, rule := range f.Limits.OTLPConfig.ResourceAttributes.AttributesConfig {
		if rule.Action != "index_label" {
			return Config{}, fmt.Errorf("limits_config: otlp_config: action %q, the double knows index_label only", rule.Action)
		}
		cfg.IndexLabels = append(cfg.IndexLabels, rule.Attributes...)
	}
	if len(cfg.IndexLabels) > 15 {
		return Config{}, fmt.Errorf("limits_config: otlp_config: %d index labels, Loki's limit is 15", len(cfg.IndexLabels))
	}
	return cfg, nil
}

func (f file) checkServing() error {
	switch {
	case f.AuthEnabled == nil || *f.AuthEnabled:
		return errors.New("auth_enabled must be false: orch sends no tenant")
	case f.Common.PathPrefix == "":
		return errors.New("common: path_prefix is missing")
	case f.Common.ReplicationFactor != 1:
		return fmt.Errorf("common: replication_factor %d, one instance can hold 1 only", f.Common.ReplicationFactor)
	case f.Common.Ring.KVStore.Store != "inmemory":
		return fmt.Errorf("common: ring: kvstore: store %q, want inmemory", f.Common.Ring.KVStore.Store)
	}
	storage := f.Common.Storage.Filesystem
	for _, dir := range []string{storage.ChunksDirectory, storage.RulesDirectory} {
		if !strings.HasPrefix(dir, f.Common.PathPrefix+"/") {
			return fmt.Errorf("common: storage: filesystem: %q is not below path_prefix, it would not survive the container", dir)
		}
	}
	return nil
}

func (f file) checkSchema() error {
	if len(f.SchemaConfig.Configs) == 0 {
		return errors.New("schema_config: configs are missing")
	}
	for _, period := range f.SchemaConfig.Configs {
		if _, err := time.Parse(time.DateOnly, period.From); err != nil {
			return fmt.Errorf("schema_config: from: %w", err)
		}
		if period.Store != "tsdb" || period.Schema != "v13" || period.ObjectStore != "filesystem" || period.Index.Period != duration(24*time.Hour) {
			return errors.New("schema_config: OTLP needs store tsdb, schema v13, object_store filesystem and an index period of 24h")
		}
	}
	return nil
}

func (f file) checkRetention() error {
	retention := time.Duration(f.Limits.RetentionPeriod)
	switch {
	case !f.Compactor.RetentionEnabled && retention != 0:
		return errors.New("limits_config: retention_period without compactor: retention_enabled deletes nothing")
	case !f.Compactor.RetentionEnabled:
		return nil
	case f.Compactor.DeleteRequestStore == "":
		return errors.New("compactor: delete-request-store should be configured when retention is enabled")
	case !strings.HasPrefix(f.Compactor.WorkingDirectory, f.Common.PathPrefix+"/"):
		return fmt.Errorf("compactor: working_directory %q is not below path_prefix", f.Compactor.WorkingDirectory)
	case retention != 0 && retention < 24*time.Hour:
		return fmt.Errorf("limits_config: retention_period %s is below Loki's minimum of 24h", retention)
	}
	return nil
}
