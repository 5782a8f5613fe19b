// Package collector is a strict double of the OpenTelemetry Collector as a router: OTLP/HTTP
// logs, metrics and traces in, otlp_http exporters out, with the queue on disk where
// file_storage says so.
//
// It accepts exactly the configuration shapes that orch generates (health_check and
// file_storage, the receivers otlp and file_log, memory_limiter, otlp_http exporters, pipelines of the
// three signals); every other section, component or field ends the process with exit 1, as
// a wrong one does in the Collector, and a signal without a pipeline is 404. It is stricter
// in that a component nobody uses and an endpoint that is not 0.0.0.0 are errors. It listens
// on the gRPC port but does not speak gRPC.
//
// file_log follows plain files and Docker's json-file logs through rotation and truncation,
// and goes on where an earlier process has stopped.
//
// It imports the standard library, yaml.v3, the OTLP types and its sibling packages. A
// configuration field goes into config.go, a route into run.go, a signal into signal.go.
package collector
