// Package box is a program with a chosen behaviour, for tests of the engine: a server that
// becomes ready after a while, a program that exits with a code, loops, hangs or eats memory.
//
// It imports the standard library and its sibling httpserve. A new behaviour is one entry
// in behaviours.
package box
