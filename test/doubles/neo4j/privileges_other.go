//go:build !unix

package neo4j

// dropPrivileges does nothing where there are no Unix users: the image runs on Linux.
func dropPrivileges(...string) error { return nil }
