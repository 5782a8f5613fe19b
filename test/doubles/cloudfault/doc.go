// Package cloudfault is what the doubles of cloud platforms share: a journal of every call, and faults that are laid over a
// double from outside of it, by a test in the same process or over HTTP under /double/.
//
// A double is a plain http.Handler that knows nothing of faults; New puts this package in front of it. Faults that only the
// platform itself can show, such as a machine that is stuck, are the double's own.
//
// It imports the standard library only.
package cloudfault
