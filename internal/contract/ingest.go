package contract

import (
	"encoding/json"
	"time"
)

// TailID is the workflow ID of the long-running part of a service, for example "orch/orch/stdout/app/tail".
func (r Ref) TailID() string { return r.ID() + "/tail" }

// SignalConfigure tells a running tail to go on with the Ingest that the signal carries.
const SignalConfigure = "configure"

// Activities of the stdout ingest.
var (
	PrepareLogTail        = Activity[TailCall, Prepared]{"PrepareLogTail"}
	DiscoverLogFiles      = Activity[TailCall, Discovered]{"DiscoverLogFiles"}
	DiscoverContainerLogs = Activity[TailCall, Discovered]{"DiscoverContainerLogs"}
	StartLogTail          = Effect[TailCall]{"StartLogTail"}
	CheckLogTail          = Activity[TailCall, TailStatus]{"CheckLogTail"}
	TailLogs              = Effect[TailCall]{"TailLogs"}
	InspectLogTail        = Activity[TailCall, TailObserved]{"InspectLogTail"}
	RestoreLogTail        = Activity[TailCall, Undone]{"RestoreLogTail"}
	RemoveLogTail         = Activity[TailCall, Removed]{"RemoveLogTail"}
)

// Ingest is everything that a tail needs to know. The catalog makes it from the input.
type Ingest struct {
	Ref Ref `json:"ref"`
	// EngineID is the Docker Engine of the host that the files and containers are on; empty means whichever the worker has.
	EngineID string `json:"engine_id,omitempty"`
	// Files are followed on the worker's host; nil follows none.
	Files *LogFiles `json:"files,omitempty"`
	// Containers are followed through the engine; nil follows none.
	Containers *LogContainers `json:"containers,omitempty"`
	// Endpoint is the base URL of an OTLP/HTTP receiver, without a trailing slash and without /v1/logs.
	Endpoint string `json:"endpoint"`
	// Headers are sent with every request, by name.
	Headers map[string]IngestHeader `json:"headers,omitempty"`
	// Labels become resource attributes of every line.
	Labels map[string]string `json:"labels,omitempty"`
	// BatchSize is the most lines of a request, FlushInterval how long a line may wait for others, Timeout how long the
	// receiver may take to answer; both in seconds.
	BatchSize     int     `json:"batch_size"`
	FlushInterval float64 `json:"flush_interval_seconds"`
	Timeout       float64 `json:"timeout_seconds"`
	// StartAt is StartAtBeginning or StartAtEnd.
	StartAt string `json:"start_at"`
	// Grafana is the data source that is added to a Grafana; nil adds none.
	Grafana *GrafanaObjects `json:"grafana,omitempty"`
	// Input is what the ingest was made from, as written. It is kept next to the checkpoint, where import finds it.
	Input json.RawMessage `json:"input,omitempty"`
}

// IngestHeader is a value that everybody may see, or with Secret one that the worker finds for itself.
type IngestHeader struct {
	Value  string        `json:"value,omitempty"`
	Secret *SecretSource `json:"secret,omitempty"`
}

// Where the first look at a file or container begins. What appears later is always read from its beginning.
const (
	StartAtBeginning = "beginning"
	StartAtEnd       = "end"
)

// Digest tells one configuration of an ingest from another. Workflows may ask for it: the JSON of a value is always the same
// text, which the linter cannot see through encoding/json.
//
//workflowcheck:ignore
func (i Ingest) Digest() string {
	i.EngineID, i.Grafana, i.Input = "", nil, nil
	return digest(i)
}

// LogFiles selects files on the worker's host.
type LogFiles struct {
	// Include and Exclude are absolute glob patterns, in which ** stands for any number of directories.
	Include []string `json:"include"`
	Exclude []string `json:"exclude,omitempty"`
	// MaxDepth is how deep a ** goes: 1 is the directory before the first wildcard, 2 its subdirectories too; 0 is no limit.
	MaxDepth int `json:"max_depth,omitempty"`
}

// LogContainers selects containers. One that fits any of the three is selected, except that all labels must fit.
type LogContainers struct {
	// Labels must all be there; an empty value fits every value.
	Labels map[string]string `json:"labels,omitempty"`
	// Names are container names, in which * and ? are wildcards.
	Names []string `json:"names,omitempty"`
	// Service is the service that a container belongs to by its labels, Compose's or orch's.
	Service string `json:"service,omitempty"`
}

