package ingest

import (
	"os"
	"path/filepath"
	"strings"
	"time"
)

// suspect holds back a new file that begins like one that is followed, under a name like its own: a rotation copies a file
// and then truncates it, and what was read from the one must not be read from the other again. How far the copy was read is
// certain only when the file has been truncated.
func (s *files) suspect(f *follower, now time.Time) {
	for _, other := range s.sorted() {
		if other == f || other.at.Offset == 0 || !related(other.at.Path, f.at.Path) || !other.at.fits(f.file) {
			continue
		}
		f.copyOf, f.copied, f.copySeen = other, other.at, now
		return
	}
}

// related reports whether the second name may be a rotated version of the first: "app.log.1", "app-20261122.log".
func related(path, other string) bool {
	return filepath.Dir(path) == filepath.Dir(other) && strings.HasPrefix(filepath.Base(other), stem(filepath.Base(path)))
}

// settleCopy ends the wait for a truncation that does not come.
func (s *files) settleCopy(f *follower, now time.Time) {
	if f.copyOf == nil || now.Sub(f.copySeen) < copyTime && s.all[f.copyOf.at.inode] == f.copyOf {
		return
	}
	f.copyOf = nil
	// Short files look alike without one being a copy of the other.
	if f.copied.Head.Size == headSize {
		f.goOn(f.copied)
		s.note(f)
	}
}

// recover goes on with what a rotation has made of a file: with the file itself under another name, or with a copy of it.
func (s *files) recover(was place, now time.Time) {
	if was.Offset == 0 {
		return
	}
	for _, f := range s.sorted() {
		if f.copyOf != nil && f.copyOf.at.inode == was.inode {
			f.copyOf = nil
			if was.fits(f.file) {
				f.goOn(was)
				s.note(f)
				return
			}
		}
	}
	entries, err := os.ReadDir(filepath.Dir(was.Path))
	if err != nil {
		return // the directory is gone, and the file with it
	}
	for _, entry := range entries {
		path := filepath.Join(filepath.Dir(was.Path), entry.Name())
		if !entry.Type().IsRegular() || !related(was.Path, path) {
			continue
		}
		info, err := entry.Info()
		if err != nil || info.Size() < was.Offset || s.all[inodeOf(info)] != nil {
			continue
		}
		if _, known := s.ledger.file(inodeOf(info)); known && inodeOf(info) != was.inode {
			continue // it has a place of its own
		}
		if s.takeOver(path, was, now) {
			return
		}
	}
}

// takeOver follows the file at path from a place in another on, when it holds what was read from that.
func (s *files) takeOver(path string, was place, now time.Time) bool {
	f := s.open(path, now)
	if f == nil {
		return false
	}
	if !was.fits(f.file) {
		delete(s.all, f.at.inode)
		s.watch.minor(f.file.Close())
		return false
	}
	f.goOn(was)
	s.note(f)
	return true
}
