package ingest

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func (d *desk) rename(from, to string) {
	d.t.Helper()
	require.NoError(d.t, os.Rename(d.path(from), d.path(to)))
}

// copyTruncate does what logrotate's copytruncate does.
func (d *desk) copyTruncate(from, to string) {
	d.t.Helper()
	data, err := os.ReadFile(d.path(from))
	require.NoError(d.t, err)
	require.NoError(d.t, os.WriteFile(d.path(to), data, 0o600))
	require.NoError(d.t, os.Truncate(d.path(from), 0))
}

func (d *desk) include(patterns ...string) {
	d.spec.Files.Include = nil
	for _, pattern := range patterns {
		d.spec.Files.Include = append(d.spec.Files.Include, d.path(pattern))
	}
}

func TestRenamedFileIsReadToItsEnd(t *testing.T) {
	for name, pattern := range map[string]string{"rotated file fits": "app.log*", "rotated file does not fit": "app.log"} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.include(pattern)
			first, text := lines(0, 50)
			d.write("app.log", text)
			d.start()
			d.gets(first...)
			second, text := lines(50, 50)
			d.rename("app.log", "app.log.1")
			d.write("app.log.1", text) // the writer has not noticed yet
			third, text := lines(100, 50)
			d.write("app.log", text)
			d.gets(slices.Concat(first, second, third)...)
		})
	}
}

func TestCopiedAndTruncatedFileComesOnce(t *testing.T) {
	for name, pattern := range map[string]string{"copy fits": "app.log*", "copy does not fit": "app.log"} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.include(pattern)
			first, text := lines(0, 50)
			d.write("app.log", text)
			d.start()
			d.gets(first...)
			// What is written just before the rotation can only be read from the copy.
			second, text := lines(50, 50)
			d.write("app.log", text)
			d.copyTruncate("app.log", "app.log.1")
			third, text := lines(100, 10)
			d.write("app.log", text)
			d.gets(slices.Concat(first, second, third)...)
		})
	}
}

// A copy is seen before its original is truncated, and the original goes on growing meanwhile.
func TestCopyIsHeldBackUntilTheTruncation(t *testing.T) {
	d := newDesk(t)
	d.include("app.log*")
	first, text := lines(0, 100)
	d.write("app.log", text)
	d.start()
	d.gets(first...)
	data, err := os.ReadFile(d.path("app.log"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(d.path("app.log.1"), data, 0o600))
	waitFor(t, func() bool { return d.opened("app.log.1") })
	require.NoError(t, os.Truncate(d.path("app.log"), 0))
	second, text := lines(100, 10)
	d.write("app.log", text)
	d.gets(slices.Concat(first, second)...)
}

// Files that begin alike are no copies of each other.
func TestFilesThatBeginAlikeAreBothRead(t *testing.T) {
	d := newDesk(t)
	d.include("*.log")
	banner := strings.Repeat("banner of the program\n", 100)
	d.write("app-1.log", banner+"first\n")
	d.write("app-2.log", banner+"second\n")
	d.start()
	require.Eventually(t, func() bool { return len(d.texts()) == 202 }, patience, 10*time.Millisecond)
	require.Contains(t, d.texts(), "first")
	require.Contains(t, d.texts(), "second")
}

func TestTruncatedFileIsBegunAnew(t *testing.T) {
	d := newDesk(t)
	first, text := lines(0, 50)
	d.write("app.log", text)
	d.start()
	d.gets(first...)
	require.NoError(t, os.Truncate(d.path("app.log"), 0))
	second, text := lines(50, 5)
	d.write("app.log", text)
	d.gets(slices.Concat(first, second)...)
	// Truncated, and grown beyond what was read before anybody looks.
	third, text := lines(1000, 60)
	require.NoError(t, os.WriteFile(d.path("app.log"), []byte(text), 0o600))
	d.gets(slices.Concat(first, second, third)...)
}

func TestRotationsWhileTheReceiverIsDown(t *testing.T) {
	d := newDesk(t)
	d.spec.BatchSize = 10
	first, text := lines(0, 20)
	d.write("app.log", text)
	d.start()
	d.gets(first...)
	d.fault(func(w http.ResponseWriter, _ []received) bool {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "later", http.StatusServiceUnavailable)
		return false
	})
	all := first
	for i := range 5 {
		more, text := lines(100*(i+1), 100)
		all = append(all, more...)
		d.write("app.log", text)
		waitFor(t, func() bool { return d.opened("app.log") }) // else nobody could know of it
		if i%2 == 0 {
			d.rename("app.log", "app.log.1")
		} else {
			require.NoError(t, os.Remove(d.path("app.log")))
		}
	}
	d.fault(nil)
	d.gets(all...)
}

// opened reports whether this process has a file open.
func (d *desk) opened(name string) bool {
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(d.t, err)
	for _, entry := range entries {
		if target, err := os.Readlink(filepath.Join("/proc/self/fd", entry.Name())); err == nil && target == d.path(name) {
			return true
		}
	}
	return false
}

func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, patience, 10*time.Millisecond)
}

func TestRotationsWhileNobodyLooks(t *testing.T) {
	rotations := map[string]func(d *desk){
		"renamed":              func(d *desk) { d.rename("app.log", "app.log.1") },
		"copied and truncated": func(d *desk) { d.copyTruncate("app.log", "app.log.1") },
		"renamed twice": func(d *desk) {
			d.rename("app.log", "app.log.1")
			d.rename("app.log.1", "app.log.2")
		},
	}
	for name, rotate := range rotations {
		for _, pattern := range []string{"app.log", "app.log*"} {
			t.Run(name+" "+pattern, func(t *testing.T) {
				d := newDesk(t)
				d.include(pattern)
				first, text := lines(0, 50)
				d.write("app.log", text)
				tail, stop := d.start()
				d.gets(first...)
				d.settled(tail)
				stop()
				second, text := lines(50, 30)
				d.write("app.log", text)
				rotate(d)
				third, text := lines(80, 20)
				d.write("app.log", text)
				tail, stop = d.start()
				d.gets(slices.Concat(first, second, third)...)
				d.settled(tail)
				stop()
				fourth, text := lines(100, 5)
				d.write("app.log", text)
				d.start()
				d.gets(slices.Concat(first, second, third, fourth)...)
			})
		}
	}
}
