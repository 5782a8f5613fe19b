// Package engine makes stacks real on a Docker Engine: it checks, creates, repairs, replaces, inspects and removes the
// containers, networks and volumes of a service, and finds them again by their labels.
//
// It imports the standard library, the Docker SDK and internal/contract, and nothing else of ours; it is the only package
// that imports the Docker SDK. Every error it returns is a *contract.StepFailure, except for those of a context.
//
// A call converges: what a killed worker has left half-done, the next call of the same kind finishes. The files are named
// after what they do:
//
//	client.go    the engine, its options, and the narrow view of the SDK (dockerAPI)
//	prepare.go   everything that can be checked before anything is made; ports.go has the ports
//	ensure.go    one component, from image to ready; install.go makes and replaces containers, handover.go without a gap
//	spec.go      a component as Docker's create arguments; options.go refuses what cannot be; files.go injects and reads files
//	network.go   the service's network, and a component's places on it and on others; join.go has the rules of the others,
//	             subnet.go chooses ranges and addresses, names.go takes a container's names away and gives them back
//	drift.go     what differs between a component and its container; ensure and inspect both go by it
//	input.go     the service's input, put together again from labels and live files
//	start.go     starting a container; ready.go waits for it, probe.go asks it, address.go says where it is reached, evidence.go
//	             collects what a failed one left
//	reload.go    live files that a running process has to be told of; validate.go tries them first, in a container of their own
//	secrets.go   the secrets volume of a component: generated, kept, rotated; value.go says where a value comes from
//	undo.go      Restore, Rollback and Commit
//	classify.go  what kind of failure an error of the engine is
//
// A message of the engine that is not recognised gets a pattern in classify.go; a way in which a container can differ from
// its component gets a finding in drift.go.
package engine
