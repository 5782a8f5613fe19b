// Package ingest follows log files and container logs and ships their lines by OTLP/HTTP, each at least once.
//
// It imports internal/contract, the OpenTelemetry protocol's types and a glob library; containers are reached through the
// Docker interface, which internal/engine implements. Who starts it, and what happens when it ends, is the activities' business.
//
//	tail.go        Tail: everything put together, until its context ends
//	discover.go    which files and containers fit
//	files.go       all followed files: what is new, moved, truncated, gone; follow.go reads one of them
//	copies.go      finds what a rotation has copied or moved away
//	identity.go    how a file is known again: device, inode, and what it contains
//	containers.go  all followed containers; frames.go joins their frames to lines
//	batch.go       lines on their way; encode.go makes a request of them, send.go sends it until it is taken, with the
//	               headers of headers.go
//	checkpoint.go  what was acknowledged, on disk
//	store.go       the directory of one ingest, and its lock
//
// Reading runs ahead of sending by one bounded queue, so a receiver that is slow or down holds back the readers, not memory.
package ingest
