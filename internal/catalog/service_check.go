package catalog

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

var (
	envPattern    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)
	secretPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)
	portPattern   = regexp.MustCompile(`^[a-z]([a-z0-9_]{0,30}[a-z0-9])?$`)
	// Docker's own rule for the names of volumes.
	volumePattern  = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$`)
	restartPattern = regexp.MustCompile(`^(no|always|unless-stopped|on-failure(:[1-9][0-9]{0,5})?)$`)
	userPattern    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$`)
	schemePattern  = regexp.MustCompile(`^[a-z][a-z0-9+.-]*$`)
)

// secretsVolume is the name that the volume of a component's secrets has among its volumes.
const secretsVolume = "secrets"

// Longest times that a health check takes.
const (
	maxStartPeriod = time.Hour
	maxInterval    = 10 * time.Minute
	maxDrain       = 600
	maxStopTimeout = 3600
)

func checkService(in ServiceInput) []Problem {
	return concat(in.checkImage(), in.checkEnv(), in.checkSecrets(), in.checkServicePorts(), in.checkVolumes(), in.checkNetworks(), in.checkLimits(),
		in.checkHealth(), in.checkUpdate())
}

func (in ServiceInput) checkImage() []Problem {
	switch {
	case in.Build == nil && or(in.Image, "") == "":
		return []Problem{{"image", "either image or build must be set"}}
	case in.Build != nil && in.Image != nil:
		return []Problem{{"build", "only one of image and build can be set"}}
	case in.Build == nil:
		return nil
	}
	var problems []Problem
	if strings.TrimSpace(in.Build.Context) == "" {
		problems = append(problems, Problem{"build.context", "it is empty; it takes a folder or the URL of a Git repository"})
	}
	if holdsLogin(in.Build.Context) {
		problems = append(problems, Problem{"build.context", "the URL holds a login, which would stand in the state, in the history of the workflow and in the container's labels; " +
			"let the Docker Engine's host have it, or build from a folder"})
	}
	if file := or(in.Build.Dockerfile, DefaultDockerfile); file == "" || path.IsAbs(file) || !insideOf(file) {
		problems = append(problems, Problem{"build.dockerfile", fmt.Sprintf("%q is not a path within the context, such as docker/Dockerfile", file)})
	}
	for _, name := range sorted(in.Build.Args) {
		if !envPattern.MatchString(name) {
			problems = append(problems, Problem{"build.args." + name, fmt.Sprintf("%q is not the name of a build argument", name)})
		}
	}
	return problems
}

// holdsLogin reports whether an address of the web names a user, whose name alone may be a token.
func holdsLogin(address string) bool {
	rest, found := strings.CutPrefix(address, "https://")
	if !found {
		rest, found = strings.CutPrefix(address, "http://")
	}
	host, _, _ := strings.Cut(rest, "/")
	return found && strings.Contains(host, "@")
}

func insideOf(file string) bool {
	clean := path.Clean(file)
	return clean != "." && clean != ".." && !strings.HasPrefix(clean, "../")
}

func (in ServiceInput) checkEnv() []Problem {
	var problems []Problem
	for _, name := range sorted(in.Env) {
		if !envPattern.MatchString(name) {
			problems = append(problems, Problem{"env." + name, fmt.Sprintf("%q is not the name of an environment variable", name)})
		}
		if strings.ContainsRune(in.Env[name], 0) {
			problems = append(problems, Problem{"env." + name, "an environment variable cannot hold a NUL"})
		}
	}
	return problems
}

func (in ServiceInput) checkSecrets() []Problem {
	var problems []Problem
	for _, name := range sorted(in.Secrets) {
		at := "secrets." + name
		// The volume keeps a secret's version and its former value under these endings.
		reserved := strings.HasSuffix(name, ".version") || strings.HasSuffix(name, ".previous")
		if !secretPattern.MatchString(name) || reserved {
			problems = append(problems, Problem{at, fmt.Sprintf("%q cannot be a file's name in %s: it takes letters, digits, underscores, hyphens and dots, "+
				"and does not end with .version or .previous", name, contract.SecretsPath)})
		}
		problems = append(problems, in.Secrets[name].check(at)...)
	}
	return problems
}

