// Package otlplog decodes OTLP/HTTP log requests and flattens them to lines.
//
// It uses the message LogsData, which has the same wire form as ExportLogsServiceRequest
// but does not pull gRPC into the binary. It imports the standard library, protobuf and the
// OTLP types.
package otlplog
