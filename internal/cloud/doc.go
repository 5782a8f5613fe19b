// Package cloud is what the clients of all cloud platforms share: one HTTP exchange that is retried only where that cannot do
// harm, errors that tell what is known and what is not, and a governor that keeps to the platform's rate limits over all that
// a process does with one token.
//
// No platform has idempotency keys. A call that changes something is therefore sent once; when its answer is lost the error is
// Ambiguous, and whoever made the call looks what there is before it is made again.
//
// It imports the contract only. Each platform's client is a package of its own below this one.
package cloud
