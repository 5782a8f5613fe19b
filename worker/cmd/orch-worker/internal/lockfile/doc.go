// Package lockfile keeps two processes from using one data directory.
//
// The lock is the operating system's: it ends with the process that holds it, however that ends. It imports the standard
// library only.
package lockfile
