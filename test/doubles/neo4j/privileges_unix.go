//go:build unix

package neo4j

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// owner is uid and gid of the image's user neo4j.
const owner = 7474

// dropPrivileges does what the image's entry point does as root: it takes the directories
// over and goes on as user neo4j. Another user is left as it is.
func dropPrivileges(dirs ...string) error {
	if os.Getuid() != 0 {
		return nil
	}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			return errors.Join(err, os.Lchown(path, owner, owner))
		})
		if err != nil {
			return fmt.Errorf("take over %s: %w", dir, err)
		}
	}
	// The groups first: the user alone may not change them any more.
	if err := errors.Join(syscall.Setgroups([]int{owner}), syscall.Setgid(owner)); err != nil {
		return fmt.Errorf("drop privileges: %w", err)
	}
	if err := syscall.Setuid(owner); err != nil {
		return fmt.Errorf("drop privileges: %w", err)
	}
	return nil
}
