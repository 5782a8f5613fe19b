package grafana

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
)

// Config is what the environment of the container says.
type Config struct {
	AdminUser     string
	AdminPassword string
	Anonymous     bool
	Port          int
	Data          string
	Provisioning  string
	LogLevel      slog.Level
}

// known lists every GF_ variable the double accepts with the check of its value; those that
// change nothing here are checked all the same, because Grafana would refuse or ignore them.
var known = map[string]func(c *Config, value string) error{
	"GF_SECURITY_ADMIN_USER":                func(c *Config, v string) error { c.AdminUser = v; return nil },
	"GF_SECURITY_ADMIN_PASSWORD":            func(c *Config, v string) error { c.AdminPassword = v; return nil },
	"GF_AUTH_ANONYMOUS_ENABLED":             func(c *Config, v string) (err error) { c.Anonymous, err = strconv.ParseBool(v); return err },
	"GF_SERVER_HTTP_PORT":                   func(c *Config, v string) (err error) { c.Port, err = strconv.Atoi(v); return err },
	"GF_SERVER_ROOT_URL":                    checkURL,
	"GF_LOG_LEVEL":                          func(c *Config, v string) error { return c.LogLevel.UnmarshalText([]byte(v)) },
	"GF_USERS_ALLOW_SIGN_UP":                checkBool,
	"GF_ANALYTICS_REPORTING_ENABLED":        checkBool,
	"GF_ANALYTICS_CHECK_FOR_UPDATES":        checkBool,
	"GF_PLUGINS_PREINSTALL_DISABLED":        checkBool,
	"GF_PLUGINS_PREINSTALL_AUTO_UPDATE":     checkBool,
	"GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": checkBool,
	// The image itself sets these.
	"GF_PATHS_DATA":         func(c *Config, v string) error { c.Data = v; return nil },
	"GF_PATHS_PROVISIONING": func(c *Config, v string) error { c.Provisioning = v; return nil },
	"GF_PATHS_CONFIG":       checkNothing,
	"GF_PATHS_HOME":         checkNothing,
	"GF_PATHS_LOGS":         checkNothing,
	"GF_PATHS_PLUGINS":      checkNothing,
}

func checkNothing(*Config, string) error { return nil }

func checkBool(_ *Config, value string) error {
	_, err := strconv.ParseBool(value)
	return err
}

func checkURL(_ *Config, value string) error {
	if !strings.HasPrefix(value, "http://") && !strings.HasPrefix(value, "https://") {
		return fmt.Errorf("%q is not an http or https URL", value)
	}
	return nil
}

// ParseEnv reads the environment as os.Environ gives it. Like the entry point of Grafana's
// image it replaces NAME__FILE by the content of that file and refuses both at once; unlike
// it, an unreadable or empty file and an unknown GF_ variable are errors.
func ParseEnv(environ []string) (Config, error) {
	c := Config{
		AdminUser: "admin", AdminPassword: "admin", Port: 3000,
		Data: "/var/lib/grafana", Provisioning: "/etc/grafana/provisioning",
	}
	values := make(map[string]string)
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "GF_") {
			values[name] = value
		}
	}
	var errs []error
	for name, value := range values {
		errs = append(errs, c.set(name, value, values))
	}
	if c.Port < 1 || c.Port > 65535 {
		errs = append(errs, fmt.Errorf("GF_SERVER_HTTP_PORT: %d is not a port", c.Port))
	}
	return c, errors.Join(errs...)
}

func (c *Config) set(name, value string, all map[string]string) error {
	if variable, isFile := strings.CutSuffix(name, "__FILE"); isFile {
		if _, both := all[variable]; both {
			return fmt.Errorf("both %s and %s are set (but are exclusive)", variable, name)
		}
		content, err := os.ReadFile(value)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		// The shell's $(<file) drops every trailing newline.
		name, value = variable, strings.TrimRight(string(content), "\n")
	}
	apply, ok := known[name]
	if !ok {
		return fmt.Errorf("unknown variable %s: the Grafana double accepts only what orch sets", name)
	}
	if value == "" {
		return fmt.Errorf("%s is empty", name)
	}
	if err := apply(c, value); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
