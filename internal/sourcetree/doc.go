// Package sourcetree reads a folder as git would commit it: regular files, executables and symbolic links, without what git
// ignores and without .git itself. Its hash is git's own tree id, so that the plan, the worker and the repository speak of the
// same thing. In a work tree git itself is asked; elsewhere the .gitignore files in the folder decide, as they would in git.
//
// Both sides use it: the provider to say at plan time what will be pushed, the worker to push it. It imports the contract.
package sourcetree
