package contract

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Stack is what a service consists of on one Docker Engine. The catalog makes it from the input; workflows hand its parts
// to activities, and the engine makes them real.
type Stack struct {
	Ref Ref `json:"ref"`
	// EngineID is the Docker Engine that the stack belongs to; empty means whichever engine the worker has.
	EngineID string `json:"engine_id,omitempty"`
	// PullPolicy is one of the Pull constants.
	PullPolicy string `json:"pull_policy"`
	// Components in the order in which the steps list them.
	Components []Component `json:"components"`
	// Grafana is what the stack puts into a Grafana that is not its own; nil when it has one, or needs none.
	Grafana *GrafanaObjects `json:"grafana,omitempty"`
	// Canaries prove, when everything is up, that the service does its work.
	Canaries []Canary `json:"canaries,omitempty"`
}

// Pull policies: when an image is fetched from its registry.
const (
	PullMissing = "missing"
	PullAlways  = "always"
	PullNever   = "never"
)

// Component is one container of a stack with everything it needs, as data.
type Component struct {
	// Name is the component's name and its DNS alias on the service's network, for example "loki".
	Name string `json:"name"`
	// Container is the container's name, Ref.Container(Name).
	Container string `json:"container"`
	// Network is the service's own network, Ref.Network(), where the component is called by its name.
	Network string `json:"network"`
	// Joins are other services' networks that the component is on too, under Ref.Alias.
	Joins []Join `json:"joins,omitempty"`
	// Image is the reference to run, registry mirror already applied.
	Image string `json:"image"`
	// Command replaces the image's CMD when not empty.
	Command []string          `json:"command,omitempty"`
	Env     map[string]string `json:"env,omitempty"`
	// User replaces the image's user when not empty ("uid:gid").
	User    string   `json:"user,omitempty"`
	Ports   []Port   `json:"ports,omitempty"`
	Files   []File   `json:"files,omitempty"`
	Volumes []Volume `json:"volumes,omitempty"`
	Secrets []Secret `json:"secrets,omitempty"`
	// Labels are the user's own, next to orch's.
	Labels   map[string]string `json:"labels,omitempty"`
	MemoryMB int64             `json:"memory_mb,omitempty"` // hard limit in MiB; 0 is none
	CPUs     float64           `json:"cpus,omitempty"`      // 0 is no limit
	// StopTimeout is how many seconds the process has between SIGTERM and SIGKILL.
	StopTimeout int `json:"stop_timeout,omitempty"`
	// Probe tells when the component is ready. It is not part of the config hash: it changes nothing in the container.
	Probe Probe `json:"probe"`
	// DependsOn names components that must be ready before this one starts.
	DependsOn []string `json:"depends_on,omitempty"`
	// StopFirst says that the steps show the stop and delete of a predecessor with another configuration.
	StopFirst bool `json:"stop_first,omitempty"`
	// Input is the part of the service's input that this component was made from, as written (nulls kept, no secret):
	// import puts the parts of all components together again.
	Input json.RawMessage `json:"input,omitempty"`
	// LiveInput is the rest of that part: what changes without another container. It is kept in a live file at
	// LiveInputPath, where import finds it, and is not part of the config hash.
	LiveInput json.RawMessage `json:"live_input,omitempty"`
	// LiveKeys names the attributes of the component's block that LiveInput takes. It is the catalog's alone.
	LiveKeys []string `json:"-"`
	// InputPath is the attribute that configures the component, for diagnostics, for example "loki".
	InputPath string `json:"input_path,omitempty"`
}

// LiveInputPath is the file in a container that holds Component.LiveInput.
const LiveInputPath = "/etc/orch/live-input.json"

// Join is another service's network and the name that a component has there.
type Join struct {
	Network string `json:"network"`
	Alias   string `json:"alias"`
}

// Port publishes a container port on the host.
type Port struct {
	// Name identifies the port within the component, for example "http".
	Name      string `json:"name"`
	Container int    `json:"container"`
	// Host is the port on the host; 0 lets the engine choose one (used by probes).
	Host int `json:"host"`
	// Bind is the host address, for example "127.0.0.1".
	Bind string `json:"bind"`
	// Attribute is the input attribute that sets Host, for diagnostics, for example "loki.port".
	Attribute string `json:"attribute,omitempty"`
}

// File is injected into the container before it starts; no bind mount is used, so that the engine may be elsewhere.
type File struct {
	Path    string `json:"path"`
	Content string `json:"content"`
	UID     int    `json:"uid"`
	GID     int    `json:"gid"`
	Mode    int64  `json:"mode"`
	// Live files are read anew by the process when they change: another content is copied into the running container,
	// which is not restarted. Their content is not part of the config hash.
	Live bool `json:"live,omitempty"`
}

