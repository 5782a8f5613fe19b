// Package loki is a strict double of Loki 3.7 as the store of a logs pipeline: OTLP logs in,
// query_range and labels out, lines kept in the path prefix.
//
// It accepts exactly the configuration shape that orch generates and the queries
// {label="value"} with an optional |= "text" filter; other fields end the process with exit
// 1, other queries answer 400. It is ready at once and deletes nothing by retention.
//
// It imports the standard library, yaml.v3, the OTLP types and its sibling packages. A
// configuration field goes into config.go, a route into server.go, LogQL into query.go.
package loki
