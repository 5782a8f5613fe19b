// Package ports hands out host ports to tests, benchmarks and the servers that they start, each once: several test binaries
// run at the same time, and a port that two of them have found free fails one of them now and then.
//
// It imports the standard library only. What needs a port for itself takes Reserve, what has a Web UI next to it Pair.
package ports
