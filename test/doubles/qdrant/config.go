package qdrant

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

type file struct {
	LogLevel string `yaml:"log_level"`
	Service  struct {
		Host           string `yaml:"host"`
		HTTPPort       int    `yaml:"http_port"`
		GRPCPort       int    `yaml:"grpc_port"`
		APIKey         string `yaml:"api_key"`
		ReadOnlyAPIKey string `yaml:"read_only_api_key"`
		EnableCORS     bool   `yaml:"enable_cors"`
	} `yaml:"service"`
	Storage struct {
		StoragePath   string `yaml:"storage_path"`
		SnapshotsPath string `yaml:"snapshots_path"`
		OnDiskPayload bool   `yaml:"on_disk_payload"`
	} `yaml:"storage"`
	TelemetryDisabled bool `yaml:"telemetry_disabled"`
}

// variables lists every QDRANT__ variable the double accepts.
var variables = map[string]func(f *file, value string) error{
	"QDRANT__SERVICE__API_KEY":           func(f *file, v string) error { f.Service.APIKey = v; return nil },
	"QDRANT__SERVICE__READ_ONLY_API_KEY": func(f *file, v string) error { f.Service.ReadOnlyAPIKey = v; return nil },
	"QDRANT__SERVICE__HTTP_PORT":         func(f *file, v string) (err error) { f.Service.HTTPPort, err = strconv.Atoi(v); return err },
	"QDRANT__SERVICE__GRPC_PORT":         func(f *file, v string) (err error) { f.Service.GRPCPort, err = strconv.Atoi(v); return err },
	"QDRANT__SERVICE__HOST":              func(f *file, v string) error { f.Service.Host = v; return nil },
	"QDRANT__TELEMETRY_DISABLED":         func(f *file, v string) (err error) { f.TelemetryDisabled, err = strconv.ParseBool(v); return err },
	"QDRANT__LOG_LEVEL":                  func(f *file, v string) error { f.LogLevel = v; return nil },
	"QDRANT__STORAGE__ON_DISK_PAYLOAD":   func(f *file, v string) (err error) { f.Storage.OnDiskPayload, err = strconv.ParseBool(v); return err },
}

// Config is what file and environment say.
type Config struct {
	HTTP, GRPC string
	// APIKey and ReadOnlyAPIKey are empty when everybody may do everything.
	APIKey, ReadOnlyAPIKey string
	Storage, Snapshots     string
}

// Load reads the file at configPath, if it is there, and then the environment, which wins.
// Relative paths in them start at root.
func Load(root, configPath string, environ []string) (Config, error) {
	f := file{}
	f.Service.Host, f.Service.HTTPPort, f.Service.GRPCPort = "0.0.0.0", 6333, 6334
	f.Storage.StoragePath, f.Storage.SnapshotsPath = "./storage", "./snapshots"
	raw, err := os.ReadFile(configPath)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return Config{}, err
	default:
		if err := strict.DecodeYAML(raw, &f); err != nil {
			return Config{}, fmt.Errorf("%s: %w", configPath, err)
		}
	}
	if err := f.environment(environ); err != nil {
		return Config{}, err
	}
	return f.check(root)
}

func (f *file) environment(environ []string) error {
	var errs []error
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "QDRANT_") {
			continue
		}
		apply, known := variables[name]
		switch {
		case !known:
			errs = append(errs, fmt.Errorf("unknown variable %s: the Qdrant double accepts only what orch sets", name))
		case value == "":
			errs = append(errs, fmt.Errorf("%s is empty", name))
		default:
			if err := apply(f, value); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
			}
		}
	}
	return errors.Join(errs...)
}

func (f *file) check(root string) (Config, error) {
	s := f.Service
	switch {
	case s.Host != "0.0.0.0" && s.Host != "::":
		return Config{}, fmt.Errorf("service: host %q: nobody outside the container would reach it", s.Host)
	case s.HTTPPort < 1 || s.HTTPPort > 65535 || s.GRPCPort < 1 || s.GRPCPort > 65535:
		return Config{}, fmt.Errorf("service: http_port %d or grpc_port %d is not a port", s.HTTPPort, s.GRPCPort)
	case s.ReadOnlyAPIKey != "" && s.APIKey == "":
		return Config{}, errors.New("service: read_only_api_key without api_key lets everybody write")
	case s.ReadOnlyAPIKey != "" && s.ReadOnlyAPIKey == s.APIKey:
		return Config{}, errors.New("service: read_only_api_key equals api_key")
	}
	at := func(dir string) string {
		if path.IsAbs(dir) {
			return dir
		}
		return path.Join(root, dir)
	}
	return Config{
		HTTP: fmt.Sprintf("[::]:%d", s.HTTPPort), GRPC: fmt.Sprintf("[::]:%d", s.GRPCPort), APIKey: s.APIKey, ReadOnlyAPIKey: s.ReadOnlyAPIKey,
		Storage: at(f.Storage.StoragePath), Snapshots: at(f.Storage.SnapshotsPath),
	}, nil
}
