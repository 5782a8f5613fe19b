// Package workflows is the deterministic half of orch: what happens in which order, and what is undone when it fails.
//
// It imports the catalog and the contract, never the activities: activities are called by the names in the contract. One
// file per family: stack.go serves every pipeline in the catalog. A new pipeline needs no edit here.
package workflows
