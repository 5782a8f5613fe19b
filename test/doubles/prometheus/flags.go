package prometheus

import (
	"fmt"
	"net"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

// options are the flags of Prometheus that orch uses. Kingpin knows two dashes only.
type options struct {
	configFile string
	data       string
	listen     string
	otlp       bool
	lifecycle  bool
	exemplars  bool
}

// switches are the flags without a value.
var switches = map[string]func(*options){
	"--web.enable-otlp-receiver": func(o *options) { o.otlp = true },
	"--web.enable-lifecycle":     func(o *options) { o.lifecycle = true },
}

// values are the flags with one.
var values = map[string]func(*options, string) error{
	"--config.file":                 func(o *options, v string) error { o.configFile = v; return nil },
	"--storage.tsdb.path":           func(o *options, v string) error { o.data = v; return nil },
	"--enable-feature":              enableFeatures,
	"--storage.tsdb.retention.time": func(_ *options, v string) error { return new(strict.Duration).UnmarshalText([]byte(v)) },
	"--storage.tsdb.retention.size": func(_ *options, v string) error {
		if !sizePattern.MatchString(v) {
			return fmt.Errorf("%q is not a size such as 5GB", v)
		}
		return nil
	},
	"--web.listen-address": func(o *options, v string) error {
		o.listen = v
		_, _, err := net.SplitHostPort(v)
		return err
	},
	"--log.level": func(_ *options, v string) error { return oneOf(v, "debug", "info", "warn", "error") },
}

func enableFeatures(o *options, list string) error {
	for feature := range strings.SplitSeq(list, ",") {
		if err := oneOf(feature, "exemplar-storage"); err != nil {
			return err
		}
		o.exemplars = true
	}
	return nil
}

func oneOf(value string, allowed ...string) error {
	for _, candidate := range allowed {
		if value == candidate {
			return nil
		}
	}
	return fmt.Errorf("%q is none of %s", value, strings.Join(allowed, ", "))
}

func parseFlags(args []string) (options, error) {
	opts := options{configFile: "prometheus.yml", data: "data/", listen: "0.0.0.0:9090"}
	for _, arg := range args {
		if apply, known := switches[arg]; known {
			apply(&opts)
			continue
		}
		name, value, given := strings.Cut(arg, "=")
		apply, known := values[name]
		if !known {
			return opts, fmt.Errorf("flag %q is unknown to the Prometheus double", arg)
		}
		if !given || value == "" {
			return opts, fmt.Errorf("flag %s needs a value: %s=VALUE", name, name)
		}
		if err := apply(&opts, value); err != nil {
			return opts, fmt.Errorf("flag %s: %w", name, err)
		}
	}
	return opts, nil
}
