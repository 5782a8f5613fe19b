// Package render is a client of Render's REST API, as far as orch uses it: workspaces, web services, their variables and
// deploys, logs, and the check of a Blueprint. It is written by hand: the published schema cannot be generated from as it is.
//
// It imports the contract and what all clients of platforms share.
package render
