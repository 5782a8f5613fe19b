// Orch-worker runs orch's workers: `run` for a Temporal cluster, `dev` with a Temporal server of its own in the same
// process; `doctor`, `secret` and `version` help a person on the worker's host.
//
// It is a module of its own, so that the embedded server stays out of the provider's module graph. A command is one file:
// flags, and a call into the worker library or one of the packages under internal/. It may import everything on the
// worker's side (worker, runner, secret, engine, catalog, contract) and nothing of Terraform's.
package main
