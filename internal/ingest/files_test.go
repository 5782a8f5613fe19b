package ingest

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// still is the reader of a file that was last looked at while it had that text, long ago.
func still(t *testing.T, text string) (*files, *follower, string) {
	t.Helper()
	d := newDesk(t)
	d.write("app.log", text)
	l, err := openLedger(filepath.Join(d.store, checkpointFile))
	require.NoError(t, err)
	s := newFiles(d.spec, l, &watch{log: slog.New(slog.DiscardHandler)}, make(chan *chunk, queueLength))
	t.Cleanup(s.close)
	s.scan(time.Now())
	require.Len(t, s.all, 1)
	for _, f := range s.all {
		f.changed = time.Now().Add(-2 * partialAfter)
		return s, f, d.path("app.log")
	}
	return nil, nil, ""
}

// It was truncated since: that nothing is there must not keep the reader from looking again.
func TestNothingToReadIsNotReadAgainAndAgain(t *testing.T) {
	s, f, path := still(t, "one\n")
	require.NoError(t, os.Truncate(path, 0))
	now := time.Now()
	require.Same(t, f, s.next(now))
	require.Nil(t, s.read(f, now))
	require.Nil(t, s.next(now))
}

func TestFailedReadIsTriedAgainAfterTheNextLook(t *testing.T) {
	s, f, path := still(t, "one\n")
	good := f.file
	closed, err := os.Open(path)
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	f.file = closed
	now := time.Now()
	require.Nil(t, s.read(f, now))
	require.Nil(t, s.next(now))
	f.file = good
	s.scan(now)
	require.Same(t, f, s.next(now))
}

// Half a line was written since: that nothing was written for long is not true any more.
func TestHalfALineOfAFileThatWasStillIsWaitedFor(t *testing.T) {
	s, f, path := still(t, "one\n")
	grow(t, path, "beginning of")
	c := s.read(f, time.Now())
	require.NotNil(t, c)
	require.Equal(t, "one\n", c.text)
}

// A line that comes in two writes is one line, unless its writer takes very long.
func TestHalfALineIsWaitedFor(t *testing.T) {
	s, f, path := still(t, "one\nbegin")
	now := time.Now()
	f.changed = now
	require.Equal(t, "one\n", s.read(f, now).text)
	require.Nil(t, s.read(f, now))
	require.Nil(t, s.next(now), "it waits")
	grow(t, path, "ning and end\nlast")
	s.scan(now)
	require.Same(t, f, s.next(now))
	require.Equal(t, "beginning and end\n", s.read(f, now).text)
	require.Equal(t, "last", s.read(f, now.Add(partialAfter)).text)
}

func grow(t *testing.T, path, text string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = file.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, file.Close())
}
