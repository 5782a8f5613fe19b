package catalog

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// OTLPIngestInput is the input of orch_otlp_ingest as written: nil where an attribute is absent.
type OTLPIngestInput struct {
	Shared
	TemplateInput
	Collector *OTLPCollectorInput `json:"collector"`
	// OTLPEndpoint takes the signals that have no endpoint of their own. Endpoints are OTLP/HTTP, without the signal's path.
	OTLPEndpoint    *string `json:"otlp_endpoint"`
	LogsEndpoint    *string `json:"logs_endpoint"`
	MetricsEndpoint *string `json:"metrics_endpoint"`
	TracesEndpoint  *string `json:"traces_endpoint"`
	// CORSOrigins are the origins whose pages may send by OTLP over HTTP.
	CORSOrigins []string  `json:"cors_origins"`
	TLS         *TLSInput `json:"tls"`
	// ResourceAttributes are for the environment of applications.
	ResourceAttributes map[string]string `json:"resource_attributes"`
}

// OTLPCollectorInput configures a Collector that receives OTLP.
type OTLPCollectorInput struct {
	Container
	// GRPCPort and HTTPPort are the host ports that OTLP is received on.
	GRPCPort *int64 `json:"grpc_port"`
	HTTPPort *int64 `json:"http_port"`
}

// TLSInput says which certificate the receiver has; the certificate itself is a write-only value.
type TLSInput struct {
	CertificateVersion *int64 `json:"certificate_wo_version"`
	PrivateKeyVersion  *int64 `json:"private_key_wo_version"`
}

// Names of the secrets that hold the receiver's certificate and its key, in PEM.
const (
	TLSCertificate = "certificate.pem"
	TLSPrivateKey  = "private_key.pem"
)

// OTLPTemplate holds the fields of the template of orch_otlp_ingest.
type OTLPTemplate struct {
	// ServiceName is the ingest's service_name.
	ServiceName string
	// Routes are the signals that have an endpoint, in the order logs, metrics, traces; the endpoints again by name are empty
	// where there is none.
	Routes                                        []Route
	LogsEndpoint, MetricsEndpoint, TracesEndpoint string
	CORSOrigins                                   []string
	// TLS says whether the receiver speaks TLS, with the two files.
	TLS                             bool
	CertificateFile, PrivateKeyFile string
	// ResourceAttributes are those of the input, never nil.
	ResourceAttributes map[string]string
}

// Route is where a signal goes: "logs", "metrics" or "traces", and an OTLP/HTTP endpoint without the signal's path.
type Route struct{ Signal, Endpoint string }

// OTLPIngest receives what applications send by OTLP and sends each signal on, with a Collector of its own.
var OTLPIngest = Pipeline[OTLPIngestInput]{
	Kind:    contract.OTLPIngest,
	Message: "otlp_from_apps ingest enabled",
	Shared:  func(in OTLPIngestInput) Shared { return in.Shared },
	Complete: func(ref contract.Ref, in OTLPIngestInput) (OTLPIngestInput, error) {
		text, problem := in.render(ref)
		if problem != nil {
			return in, *problem
		}
		in.Config = &text
		return in, nil
	},
	Components: func(ref contract.Ref, in OTLPIngestInput) []contract.Component {
		return []contract.Component{in.component(ref)}
	},
	Canaries: func(ref contract.Ref, in OTLPIngestInput) []contract.Canary { return in.canaries(ref) },
	Endpoints: func(ref contract.Ref, in OTLPIngestInput) map[string]string {
		host, c := in.reachable(), orZero(in.Collector)
		return map[string]string{
			"otlp_grpc":          hostPort(host, or(c.GRPCPort, CollectorGRPCPort)),
			"otlp_http":          in.scheme() + hostPort(host, or(c.HTTPPort, CollectorHTTPPort)),
			"otlp_grpc_internal": ref.Alias(CollectorName) + ":4317",
			"otlp_http_internal": in.scheme() + ref.Alias(CollectorName) + ":4318",
		}
	},
	Check: func(in OTLPIngestInput) []Problem { return in.check() },
}

func (in OTLPIngestInput) scheme() string {
	if in.TLS != nil {
		return "https://"
	}
	return "http://"
}

