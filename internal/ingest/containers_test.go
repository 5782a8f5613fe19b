package ingest

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// engine is a Docker Engine with containers that have written frames.
type engine struct {
	mu         sync.Mutex
	containers map[string]*logged
	lists      int
}

type logged struct {
	contract.LogContainer
	frames []contract.LogFrame
	reads  int
}

func newEngine() *engine { return &engine{containers: map[string]*logged{}} }

var epoch = time.Now().Add(-time.Minute).Truncate(time.Second)

// write adds a frame that was written so many milliseconds after the epoch.
func (e *engine) write(name string, at int, stderr bool, text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.containers[name] == nil {
		e.containers[name] = &logged{LogContainer: contract.LogContainer{ID: "id of " + name, Name: name, Driver: "json-file", Running: true, Started: epoch}}
	}
	c := e.containers[name]
	c.frames = append(c.frames, contract.LogFrame{Stderr: stderr, Time: epoch.Add(time.Duration(at) * time.Millisecond), Text: []byte(text)})
}

func (e *engine) set(name string, change func(c *logged)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change(e.containers[name])
}

func (e *engine) LogContainers(context.Context, contract.LogContainers) ([]contract.LogContainer, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lists++
	var all []contract.LogContainer
	for _, c := range e.containers {
		all = append(all, c.LogContainer)
	}
	return all, nil
}

