package ingest

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// frameSize is the longest piece that the engine cuts a line into.
const frameSize = 16 << 10

// skew is how far the times of a container's two streams may be out of order with each other.
const skew = 10 * time.Second

// deliver hands over a chunk of a container.
type deliver func(ctx context.Context, f *container, c *chunk) error

// container joins the frames of one container's log to lines.
type container struct {
	contract.LogContainer
	stream *stream
	limit  int

	// mu is also held while a chunk is handed over, so that chunks keep their order and a receiver that is slow holds back
	// the log.
	mu             sync.Mutex
	stdout, stderr half
	text           []byte
	lines          []line
}

// half is one of the two streams.
type half struct {
	// resume is where the last process ended; frames up to it are known.
	resume mark
	// read is behind the last frame that came, done behind the last one whose line is in a chunk.
	read, done mark
	// pending is the beginning of a line, which was written at time; part numbers the pieces of one that is too long.
	pending []byte
	time    int64
	part    int32
}

func newContainer(c contract.LogContainer, p containerPlace, limit int) *container {
	return &container{
		LogContainer: c, stream: &stream{name: c.Name, id: c.ID, key: c.Name}, limit: limit,
		stdout: half{resume: p.Stdout, read: p.Stdout.clone(), done: p.Stdout.clone()},
		stderr: half{resume: p.Stderr, read: p.Stderr.clone(), done: p.Stderr.clone()},
	}
}

func (m mark) clone() mark { return mark{m.Time, slices.Clone(m.Sums)} }

// since is the time that the engine is asked to begin at, zero for the beginning.
func (f *container) since() time.Time {
	out, err := f.stdout.resume.Time, f.stderr.resume.Time
	if out == 0 && err == 0 {
		return time.Time{}
	}
	return time.Unix(0, max(min(out, err), max(out, err)-int64(skew)))
}

// place is how far the lines in chunks go.
func (f *container) place() containerPlace {
	return containerPlace{Stdout: f.stdout.done.clone(), Stderr: f.stderr.done.clone()}
}

// frame takes the next piece of the log.
func (f *container) frame(ctx context.Context, frame contract.LogFrame, to deliver) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := &f.stdout
	if frame.Stderr {
		h = &f.stderr
	}
	if h.known(frame) {
		return nil
	}
	if len(h.pending) == 0 {
		h.time = frame.Time.UnixNano()
	}
	h.pending = append(h.pending, frame.Text...)
	switch {
	case bytes.HasSuffix(frame.Text, []byte{'\n'}):
		f.take(h, frame.Stderr, len(h.pending)-1, true)
	case len(h.pending) > maxRecord-frameSize:
		f.take(h, frame.Stderr, cut(h.pending), false)
	}
	if len(f.lines) >= f.limit || len(f.text) >= chunkLimit {
		return f.handOver(ctx, to)
	}
	return nil
}

// known reports whether a frame came before resume, and else remembers it. The engine begins with frames of the very time
// that it is asked for, so frames of that time are told apart by what they hold.
func (h *half) known(frame contract.LogFrame) bool {
	at, sum := frame.Time.UnixNano(), imprintOf(frame.Text).Sum
	if at < h.resume.Time {
		return true
	}
	if at == h.resume.Time {
		if i := slices.Index(h.resume.Sums, sum); i >= 0 {
			h.resume.Sums = slices.Delete(slices.Clone(h.resume.Sums), i, i+1)
			return true
		}
	}
	if at != h.read.Time {
		h.read = mark{Time: at, Sums: h.read.Sums[:0]}
	}
	h.read.Sums = append(h.read.Sums, sum)
	return false
}

// take makes a line of the first bytes that are pending.
func (f *container) take(h *half, stderr bool, length int, whole bool) {
	if !whole || h.part > 0 {
		h.part++
	}
	l := line{start: int32(len(f.text)), part: h.part, stderr: stderr, time: h.time}
	f.text = append(f.text, h.pending[:length]...)
	l.end = int32(len(f.text))
	rest := h.pending[length:]
	if whole {
		h.part, rest = 0, nil
		if l.end > l.start && f.text[l.end-1] == '\r' {
			l.end--
		}
	}
	f.lines = append(f.lines, l)
	h.pending = append(h.pending[:0], rest...)
	if len(h.pending) == 0 {
		h.done = mark{h.read.Time, append(h.done.Sums[:0], h.read.Sums...)}
	}
}

// flush hands over what has come together, if anything.
func (f *container) flush(ctx context.Context, to deliver) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.handOver(ctx, to)
}

// finish hands over everything: the log has ended, and with it the last line.
func (f *container) finish(ctx context.Context, to deliver) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, h := range []*half{&f.stdout, &f.stderr} {
		if len(h.pending) > 0 {
			h.pending = append(h.pending, '\n')
			f.take(h, h == &f.stderr, len(h.pending)-1, true)
		}
	}
	return f.handOver(ctx, to)
}

func (f *container) handOver(ctx context.Context, to deliver) error {
	if len(f.lines) == 0 {
		return nil
	}
	c := &chunk{stream: f.stream, text: string(f.text), lines: f.lines, read: time.Now()}
	f.text, f.lines = f.text[:0], nil
	return to(ctx, f, c)
}