func (in OTLPIngestInput) component(ref contract.Ref) contract.Component {
	own := orZero(in.Collector)
	c := ingestCollector(ref, own.Container, or(in.Config, ""), in.attribute())
	c.Ports = append([]contract.Port{
		{Name: "grpc", Container: 4317, Host: int(or(own.GRPCPort, CollectorGRPCPort)), Attribute: "collector.grpc_port"},
		{Name: "http", Container: 4318, Host: int(or(own.HTTPPort, CollectorHTTPPort)), Attribute: "collector.http_port"},
	}, c.Ports...)
	for _, r := range in.routes(ref) {
		for _, join := range joins(ref, CollectorName, r.Endpoint) {
			if !slices.ContainsFunc(c.Joins, func(j contract.Join) bool { return j.Network == join.Network }) {
				c.Joins = append(c.Joins, join)
			}
		}
	}
	if in.TLS != nil {
		c.Secrets = []contract.Secret{
			{Name: TLSCertificate, UID: collectorUID, GID: collectorUID, Mode: 0o400, Version: in.TLS.CertificateVersion},
			{Name: TLSPrivateKey, UID: collectorUID, GID: collectorUID, Mode: 0o400, Version: in.TLS.PrivateKeyVersion},
		}
	}
	c.LiveKeys = append(c.LiveKeys, ".otlp_endpoint", ".logs_endpoint", ".metrics_endpoint", ".traces_endpoint", ".cors_origins", ".resource_attributes")
	return c
}

// routes are the signals that go somewhere. Without any endpoint, logs go to the Loki of the logs pipeline of the same service
// name, which is what a start by the service's name alone means.
func (in OTLPIngestInput) routes(ref contract.Ref) []Route {
	var all []Route
	add := func(signal string, own *string) {
		if own == nil {
			own = in.OTLPEndpoint
		}
		if own != nil {
			all = append(all, Route{signal, otlpBase(ref, signal, *own)})
		}
	}
	add("logs", in.LogsEndpoint)
	add("metrics", in.MetricsEndpoint)
	add("traces", in.TracesEndpoint)
	if len(all) == 0 {
		pipeline := contract.NewRef(contract.LogsPipeline, ref.Scope, ref.Service)
		return []Route{{"logs", lokiOTLP("http://" + pipeline.Alias(LokiName) + ":3100")}}
	}
	return all
}

// otlpBase is an endpoint without the signal's path, which the exporter appends. The stores of our own pipelines are known to
// take OTLP under a path, which their other addresses leave out.
func otlpBase(ref contract.Ref, signal, endpoint string) string {
	base := strings.TrimSuffix(strings.TrimRight(endpoint, "/"), "/v1/"+signal)
	component, _, ours := aliasIn(ref, base)
	u, err := url.Parse(base)
	if !ours || err != nil || u.Path != "" {
		return base
	}
	switch component {
	case LokiName:
		return base + "/otlp"
	case PrometheusName:
		return base + "/api/v1/otlp"
	default:
		return base
	}
}

func (in OTLPIngestInput) render(ref contract.Ref) (string, *Problem) {
	data := OTLPTemplate{
		ServiceName: ref.Service, Routes: in.routes(ref), CORSOrigins: in.CORSOrigins, TLS: in.TLS != nil,
		CertificateFile: contract.SecretsPath + "/" + TLSCertificate, PrivateKeyFile: contract.SecretsPath + "/" + TLSPrivateKey,
		ResourceAttributes: maps.Clone(in.ResourceAttributes),
	}
	for _, r := range data.Routes {
		switch r.Signal {
		case "logs":
			data.LogsEndpoint = r.Endpoint
		case "metrics":
			data.MetricsEndpoint = r.Endpoint
		case "traces":
			data.TracesEndpoint = r.Endpoint
		}
	}
	if data.ResourceAttributes == nil {
		data.ResourceAttributes = map[string]string{}
	}
	return in.TemplateInput.render("otlp-collector.yaml", data)
}

// canaryTimeout is how long a canary of an ingest may take: it passes through two queues.
const canaryTimeout = 60

