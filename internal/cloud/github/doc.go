// Package github is a client of GitHub, as far as orch uses it: repositories and commits over the REST API, and pushes over
// git's own protocol, which also works on an empty repository.
//
// It imports the contract, what all clients of platforms share, sourcetree for the objects that are pushed, and go-git.
package github
