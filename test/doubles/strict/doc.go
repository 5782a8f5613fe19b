// Package strict holds what makes a double strict: YAML without unknown fields, a ledger of
// requests that nobody expected, and the check that a data directory is writable.
//
// It imports the standard library and yaml.v3 only.
package strict
