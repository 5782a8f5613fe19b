// Package ondemand starts workers on the task queues that clients ask for, so that nobody has to list queues for
// `orch-worker dev`.
//
// Registry decides which queues need a worker: those named in a start request (OnStart) and those of open workflows
// (Watch), for the workflow types it is told about, where nobody else polls.
//
// It may import the Temporal SDK; nothing of orch. What a worker has registered is the business of Options.NewWorker.
package ondemand
