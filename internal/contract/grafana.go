package contract

import "encoding/json"

// GrafanaObjects are what a stack adds to a Grafana that it does not own, over Grafana's API, each under a uid of its own.
type GrafanaObjects struct {
	// URL of the Grafana as the worker reaches it, without a trailing slash.
	URL string `json:"url"`
	// User logs in with the secret Password; with a Token there is neither. TokenSource is a Token that the worker finds for
	// itself.
	User        string        `json:"user,omitempty"`
	Password    *SecretRef    `json:"password,omitempty"`
	Token       *SecretRef    `json:"token,omitempty"`
	TokenSource *SecretSource `json:"token_source,omitempty"`
	// FolderUID and FolderTitle name the folder that the dashboards are in.
	FolderUID   string `json:"folder_uid"`
	FolderTitle string `json:"folder_title"`
	// Datasource is the body of Grafana's data source API, uid included.
	Datasource json.RawMessage `json:"datasource"`
	// Dashboards are dashboard models, uid included.
	Dashboards []json.RawMessage `json:"dashboards"`
	// Attribute is the input attribute to look at when Grafana refuses, for example "grafana.url".
	Attribute string `json:"attribute,omitempty"`
}

// SecretRef says where a secret is kept: in the secrets volume of a component of a service on the same engine.
type SecretRef struct {
	Ref       Ref    `json:"ref"`
	Component string `json:"component"`
	Name      string `json:"name"`
}

// Signals that a canary can be.
const (
	SignalLog    = "log"
	SignalMetric = "metric"
	SignalSpan   = "span"
	SignalCypher = "cypher"
	SignalVector = "vector"
)

// Canary is something that is written into a service and must come out again.
type Canary struct {
	Signal string `json:"signal"`
	// Component and Port are where it is written.
	Component string `json:"component"`
	Port      string `json:"port"`
	// DatasourceUID is the Grafana data source that it is read back through; empty reads it where it was written.
	DatasourceUID string `json:"datasource_uid,omitempty"`
	// Path is where Component takes it, when that is not the store's own path, for example "/v1/metrics" of a Collector.
	Path string `json:"path,omitempty"`
	// TLS says that Port speaks TLS, with the certificate that is Component's secret of that name; empty is plain HTTP.
	TLS string `json:"tls,omitempty"`
	// Store is the component of another service that it is read back from directly, where the stack has no Grafana.
	Store *Store `json:"store,omitempty"`
	// Sent says that the own metrics of the Collector Component, at its port "metrics", tell whether what lies beyond it has taken
	// the canary: it cannot be read from there.
	Sent bool `json:"sent,omitempty"`
	// Secret opens Component, where it needs one.
	Secret *SecretRef `json:"secret,omitempty"`
	// User goes with Secret.
	User string `json:"user,omitempty"`
	// TimeoutSeconds is how long the way from write to read may take.
	TimeoutSeconds int `json:"timeout_seconds"`
}

// Store is where a signal ends up: a component of a service on the same engine, and the name of the port of its query API.
type Store struct {
	Ref       Ref    `json:"ref"`
	Component string `json:"component"`
	Port      string `json:"port"`
}

// Proof is a canary that came out.
type Proof struct {
	Signal string `json:"signal"`
	// LatencyMS is the time from the write to the first read that found it, in milliseconds.
	LatencyMS int64 `json:"latency_ms"`
}
