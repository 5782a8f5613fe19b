// Package sourcetree reads a folder as git would commit it: regular files, executables and symbolic links, without what its
// .gitignore files leave out and without .git itself. Its hash is git's own tree id, so that the plan, the worker and the
// repository speak of the same thing.
//
// Both sides use it: the provider to say at plan time what will be pushed, the worker to push it. It imports the contract,
// and go-git for its .gitignore rules.
package sourcetree
