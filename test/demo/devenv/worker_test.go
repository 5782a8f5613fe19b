package devenv

import (
	"encoding/json"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func newTestWorker(t *testing.T, behavior string) Worker {
	t.Helper()
	binary, err := os.Executable()
	require.NoError(t, err)
	t.Setenv(fakeVariable, behavior)
	w := Worker{Binary: binary, Dir: t.TempDir(), Ports: UnusualPorts, Say: t.Logf}
	t.Cleanup(func() {
		_, err := w.Stop(t.Context())
		// The test's context is over by now; whatever is left is ended.
		if p, running, _ := w.Running(); err != nil || running {
			_ = syscall.Kill(p.PID, syscall.SIGKILL)
		}
	})
	return w
}

func TestWorkerIsStartedOnceAndStopped(t *testing.T) {
	t.Setenv("TEMPORAL_API_KEY", "secret")
	w := newTestWorker(t, "worker")
	first, started, err := w.Ensure(t.Context())
	require.NoError(t, err)
	require.True(t, started)
	require.Equal(t, first.Temporal+1000, first.WebUI, "the provider's links go there")

	second, started, err := w.Ensure(t.Context())
	require.NoError(t, err)
	require.False(t, started)
	require.Equal(t, first, second)

	stopped, err := w.Stop(t.Context())
	require.NoError(t, err)
	require.True(t, stopped)
	require.True(t, Free(first.Temporal))
	stopped, err = w.Stop(t.Context())
	require.NoError(t, err)
	require.False(t, stopped, "nothing was running any more")
}

func TestKilledWorkerIsReplaced(t *testing.T) {
	w := newTestWorker(t, "worker")
	first, _, err := w.Ensure(t.Context())
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(first.PID, syscall.SIGKILL))
	require.Eventually(t, func() bool { _, running, err := w.Running(); return err == nil && !running }, time.Minute, 10*time.Millisecond)
	second, started, err := w.Ensure(t.Context())
	require.NoError(t, err)
	require.True(t, started)
	require.NotEqual(t, first.PID, second.PID)
}

func TestWorkerOfAnotherBuildIsRestarted(t *testing.T) {
	w := newTestWorker(t, "worker")
	first, _, err := w.Ensure(t.Context())
	require.NoError(t, err)
	older := first
	older.Build = "an older one"
	writeRecord(t, w, older)
	second, started, err := w.Ensure(t.Context())
	require.NoError(t, err)
	require.True(t, started)
	require.NotEqual(t, first.PID, second.PID)
	require.Empty(t, commandLine(first.PID))
}

func TestWorkerThatEndsIsReportedWithItsLog(t *testing.T) {
	w := newTestWorker(t, "broken worker")
	begin := time.Now()
	_, _, err := w.Ensure(t.Context())
	require.ErrorContains(t, err, "ended before it was ready: exit status 3")
	require.ErrorContains(t, err, "the database is from the future")
	require.Less(t, time.Since(begin), readyTimeout/2, "nobody waits for a process that is gone")
}

// After a reboot the recorded number may be anybody's.
func TestProcessOfAnotherProgramIsLeftAlone(t *testing.T) {
	w := newTestWorker(t, "worker")
	writeRecord(t, w, Process{PID: os.Getppid()})
	_, running, err := w.Running()
	require.NoError(t, err)
	require.False(t, running)
	stopped, err := w.Stop(t.Context())
	require.NoError(t, err)
	require.False(t, stopped)
}

func writeRecord(t *testing.T, w Worker, p Process) {
	t.Helper()
	data, err := json.Marshal(p)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(w.record(), data, 0o600))
}
