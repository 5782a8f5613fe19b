// Package flyio is a client of Fly.io's Machines API: apps, addresses, secrets and Machines, as far as a deployment needs them.
//
// Every method is one call. Which of them may be made again, and what to look at before, is the business of the activities.
// It imports cloud and the contract only.
package flyio
