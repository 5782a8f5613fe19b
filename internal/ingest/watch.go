package ingest

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// watch collects what a tail says of itself. Its methods may be called at the same time.
type watch struct {
	log *slog.Logger

	mu         sync.Mutex
	sizes      map[inode]int64
	containers int
	last       mishap
	// stuckBy is what keeps all lines from being shipped now; its text is empty when nothing does.
	stuckBy mishap
	// logged is when each trouble was logged.
	logged map[string]time.Time
	oldest time.Time
}

// mishap is something that went wrong, and when.
type mishap struct {
	text string
	at   time.Time
}

const (
	// repeatAfter is how long the same trouble is not logged again.
	repeatAfter = time.Minute
	// mostLogged is how many troubles are told apart.
	mostLogged = 100
)

// trouble is something that keeps some lines from being followed, and is tried again.
func (w *watch) trouble(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note(err)
}

func (w *watch) note(err error) mishap {
	m := mishap{err.Error(), time.Now()}
	w.last = m
	if at, known := w.logged[m.text]; known && m.at.Sub(at) < repeatAfter {
		return m
	}
	if w.logged == nil || len(w.logged) >= mostLogged {
		w.logged = map[string]time.Time{}
	}
	w.logged[m.text] = m.at
	w.log.Warn("ingest: " + m.text)
	return m
}

// stuck is trouble that keeps all lines from being shipped; taken ends it.
func (w *watch) stuck(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stuckBy = w.note(err)
}

func (w *watch) taken() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stuckBy.text != "" {
		w.log.Info("ingest: lines are shipped again")
	}
	w.stuckBy = mishap{}
}

// minor is an error that changes nothing: what failed is looked at again, or was given up anyway.
func (w *watch) minor(err error) {
	if err != nil {
		w.log.Debug("ingest: " + err.Error())
	}
}

func (w *watch) setFiles(sizes map[inode]int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sizes = sizes
}

func (w *watch) setContainers(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.containers = n
}

// setOldest says since when a line waits for its acknowledgement; the zero time says that none does.
func (w *watch) setOldest(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.oldest = at
}

// status is what the tail says of itself now.
func (w *watch) status(spec contract.Ingest, l *ledger) contract.TailStatus {
	counted := l.counted()
	w.mu.Lock()
	defer w.mu.Unlock()
	failing, last := w.stuckBy.text != "", w.last
	if failing {
		last = w.stuckBy // what else went wrong meanwhile must not hide it
	}
	s := contract.TailStatus{
		At: time.Now().UTC(), Digest: spec.Digest(), Files: len(w.sizes), Containers: w.containers,
		Lines: counted.Lines, Bytes: counted.Bytes, Backfilled: counted.Backfilled, Rejected: counted.Rejected,
		Repaired: counted.Repaired, Split: counted.Split, LagBytes: l.unread(w.sizes), LastError: last.text, Failing: failing,
	}
	if !w.oldest.IsZero() {
		s.LagSeconds = time.Since(w.oldest).Seconds()
	}
	if last.text != "" {
		at := last.at.UTC()
		s.LastErrorAt = &at
	}
	return s
}

// Summary is a status in one line, for heartbeats.
func Summary(s contract.TailStatus) string {
	text := fmt.Sprintf("%d files, %d containers, %d lines shipped, %d bytes behind", s.Files, s.Containers, s.Lines, s.LagBytes)
	if s.Failing {
		text += "; " + s.LastError
	}
	return text
}
