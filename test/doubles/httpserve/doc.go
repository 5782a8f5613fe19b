// Package httpserve runs the HTTP listeners of a double until its context ends, then stops
// them gracefully.
//
// It imports the standard library only.
package httpserve
