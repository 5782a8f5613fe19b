// Package datasources holds what a configuration can read without managing it: one file per data source, and All, the list
// that the provider serves.
//
// It may import the runner and the contract. To add a data source, write its file here and name its constructor in All.
package datasources
