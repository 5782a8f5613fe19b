package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSecondConfigurationOfTheSameService(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "twice")
	first := newWorld(t, shared.get(t))
	first.use(p)
	first.apply()
	made, run := lives(t, p.service), first.attribute("run_id")

	other := *p
	other.lokiMore = []string{`retention = "48h"`}
	second := newWorld(t, shared.get(t))
	second.use(&other)
	refused := second.tryApply()
	require.Equal(t, 1, refused.exit)
	recordLast(t, second, p, "setup-refused")
	require.Contains(t, refused.errors(), "terraform import")
	require.Contains(t, refused.errors(), p.service)
	require.Contains(t, refused.errors(), run, "the error names the run that made it")
	second.assertNoState()
	require.Equal(t, made, lives(t, p.service), "a refusal touches nothing")
	first.assertEmptyPlan()

	second.use(p)
	adopted := second.apply()
	record(t, second, "setup-adopted")
	require.Contains(t, adopted.warnings(), run, "the warning names the run that made it")
	require.Equal(t, made, lives(t, p.service), "an adoption touches nothing")
	second.assertEmptyPlan()

	second.destroy()
	assertNothingLeft(t, p.service)
	require.Equal(t, 2, first.plan().exit)
	require.Equal(t, []string{"create"}, first.planned().Actions, "the first configuration sees that it is gone")
}

// A scope keeps two configurations apart, also on one engine.
func TestScopesKeepServicesApart(t *testing.T) {
	t.Parallel()
	one := newPipeline(t, "scoped")
	two := newPipeline(t, "scoped")
	two.service = one.service
	two.provider = []string{`scope = "team_b"`}
	first, second := newWorld(t, shared.get(t)), newWorld(t, shared.get(t))
	first.use(one)
	second.use(two)
	first.apply()
	second.apply()
	require.Equal(t, "orch/team_b/logs/"+one.service, second.attribute("id"))
	require.True(t, exists("container", "team_b-logs-"+one.service+"-loki"))
	second.destroy()
	first.assertEmptyPlan()
	first.destroy()
	assertNothingLeft(t, one.service)
}

func TestTwoAppliesAtTheSameTimeAreOne(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "together")
	p.images.loki = slowLoki(t, 4)
	first, second := newWorld(t, shared.get(t)), newWorld(t, shared.get(t))
	first.use(p)
	second.use(p)
	one := first.start("apply", "-auto-approve", "-json")
	two := second.start("apply", "-auto-approve", "-json")
	for _, apply := range []*process{one, two} {
		finished := apply.wait()
		require.Zero(t, finished.exit, finished.errors())
	}
	second.assertEmptyPlan()
	assertWhole(t, first, p)
}
