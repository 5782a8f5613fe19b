// Package prometheus is a strict double of Prometheus 3.15 as the store of a metrics
// pipeline: OTLP gauges and sums in, scraping of static and file_sd targets, instant
// queries out, samples kept in the data directory.
//
// It accepts exactly the flags and the configuration shape that orch generates; everything
// else ends the process as a wrong one does in Prometheus. Queries are name{label="value"}
// (and 1+1, which Grafana asks to see whether it is alive); the rest of PromQL answers 400.
// It drops samples that are not finite, knows no histograms and deletes nothing by
// retention.
//
// It imports the standard library, yaml.v3, the OTLP types and its sibling packages. A
// configuration field goes into config.go, a flag into flags.go, a route into server.go,
// PromQL into query.go.
package prometheus
