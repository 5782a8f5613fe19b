// Package otlphttp decodes OTLP/HTTP requests of any signal: JSON or protobuf, gzip or not.
//
// Callers pass the message LogsData, MetricsData or TracesData, which have the same wire
// form as the Export…ServiceRequest messages but do not pull gRPC into the binary. It
// imports the standard library and protobuf.
package otlphttp
