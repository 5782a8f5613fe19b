package e2e

import (
	"flag"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Kills at any moment, where kill_test.go chooses one. To look for trouble, give more of them, and to see the same moments
// again the seed that a failed test has logged:
//
//	go test ./test/e2e -run Anytime -kills=50 -seed=7
var (
	kills = flag.Int("kills", 3, "how many operations TestKilledAnytimeConverges kills")
	seed  = flag.Uint64("seed", 1, "what its moments are drawn from")
)

// longest is more than an undisturbed operation takes here.
const longest = 4 * time.Second

func TestKilledAnytimeConverges(t *testing.T) {
	t.Parallel()
	t.Logf("-seed=%d", *seed)
	random := rand.New(rand.NewPCG(*seed, 0))
	p := newPipeline(t, "anytime")
	p.images.loki = slowLoki(t, 1)
	s := ownServer(t)
	w := newWorld(t, s)
	w.use(p)
	retentions := []string{`retention = "72h"`, `retention = "96h"`}
	for i := range *kills {
		created := w.attributes() != nil
		args := []string{"apply", "-auto-approve", "-json"}
		switch {
		case created && random.IntN(3) == 0:
			args = []string{"destroy", "-auto-approve", "-json"}
		case created:
			p.lokiMore = []string{retentions[i%2]}
			w.use(p)
		}
		victim, after := random.IntN(3), time.Duration(random.Int64N(int64(longest)))
		t.Logf("%d: %s, kill of %s after %s", i, args[0], []string{"the provider", "everything", "the server"}[victim], after.Round(time.Millisecond))
		killDuring(t, w.start(args...), s, victim, after)
		if again := w.terraform(args...); again.exit != 0 {
			t.Fatalf("%d: %s again: %s", i, args[0], again.errors())
		}
		if args[0] == "destroy" {
			assertNothingLeft(t, p.service)
			continue
		}
		require.Len(t, lives(t, p.service), 3)
		require.Len(t, objects(t, p.service), 8)
		w.assertEmptyPlan()
	}
	w.apply()
	assertWhole(t, w, p)
}

// killDuring kills what an operation needs at a moment of it; the operation may have ended by then.
func killDuring(t *testing.T, operation *process, s *server, victim int, after time.Duration) {
	t.Helper()
	select {
	case <-operation.done:
	case <-time.After(after):
	}
	if victim == 2 {
		require.NoError(t, s.kill())
		require.NoError(t, s.start())
		operation.wait()
		return
	}
	target := -operation.cmd.Process.Pid
	if victim == 0 {
		if pid, ok := operation.providerPID(); ok {
			target = pid
		}
	}
	_ = syscall.Kill(target, syscall.SIGKILL) // it may be gone already
	operation.wait()
}
