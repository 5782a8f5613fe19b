// Package catalog holds the pipelines as data: which components they have, with which images, ports, files, volumes,
// probes and defaults, and how the input of a service becomes a contract.Stack.
//
// It imports the contract only, and does no I/O: the provider expands an input at plan time (endpoints, steps, bad values)
// and the workflow expands the same input when it runs. A new pipeline is one file here, next to logs_pipeline.go, and one
// line in All; the files that its components are given are under files/.
package catalog
