// Package strict holds what makes a double strict: YAML without unknown fields, a ledger of
// requests that nobody expected, and data directories that must be writable, belong to one
// process at a time and keep their records.
//
// It imports the standard library and yaml.v3 only.
package strict
