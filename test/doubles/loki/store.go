package loki

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

// entry is one stored line.
type entry struct {
	UnixNano uint64            `json:"t"`
	Line     string            `json:"l"`
	Labels   map[string]string `json:"labels"`
	Metadata map[string]string `json:"meta,omitempty"`
}

// store appends lines to a file and keeps them in memory. It is safe for concurrent use.
type store struct {
	file *os.File

	mu      sync.RWMutex
	entries []entry
}

// openStore makes the file in dir or reads back what an earlier container wrote.
func openStore(dir string) (*store, error) {
	if err := strict.Writable(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "double-lines.json")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lines: %w", err)
	}
	s := &store{file: file}
	for dec := json.NewDecoder(bufio.NewReader(file)); ; {
		var e entry
		switch err := dec.Decode(&e); {
		case errors.Is(err, io.EOF):
			return s, nil
		case err != nil:
			return nil, errors.Join(fmt.Errorf("lines in %s are damaged: %w", path, err), file.Close())
		}
		s.entries = append(s.entries, e)
	}
}

func (s *store) close() error { return s.file.Close() }

func (s *store) append(entries []entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []byte
	for _, e := range entries {
		raw, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("encode line: %w", err)
		}
		lines = append(append(lines, raw...), '\n')
	}
	if _, err := s.file.Write(lines); err != nil {
		return fmt.Errorf("write lines: %w", err)
	}
	s.entries = append(s.entries, entries...)
	return nil
}

func (s *store) query(q rangeQuery) []entry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []entry
	for _, e := range s.entries {
		if e.UnixNano >= q.from && e.UnixNano < q.to && q.selector.matches(e) {
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(a, b entry) int {
		order := 1
		if (a.UnixNano < b.UnixNano) == q.forward {
			order = -1
		}
		if a.UnixNano == b.UnixNano {
			return 0
		}
		return order
	})
	return out[:min(len(out), q.limit)]
}

// labels returns the names of all stream labels, sorted.
func (s *store) labels() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var names []string
	for _, e := range s.entries {
		for name := range e.Labels {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}
