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
	lastError  string
	lastAt     time.Time
	failing    bool
	oldest     time.Time
}

// repeatAfter is how long the same trouble is not logged again.
const repeatAfter = time.Minute

// trouble is something that keeps some lines from being followed, and is tried again.
func (w *watch) trouble(err error) {
	if err == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := time.Now(); w.lastError != err.Error() || now.Sub(w.lastAt) > repeatAfter {
		w.log.Warn("ingest: "+err.Error(), "failing", w.failing)
		w.lastError, w.lastAt = err.Error(), now
	}
}

// stuck is trouble that keeps all lines from being shipped; taken ends it.
func (w *watch) stuck(err error) {
	w.trouble(err)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failing = true
}

func (w *watch) taken() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failing {
		w.log.Info("ingest: lines are shipped again")
	}
	w.failing = false
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
	s := contract.TailStatus{
		At: time.Now().UTC(), Digest: spec.Digest(), Files: len(w.sizes), Containers: w.containers,
		Lines: counted.Lines, Bytes: counted.Bytes, Backfilled: counted.Backfilled, Rejected: counted.Rejected,
		Repaired: counted.Repaired, Split: counted.Split, LagBytes: l.unread(w.sizes), LastError: w.lastError, Failing: w.failing,
	}
	if !w.oldest.IsZero() {
		s.LagSeconds = time.Since(w.oldest).Seconds()
	}
	if w.lastError != "" {
		at := w.lastAt.UTC()
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
