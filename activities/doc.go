// Package activities holds the side effects of the bundled workflows: structs that carry their dependencies, one file per
// system that they touch. An activity translates between the contract and a system's package (engine, cloud), heartbeats
// while it works, and classifies what went wrong; what happens in which order is the workflows' business.
//
// rest.go is the HTTP client that all of them share, canary.go the proof that a stack does its work: a new signal is a case
// in its open, and a file that writes and reads it.
//
// It imports the contract, engine, cloud packages and secret, never workflows or the provider.
package activities