func (e *engine) FollowLog(ctx context.Context, c contract.LogContainer, since time.Time, each func(contract.LogFrame) error) error {
	buffer := make([]byte, 0, frameSize)
	e.set(c.Name, func(c *logged) { c.reads++ })
	for sent := 0; ; {
		e.mu.Lock()
		frames, running := slices.Clone(e.containers[c.Name].frames), e.containers[c.Name].Running
		e.mu.Unlock()
		for ; sent < len(frames); sent++ {
			frame := frames[sent]
			if frame.Time.Before(since) {
				continue
			}
			buffer = append(buffer[:0], frame.Text...) // valid during the call only
			frame.Text = buffer
			if err := each(frame); err != nil {
				return err
			}
			clear(buffer)
		}
		if !running {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func newContainerDesk(t *testing.T) (*desk, *engine) {
	t.Helper()
	d, e := newDesk(t), newEngine()
	d.spec.Files, d.spec.Containers, d.docker = nil, &contract.LogContainers{Service: "app"}, e
	return d, e
}

func TestContainersLinesArriveWithTheirTimesAndLabels(t *testing.T) {
	d, e := newContainerDesk(t)
	e.write("web", 0, false, "out\n")
	e.write("web", 5, true, "err\r\n")
	e.write("db", 7, false, "other\n")
	tail, _ := d.start()
	d.gets("out", "err", "other")
	byText := map[string]received{}
	for _, record := range d.all() {
		byText[record.text] = record
	}
	require.Equal(t, epoch.Add(5*time.Millisecond).UnixNano(), byText["err"].at.UnixNano())
	require.Equal(t, "stderr", byText["err"].attributes["log.iostream"])
	require.Equal(t, "stdout", byText["out"].attributes["log.iostream"])
	require.Equal(t, "web", byText["out"].attributes["container.name"])
	require.Equal(t, "id of db", byText["other"].attributes["container.id"])
	waitFor(t, func() bool { return tail.Status().Containers == 2 })
	// One that starts later.
	e.write("late", 9, false, "late\n")
	d.gets("out", "err", "other", "late")
}

func TestLongLinesOfContainersAreJoined(t *testing.T) {
	d, e := newContainerDesk(t)
	long := strings.Repeat("€", 20_000) // 60,000 bytes in pieces that cut characters
	for i, rest := 0, []byte(long+"\n"); len(rest) > 0; i++ {
		n := min(frameSize, len(rest))
		e.write("web", i, false, string(rest[:n]))
		if i == 1 {
			e.write("web", i, true, "between\n")
		}
		rest = rest[n:]
	}
	d.start()
	d.gets(long, "between")
}

func TestContainersAreResumedWithoutGapOrRepetition(t *testing.T) {
	d, e := newContainerDesk(t)
	var want []string
	write := func(at int, stderr bool, text string) {
		e.write("web", at, stderr, text+"\n")
		want = append(want, text)
	}
	// Lines of one moment, alike and not, in two streams whose times are not in order with each other.
	write(10, false, "a")
	write(10, false, "a")
	write(10, false, "b")
	write(8, true, "c")
	write(8, true, "d")
	tail, stop := d.start()
	d.gets(want...)
	d.settled(tail)
	stop()
	write(10, false, "e")
	write(8, true, "f")
	write(11, false, "g")
	tail, stop = d.start()
	d.gets(want...)
	d.settled(tail)
	stop()
	write(12, true, "h")
	d.start()
	d.gets(want...)
}

// The last process ended inside a line: its beginning must come again.
func TestHalfALineIsResumedWhole(t *testing.T) {
	d, e := newContainerDesk(t)
	e.write("web", 1, false, "first\n")
	e.write("web", 2, false, strings.Repeat("x", frameSize))
	tail, stop := d.start()
	d.gets("first")
	d.settled(tail)
	stop()
	e.write("web", 3, false, "end\n")
	d.start()
	d.gets("first", strings.Repeat("x", frameSize)+"end")
}

func TestStoppedContainersAreReadToTheirEndAndFollowedAgain(t *testing.T) {
	d, e := newContainerDesk(t)
	e.write("web", 1, false, "one\n")
	e.write("web", 2, false, "no line feed")
	e.set("web", func(c *logged) { c.Running = false })
	d.start()
	d.gets("one", "no line feed")
	waitFor(t, func() bool { e.mu.Lock(); defer e.mu.Unlock(); return e.lists >= 2 })
	e.mu.Lock()
	reads := e.containers["web"].reads
	e.mu.Unlock()
	require.Equal(t, 1, reads, "what has ended is not read again")
	e.write("web", 30, false, "again\n")
	e.set("web", func(c *logged) { c.Running, c.Started = true, epoch.Add(20*time.Millisecond) })
	d.gets("one", "no line feed", "again")
}

func TestContainersAtTheEndBeginWithWhatIsWrittenNext(t *testing.T) {
	d, e := newContainerDesk(t)
	d.spec.StartAt = contract.StartAtEnd
	e.write("web", 1, false, "before\n")
	d.start()
	waitFor(t, func() bool { e.mu.Lock(); defer e.mu.Unlock(); return e.containers["web"].reads == 1 })
	e.write("web", 3_600_000, false, "after\n")
	d.gets("after")
}

// What a container has written last is on its way when it is listed again, stopped.
func TestContainersThatStopAreNotShippedTwice(t *testing.T) {
	d, e := newContainerDesk(t)
	d.spec.FlushInterval = 1.5 * listInterval.Seconds()
	e.write("web", 1, false, "last words\n")
	tail, _ := d.start()
	waitFor(t, func() bool { e.mu.Lock(); defer e.mu.Unlock(); return e.containers["web"].reads == 1 })
	waitFor(t, func() bool { // the line is on its way
		tail.docker.mu.Lock()
		defer tail.docker.mu.Unlock()
		return tail.docker.handed["id of web"].Stdout.Time > 0
	})
	e.set("web", func(c *logged) { c.Running = false })
	d.gets("last words")
}

// Nothing was acknowledged yet when the worker stopped, but the end was noted.
func TestContainersAtTheEndGoOnThereAfterARestart(t *testing.T) {
	d, e := newContainerDesk(t)
	d.spec.StartAt = contract.StartAtEnd
	e.write("web", 1, false, "before\n")
	_, stop := d.start()
	d.looked()
	stop()
	e.write("web", 3_600_000, false, "meanwhile\n")
	e.write("new", 2, false, "of a new container\n")
	d.start()
	d.gets("meanwhile", "of a new container")
}

func TestContainersWithoutALogAreReported(t *testing.T) {
	d, e := newContainerDesk(t)
	e.write("web", 1, false, "unseen\n")
	e.set("web", func(c *logged) { c.Driver = "none" })
	tail, _ := d.start()
	waitFor(t, func() bool { return strings.Contains(tail.Status().LastError, "keeps no log") })
	found, err := Containers(t.Context(), e, d.spec.Containers)
	require.NoError(t, err)
	require.Empty(t, found.Sources)
	require.Len(t, found.Unreadable, 1)
}

func TestFramesAreCutOnlyWhereALineIsTooLong(t *testing.T) {
	f := newContainer(contract.LogContainer{ID: "x"}, containerPlace{}, 1000)
	var text bytes.Buffer
	parts := 0
	collect := func(_ context.Context, _ *container, c *chunk) error {
		for _, l := range c.lines {
			text.WriteString(c.of(l))
			parts++
		}
		return nil
	}
	piece := []byte(strings.Repeat("z", frameSize))
	for range 40 {
		require.NoError(t, f.frame(t.Context(), contract.LogFrame{Time: epoch, Text: piece}, collect))
	}
	require.NoError(t, f.frame(t.Context(), contract.LogFrame{Time: epoch, Text: []byte("\n")}, collect))
	require.NoError(t, f.flush(t.Context(), collect))
	require.Equal(t, strings.Repeat("z", 40*frameSize), text.String())
	require.Equal(t, 3, parts)
}
