//go:build unix

package strict

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// Lock takes the lock file of a data directory, as databases do: a second process on the
// same data must fail to start. Closing gives it back, the end of the process does too.
func Lock(dir string) (io.Closer, error) {
	path := filepath.Join(dir, ".double-lock")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock file: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("%s is locked by another process that uses the same data: %w", path, err)
	}
	return file, nil
}
