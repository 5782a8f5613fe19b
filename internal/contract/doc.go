// Package contract is what the provider and the worker agree on: names, IDs, labels, the argument and result of every
// workflow and activity, and how a failed step is described.
//
// It imports the standard library only, so that both binaries can share it without sharing anything else. Add a type here
// when it crosses the wire between provider, workflow and activity; what a pipeline consists of belongs to the catalog.
package contract
