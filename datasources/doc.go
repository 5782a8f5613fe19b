// Package datasources holds what a configuration can read without managing it: one file per data source, and All, the list
// that the provider serves.
//
// Unlike resources, data sources may hold what changes by itself: counters, times, attempts. They start no workflow but the
// read-only status workflow of a service; all else they ask Temporal, which needs no worker.
//
// It may import the catalog, the runner and the contract. To add a data source, write its file here, name its constructor in
// All, and give it an example in examples/data-sources; the pages under docs/ are generated.
package datasources
