// Package otlplog reads OTLP/HTTP log requests and flattens them to lines. It imports the
// standard library, the OTLP types and its sibling otlphttp.
package otlplog
