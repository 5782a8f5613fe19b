package lockfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Lock is a lock that this process holds.
type Lock struct{ file *os.File }

// HeldError says that another process holds the lock.
type HeldError struct {
	Path string
	// PID is the process that holds it, 0 when it has not written its number.
	PID int
}

// Error names the process that holds the lock.
func (e *HeldError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("lock file %s is held by another process; find it with: fuser %s", e.Path, e.Path)
	}
	return fmt.Sprintf("lock file %s is held by process %d; stop it with: kill %d", e.Path, e.PID, e.PID)
}

// Acquire takes the lock, or returns a HeldError at once when another process has it. The directory is made when absent.
func Acquire(path string) (*Lock, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("create the directory of lock file %s: %w", path, err)
	}
	// The file is never removed: a process that waits for a removed file would hold a lock that nobody sees.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock file %s: %w", path, err)
	}
	if err := lock(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := writePID(f); err != nil {
		return nil, errors.Join(fmt.Errorf("write lock file %s: %w", path, err), f.Close())
	}
	return &Lock{f}, nil
}

// Release gives the lock up.
func (l *Lock) Release() error {
	return errors.Join(l.file.Truncate(0), l.file.Close())
}

func lock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		held := &HeldError{Path: f.Name()}
		if text, err := os.ReadFile(f.Name()); err == nil {
			held.PID, _ = strconv.Atoi(strings.TrimSpace(string(text)))
		}
		return held
	}
	if err != nil {
		return fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return nil
}

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}
