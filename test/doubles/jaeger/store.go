package jaeger

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

// store keeps spans in memory and in a journal below badger's directories. It is safe for
// concurrent use.
type store struct {
	lock io.Closer

	mu      sync.RWMutex
	journal *strict.Journal[record]
	records []record
}

// openStore makes the directories as badger does, or reads back what an earlier container
// wrote.
func openStore(keys, values string) (*store, error) {
	for _, dir := range []string{keys, values} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("failed to initialize storage: badger: %w", err)
		}
		if err := strict.Writable(dir); err != nil {
			return nil, fmt.Errorf("failed to initialize storage: badger: %w", err)
		}
	}
	lock, err := strict.Lock(keys)
	if err != nil {
		return nil, fmt.Errorf("failed to initialize storage: badger: cannot acquire directory lock: %w", err)
	}
	s := &store{lock: lock}
	s.journal, err = strict.OpenJournal(filepath.Join(values, "double-spans.json"), func(r record) { s.records = append(s.records, r) })
	if err != nil {
		return nil, errors.Join(fmt.Errorf("failed to initialize storage: badger: %w", err), lock.Close())
	}
	return s, nil
}

func (s *store) close() error { return errors.Join(s.journal.Close(), s.lock.Close()) }

func (s *store) append(records []record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.journal.Append(records...); err != nil {
		return err
	}
	s.records = append(s.records, records...)
	return nil
}

// trace returns the trace of an ID.
func (s *store) trace(id string) (Trace, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var found []record
	for _, r := range s.records {
		if r.Span.TraceID == id {
			found = append(found, r)
		}
	}
	return assemble(id, found), len(found) > 0
}

// search returns the traces with a matching span, newest first.
func (s *store) search(q search) []Trace {
	s.mu.RLock()
	newest := map[string]uint64{}
	for _, r := range s.records {
		if q.matches(r) {
			newest[r.Span.TraceID] = max(newest[r.Span.TraceID], r.Span.StartTime)
		}
	}
	s.mu.RUnlock()
	ids := slices.SortedFunc(maps.Keys(newest), func(a, b string) int {
		if newest[a] != newest[b] {
			return int(newest[b]) - int(newest[a])
		}
		return strings.Compare(a, b)
	})
	traces := []Trace{}
	for _, id := range ids[:min(len(ids), q.limit)] {
		if found, exists := s.trace(id); exists {
			traces = append(traces, found)
		}
	}
	return traces
}

// names returns what pick says of every record, each once and sorted.
func (s *store) names(pick func(record) string) []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	found := map[string]bool{}
	for _, r := range s.records {
		if name := pick(r); name != "" {
			found[name] = true
		}
	}
	return append([]string{}, slices.Sorted(maps.Keys(found))...)
}
