// Package jaeger is a strict double of Jaeger 2 with badger storage as the store of a
// tracing pipeline: OTLP/HTTP spans in, the query API out, spans kept in the directories of
// badger.
//
// It accepts exactly the configuration shape that orch generates; every other section,
// component or field ends the process with exit 1. It is stricter than Jaeger in that an
// endpoint that is not 0.0.0.0 is an error, because nobody outside the container reaches
// it. It listens on the gRPC port but does not speak gRPC, has no web page, and deletes
// nothing by ttl.
//
// It imports the standard library, yaml.v3, the OTLP types and its sibling packages. A
// configuration field goes into config.go, a route into server.go, the form of traces into
// trace.go.
package jaeger
