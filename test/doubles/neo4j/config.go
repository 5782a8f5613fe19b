package neo4j

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Config is what the environment of the container says.
type Config struct {
	// Password is the initial one: it applies to an empty Data only.
	Password    string
	MinPassword int
	Data, Logs  string
	Bolt, HTTP  string

	heapInitial, heapMax int64
}

// user is the only one that the image's entry point accepts.
const user = "neo4j"

// settings lists every setting the double accepts with the check of its value. Names are
// those of neo4j.conf; NEO4J_server_memory_heap_max__size is server.memory.heap.max_size.
var settings = map[string]func(c *Config, value string) error{
	"server.memory.heap.initial_size":            func(c *Config, v string) (err error) { c.heapInitial, err = size(v); return err },
	"server.memory.heap.max_size":                func(c *Config, v string) (err error) { c.heapMax, err = size(v); return err },
	"server.memory.pagecache.size":               checkSize,
	"dbms.memory.transaction.total.max":          checkSize,
	"db.memory.transaction.max":                  checkSize,
	"dbms.security.auth_minimum_password_length": func(c *Config, v string) (err error) { c.MinPassword, err = strconv.Atoi(v); return err },
	"dbms.security.procedures.unrestricted":      checkNothing,
	"dbms.security.procedures.allowlist":         checkNothing,
	"dbms.usage_report.enabled":                  checkBool,
	"server.config.strict_validation.enabled":    checkTrue,
	"server.default_listen_address":              checkEverywhere,
	"server.default_advertised_address":          checkNothing,
	"server.bolt.advertised_address":             checkNothing,
	"server.http.advertised_address":             checkNothing,
	"db.tx_log.rotation.retention_policy":        checkNothing,
	"server.http.listen_address":                 func(c *Config, v string) error { c.HTTP = v; return checkAddress(c, v) },
	"server.bolt.listen_address":                 func(c *Config, v string) error { c.Bolt = v; return checkAddress(c, v) },
	"db.logs.query.enabled":                      func(_ *Config, v string) error { return oneOf(v, "OFF", "INFO", "VERBOSE") },
	"server.bolt.tls_level":                      func(_ *Config, v string) error { return oneOf(v, "DISABLED") },
}

// notSettings are the variables that the entry point keeps to itself.
var notSettings = []string{
	"NEO4J_AUTH", "NEO4J_PLUGINS", "NEO4J_ACCEPT_LICENSE_AGREEMENT", "NEO4J_EDITION", "NEO4J_HOME", "NEO4J_SHA256", "NEO4J_TARBALL",
}

// plugins are those of the image's neo4j-plugins.json.
var plugins = []string{"apoc", "apoc-extended", "bloom", "genai", "graph-data-science", "graphql", "n10s"}

var sizePattern = regexp.MustCompile(`^(\d+)([kKmMgGtT]?)[iI]?[bB]?$`)

func size(value string) (int64, error) {
	match := sizePattern.FindStringSubmatch(value)
	if match == nil {
		return 0, fmt.Errorf("'%s' is not a valid size, must be e.g. 10, 5K, 1M, 11G", value)
	}
	count, err := strconv.ParseInt(match[1], 10, 64)
	return count << (10 * (strings.Index("kmgt", strings.ToLower(match[2])) + min(1, len(match[2])))), err
}

func checkSize(_ *Config, value string) error {
	_, err := size(value)
	return err
}

func checkNothing(*Config, string) error { return nil }

func checkBool(_ *Config, value string) error { return oneOf(value, "true", "false") }

func checkTrue(_ *Config, value string) error { return oneOf(value, "true") }

func checkEverywhere(_ *Config, value string) error { return oneOf(value, "0.0.0.0", "::") }

func checkAddress(_ *Config, value string) error {
	_, port, err := net.SplitHostPort(value)
	if err == nil && port == "" {
		err = fmt.Errorf("'%s' has no port", value)
	}
	return err
}

