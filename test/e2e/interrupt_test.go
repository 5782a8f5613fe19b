package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCtrlCRollsBack(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "ctrl-c")
	p.images.loki = hanging(t)
	w := newWorld(t, shared.get(t))
	w.use(p)
	apply := inTheMiddle(t, w, p)
	apply.interrupt()
	interrupted := apply.wait()
	recordLast(t, w, p, "setup-cancelled")
	require.Equal(t, 1, interrupted.exit)
	require.Contains(t, interrupted.errors(), "rolled back")
	w.assertNoState()
	assertNothingLeft(t, p.service)
}

func TestCtrlCWithDetachLeavesItRunning(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "detach")
	p.images.loki = slowLoki(t, slow)
	p.top = append(p.top, `on_interrupt = "detach"`)
	w := newWorld(t, shared.get(t))
	w.use(p)
	apply := inTheMiddle(t, w, p)
	apply.interrupt()
	interrupted := apply.wait()
	require.Contains(t, interrupted.warnings(), p.ref().ID(), "the warning names the workflow")
	require.Equal(t, "in_progress", w.attribute("status"))
	run := w.attribute("run_id")
	require.NotEmpty(t, run)

	w.apply()
	eventually(t, commandLimit, "the run that was left ends well", func() bool {
		w.apply("-refresh-only")
		return w.attribute("status") == "ready"
	})
	require.Equal(t, run, w.attribute("run_id"), "no second run was needed")
	assertWhole(t, w, p)
}
