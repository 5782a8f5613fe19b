// Command temporal proves that a Temporal cluster works for orch, for `make temporal-verify`: the workflow list over the
// Web UI's API, a workflow through an orch-worker of its own, and that this run shows up in the list.
//
// The containers and the database are looked at by scripts/temporal.sh, which knows the compose file; what a user of the
// cluster sees belongs here. It imports runner, contract and catalog, as the provider does.
package main
