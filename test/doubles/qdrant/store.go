package qdrant

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

var (
	errExists   = errors.New("already exists")
	errNotFound = errors.New("not found")
)

// store keeps the collections, each in a directory of its own. It is safe for concurrent
// use.
type store struct {
	dir  string
	lock io.Closer

	mu          sync.RWMutex
	collections map[string]*collection
}

// openStore makes the directories as Qdrant does, or reads back what an earlier container
// wrote.
func openStore(storage, snapshots string) (*store, error) {
	dir := filepath.Join(storage, "collections")
	for _, path := range []string{dir, snapshots} {
		if err := os.MkdirAll(path, 0o755); err != nil {
			return nil, fmt.Errorf("can't create storage directory: %w", err)
		}
		if err := strict.Writable(path); err != nil {
			return nil, err
		}
	}
	lock, err := strict.Lock(storage)
	if err != nil {
		return nil, err
	}
	s := &store{dir: dir, lock: lock, collections: map[string]*collection{}}
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		var c collection
		raw, readErr := os.ReadFile(s.path(entry.Name()))
		err = errors.Join(err, readErr)
		if readErr == nil {
			err = errors.Join(err, json.Unmarshal(raw, &c))
		}
		s.collections[entry.Name()] = &c
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("failed to load collections: %w", err), lock.Close())
	}
	return s, nil
}

func (s *store) path(name string) string { return filepath.Join(s.dir, name, "double-points.json") }

func (s *store) close() error { return s.lock.Close() }

func (s *store) names() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Sorted(maps.Keys(s.collections))
}

func (s *store) get(name string) (*collection, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, exists := s.collections[name]
	return c, exists
}

func (s *store) create(name string, vectors vectorParams) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, exists := s.collections[name]; exists {
		return errExists
	}
	if err := os.MkdirAll(filepath.Join(s.dir, name), 0o755); err != nil {
		return err
	}
	return s.keep(name, &collection{Vectors: vectors, Points: map[string]point{}})
}

// remove tells whether there was something to remove.
func (s *store) remove(name string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, exists := s.collections[name]; !exists {
		return false, nil
	}
	if err := os.RemoveAll(filepath.Join(s.dir, name)); err != nil {
		return false, err
	}
	delete(s.collections, name)
	return true, nil
}

// change works on a copy and keeps it once it is on disk, so that readers need no lock.
func (s *store) change(name string, change func(*collection) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	have, exists := s.collections[name]
	if !exists {
		return errNotFound
	}
	next := have.clone()
	if err := change(next); err != nil {
		return err
	}
	return s.keep(name, next)
}

// keep is called with mu held.
func (s *store) keep(name string, c *collection) error {
	raw, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := strict.ReplaceFile(s.path(name), raw); err != nil {
		return fmt.Errorf("store collection: %w", err)
	}
	s.collections[name] = c
	return nil
}