func oneOf(value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return fmt.Errorf("'%s' is none of %s", value, strings.Join(allowed, ", "))
}

// ParseEnv reads the environment as os.Environ gives it, with the rules of the image's
// entry point; unlike there, a variable and its _FILE at once and no password are errors.
func ParseEnv(environ []string) (Config, error) {
	c := Config{MinPassword: 8, Data: "/data", Logs: "/logs", Bolt: "0.0.0.0:7687", HTTP: "0.0.0.0:7474"}
	values, err := variables(environ)
	errs := []error{err}
	for name, value := range values {
		if slices.Contains(notSettings, name) {
			continue
		}
		errs = append(errs, c.set(settingName(name), value))
	}
	if c.heapMax > 0 && c.heapInitial > c.heapMax {
		errs = append(errs, errors.New("initial heap size set to a larger value than the maximum heap size"))
	}
	errs = append(errs, checkPlugins(values["NEO4J_PLUGINS"]), c.auth(values["NEO4J_AUTH"]))
	return c, errors.Join(errs...)
}

// variables returns those that begin with NEO4J_, files read.
func variables(environ []string) (map[string]string, error) {
	values := make(map[string]string)
	for _, entry := range environ {
		if name, value, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "NEO4J_") {
			values[name] = value
		}
	}
	for name, path := range values {
		base, isFile := strings.CutSuffix(name, "_FILE")
		if !isFile {
			continue
		}
		if _, both := values[base]; both {
			return nil, fmt.Errorf("both %s and %s are set", base, name)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("the secret file '%s' does not exist or is not readable: %w", path, err)
		}
		delete(values, name)
		// The shell's $(<file) drops every trailing newline.
		values[base] = strings.TrimRight(string(content), "\n")
	}
	return values, nil
}

// settingName undoes the entry point's encoding: "_" is ".", "__" is "_".
func settingName(variable string) string {
	name := strings.ReplaceAll(strings.TrimPrefix(variable, "NEO4J_"), "_", ".")
	return strings.ReplaceAll(name, "..", "_")
}

func (c *Config) set(name, value string) error {
	apply, known := settings[name]
	if !known {
		return fmt.Errorf("unrecognized setting. No declared setting with name: %s", name)
	}
	if err := apply(c, value); err != nil {
		return fmt.Errorf("error evaluating value for setting '%s': %w", name, err)
	}
	return nil
}

func checkPlugins(list string) error {
	if list == "" {
		return nil
	}
	var names []string
	if err := json.Unmarshal([]byte(list), &names); err != nil {
		return fmt.Errorf("NEO4J_PLUGINS %q is not a JSON array of names: %w", list, err)
	}
	for _, name := range names {
		if !slices.Contains(plugins, name) {
			return fmt.Errorf("%q is not a known Neo4j plugin. Options are: %s", name, strings.Join(plugins, " "))
		}
	}
	return nil
}

var authPattern = regexp.MustCompile(`^([^/]+)/([^/]+)/?([tT][rR][uU][eE])?$`)

func (c *Config) auth(value string) error {
	match := authPattern.FindStringSubmatch(value)
	switch {
	case value == "" || value == "none":
		return fmt.Errorf("NEO4J_AUTH is %q: the Neo4j double runs with a password only", value)
	case match == nil:
		return errors.New("invalid value for NEO4J_AUTH: want neo4j/PASSWORD, the password without a slash")
	case match[3] != "":
		return errors.New("NEO4J_AUTH asks for a password change at the first login, which the Neo4j double does not know")
	case match[1] != user:
		return errors.New("invalid admin username, it must be neo4j")
	}
	c.Password = match[2]
	return c.checkPassword(c.Password)
}

// checkPassword applies Neo4j's rules to a new password.
func (c *Config) checkPassword(password string) error {
	switch {
	case password == user:
		return errors.New("invalid value for password. It cannot be 'neo4j', which is the default")
	case len(password) < c.MinPassword:
		return fmt.Errorf("a password must be at least %d characters", c.MinPassword)
	}
	return nil
}
