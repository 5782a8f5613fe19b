// Package dev puts `orch-worker dev` together: one process that locks a data directory, runs the embedded Temporal server
// in it and serves every queue that a bundled workflow is started on.
//
// It may import devserver, ondemand, lockfile and the Temporal SDK. What the workers do comes from outside, as Options.Host.
package dev
