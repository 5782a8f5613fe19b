package ingest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

const (
	// pollInterval lies between two looks at the followed files, globInterval between two looks for new ones.
	pollInterval = 200 * time.Millisecond
	globInterval = time.Second
	// partialAfter is how long the end of a line is waited for.
	partialAfter = 3 * time.Second
	// lingering is how long a file that was moved away or deleted is followed after its last change: its writer may not have
	// noticed.
	lingering = time.Minute
	// copyTime is how long a rotation may take from the copy to the truncation.
	copyTime = 10 * time.Second
)

// files follows all files that fit. It belongs to one goroutine.
type files struct {
	spec   contract.Ingest
	ledger *ledger
	watch  *watch
	out    chan<- *chunk

	all    map[inode]*follower
	buffer []byte
	tick   *time.Ticker
	// first is true until the first look of all is over.
	first    bool
	nextGlob time.Time
	// listedAt is when files were last looked for.
	listedAt time.Time
	// notes are places that the checkpoint learns of with the next chunk: when they were taken, lines of the same files may
	// have been on their way, and a crash must find those again.
	notes []place
}

func newFiles(spec contract.Ingest, l *ledger, w *watch, out chan<- *chunk) *files {
	return &files{spec: spec, ledger: l, watch: w, out: out, all: map[inode]*follower{}, buffer: make([]byte, lastSize+chunkSize), first: l.filesUnseen}
}

// run follows until ctx ends.
func (s *files) run(ctx context.Context) {
	s.tick = time.NewTicker(pollInterval)
	defer s.tick.Stop()
	defer s.close()
	s.scan(time.Now())
	s.adopt(time.Now())
	if s.first {
		s.push(ctx, s.looked())
	}
	for ctx.Err() == nil {
		now := time.Now()
		f := s.next(now)
		if f == nil {
			s.push(ctx, s.noted())
			select {
			case <-ctx.Done():
			case <-s.tick.C:
				s.scan(time.Now())
			}
			continue
		}
		s.push(ctx, s.read(f, now))
	}
}

func (s *files) close() {
	for _, f := range s.all {
		s.watch.minor(f.file.Close())
	}
}

// next is the file with the oldest lines among those that have some, nil when there is none.
func (s *files) next(now time.Time) *follower {
	var best *follower
	for _, f := range s.all {
		if f.copyOf != nil || f.waiting() == 0 || f.dry == f.size && (f.dryEnd || !s.final(f, now)) {
			continue
		}
		if best == nil || f.clock < best.clock || f.clock == best.clock && f.at.Path < best.at.Path {
			best = f
		}
	}
	return best
}

// final reports whether the end of a file without a line feed is to be taken for the end of a line.
func (s *files) final(f *follower, now time.Time) bool { return now.Sub(f.changed) >= partialAfter }

func (s *files) read(f *follower, now time.Time) *chunk {
	final := s.final(f, now)
	c, err := f.read(s.buffer, s.spec.BatchSize, final, now)
	if err != nil {
		s.watch.trouble(fmt.Errorf("read %s: %w", f.at.Path, err))
		f.failed = true
	}
	if f.lost {
		s.truncated(f, now)
		return nil
	}
	f.dry = -1
	if c == nil {
		f.dry, f.dryEnd = f.size, final || err != nil
		return nil
	}
	s.note(f)
	c.commit = s.noted().commit
	return c
}

// note tells the checkpoint, in the order of the chunks, how far a file was read.
func (s *files) note(f *follower) { s.notes = append(s.notes, f.at) }

// noted is a chunk without lines that carries the notes, nil when there are none.
func (s *files) noted() *chunk {
	if len(s.notes) == 0 {
		return nil
	}
	notes, now := s.notes, time.Now()
	s.notes = nil
	return &chunk{commit: func() {
		for _, p := range notes {
			s.ledger.putFile(p, now)
		}
	}}
}

// looked is a chunk without lines by which the checkpoint learns that the first look is over, with the places that it found.
func (s *files) looked() *chunk {
	s.first = false
	places := s.noted()
	return &chunk{commit: func() {
		if places != nil {
			places.commit()
		}
		s.ledger.seen(&s.ledger.filesUnseen)
	}}
}

// push hands a chunk over, if there is one. While the receiver holds it back, what happens to the files is watched on: a file
// that is rotated away meanwhile must have been opened.
func (s *files) push(ctx context.Context, c *chunk) {
	for c != nil {
		select {
		case s.out <- c:
			c = nil
		case <-s.tick.C:
			s.scan(time.Now())
		case <-ctx.Done():
			return
		}
	}
	select {
	case <-s.tick.C:
		s.scan(time.Now())
	default:
	}
}

