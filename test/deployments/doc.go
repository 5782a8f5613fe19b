// Package deployments tests deployments against the strict doubles of the cloud platforms: the workflows and activities as
// they are, in Temporal's test environment; and the worker as it is, killed after every single call to a platform. No Docker
// Engine is needed.
package deployments
