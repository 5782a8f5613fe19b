package contract

import "time"

// Probe tells whether a component is ready. Without a type and a port it is as soon as it has stayed up for a moment.
type Probe struct {
	// Type is one of the Probe constants; empty is ProbeHTTP when Port is set.
	Type string `json:"type,omitempty"`
	// Port is the name of the Port to ask.
	Port string `json:"port"`
	// Path is what ProbeHTTP gets, and 200 to 299 is the good answer. Redirects are not followed.
	Path string `json:"path"`
	// Contains must stand in the body that ProbeHTTP gets, when not empty.
	Contains string `json:"contains,omitempty"`
	// TimeoutSeconds is how long a component may take to become ready.
	TimeoutSeconds int `json:"timeout_seconds"`
	// IntervalSeconds lies between two attempts, AttemptSeconds is how long an answer may take. After StartPeriodSeconds,
	// Retries attempts in a row that failed end the wait before TimeoutSeconds do. 0 leaves each to the engine.
	IntervalSeconds    float64 `json:"interval_seconds,omitempty"`
	AttemptSeconds     float64 `json:"attempt_seconds,omitempty"`
	StartPeriodSeconds float64 `json:"start_period_seconds,omitempty"`
	Retries            int     `json:"retries,omitempty"`
	// Attribute is the input attribute to look at when the probe is not answered, for example "health.http.path".
	Attribute string `json:"attribute,omitempty"`
}

// Ways to ask.
const (
	ProbeHTTP = "http"
	// ProbeTCP connects, and needs no answer; whoever closes the connection at once does not listen.
	ProbeTCP = "tcp"
	// ProbeImage goes by the image's own HEALTHCHECK, at the image's own intervals.
	ProbeImage = "image"
)

// Timeout is TimeoutSeconds as a duration.
func (p Probe) Timeout() time.Duration { return time.Duration(p.TimeoutSeconds) * time.Second }
