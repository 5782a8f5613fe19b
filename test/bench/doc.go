// Program bench measures orch side by side, for `make bench`: a logs pipeline is created, found unchanged and destroyed, in
// turn, by orch through Terraform, by docker compose, by direct calls of the Docker Engine's API, and (as the floor under
// every apply) an empty configuration goes through the same Terraform CLI. All make the same thing: what the catalog says a
// logs pipeline is.
//
// A contestant is a type with the methods of the interface contestant; setUp lists them. The measuring loop is in
// measure.go, the table in table.go.
package main
