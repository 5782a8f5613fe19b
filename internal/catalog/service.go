package catalog

import (
	"encoding/json"
	"maps"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// ServiceInput is what every service of any image takes, as written: nil where an attribute is absent.
type ServiceInput struct {
	Shared
	// Image and Build exclude each other.
	Image      *string           `json:"image"`
	Build      *BuildInput       `json:"build"`
	Entrypoint []string          `json:"entrypoint"`
	Command    []string          `json:"command"`
	Env        map[string]string `json:"env"`
	// Secrets are files under contract.SecretsPath, by name.
	Secrets map[string]SecretInput `json:"secrets"`
	Ports   map[string]PortInput   `json:"ports"`
	Volumes map[string]VolumeInput `json:"volumes"`
	// Networks are ids or endpoints of other services whose networks are joined.
	Networks []string `json:"networks"`
	MemoryMB *int64   `json:"memory_mb"`
	CPUs     *float64 `json:"cpus"`
	Restart  *string  `json:"restart"`
	User     *string  `json:"user"`
	ReadOnly *bool    `json:"read_only"`
	Tmpfs    []string `json:"tmpfs"`
	// StopTimeout is in seconds.
	StopTimeout *int64       `json:"stop_timeout"`
	Health      *HealthInput `json:"health"`
	Update      *UpdateInput `json:"update"`
}

// SecretInput is a file with a secret value, which never stands in an input.
type SecretInput struct {
	// ValueVersion belongs to a write-only value.
	ValueVersion *int64 `json:"value_wo_version"`
	// Env, File and Service are references that the worker resolves, anew when Version changes.
	Env     *string             `json:"env"`
	File    *string             `json:"file"`
	Service *ServiceSecretInput `json:"service"`
	Version *int64              `json:"version"`
}

// ServiceSecretInput names another service's secret.
type ServiceSecretInput struct {
	ID        string `json:"id"`
	Component string `json:"component"`
	Name      string `json:"name"`
}

// PortInput is a port that the process listens on.
type PortInput struct {
	Container int64 `json:"container"`
	// Host is a fixed port of the Docker host.
	Host     *int64  `json:"host"`
	Protocol *string `json:"protocol"`
	// Scheme is that of the port's endpoints.
	Scheme *string `json:"scheme"`
}

// VolumeInput is a named volume.
type VolumeInput struct {
	Path     string `json:"path"`
	ReadOnly *bool  `json:"read_only"`
	// External is a volume of the user's, of just this name.
	External *bool `json:"external"`
}

// HealthInput tells how to find out that the service is ready. One of HTTP, TCP and Image is set. The durations are in Go's
// form, such as "1s".
type HealthInput struct {
	HTTP        *HealthHTTPInput `json:"http"`
	TCP         *HealthTCPInput  `json:"tcp"`
	Image       *bool            `json:"image"`
	Interval    *string          `json:"interval"`
	Timeout     *string          `json:"timeout"`
	StartPeriod *string          `json:"start_period"`
	Retries     *int64           `json:"retries"`
}

// HealthHTTPInput asks a port, by name, for a path.
type HealthHTTPInput struct {
	Port string  `json:"port"`
	Path *string `json:"path"`
}

// HealthTCPInput connects to a port, by name.
type HealthTCPInput struct {
	Port string `json:"port"`
}

// UpdateInput tells how a new container takes over.
type UpdateInput struct {
	Order        *string `json:"order"`
	DrainSeconds *int64  `json:"drain_seconds"`
}

// Protocols of a port.
const (
	ProtocolTCP = "tcp"
	ProtocolUDP = "udp"
)

// Orders of an update.
const (
	StartFirst = "start-first"
	StopFirst  = "stop-first"
)

// Defaults of services.
const (
	DefaultScheme      = "http"
	DefaultProbePath   = "/"
	DefaultInterval    = time.Second
	DefaultAttempt     = 5 * time.Second
	DefaultStartPeriod = 30 * time.Second
	DefaultRetries     = 3
	DefaultDrain       = 5
	DefaultStopTimeout = 10
	DefaultRestart     = "unless-stopped"
)

// readyMargin is what the engine may take before the first attempt.
const readyMargin = 10 * time.Second

// service is the component that runs the user's image.
func service(ref contract.Ref, name string, in ServiceInput) contract.Component {
	uid, gid := numericUser(or(in.User, ""))
	c := contract.Component{
		Name: name, Image: or(in.Image, ""), Entrypoint: in.Entrypoint, Command: in.Command, Env: maps.Clone(in.Env),
		User: or(in.User, ""), ReadOnly: or(in.ReadOnly, false), Tmpfs: slices.Clone(in.Tmpfs), Restart: or(in.Restart, ""),
		MemoryMB: or(in.MemoryMB, 0), CPUs: or(in.CPUs, 0), StopTimeout: int(or(in.StopTimeout, DefaultStopTimeout)),
		Probe: in.Health.probe(), Joins: serviceJoins(ref, name, in),
	}
	if in.Build != nil {
		c.Build = in.Build.build()
		c.Image = builtImage(ref, name, *c.Build)
	}
	for _, port := range sorted(in.Ports) {
		c.Ports = append(c.Ports, in.Ports[port].port(port))
	}
	for _, volume := range sorted(in.Volumes) {
		v := in.Volumes[volume]
		made := contract.Volume{Name: ref.Volume(name, volume), Path: path.Clean(v.Path), UID: uid, GID: gid, ReadOnly: or(v.ReadOnly, false), Attribute: "volumes." + volume}
		if or(v.External, false) {
			made = contract.Volume{Name: volume, Path: path.Clean(v.Path), External: true, ReadOnly: or(v.ReadOnly, false), Attribute: "volumes." + volume}
		}
		c.Volumes = append(c.Volumes, made)
	}
	for _, secret := range sorted(in.Secrets) {
		c.Secrets = append(c.Secrets, in.Secrets[secret].secret(secret))
	}
	if in.order() == StartFirst {
		c.Handover = &contract.Handover{DrainSeconds: int(or(orZero(in.Update).DrainSeconds, DefaultDrain))}
	}
	return c
}

// order is what the update does first. Two containers cannot have one host port, and two processes that write to one volume
// are likely to spoil it.
func (in ServiceInput) order() string {
	if order := orZero(in.Update).Order; order != nil {
		return *order
	}
	if in.fixedPort() != "" || in.writableVolume() != "" {
		return StopFirst
	}
	return StartFirst
}

// fixedPort is the first port, by name, that has a fixed host port; empty when none has.
func (in ServiceInput) fixedPort() string {
	for _, name := range sorted(in.Ports) {
		if in.Ports[name].Host != nil {
			return name
		}
	}
	return ""
}

func (in ServiceInput) writableVolume() string {
	for _, name := range sorted(in.Volumes) {
		if !or(in.Volumes[name].ReadOnly, false) {
			return name
		}
	}
	return ""
}

// Gap says why an update stops the old container before it starts the new one.
func (in ServiceInput) Gap() string {
	switch {
	case in.fixedPort() != "":
		return "a fixed host port cannot be taken over without a gap"
	case in.order() == StartFirst:
		return "they could not run side by side, and the worker's log says why"
	case orZero(in.Update).Order != nil:
		return `update.order is "` + StopFirst + `"`
	default:
		return "a volume that is written to is not shared by two containers"
	}
}

func (p PortInput) protocol() string { return or(p.Protocol, ProtocolTCP) }

func (p PortInput) port(name string) contract.Port {
	port := contract.Port{Name: name, Container: int(p.Container), Protocol: or(p.Protocol, "")}
	if p.Host == nil {
		// The engine chooses a port, for the health check alone.
		port.Bind = DefaultBindAddress
		return port
	}
	port.Host, port.Attribute = int(*p.Host), "ports."+name+".host"
	return port
}

// url is where a port answers at an address.
func (p PortInput) url(host string, port int64) string {
	scheme := or(p.Scheme, DefaultScheme)
	if p.Scheme == nil && p.protocol() == ProtocolUDP {
		scheme = ProtocolUDP
	}
	return scheme + "://" + hostPort(host, port)
}

// secret is readable by every process of the container, as Docker's own secrets are: the image may run as any user.
func (s SecretInput) secret(name string) contract.Secret {
	secret := contract.Secret{Name: name, Mode: 0o444, Version: s.ValueVersion}
	switch {
	case s.Env != nil:
		secret.Source = &contract.SecretSource{Env: *s.Env}
	case s.File != nil:
		secret.Source = &contract.SecretSource{File: *s.File}
	case s.Service != nil:
		// What cannot be read has been refused by the check.
		other, _ := contract.ParseID(s.Service.ID)
		secret.Source = &contract.SecretSource{Service: &contract.SecretRef{Ref: other, Component: s.Service.Component, Name: s.Service.Name}}
	}
	if secret.Source != nil {
		secret.Version = s.Version
	}
	return secret
}

func (h *HealthInput) probe() contract.Probe {
	in := orZero(h)
	interval, attempt := duration(in.Interval, DefaultInterval), duration(in.Timeout, DefaultAttempt)
	start, retries := duration(in.StartPeriod, DefaultStartPeriod), or(in.Retries, DefaultRetries)
	p := contract.Probe{
		IntervalSeconds: interval.Seconds(), AttemptSeconds: attempt.Seconds(), StartPeriodSeconds: start.Seconds(), Retries: int(retries),
		TimeoutSeconds: int(math.Ceil((start + time.Duration(retries)*(interval+attempt) + readyMargin).Seconds())),
	}
	switch {
	case in.HTTP != nil:
		p.Type, p.Port, p.Path, p.Attribute = contract.ProbeHTTP, in.HTTP.Port, or(in.HTTP.Path, DefaultProbePath), "health.http.path"
	case in.TCP != nil:
		p.Type, p.Port, p.Attribute = contract.ProbeTCP, in.TCP.Port, "health.tcp.port"
	case or(in.Image, false):
		p.Type, p.Attribute = contract.ProbeImage, "health.image"
	}
	return p
}

// duration reads what the check has accepted; anything else is the default.
func duration(text *string, def time.Duration) time.Duration {
	if text == nil {
		return def
	}
	d, err := time.ParseDuration(*text)
	if err != nil {
		return def
	}
	return d
}

// serviceJoins are the networks of the services that are named, and of those whose addresses stand in the environment.
func serviceJoins(ref contract.Ref, name string, in ServiceInput) []contract.Join {
	var addresses []string
	for _, variable := range sorted(in.Env) {
		addresses = append(addresses, in.Env[variable])
	}
	var all []contract.Join
	for _, network := range in.Networks {
		if other, err := contract.ParseID(network); err == nil {
			all = addJoin(all, ref, other, name)
		} else {
			addresses = append(addresses, network)
		}
	}
	for _, join := range joins(ref, name, addresses...) {
		if !slices.Contains(all, join) {
			all = append(all, join)
		}
	}
	return all
}

// serviceEndpoints are the URLs of a service's ports: from the host those that are fixed, and from other services all.
func serviceEndpoints(ref contract.Ref, name string, in ServiceInput) map[string]string {
	endpoints := map[string]string{}
	for port, p := range in.Ports {
		if p.Host != nil {
			endpoints[port] = p.url(in.reachable(), *p.Host)
		}
		endpoints[port+internalSuffix] = p.url(ref.Alias(name), p.Container)
	}
	return endpoints
}

// internalSuffix ends the names of endpoints that are reached from other services' containers.
const internalSuffix = "_internal"

// numericUser is the user and group that new volumes belong to: what the image makes of a name, only the image knows.
func numericUser(user string) (uid, gid int) {
	first, second, _ := strings.Cut(user, ":")
	uid, err := strconv.Atoi(first)
	if err != nil || uid < 0 {
		return 0, 0
	}
	if gid, err = strconv.Atoi(second); err != nil || gid < 0 {
		gid = 0
	}
	return uid, gid
}

func sorted[T any](values map[string]T) []string { return slices.Sorted(maps.Keys(values)) }

// minimalService is the least that a service of any image takes.
var minimalService = json.RawMessage(`{"image":"app:1"}`)
