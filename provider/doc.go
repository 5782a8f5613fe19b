// Package provider is the Terraform provider's front door: its configuration schema, and the one connection that all
// resources share.
//
// It may import resources, datasources, the runner and the contract. What a value left out of the configuration falls back
// to is decided by the runner, because the worker needs the same answer. A new resource does not touch this package: it is
// listed in resources.All.
package provider