// scan looks at the followed files, and from time to time for new ones.
func (s *files) scan(now time.Time) {
	for _, f := range s.all {
		s.watch.minor(f.look(now))
	}
	if !now.Before(s.nextGlob) {
		started := time.Now()
		s.list(now)
		// A large tree is not to be walked all the time.
		s.nextGlob = now.Add(max(globInterval, 20*time.Since(started)))
	}
	for _, f := range s.all {
		if f.lost {
			s.truncated(f, now)
		}
	}
	for id, f := range s.all {
		s.settleCopy(f, now)
		if f.listed.Before(now) && f.waiting() == 0 && now.Sub(f.listed) > globInterval+pollInterval && now.Sub(f.changed) > lingering && !s.stays(f) {
			s.watch.minor(f.file.Close())
			delete(s.all, id)
		}
	}
	sizes := make(map[inode]int64, len(s.all))
	for id, f := range s.all {
		sizes[id] = f.size
	}
	s.ledger.touch(sizes, now)
	s.watch.setFiles(sizes)
}

// stays reports whether a file was listed by the last look for files.
func (s *files) stays(f *follower) bool { return !f.listed.Before(s.listedAt) }

// list looks for files that fit.
func (s *files) list(now time.Time) {
	s.listedAt = now
	fitting, unreadable := glob(s.spec.Files)
	for _, what := range unreadable {
		s.watch.trouble(errors.New(what))
	}
	// Those that were followed before come first: a new one may be a copy of one of them.
	slices.SortStableFunc(fitting, func(a, b found) int { return s.news(a) - s.news(b) })
	waiting := 0
	for _, f := range fitting {
		id := inodeOf(f.info)
		if known := s.all[id]; known != nil {
			known.listed, known.at.Path = now, f.path
			continue
		}
		if len(s.all) >= contract.MaxLogSources {
			waiting++
			continue
		}
		if opened := s.open(f.path, now); opened != nil {
			opened.listed = now
			s.begin(opened, now)
		}
	}
	if waiting > 0 {
		s.watch.trouble(fmt.Errorf("more than %d files fit; %d wait until others are gone", contract.MaxLogSources, waiting))
	}
}

// news is 0 for a file that was followed before, else 1.
func (s *files) news(f found) int {
	if _, ok := s.ledger.file(inodeOf(f.info)); ok {
		return 0
	}
	return 1
}

// open begins to follow a file, which is in no place yet.
func (s *files) open(path string, now time.Time) *follower {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it was rotated away since it was listed; the next look finds it under its new name
	}
	if err != nil {
		s.watch.trouble(err)
		return nil
	}
	info, err := file.Stat()
	if err != nil || s.all[inodeOf(info)] != nil {
		s.watch.minor(errors.Join(err, file.Close()))
		return nil
	}
	f := &follower{file: file, at: place{Path: path, inode: inodeOf(info)}, stream: &stream{path: path}, dry: -1, changed: now}
	if err := f.look(now); err != nil {
		s.watch.minor(errors.Join(err, file.Close()))
		return nil
	}
	f.changed = now
	s.all[f.at.inode] = f
	return f
}

// begin decides where a file that has just been found is read from.
func (s *files) begin(f *follower, now time.Time) {
	known, ok := s.ledger.file(f.at.inode)
	switch {
	case ok && known.fits(f.file):
		f.resume(known)
	case ok:
		// It was truncated while nobody looked, or its number went to another file.
		s.recover(known, now)
	case s.first && s.spec.StartAt == contract.StartAtEnd:
		f.skip()
	default:
		s.suspect(f, now)
	}
	f.peek()
	s.note(f)
}

// adopt looks for files that were followed before and fit no more: a rotation has moved or copied them while nobody looked.
func (s *files) adopt(now time.Time) {
	for _, p := range s.ledger.places() {
		if s.all[p.inode] == nil {
			s.recover(p, now)
		}
	}
}

// truncated goes on with a file that no longer holds what was read from it. What it held last is in a copy, if anywhere.
func (s *files) truncated(f *follower, now time.Time) {
	s.recover(f.at, now)
	f.rewind()
	f.dry = -1
	s.note(f)
}

// sorted lists the followed files by path, for what must not depend on chance.
func (s *files) sorted() []*follower {
	all := make([]*follower, 0, len(s.all))
	for _, f := range s.all {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b *follower) int {
		if a.at.Path < b.at.Path {
			return -1
		}
		return 1
	})
	return all
}
