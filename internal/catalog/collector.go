package catalog

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// CollectorName is the OpenTelemetry Collector's component name.
const CollectorName = "otel-collector"

// CollectorImage is the image that the Collector runs by default.
const CollectorImage = "otel/opentelemetry-collector-contrib:0.159.0"

// collectorUID is the user of the upstream image.
const collectorUID = 10001

// CollectorInput configures an OpenTelemetry Collector.
type CollectorInput struct {
	Container
	// GRPCPort and HTTPPort are the host ports that OTLP is received on.
	GRPCPort *int64 `json:"grpc_port"`
	HTTPPort *int64 `json:"http_port"`
	// MetricsEndpoint and TracesEndpoint are OTLP/HTTP endpoints that metrics and traces are sent on to, without the signal's
	// path: usually endpoints.otlp_internal of another pipeline. Null leaves the signal out.
	MetricsEndpoint *string `json:"metrics_endpoint"`
	TracesEndpoint  *string `json:"traces_endpoint"`
}

// Default host ports and limits of the Collector.
const (
	CollectorGRPCPort = 4317
	CollectorHTTPPort = 4318
	CollectorMemoryMB = 256
)

func collector(ref contract.Ref, in CollectorInput) contract.Component {
	metrics, traces := or(in.MetricsEndpoint, ""), or(in.TracesEndpoint, "")
	return contract.Component{
		Name: CollectorName, InputPath: "collector", StopFirst: true,
		Image: or(in.Image, CollectorImage), MemoryMB: or(in.MemoryMB, CollectorMemoryMB), CPUs: or(in.CPUs, 0),
		Joins: joins(ref, CollectorName, metrics, traces),
		Ports: []contract.Port{
			{Name: "grpc", Container: 4317, Host: int(or(in.GRPCPort, CollectorGRPCPort)), Attribute: "collector.grpc_port"},
			{Name: "http", Container: 4318, Host: int(or(in.HTTPPort, CollectorHTTPPort)), Attribute: "collector.http_port"},
			{Name: "health", Container: 13133, Bind: DefaultBindAddress},
		},
		Files: []contract.File{file("otel-collector.yaml", "/etc/otelcol-contrib/config.yaml",
			map[string]string{"Metrics": endpointBase(metrics), "Traces": endpointBase(traces)})},
		Volumes:     []contract.Volume{{Name: ref.Volume(CollectorName, "queue"), Path: "/var/lib/otelcol", UID: collectorUID, GID: collectorUID}},
		StopTimeout: 30,
		Probe:       contract.Probe{Port: "health", Path: "/", TimeoutSeconds: 60},
	}
}

// endpointBase is an OTLP/HTTP endpoint as the exporter wants it, which appends the signal's path itself. A "$" would be an
// environment variable to the Collector.
func endpointBase(endpoint string) string {
	return strings.ReplaceAll(strings.TrimSuffix(endpoint, "/"), "$", "$$")
}

func checkCollector(in CollectorInput) []Problem {
	var problems []Problem
	for attribute, endpoint := range map[string]*string{"collector.metrics_endpoint": in.MetricsEndpoint, "collector.traces_endpoint": in.TracesEndpoint} {
		if endpoint != nil {
			problems = append(problems, checkURL(attribute, *endpoint)...)
		}
	}
	return problems
}

func checkURL(attribute, text string) []Problem {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || strings.ContainsAny(text, " \"'\n\t{}#") {
		return []Problem{{attribute, fmt.Sprintf("%q is not an http or https URL", text)}}
	}
	return nil
}

// joins are the networks of the services that the URLs lead to by alias, "<component>.<service_name>.<kind>": whoever talks
// to another pipeline must be on its network. Other URLs need no network of ours.
func joins(ref contract.Ref, component string, urls ...string) []contract.Join {
	var all []contract.Join
	for _, text := range urls {
		if _, other, ok := aliasIn(ref, text); ok {
			all = addJoin(all, ref, other, component)
		}
	}
	return all
}

// aliasIn is the component and the service of ref's scope that a URL leads to by alias.
func aliasIn(ref contract.Ref, text string) (component string, other contract.Ref, ok bool) {
	u, err := url.Parse(text)
	if err != nil {
		return "", contract.Ref{}, false
	}
	labels := strings.Split(u.Hostname(), ".")
	if len(labels) != 3 || !slices.ContainsFunc(contract.Kinds(contract.Stacks), func(k contract.Kind) bool { return k.Short == labels[2] }) {
		return "", contract.Ref{}, false
	}
	return labels[0], contract.Ref{Scope: ref.Scope, Kind: labels[2], Service: labels[1]}, true
}

// addJoin adds another service's network once, and never the own one.
func addJoin(all []contract.Join, ref, other contract.Ref, component string) []contract.Join {
	join := contract.Join{Network: other.Network(), Alias: ref.Alias(component)}
	if other == ref || slices.Contains(all, join) {
		return all
	}
	return append(all, join)
}
