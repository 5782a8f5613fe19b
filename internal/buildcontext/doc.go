// Package buildcontext reads the folder that an image is built from: which files belong to it (.dockerignore), a digest of
// their content, what has changed since another look, and the tar that the Docker Engine takes.
//
// The provider and the worker use it alike, so that both come to the same digest. It imports the contract, and the pattern
// matcher that Docker itself uses for .dockerignore; it knows no Docker client.
package buildcontext
