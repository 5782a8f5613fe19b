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
	// Cloudflare is what must be as described before anything is built; nil checks nothing.
	Cloudflare *CloudflareCheck `json:"cloudflare,omitempty"`
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
	// Build makes Image from a build context before the component starts; nil means that Image is pulled.
	Build *Build `json:"build,omitempty"`
	// Entrypoint and Command replace the image's ENTRYPOINT and CMD when not empty. As with Docker, an Entrypoint alone leaves
	// nothing of the image's CMD.
	Entrypoint []string          `json:"entrypoint,omitempty"`
	Command    []string          `json:"command,omitempty"`
	Env        map[string]string `json:"env,omitempty"`
	// User replaces the image's user when not empty ("uid:gid").
	User string `json:"user,omitempty"`
	// ReadOnly mounts the container's root file system read-only: Files must then lie in Volumes. Tmpfs are paths in memory that
	// it can write to, each with Docker's options after a colon if need be ("/tmp:size=64m").
	ReadOnly bool     `json:"read_only,omitempty"`
	Tmpfs    []string `json:"tmpfs,omitempty"`
	// Restart is Docker's restart policy: "no", "always", "unless-stopped" (also when empty) or "on-failure[:max]".
	Restart string   `json:"restart,omitempty"`
	Ports   []Port   `json:"ports,omitempty"`
	Files   []File   `json:"files,omitempty"`
	Volumes []Volume `json:"volumes,omitempty"`
	// Mounts are folders of the Docker host that the component looks into.
	Mounts  []Mount  `json:"mounts,omitempty"`
	Secrets []Secret `json:"secrets,omitempty"`
	// Labels are the user's own, next to orch's.
	Labels   map[string]string `json:"labels,omitempty"`
	MemoryMB int64             `json:"memory_mb,omitempty"` // hard limit in MiB; 0 is none
	CPUs     float64           `json:"cpus,omitempty"`      // 0 is no limit
	// StopTimeout is how many seconds the process has between SIGTERM and SIGKILL.
	StopTimeout int `json:"stop_timeout,omitempty"`
	// Handover lets a successor start beside the container that it replaces; nil stops that one first.
	Handover *Handover `json:"handover,omitempty"`
	// Probe tells when the component is ready. It is not part of the config hash: it changes nothing in the container.
	Probe Probe `json:"probe"`
	// DependsOn names components that must be ready before this one starts.
	DependsOn []string `json:"depends_on,omitempty"`
	// Reload tells how the process takes over live files that it does not watch by itself; nil means that it does.
	Reload *Reload `json:"reload,omitempty"`
	// StopFirst says that the steps show the stop and delete of a predecessor with another configuration.
	StopFirst bool `json:"stop_first,omitempty"`
	// Input is the part of the service's input that this component was made from, as written (nulls kept, no secret):
	// import puts the parts of all components together again.
	Input json.RawMessage `json:"input,omitempty"`
	// LiveInput is the rest of that part: what changes without another container. It is kept in a live file at
	// LiveInputPath, where import finds it, and is not part of the config hash.
	LiveInput json.RawMessage `json:"live_input,omitempty"`
	// LiveKeys names the attributes of the component's block that LiveInput takes, or with a leading dot one that is in no
	// block. It is the catalog's alone.
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
	// Attribute is the input attribute that leads there, for diagnostics; empty means the component's block.
	Attribute string `json:"attribute,omitempty"`
}

// Mount shows a component a folder of the Docker host, read-only: what grows there, such as log files, cannot be copied in as
// a File. The folder must exist.
type Mount struct {
	// Source is an absolute path on the Docker host, and Target where the component sees it.
	Source string `json:"source"`
	Target string `json:"target"`
	// Attribute is the input attribute that asks for it, for diagnostics.
	Attribute string `json:"attribute,omitempty"`
}

// Reload is how a running process takes over changed live files. They are tried in a container of their own before they are
// copied to it, and what was there before is put back when it does not come up with them.
type Reload struct {
	// Validate is the command that tries the files, in the component's image. Exit code 0 is approval.
	Validate []string `json:"validate"`
	// Signal tells the process, for example "HUP".
	Signal string `json:"signal"`
	// Changes is a field of the probe's JSON answer that has another value once the process has taken the files over.
	Changes string `json:"changes"`
	// Attribute is the input attribute to look at when the files are refused.
	Attribute string `json:"attribute,omitempty"`
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
	// Protocol is "tcp" (also when empty) or "udp".
	Protocol string `json:"protocol,omitempty"`
}

// Build is how a component's image is made. Component.Image is the tag that it gets, which names the content: an image of
// that tag that is there already is not built again.
type Build struct {
	// Context is an absolute path on the worker's host, or the URL of a Git repository (….git#ref:folder), which the engine fetches.
	Context string `json:"context"`
	// Dockerfile is its path within the context.
	Dockerfile string `json:"dockerfile"`
	Target     string `json:"target,omitempty"`
	// Args are no place for secrets: they stand in this input and, by the builders' own doing, in the image's history.
	Args map[string]string `json:"args,omitempty"`
	// Hash is the digest of the context's content as the plan saw it, in hex: the worker builds no other content. Empty for
	// a Git context, whose content only the engine sees.
	Hash string `json:"hash,omitempty"`
	// Step names the step, for example "build_image".
	Step string `json:"step"`
}

