//go:build real

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// 80,000 numbered lines in four files that are rotated all the time and 20,000 in two containers, while the worker is killed,
// Temporal restarted, and the Collector down for a while: every number is in Loki.
func TestStdoutIngestLosesNothing(t *testing.T) {
	i := newIngest(t, "stdout-proof")
	s := ownServer(t)
	w := newWorld(t, s)
	const perContainer = "10000"
	first, second := i.container+"-1", i.container+"-2"
	run := func(name string) {
		foreign(t, "container", name, "run", "--detach", "--name", name, boxImage, "exit", "--lines", perContainer)
	}
	run(first)
	w.useIngest(i)
	w.apply()
	events := map[int]func(){
		5:  func() { require.NoError(t, s.kill()) },
		8:  func() { require.NoError(t, s.start()) },
		12: func() { docker(t, "stop", i.pipeline.container("otel-collector")) },
		13: func() { run(second) },
		20: func() { docker(t, "start", i.pipeline.container("otel-collector")) },
		26: func() { require.NoError(t, s.stop()) },
		28: func() { require.NoError(t, s.start()) },
	}
	pace := time.NewTicker(250 * time.Millisecond)
	defer pace.Stop()
	for round := range 40 {
		for file := range 4 {
			name := fmt.Sprintf("app-%d.log", file)
			i.write(name, 500)
			i.rotate(name, round, file%2 == 0)
		}
		if event := events[round]; event != nil {
			event()
		}
		<-pace.C
	}
	require.Equal(t, 80_000, i.written)
	began := time.Now()
	t.Logf("100000 numbers: %d duplicates from files, everything there %s after the last line", i.arrived(3*time.Minute), time.Since(began).Round(time.Second))
	for _, name := range []string{first, second} {
		var seen map[int]int
		eventually(t, time.Minute, "the lines of "+name, func() bool {
			seen = i.numbers(fmt.Sprintf(",container_name=%q", name), "box: line", "box: line %d")
			return len(seen) >= 10_000
		})
		duplicates := 0
		for n := 1; n <= 10_000; n++ {
			require.NotZero(t, seen[n], "line %d of %s is missing", n, name)
			duplicates += seen[n] - 1
		}
		t.Logf("%s: %d duplicates", name, duplicates)
	}
	t.Log("figures:", figures(w, i))
	w.destroy()
}

// rotate puts a file aside by renaming or by copying and truncating. All old versions stay: what is deleted while no worker
// runs is lost to everybody.
func (i *ingest) rotate(name string, round int, byCopy bool) {
	if round%4 != 3 {
		return
	}
	path := filepath.Join(i.files, name)
	aside := fmt.Sprintf("%s.%d", path, round)
	if !byCopy {
		require.NoError(i.t, os.Rename(path, aside))
		return
	}
	data, err := os.ReadFile(path)
	require.NoError(i.t, err)
	require.NoError(i.t, os.WriteFile(aside, data, 0o600))
	require.NoError(i.t, os.Truncate(path, 0))
}
