// Package terraform converts between Terraform's values and JSON, for resources and data sources alike (value.go). Every digit of
// a number survives, null is null, and what has no Terraform number stays text.
//
// It knows neither orch's kinds nor Temporal.
package terraform
