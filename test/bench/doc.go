// Program bench measures orch side by side, for `make bench`: each kind of pipeline is created, found unchanged and destroyed,
// in turn, by orch through Terraform, by docker compose, by direct calls of the Docker Engine's API, and (as the floor under
// every apply) an empty configuration goes through the same Terraform CLI. All make the same thing: what the catalog says that
// kind of pipeline is. None of them verifies; what orch's verify costs on top is measured too, and told in a line of its own.
//
// A contestant is a type with the methods of the interface contestant; arena.contestant makes them by name. A new kind of
// pipeline in the catalog is measured without a change here. The measuring loop is in measure.go, the table in table.go.
package main
