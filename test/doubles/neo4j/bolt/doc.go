// Package bolt holds what Bolt 5 looks like on the wire: the version handshake, chunked
// messages, and PackStream with the one structure that the Neo4j double returns, the node.
// What messages mean is up to the caller. It imports the standard library only.
package bolt
