// Package git is a Git repository that is served by HTTP, read-only, by git's own server: what a Docker Engine fetches a build
// context from. Pushes, logins and GitHub's own API are the business of the double of GitHub.
//
// It imports the standard library alone. What else a test wants of a repository is a method of Repository.
package git
