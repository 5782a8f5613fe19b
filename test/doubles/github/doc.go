// Package github stands in for GitHub: the part of its REST API that deals with repositories and branches, and a real git
// server over HTTP (git http-backend) on the same address.
//
//	GET    /user
//	POST   /user/repos, /orgs/{org}/repos
//	GET    /repos/{owner}/{repo}          DELETE the same
//	GET    /repos/{owner}/{repo}/git/ref/heads/{branch}
//	GET    /repos/{owner}/{repo}/git/commits/{sha}
//	GET    /{owner}/{repo}.git/info/refs  and the two POSTs of git's smart HTTP, with and without .git
//	GET    /double/unknown
//
// Repositories are bare repositories in a directory, which is all of the state besides their owners and descriptions. The
// API wants the token as a bearer, git as the password of x-access-token; what is not private can be read without one.
//
// It imports the standard library and the strict double's ledger, and needs git.
package github