func (s SecretInput) check(at string) []Problem {
	given := 0
	for _, set := range []bool{s.ValueVersion != nil, s.Env != nil, s.File != nil, s.Service != nil} {
		if set {
			given++
		}
	}
	switch {
	case given > 1:
		return []Problem{{at, "only one of value_wo, env, file and service can be set"}}
	case s.Version != nil && (given == 0 || s.ValueVersion != nil):
		return []Problem{{at + ".version", "it belongs to env, file or service; a value has value_wo_version"}}
	case s.Env != nil && !envPattern.MatchString(*s.Env):
		return []Problem{{at + ".env", fmt.Sprintf("%q is not the name of an environment variable", *s.Env)}}
	case s.File != nil && !path.IsAbs(*s.File):
		return []Problem{{at + ".file", fmt.Sprintf("%q is not an absolute path on the worker's host", *s.File)}}
	case s.Service == nil:
		return nil
	}
	var problems []Problem
	if _, err := contract.ParseID(s.Service.ID); err != nil {
		problems = append(problems, Problem{at + ".service.id", err.Error()})
	}
	if s.Service.Component == "" || s.Service.Name == "" {
		problems = append(problems, Problem{at + ".service", "component and name must not be empty, for example neo4j and password"})
	}
	return problems
}

func (in ServiceInput) checkServicePorts() []Problem {
	var problems []Problem
	taken := map[string]string{}
	for _, name := range sorted(in.Ports) {
		p, at := in.Ports[name], "ports."+name
		if !portPattern.MatchString(name) || strings.HasSuffix(name, internalSuffix) {
			problems = append(problems, Problem{at, fmt.Sprintf("%q cannot be a port's name: it takes lower-case letters, digits and underscores, "+
				"begins with a letter and does not end with %s", name, internalSuffix)})
		}
		if !slices.Contains([]string{ProtocolTCP, ProtocolUDP}, p.protocol()) {
			problems = append(problems, Problem{at + ".protocol", fmt.Sprintf("%q is neither %s nor %s", p.protocol(), ProtocolTCP, ProtocolUDP)})
		}
		if p.Scheme != nil && !schemePattern.MatchString(*p.Scheme) {
			problems = append(problems, Problem{at + ".scheme", fmt.Sprintf("%q is not the scheme of a URL, such as http", *p.Scheme)})
		}
		if p.Container < 1 || p.Container > 65535 {
			problems = append(problems, Problem{at + ".container", fmt.Sprintf("port %d is not between 1 and 65535", p.Container)})
			continue
		}
		key := fmt.Sprintf("%d/%s", p.Container, p.protocol())
		if other, ok := taken[key]; ok {
			problems = append(problems, Problem{at + ".container", fmt.Sprintf("port %s is already %q", key, other)})
		}
		taken[key] = name
	}
	return problems
}

func (in ServiceInput) checkVolumes() []Problem {
	var problems []Problem
	taken := map[string]string{contract.SecretsPath: "the secrets"}
	mount := func(at, dir, what string) {
		clean := path.Clean(dir)
		switch other, used := taken[clean]; {
		case !path.IsAbs(dir) || clean == "/":
			problems = append(problems, Problem{at, fmt.Sprintf("%q is not an absolute path within the container, such as /data", dir)})
		case used:
			problems = append(problems, Problem{at, fmt.Sprintf("%s is already the place of %s", clean, other)})
		case strings.HasPrefix(clean, contract.SecretsPath+"/"):
			problems = append(problems, Problem{at, fmt.Sprintf("%s lies in %s, which belongs to the secrets", clean, contract.SecretsPath)})
		}
		taken[clean] = what
	}
	for _, name := range sorted(in.Volumes) {
		v, at := in.Volumes[name], "volumes."+name
		if !volumePattern.MatchString(name) {
			problems = append(problems, Problem{at, fmt.Sprintf("%q cannot be a volume's name: it takes letters, digits, underscores, hyphens and dots", name)})
		}
		if name == secretsVolume && !or(v.External, false) {
			problems = append(problems, Problem{at, fmt.Sprintf("the name %q is taken by the volume that keeps the secrets", secretsVolume)})
		}
		mount(at+".path", v.Path, "volume "+name)
	}
	for _, entry := range in.Tmpfs {
		dir, _, _ := strings.Cut(entry, ":") // Docker's own options may follow
		mount("tmpfs", dir, "tmpfs "+dir)
	}
	return problems
}

func (in ServiceInput) checkNetworks() []Problem {
	var problems []Problem
	for _, network := range in.Networks {
		if _, err := contract.ParseID(network); err == nil {
			continue
		}
		if len(joins(contract.Ref{}, "", network)) == 0 {
			problems = append(problems, Problem{"networks", fmt.Sprintf("%q is neither a service's id, such as orch/orch/database/app, nor an endpoint whose name "+
				"ends with %s", network, internalSuffix)})
		}
	}
	return problems
}

