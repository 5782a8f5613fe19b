// Package runner starts the workflow of an operation, or attaches to the one that is already doing it, waits for its end
// and turns what happened into errors that a Terraform diagnostic can show as they are.
//
// The rules that it keeps:
//   - One workflow ID per service is the lock of the service. A start that meets an open run compares the memo: the same
//     operation with the same input is attached to, anything else is an *InFlightError.
//   - Waiting outlives the server: only the end of the run, of the caller's context or of the time allowed ends it.
//   - A run whose first task nobody takes is terminated and reported as a *NoWorkerError, so that an apply never hangs.
//   - An interrupted or timed out wait cancels the run, with a context of its own, and waits for its rollback, unless the
//     caller wants it left running.
//
// custom.go and custom_look.go do the same for workflows that are not orch's, which travel as plain JSON under IDs that are given.
//
// What data sources ask, Temporal answers without a worker: Describe, List, DescribeQueue and DescribeCluster, each in a file
// of its own. Questions and their errors are in inspect.go; payloads of any worker become JSON in value.go.
//
// It imports secret, contract and the Temporal SDK, nothing else of ours. Every error type is in errors.go or endings.go
// with its texts; add a way in which a run can end in outcome.go, and a way in which Temporal cannot be reached in contact.go.
package runner
