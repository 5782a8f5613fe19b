// Package flyio is a stand-in of Fly.io: the part of the Machines API that orch uses, and the applications behind their
// public addresses.
//
// It is strict: unknown routes, query parameters and fields are refused with 400 and kept (Unknown), and so are calls with
// another token. It is stateful: apps, addresses, secrets with digests and versions, Machines with leases, versions, checks and
// states that take their time. What an application does follows from its image:
//
//	…crash…   its Machine exits with code 1 at once
//	…sick…    it answers with 503, and its checks do not pass
//	…stuck…   its Machine never leaves the state starting
//	…missing… there is no such image: creating a Machine fails with 400
//
// Faults of the network lie in front of it (package cloudfault). It imports nothing of orch.
package flyio
