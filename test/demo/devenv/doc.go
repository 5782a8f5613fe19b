// Package devenv runs what a development set-up consists of: the worker process, the Terraform CLI with the provider that
// was built here, and the local images. The demo and the benchmark are made of it.
//
// It imports the contract, the catalog and the standard library, and asks the Docker Engine through the docker command. What
// only one of the two programs does belongs there.
package devenv
