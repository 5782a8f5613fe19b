// Package neo4j is a strict double of Neo4j 5.26 for places where the real image cannot be
// pulled: Bolt 5 with the real handshake and authentication, the Query API, and the few
// statements that orch runs, on a graph kept in /data.
//
// The traps of the image are real: the initial password of NEO4J_AUTH applies to an empty
// /data only, every NEO4J_ variable must be a known setting, a start as root takes /data
// and /logs over and goes on as user 7474. It is stricter than Neo4j in that it refuses to
// run without a password and with a directory /conf. Statements beyond cypher.go are syntax
// errors and counted under GET /double/unknown. Plugins are checked, not loaded; there are
// no relationships, indexes or other users.
//
// It imports the standard library and its sibling packages. A setting goes into settings in
// config.go, a statement into cypher.go, a Bolt message into session.go; bolt/ holds the
// encoding.
package neo4j