func (in ServiceInput) checkLimits() []Problem {
	var problems []Problem
	if in.MemoryMB != nil && *in.MemoryMB == 0 {
		problems = append(problems, Problem{"memory_mb", fmt.Sprintf("0 MiB is less than the %d MiB that Docker needs; leave it out for no limit", MinMemoryMB)})
	}
	if in.Restart != nil && !restartPattern.MatchString(*in.Restart) {
		problems = append(problems, Problem{"restart", fmt.Sprintf("%q is none of no, always, unless-stopped, on-failure and on-failure:<times>", *in.Restart)})
	}
	if in.User != nil && !userPattern.MatchString(*in.User) {
		problems = append(problems, Problem{"user", fmt.Sprintf("%q is not a user such as 1000, 1000:1000 or app", *in.User)})
	}
	if t := in.StopTimeout; t != nil && (*t < 1 || *t > maxStopTimeout) {
		problems = append(problems, Problem{"stop_timeout", fmt.Sprintf("%d s is not between 1 and %d", *t, maxStopTimeout)})
	}
	return problems
}

func (in ServiceInput) checkHealth() []Problem {
	h := in.Health
	if h == nil {
		return nil
	}
	given := 0
	for _, set := range []bool{h.HTTP != nil, h.TCP != nil, or(h.Image, false)} {
		if set {
			given++
		}
	}
	if given != 1 {
		return []Problem{{"health", "exactly one of http, tcp and image = true must be set"}}
	}
	var problems []Problem
	if h.HTTP != nil {
		problems = append(problems, in.checkHealthPort("health.http.port", h.HTTP.Port)...)
		if at := or(h.HTTP.Path, DefaultProbePath); !validPath(at) {
			problems = append(problems, Problem{"health.http.path", fmt.Sprintf("%q is not a path such as /health", at)})
		}
	}
	if h.TCP != nil {
		problems = append(problems, in.checkHealthPort("health.tcp.port", h.TCP.Port)...)
	}
	problems = append(problems, checkDuration("health.interval", h.Interval, 100*time.Millisecond, maxInterval)...)
	problems = append(problems, checkDuration("health.timeout", h.Timeout, 100*time.Millisecond, maxInterval)...)
	problems = append(problems, checkDuration("health.start_period", h.StartPeriod, 0, maxStartPeriod)...)
	if h.Retries != nil && (*h.Retries < 1 || *h.Retries > 1000) {
		problems = append(problems, Problem{"health.retries", fmt.Sprintf("%d is not between 1 and 1000", *h.Retries)})
	}
	return problems
}

func validPath(text string) bool {
	u, err := url.Parse(text)
	return err == nil && strings.HasPrefix(text, "/") && u.Host == "" && !strings.ContainsAny(text, " \t\n#")
}

func (in ServiceInput) checkHealthPort(at, name string) []Problem {
	p, ok := in.Ports[name]
	switch {
	case !ok && len(in.Ports) == 0:
		return []Problem{{at, fmt.Sprintf("there is no port %q: ports names none", name)}}
	case !ok:
		return []Problem{{at, fmt.Sprintf("there is no port %q among ports: %s", name, strings.Join(sorted(in.Ports), ", "))}}
	case p.protocol() != ProtocolTCP:
		return []Problem{{at, fmt.Sprintf("port %q is %s, which gives no answer", name, p.protocol())}}
	}
	return nil
}

func checkDuration(at string, text *string, least, most time.Duration) []Problem {
	if text == nil {
		return nil
	}
	d, err := time.ParseDuration(*text)
	switch {
	case err != nil:
		return []Problem{{at, fmt.Sprintf("%q is not a duration such as 500ms, 5s or 1m", *text)}}
	case d < least || d > most:
		return []Problem{{at, fmt.Sprintf("%s is not between %s and %s", *text, least, most)}}
	}
	return nil
}

func (in ServiceInput) checkUpdate() []Problem {
	if in.Update == nil {
		return nil
	}
	var problems []Problem
	switch order := in.Update.Order; {
	case order == nil:
	case *order != StartFirst && *order != StopFirst:
		problems = append(problems, Problem{"update.order", fmt.Sprintf("%q is neither %s nor %s", *order, StartFirst, StopFirst)})
	case *order == StartFirst && in.fixedPort() != "":
		problems = append(problems, Problem{"update.order", fmt.Sprintf("%s cannot work: two containers cannot have the host port of %q at the same time", StartFirst, in.fixedPort())})
	}
	if d := in.Update.DrainSeconds; d != nil && (*d < 0 || *d > maxDrain) {
		problems = append(problems, Problem{"update.drain_seconds", fmt.Sprintf("%d s is not between 0 and %d", *d, maxDrain)})
	}
	return problems
}
