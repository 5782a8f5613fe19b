package devenv

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// fakeDocker puts a shell script in the place of the docker command.
func fakeDocker(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "docker"), []byte("#!/bin/sh\n"+script), 0o700))
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func TestPullGivesUpOnARegistryThatDoesNotAnswer(t *testing.T) {
	fakeDocker(t, "exec sleep 60\n")
	begin := time.Now()
	var unreachable *UnreachableError
	require.ErrorAs(t, Pull(t.Context(), &bytes.Buffer{}, "x:1", 200*time.Millisecond), &unreachable)
	require.ErrorContains(t, unreachable, "no answer from the registry within 200ms")
	require.Less(t, time.Since(begin), 30*time.Second)
}

func TestPullIsPatientOnceTheRegistryDelivers(t *testing.T) {
	fakeDocker(t, "echo '1: Pulling from x'\nsleep 0.5\necho 'Pull complete'\n")
	var out bytes.Buffer
	require.NoError(t, Pull(t.Context(), &out, "x:1", 300*time.Millisecond))
	require.Equal(t, "1: Pulling from x\nPull complete\n", out.String())
}

func TestPullQuotesTheEnginesReason(t *testing.T) {
	fakeDocker(t, "echo 'Error response from daemon: lookup registry-1.docker.io: no such host' >&2\nexit 1\n")
	err := Pull(t.Context(), &bytes.Buffer{}, "x:1", time.Minute)
	require.EqualError(t, err, "x:1 cannot be pulled: lookup registry-1.docker.io: no such host")
}

func TestMissingImagesAreNamed(t *testing.T) {
	fakeDocker(t, `case "$*" in *b:1*) echo "Error: No such image: b:1" >&2; exit 1;; esac`+"\n")
	missing, err := Images{"a": "a:1", "b": "b:1", "c": "c:1"}.Missing(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"b:1"}, missing)

	fakeDocker(t, `echo "Cannot connect to the Docker daemon" >&2; exit 1`+"\n")
	_, err = Images{"a": "a:1", "b": "b:1", "c": "c:1"}.Missing(t.Context())
	require.ErrorContains(t, err, "Cannot connect to the Docker daemon", "an engine that is down is not a missing image")
}

func TestEverySetHasEveryComponent(t *testing.T) {
	for _, entry := range catalog.All() {
		if entry.Minimal != nil {
			continue // it runs the user's own image
		}
		stack, err := entry.Expand(contract.NewRef(entry.Kind, "", "app"), nil)
		require.NoError(t, err)
		for _, c := range stack.Components {
			require.Equal(t, c.Image, Upstream[c.Name])
			require.NotEmpty(t, Local[c.Name])
			require.True(t, IsDouble(Doubles[c.Name]), c.Name)
		}
	}
	require.Equal(t, []string{"doubles", "jaeger", "loki", "collector", "prometheus"}, Local.Builds())
	require.Equal(t, []string{"doubles"}, Doubles.Builds())
	require.Empty(t, Upstream.Builds())
	require.Equal(t, []string{catalog.GrafanaName, catalog.Neo4jName, catalog.QdrantName}, Local.Doubles())
}
