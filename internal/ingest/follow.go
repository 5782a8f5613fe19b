package ingest

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

// follower reads one file. It is kept open, so that what is written to it is read also after it was moved or deleted.
type follower struct {
	file *os.File
	// at is how far it was read, sent or not.
	at place
	// last are the bytes before the offset, as many as the next look compares.
	last   []byte
	stream *stream

	// size and modified are from the last look; changed is when a look last found something new.
	size     int64
	modified time.Time
	changed  time.Time
	// listed is when the file was last found under a name that fits. A file that was moved away is read to its end.
	listed time.Time
	// clock is the time of the last line that was read, in nanoseconds since 1970; before the first one that has a time it is
	// when the file was written last. The file with the lowest clock is read next.
	clock int64
	timed bool
	// part numbers the parts of a line that is longer than a record may be.
	part int32
	// dry is the size at which the file held nothing to read, -1 when it may hold something: no whole line, or with dryEnd not
	// even the rest of one.
	dry    int64
	dryEnd bool
	// copyOf is set while the file looks like a copy that a rotation makes of another, which had been read as far as copied
	// when that was seen.
	copyOf   *follower
	copied   place
	copySeen time.Time
	// failed is true when the last read has failed, which is tried again after the next look.
	failed bool
	// lost is true when the file no longer holds what was read from it before offset: it must be begun anew.
	lost bool
}

// look asks the file how large it is now.
func (f *follower) look(now time.Time) error {
	info, err := f.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() != f.size || !info.ModTime().Equal(f.modified) {
		f.changed = now
	}
	f.size, f.modified = info.Size(), info.ModTime()
	if f.failed {
		f.failed, f.dry = false, -1
	}
	if !f.timed {
		f.clock = f.modified.UnixNano()
	}
	if f.size < f.at.Offset {
		f.lost = true
	}
	return nil
}

// waiting is how many bytes wait to be read.
func (f *follower) waiting() int64 { return max(0, f.size-f.at.Offset) }

// rewind begins the file anew, because it was truncated.
func (f *follower) rewind() {
	f.at.Offset, f.at.Head, f.at.Last = 0, imprint{}, imprint{}
	f.last, f.part, f.lost, f.timed = nil, 0, false, false
}

// read reads the next lines into a chunk, at most so many. It returns nil when there is no whole line yet; with final the
// end of the file ends the line, too. It sets lost when the file is not the one that was read before.
func (f *follower) read(buffer []byte, limit int, final bool, now time.Time) (*chunk, error) {
	before := len(f.last)
	n, err := f.file.ReadAt(buffer[:before+chunkSize], f.at.Offset-int64(before))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if n < before || !bytes.Equal(buffer[:before], f.last) {
		f.lost = true
		return nil, nil
	}
	data := buffer[before:n]
	c := &chunk{stream: f.stream, read: now}
	// What has been written since the last look may be half a line.
	used := f.split(c, data, limit, final && errors.Is(err, io.EOF) && f.at.Offset+int64(len(data)) == f.size)
	if used == 0 {
		return nil, nil
	}
	c.text = string(data[:used])
	f.setTimes(c)
	f.advance(buffer[:before+used], used)
	return c, nil
}

// split finds the lines of data and returns how much of it they take, line feeds included.
func (f *follower) split(c *chunk, data []byte, limit int, final bool) (used int) {
	for used < len(data) && len(c.lines) < limit {
		rest := data[used:]
		end := bytes.IndexByte(rest, '\n')
		switch {
		case end < 0 && len(rest) <= maxRecord && !final:
			return used
		case end >= 0 && end <= maxRecord:
			f.take(c, rest[:end], used, true)
			used += end + 1
		case end < 0 && len(rest) <= maxRecord:
			f.take(c, rest, used, true)
			used += len(rest)
		default: // longer than a record may be
			end = cut(rest[:maxRecord])
			f.take(c, rest[:end], used, false)
			used += end
		}
	}
	return used
}

// take adds one line, or with whole = false a part of one, that begins at start.
func (f *follower) take(c *chunk, text []byte, start int, whole bool) {
	// A writer that was not told of a truncation leaves a hole behind, which reads as zeros.
	lead := len(text) - len(bytes.TrimLeft(text, "\x00"))
	if !whole || f.part > 0 {
		f.part++
	}
	l := line{start: int32(start + lead), end: int32(start + len(text)), part: f.part}
	if whole {
		f.part = 0
		if len(text) > lead && text[len(text)-1] == '\r' {
			l.end--
		}
	}
	if l.end > l.start || lead == 0 {
		c.lines = append(c.lines, l)
	}
}

// cut is where a text of maxRecord bytes is cut, so that no character is.
func cut(text []byte) int {
	for end := len(text); end > len(text)-utf8.UTFMax; end-- {
		if utf8.RuneStart(text[end-1]) {
			if utf8.FullRune(text[end-1:]) {
				return len(text)
			}
			return end - 1
		}
	}
	return len(text)
}

// setTimes gives the lines the time that they begin with, or that of the line before: a stack trace belongs to its line.
func (f *follower) setTimes(c *chunk) {
	for i := range c.lines {
		l := &c.lines[i]
		if t := lineTime(c.of(*l), time.Local); t != 0 {
			f.clock, f.timed = t, true
		}
		l.time = f.clock
		if !f.timed {
			l.time = c.read.UnixNano() + int64(i) // one nanosecond each keeps their order
		}
	}
}

// advance moves the offset behind what was used; seen ends with it.
func (f *follower) advance(seen []byte, used int) {
	f.at.Offset += int64(used)
	f.last = append(f.last[:0], seen[max(0, len(seen)-lastSize):]...)
	f.at.Last = imprintOf(f.last)
	if f.at.Head.Size == headSize {
		return
	}
	head := make([]byte, min(headSize, f.at.Offset))
	if n, err := f.file.ReadAt(head, 0); err == nil || errors.Is(err, io.EOF) {
		f.at.Head = imprintOf(head[:n])
	}
}

// resume goes on where a file was read before.
func (f *follower) resume(p place) {
	f.at.Offset, f.at.Head, f.at.Last = p.Offset, p.Head, p.Last
	f.last = make([]byte, p.Last.Size)
	if n, err := f.file.ReadAt(f.last, p.Offset-int64(p.Last.Size)); n < len(f.last) && err != nil {
		f.last, f.at.Last = nil, imprint{}
	}
}

// goOn reads on from a place in a file with the same content.
func (f *follower) goOn(p place) {
	p.Path, p.inode = f.at.Path, f.at.inode
	f.resume(p)
	f.dry = -1
}

// peek sets the clock by the next line, so that the oldest of several files is known before any of them is read.
func (f *follower) peek() {
	var next [40]byte
	n, err := f.file.ReadAt(next[:], f.at.Offset)
	if n == 0 && err != nil {
		return
	}
	if t := lineTime(string(next[:n]), time.Local); t != 0 {
		f.clock, f.timed = t, true
	}
}

// skip goes to the end of the file.
func (f *follower) skip() {
	last := make([]byte, min(lastSize, f.size))
	head := make([]byte, min(headSize, f.size))
	if n, err := f.file.ReadAt(last, f.size-int64(len(last))); n < len(last) {
		f.lost = err != nil
		return
	}
	if n, _ := f.file.ReadAt(head, 0); n == len(head) {
		f.at.Offset, f.at.Head, f.at.Last, f.last = f.size, imprintOf(head), imprintOf(last), last
	}
}

// stem is what the names of a log file's rotated versions begin with: "app" of "app.log".
func stem(name string) string {
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		return name[:i]
	}
	return name
}
