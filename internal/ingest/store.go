package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// Files of a Store.
const (
	checkpointFile = "checkpoint.json"
	configFile     = "config.json"
	statusFile     = "status.json"
)

// Store is the directory that holds what one ingest must not forget: its configuration, its checkpoint, and what the tail
// said last.
type Store struct{ dir, lock string }

// Config is what a setup leaves for the tail, for inspections and for import.
type Config struct {
	Ingest  contract.Ingest `json:"ingest"`
	RunID   string          `json:"run_id"`
	Created time.Time       `json:"created"`
}

// NewStore is the store of an ingest in the worker's data directory. Nothing is made.
func NewStore(dataDir string, ref contract.Ref) Store {
	dir := filepath.Join(dataDir, "ingest", ref.Scope, ref.Service)
	// The lock lies beside the directory: removing a lock file would let two processes hold it.
	return Store{dir: dir, lock: dir + ".lock"}
}

// Dir is the directory itself.
func (s Store) Dir() string { return s.dir }

// Make makes the directory.
func (s Store) Make() error { return os.MkdirAll(s.dir, 0o700) }

// Config reads the configuration; nil means that there is none.
func (s Store) Config() (*Config, error) {
	var c Config
	found, err := s.read(configFile, &c)
	if err != nil || !found {
		return nil, err
	}
	return &c, nil
}

// SetConfig replaces the configuration.
func (s Store) SetConfig(c Config) error { return s.write(configFile, c, true) }

// Status reads what the tail said last; nil means that it has said nothing.
func (s Store) Status() (*contract.TailStatus, error) {
	var status contract.TailStatus
	found, err := s.read(statusFile, &status)
	if err != nil || !found {
		return nil, err
	}
	return &status, nil
}

// SetStatus replaces what the tail said last.
func (s Store) SetStatus(status contract.TailStatus) error { return s.write(statusFile, status, false) }

// Remove removes the directory. The caller holds the lock.
func (s Store) Remove() error { return os.RemoveAll(s.dir) }

func (s Store) read(name string, into any) (found bool, err error) {
	data, err := os.ReadFile(filepath.Join(s.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return false, fmt.Errorf("%s cannot be read: %w", filepath.Join(s.dir, name), err)
	}
	return true, nil
}

func (s Store) write(name string, from any, sync bool) error {
	data, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(s.dir, name), data, sync)
}

// lockInterval lies between two attempts to get a lock.
const lockInterval = 100 * time.Millisecond

// Lock keeps every other tail of the ingest on this host away until the returned function is called: two attempts of one
// activity may overlap, when the first has not noticed yet that Temporal gave it up.
func (s Store) Lock(ctx context.Context) (release func() error, err error) {
	if err := os.MkdirAll(filepath.Dir(s.lock), 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(s.lock, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	tick := time.NewTicker(lockInterval)
	defer tick.Stop()
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return file.Close, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", s.lock, err), file.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), file.Close())
		case <-tick.C:
		}
	}
}