// canaries go in by OTLP and come out of the store that a signal ends up in, where it is one of ours; of other endpoints the
// Collector tells whether they have taken the canary.
func (in OTLPIngestInput) canaries(ref contract.Ref) []contract.Canary {
	kinds := map[string]string{"logs": contract.SignalLog, "metrics": contract.SignalMetric, "traces": contract.SignalSpan}
	var all []contract.Canary
	for _, r := range in.routes(ref) {
		c := contract.Canary{
			Signal: kinds[r.Signal], Component: CollectorName, Port: "http", Path: "/v1/" + r.Signal, TimeoutSeconds: canaryTimeout,
			Store: storeOf(ref, r),
		}
		if in.TLS != nil {
			c.TLS = TLSCertificate
		}
		c.Sent = c.Store == nil
		all = append(all, c)
	}
	return all
}

// storeOf is where a route ends, when that is a store of one of our pipelines. The Collector of a logs pipeline sends logs to the
// Loki next to it; where it sends the rest, only its own configuration knows.
func storeOf(ref contract.Ref, r Route) *contract.Store {
	component, other, ours := aliasIn(ref, r.Endpoint)
	if !ours {
		return nil
	}
	if component == CollectorName && other.Kind == contract.LogsPipeline.Short && r.Signal == "logs" {
		component = LokiName
	}
	stores := map[string]string{"logs": LokiName, "metrics": PrometheusName, "traces": JaegerName}
	if component != stores[r.Signal] {
		return nil
	}
	return &contract.Store{Ref: other, Component: component, Port: "http"}
}

// Environment is what the container of an application needs to send to the ingest, over the ingest's network.
func (in OTLPIngestInput) Environment(ref contract.Ref) map[string]string {
	env := map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": in.scheme() + ref.Alias(CollectorName) + ":4318",
		"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
		"OTEL_SERVICE_NAME":           ref.Service,
	}
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(in.ResourceAttributes)) {
		// A comma ends a pair, and some readers take the last = of one for the first.
		pairs = append(pairs, name+"="+strings.ReplaceAll(url.PathEscape(in.ResourceAttributes[name]), "=", "%3D"))
	}
	if len(pairs) > 0 {
		env["OTEL_RESOURCE_ATTRIBUTES"] = strings.Join(pairs, ",")
	}
	return env
}

func (in OTLPIngestInput) check() []Problem {
	var problems []Problem
	for _, e := range []struct {
		attribute string
		endpoint  *string
	}{
		{"otlp_endpoint", in.OTLPEndpoint}, {"logs_endpoint", in.LogsEndpoint}, {"metrics_endpoint", in.MetricsEndpoint}, {"traces_endpoint", in.TracesEndpoint},
	} {
		if e.endpoint != nil {
			problems = append(problems, checkReachable(e.attribute, *e.endpoint, "use an endpoint that ends in _internal of a pipeline, or the host's name in the network")...)
		}
	}
	for i, origin := range in.CORSOrigins {
		u, err := url.Parse(strings.ReplaceAll(origin, "*", "1"))
		if origin != "*" && (err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Path != "") {
			problems = append(problems, Problem{fmt.Sprintf("cors_origins.%d", i),
				fmt.Sprintf("%q is not an origin such as https://app.example.com, which may hold a *", origin)})
		}
	}
	if tls := in.TLS; tls != nil && (tls.CertificateVersion == nil || tls.PrivateKeyVersion == nil) {
		problems = append(problems, Problem{"tls", "certificate_wo and private_key_wo are both needed, each with its version"})
	}
	for name := range in.ResourceAttributes {
		if name == "service.name" || name == "" || strings.ContainsAny(name, "=, \n") {
			problems = append(problems, Problem{"resource_attributes", fmt.Sprintf("%q cannot be the name of a resource attribute here; service.name is the service_name", name)})
		}
	}
	if len(problems) > 0 {
		return problems // the template would be blamed for what it was given
	}
	text, problem := in.render(contract.NewRef(contract.OTLPIngest, "", "service"))
	if problem != nil {
		return []Problem{*problem}
	}
	return checkCollectorConfig(in.attribute(), text)
}
