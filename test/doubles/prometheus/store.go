package prometheus

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

const nameLabel = "__name__"

// keptSamples bounds what one series holds in memory; older ones stay on disk only.
const keptSamples = 2000

// staleness is how long after its last sample a series still answers an instant query.
const staleness = 5 * time.Minute

// errDuplicate is Prometheus' answer to two values for one instant.
var errDuplicate = errors.New("duplicate sample for timestamp")

// sample is one value of one series.
type sample struct {
	Labels map[string]string `json:"m"`
	Millis int64             `json:"t"`
	Value  float64           `json:"v"`
	// Stale ends the series: its target is gone.
	Stale bool `json:"stale,omitempty"`
}

// series holds its samples oldest first.
type series struct {
	labels  map[string]string
	samples []sample
}

// store keeps samples in memory and in a journal. It is safe for concurrent use.
type store struct {
	lock io.Closer

	mu      sync.RWMutex
	journal *strict.Journal[sample]
	byKey   map[string]*series
}

// openStore reads back what an earlier container wrote to the data directory.
func openStore(dir string) (*store, error) {
	if err := strict.Writable(dir); err != nil {
		return nil, fmt.Errorf("opening storage failed: %w", err)
	}
	lock, err := strict.Lock(dir)
	if err != nil {
		return nil, fmt.Errorf("opening storage failed: lock DB directory: %w", err)
	}
	s := &store{lock: lock, byKey: map[string]*series{}}
	s.journal, err = strict.OpenJournal(filepath.Join(dir, "double-samples.json"), s.insert)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening storage failed: %w", err), lock.Close())
	}
	return s, nil
}

func (s *store) close() error { return errors.Join(s.journal.Close(), s.lock.Close()) }

// key is unique per label set: printing sorts a map's keys.
func key(labels map[string]string) string { return fmt.Sprintf("%q", labels) }

func (s *store) append(samples []sample) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, next := range samples {
		have := s.byKey[key(next.Labels)]
		if have == nil {
			continue
		}
		at, found := have.find(next.Millis)
		if found && have.samples[at].Value != next.Value {
			return fmt.Errorf("%w: %v at %d", errDuplicate, next.Labels, next.Millis)
		}
	}
	if err := s.journal.Append(samples...); err != nil {
		return err
	}
	for _, next := range samples {
		s.insert(next)
	}
	return nil
}

func (s *store) insert(next sample) {
	k := key(next.Labels)
	if s.byKey[k] == nil {
		s.byKey[k] = &series{labels: next.Labels}
	}
	s.byKey[k].insert(next)
}

func (s *series) find(millis int64) (int, bool) {
	return slices.BinarySearchFunc(s.samples, millis, func(have sample, want int64) int { return int(have.Millis - want) })
}

func (s *series) insert(next sample) {
	at, found := s.find(next.Millis)
	if found {
		return
	}
	s.samples = slices.Insert(s.samples, at, next)
	if len(s.samples) > keptSamples {
		s.samples = slices.Delete(s.samples, 0, 1)
	}
}

// at returns the newest sample of every matching series that is not stale at that time.
func (s *store) at(q selector, when time.Time) []sample {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []sample
	for _, k := range slices.Sorted(maps.Keys(s.byKey)) {
		have := s.byKey[k]
		if !q.matches(have.labels) {
			continue
		}
		i, found := have.find(when.UnixMilli())
		if !found {
			i--
		}
		if i < 0 || have.samples[i].Stale || have.samples[i].Millis <= when.Add(-staleness).UnixMilli() {
			continue
		}
		out = append(out, have.samples[i])
	}
	return out
}

// labelValues returns the values of a label over all series, sorted.
func (s *store) labelValues(name string) []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	found := map[string]bool{}
	for _, have := range s.byKey {
		if value := have.labels[name]; value != "" {
			found[value] = true
		}
	}
	return append([]string{}, slices.Sorted(maps.Keys(found))...)
}

func (s *store) size() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.byKey)
}