// LogContainer is a container whose log can be followed.
type LogContainer struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// TTY logs have one stream and no frames.
	TTY bool `json:"tty,omitempty"`
	// LogPath is the file that the engine keeps the log in; empty when its logging driver keeps none.
	LogPath string `json:"log_path,omitempty"`
	// Driver is the logging driver, for example "json-file". "none" keeps nothing that could be followed.
	Driver  string    `json:"driver,omitempty"`
	Running bool      `json:"running,omitempty"`
	Started time.Time `json:"started"`
}

// LogFrame is a piece of a container's log: a line, or a part of one that is longer than 16 KiB. Text ends with a line feed
// where the line does, and is only valid during the call that hands it over.
type LogFrame struct {
	Stderr bool
	Time   time.Time
	Text   []byte
}

// LogSource is a file or a container's log that was discovered.
type LogSource struct {
	// Path is the file; Container and ID are the container's. One of both is set.
	Path      string `json:"path,omitempty"`
	Container string `json:"container,omitempty"`
	ID        string `json:"id,omitempty"`
	// Identity is the same for one file under two names.
	Identity string `json:"identity"`
	// LogPath is the file behind a container's log.
	LogPath string `json:"log_path,omitempty"`
	// Bytes is the size of a file; 0 for a container.
	Bytes int64 `json:"bytes,omitempty"`
	// Modified is when a file was written last, and when a container was started.
	Modified time.Time `json:"modified"`
	// Labels are the attributes that its lines get.
	Labels map[string]string `json:"labels,omitempty"`
}

// MaxLogSources is how many files and containers one ingest may follow.
const MaxLogSources = 2000

// Discovered is the result of the discovery activities.
type Discovered struct {
	Sources []LogSource `json:"sources"`
	// Unreadable are files that fit and cannot be read, with the reason.
	Unreadable []string `json:"unreadable,omitempty"`
	Host       string   `json:"host,omitempty"`
	EngineID   string   `json:"engine_id,omitempty"`
}

// TailCall is the argument of the activities that start, check, restore and remove a tail.
type TailCall struct {
	Ingest    Ingest    `json:"ingest"`
	Operation Operation `json:"operation,omitempty"`
	RunID     string    `json:"run_id,omitempty"`
	// Prior is what RestoreLogTail goes back to; nil removes the tail.
	Prior *Ingest `json:"prior,omitempty"`
}

// TailStatus is what a tail says of itself.
type TailStatus struct {
	// At is when it said so; a tail that works says it every second.
	At time.Time `json:"at"`
	// Digest is the Ingest.Digest that it works with; empty means that it could not begin, because of LastError.
	Digest string `json:"digest"`
	// Files and Containers are followed now.
	Files      int `json:"files"`
	Containers int `json:"containers"`
	// Lines and Bytes (of text) were acknowledged since the ingest was made.
	Lines int64 `json:"lines"`
	Bytes int64 `json:"bytes"`
	// Backfilled lines were too old for their stream and went to the backfill stream; Rejected ones were refused by the
	// receiver; Repaired ones were not valid UTF-8; Split ones were longer than a record may be.
	Backfilled int64 `json:"backfilled"`
	Rejected   int64 `json:"rejected"`
	Repaired   int64 `json:"repaired"`
	Split      int64 `json:"split"`
	// LagBytes is what the followed files hold beyond what was acknowledged, LagSeconds the age of the oldest line that
	// waits for its acknowledgement.
	LagBytes   int64   `json:"lag_bytes"`
	LagSeconds float64 `json:"lag_seconds"`
	// LastError is what went wrong last, and LastErrorAt when; both empty when nothing has.
	LastError   string     `json:"last_error,omitempty"`
	LastErrorAt *time.Time `json:"last_error_at,omitempty"`
	// Failing is true while LastError keeps lines from being shipped.
	Failing bool `json:"failing,omitempty"`
}

// TailObserved is the result of InspectLogTail.
type TailObserved struct {
	EngineID string `json:"engine_id,omitempty"`
	// Found is false when the worker's host knows nothing of the ingest.
	Found bool `json:"found"`
	// Open is true when the tail's workflow runs.
	Open bool `json:"open"`
	// Idle says why the tail does not work although its workflow runs; empty when it does.
	Idle string `json:"idle,omitempty"`
	// Config is what the ingest was made from.
	Config *Ingest `json:"config,omitempty"`
	// Status is nil when the tail has not worked yet.
	Status *TailStatus `json:"status,omitempty"`
	// RunID and Created tell which run configured it.
	RunID   string    `json:"run_id,omitempty"`
	Created time.Time `json:"created"`
}

// IngestObserved is what the status workflow of an ingest returns: Observed, with the figures of the tail.
type IngestObserved struct {
	Observed
	Tail *TailStatus `json:"tail,omitempty"`
}
