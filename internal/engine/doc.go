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
//	ensure.go    one component, from image to ready; install.go makes and replaces containers
//	spec.go      a component as Docker's create arguments; files.go injects and reads files
//	network.go   the service's network, and a component's places on it and on others; join.go has the rules of the others
//	drift.go     what differs between a component and its container; ensure and inspect both go by it
//	input.go     the service's input, put together again from labels and live files
//	start.go     starting a container; ready.go probes it, address.go says where it is reached, evidence.go collects what a
//	             failed one left
//	secrets.go   the secrets volume of a component: generated, kept, rotated
//	undo.go      Restore, Rollback and Commit
//	classify.go  what kind of failure an error of the engine is
//
// A message of the engine that is not recognised gets a pattern in classify.go; a way in which a container can differ from
// its component gets a finding in drift.go.
package engine