// Volume is a named volume mounted into a component.
type Volume struct {
	Name string `json:"name"`
	Path string `json:"path"`
	UID  int    `json:"uid"`
	GID  int    `json:"gid"`
	// External volumes are the user's: they must exist and are never deleted.
	External bool `json:"external,omitempty"`
}

// SecretsPath is where a component's secrets volume is mounted.
const SecretsPath = "/run/secrets"

// Secret is a file /run/secrets/<Name> in the component's secrets volume. Its value is given by the request, or kept from
// before, or generated; it never stands in a Component.
type Secret struct {
	Name string `json:"name"`
	UID  int    `json:"uid"`
	GID  int    `json:"gid"`
	Mode int64  `json:"mode"`
	// Version is the user's …_wo_version: raising it rotates. Nil means that the value is generated once and kept.
	Version *int64 `json:"version"`
	// Rendered is a second file with the value in the form that the process reads; nil when the value alone will do.
	Rendered *Rendered `json:"rendered,omitempty"`
	// Port names the component's port that Rotation talks to; empty means the probe's.
	Port string `json:"port,omitempty"`
	// Rotation names how a running component is told the new value; empty means that the file alone decides.
	Rotation Rotation `json:"rotation,omitempty"`
	// User is the account that the secret belongs to, where Rotation needs one.
	User string `json:"user,omitempty"`
}

// Rotation names a way to change a secret that a component has stored in its data.
type Rotation string

// Ways to rotate.
const (
	// RotateGrafana changes the password of Secret.User through Grafana's own API.
	RotateGrafana Rotation = "grafana"
	// RotateNeo4j changes the password of Secret.User by Cypher over Bolt.
	RotateNeo4j Rotation = "neo4j"
)

// Rendered is a file next to a secret's own, for example "neo4j/<password>".
type Rendered struct {
	Name string `json:"name"`
	// Format is a fmt verb string with one %s or %q for the value.
	Format string `json:"format"`
}

// Probe is an HTTP request that a ready component answers with 200.
type Probe struct {
	// Port is the name of the Port to ask.
	Port string `json:"port"`
	Path string `json:"path"`
	// Contains must stand in the body when not empty.
	Contains string `json:"contains,omitempty"`
	// TimeoutSeconds is how long a component may take to become ready.
	TimeoutSeconds int `json:"timeout_seconds"`
}

// Timeout is TimeoutSeconds as a duration.
func (p Probe) Timeout() time.Duration { return time.Duration(p.TimeoutSeconds) * time.Second }

// ConfigHash is a digest of all that makes up the component's container: image reference, command, environment, ports,
// the bytes, owner and mode of every file, volumes, secret versions, limits, labels, and the input as written.
func (c Component) ConfigHash() string {
	c.Probe, c.DependsOn, c.StopFirst, c.InputPath, c.LiveInput = Probe{}, nil, false, "", nil
	c.Files = slices.Clone(c.Files)
	for i := range c.Files {
		if c.Files[i].Live {
			c.Files[i].Content = ""
		}
	}
	return digest(c)
}

// Port returns the port of that name and whether there is one.
func (c Component) Port(name string) (Port, bool) {
	for _, p := range c.Ports {
		if p.Name == name {
			return p, true
		}
	}
	return Port{}, false
}

// StartStep is the name of the step that makes the component run, for example "start_otel_collector".
func (c Component) StartStep() string { return "start_" + c.stepName() }

func (c Component) stepName() string { return strings.ReplaceAll(c.Name, "-", "_") }

// Steps that belong to no component.
const (
	// StepGrafana puts data source, folder and dashboards into a Grafana that is not the stack's own.
	StepGrafana = "provision_grafana"
	// StepVerify writes and reads back the canaries.
	StepVerify = "verify"
)

// Steps are the names of what a setup does, in order, for example "start_loki".
func (s Stack) Steps() []string {
	var steps []string
	for _, c := range s.Components {
		if c.StopFirst {
			steps = append(steps, "stop_"+c.stepName(), "delete_"+c.stepName())
		}
		steps = append(steps, c.StartStep())
	}
	if s.Grafana != nil {
		steps = append(steps, StepGrafana)
	}
	if len(s.Canaries) > 0 {
		steps = append(steps, StepVerify)
	}
	return steps
}

// Component returns the component of that name and whether there is one.
func (s Stack) Component(name string) (Component, bool) {
	for _, c := range s.Components {
		if c.Name == name {
			return c, true
		}
	}
	return Component{}, false
}

// digest is the SHA-256 of v's canonical JSON (struct order, sorted map keys) in hex. It panics on a value that has no
// JSON form, which none of this package's types is.
func digest(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic("contract: value without a JSON form: " + err.Error())
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