// Handover replaces a container without a gap. The successor is started without the component's names on the service's
// network; when it is ready, it takes them over, and the predecessor, which still answers those who found it before, is
// stopped after the drain time. Where a fixed host port makes that impossible the predecessor is stopped first, and the gap
// is measured.
type Handover struct {
	// DrainSeconds is how long the predecessor goes on after the names have moved, two seconds at least: who began to connect in
	// the moment in which it lost its names tries again after one.
	DrainSeconds int `json:"drain_seconds"`
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
	ReadOnly bool `json:"read_only,omitempty"`
	// Attribute is the input attribute that names the volume, for diagnostics, for example "volumes.data"; empty is the
	// component's "volume".
	Attribute string `json:"attribute,omitempty"`
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
	// Source is where the worker takes the value from, when the request does not give it; nil lets orch generate one. It is
	// asked for a value when there is none yet, when Version changes, and when Source itself does.
	Source *SecretSource `json:"source,omitempty"`
}

// SecretSource is a reference to a value that the worker resolves. One of its fields is set.
type SecretSource struct {
	// Env is a variable of the worker's environment, and File a file on its host. Both must be on the worker's allow-list.
	Env  string `json:"env,omitempty"`
	File string `json:"file,omitempty"`
	// Service is another service's secret on the same engine, for example the password of a database pipeline.
	Service *SecretRef `json:"service,omitempty"`
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

// ConfigHash is a digest of all that makes up the component's container: image reference, command, environment, ports,
// the bytes, owner and mode of every file, volumes, secret versions, limits, labels, and the input as written.
func (c Component) ConfigHash() string {
	c.Probe, c.DependsOn, c.StopFirst, c.InputPath, c.LiveInput = Probe{}, nil, false, "", nil
	// The image's tag names what it was built from; how the next one takes over changes nothing in this one.
	c.Build, c.Handover, c.Reload = nil, nil, nil
	// Which attribute to name in a diagnostic makes no other container.
	c.Joins, c.Ports, c.Volumes = slices.Clone(c.Joins), slices.Clone(c.Ports), slices.Clone(c.Volumes)
	for i := range c.Joins {
		c.Joins[i].Attribute = ""
	}
	for i := range c.Ports {
		c.Ports[i].Attribute = ""
	}
	for i := range c.Volumes {
		c.Volumes[i].Attribute = ""
	}
	c.Input = WithoutNulls(c.Input)
	c.Files = slices.Clone(c.Files)
	for i := range c.Files {
		if c.Files[i].Live {
			c.Files[i].Content = ""
		}
	}
	return digest(c)
}

// Changeover is how long the component's own settings allow it to take from one container to the next: to become ready, with a
// handover once more under its names, to drain, and to stop.
func (c Component) Changeover() time.Duration {
	whole := c.Probe.Timeout() + c.Stopping()
	if c.Handover != nil {
		whole += c.Probe.Timeout() + time.Duration(c.Handover.DrainSeconds)*time.Second
	}
	return whole
}

// Stopping is how long the process may take to end.
func (c Component) Stopping() time.Duration { return time.Duration(c.StopTimeout) * time.Second }

// Port returns the port of that name and whether there is one.
func (c Component) Port(name string) (Port, bool) {
	for _, p := range c.Ports {
		if p.Name == name {
			return p, true
		}
	}
	return Port{}, false
}

// StartStep is the name of the step that makes the component run, for example "start_otel_collector". Where it runs already and
// only live files have changed, it is the one that reloads: "reload_otel_collector".
func (c Component) StartStep() string {
	if c.Reload != nil {
		return "reload_" + c.stepName()
	}
	return "start_" + c.stepName()
}

func (c Component) stepName() string { return strings.ReplaceAll(c.Name, "-", "_") }

// Steps of a component with a Reload, before it is started or reloaded.
const (
	// StepGenerate renders the configuration.
	StepGenerate = "generate_config"
	// StepValidate tries it in a container of its own.
	StepValidate = "validate_config"
	// StepPush copies it into the container.
	StepPush = "push_config"
)

// Steps that belong to no component.
const (
	// StepGrafana puts data source, folder and dashboards into a Grafana that is not the stack's own.
	StepGrafana = "provision_grafana"
	// StepVerify writes and reads back the canaries.
	StepVerify = "verify"
	// StepCloudflare looks whether Cloudflare has what the service needs.
	StepCloudflare = "verify_cloudflare"
)

// Steps are the names of what a setup does, in order, for example "start_loki".
func (s Stack) Steps() []string {
	var steps []string
	unchecked := s.Cloudflare != nil
	for _, c := range s.Components {
		if unchecked && s.AwaitsCloudflare(c) {
			steps, unchecked = append(steps, StepCloudflare), false
		}
		if c.Build != nil {
			steps = append(steps, c.Build.Step)
		}
		if c.StopFirst {
			steps = append(steps, "stop_"+c.stepName(), "delete_"+c.stepName())
		}
		if c.Reload != nil {
			steps = append(steps, StepGenerate, StepValidate, StepPush)
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

// AwaitsCloudflare reports whether a component waits for the check of Cloudflare. What others depend on does not, unless it
// is built: it starts at the same time.
func (s Stack) AwaitsCloudflare(c Component) bool {
	return s.Cloudflare != nil && (c.Build != nil || !slices.ContainsFunc(s.Components, func(other Component) bool {
		return slices.Contains(other.DependsOn, c.Name)
	}))
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

// digest is the SHA-256 of v's canonical JSON (sorted keys, nulls left out) in hex. It panics on a value that has no
// JSON form, which none of this package's types is.
func digest(v any) string {
	data, err := Encode(v)
	if err != nil {
		panic("contract: value without a JSON form: " + err.Error())
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
