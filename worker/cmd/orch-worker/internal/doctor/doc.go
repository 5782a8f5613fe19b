// Package doctor checks whether a machine has what the worker needs, one line per check.
//
// A check is a name and a function. Checks of Temporal are here; those of the Docker Engine are made by the command, which
// may import the engine. It may import the Temporal SDK; nothing of orch.
package doctor
