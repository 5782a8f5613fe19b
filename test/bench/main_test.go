package main

import (
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/demo/devenv"
)

func TestCommandLine(t *testing.T) {
	o, err := parse(nil, io.Discard)
	require.NoError(t, err)
	require.Equal(t, []string{"orch", "verify", "compose", "direct", "empty"}, o.only)
	require.Equal(t, []string{"logs", "metrics", "tracing", "database"}, o.kinds)
	require.Len(t, o.images, 7)
	require.Equal(t, 7, o.rounds)

	o, err = parse([]string{"-only", "direct,orch", "-n", "3", "-images", "doubles"}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, []string{"direct", "orch"}, o.only)

	o, err = parse([]string{"-pipelines", "metrics"}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, devenv.Local.Of("prometheus", "grafana"), o.images, "nobody waits for images that are not measured")

	for args, says := range map[string]string{
		"-pipelines chat": `no pipeline "chat"`, "-n 0": "-n takes 1 or more", "-only podman": `no contestant "podman"`, "-images fake": "real, doubles or upstream", "extra": "unknown argument",
	} {
		_, err := parse(strings.Fields(args), io.Discard)
		require.ErrorContains(t, err, says, args)
	}
}

func TestComposeOfVersionOneIsNotTaken(t *testing.T) {
	for answer, want := range map[string]bool{"1.29.2\n": false, "v5.5.0\n": true, "2.40.3-desktop.1": true, "docker-compose": false, "": false} {
		_, ok := modernCompose(answer)
		require.Equal(t, want, ok, answer)
	}
}

func TestBuiltComposeIsTheOneThatIsPinned(t *testing.T) {
	module, err := os.ReadFile("../images/compose/go.mod")
	require.NoError(t, err)
	require.Contains(t, string(module), "github.com/docker/compose/v5 "+builtVersion+" ")
}

func TestTableComparesWithOrch(t *testing.T) {
	const s = time.Second
	measured := results{}
	all := []contestant{&orch{}, &compose{version: "v5"}, &direct{}, &empty{}, &orch{verify: true}}
	for i, c := range all {
		measured[c.Name()] = map[phase]sample{}
		for _, p := range phases {
			measured[c.Name()][p] = sample{time.Duration(4-i) * s}
		}
	}
	measured[nameVerify][create] = sample{4500 * time.Millisecond}
	var b strings.Builder
	require.NoError(t, report(&b, options{rounds: 1, set: "real", images: devenv.Local}, "database", all, measured))
	require.Contains(t, b.String(), "Database pipeline: neo4j (double), qdrant (double); real images")
	require.Equal(t, 1, strings.Count(b.String(), "verify = true, its default: 4.50 s (MAD 0 ms); writing something and reading it back through the whole path costs 500 ms"))
	require.Regexp(t, `(?m)^  compose +3\.00 s +3\.00 s \.\. 3\.00 s +0 ms +1\.33 `, b.String())
	require.Contains(t, b.String(), "orch without the floor of the CLI: 3.00 s; 1.00 of compose; 1.50 of direct")
}
