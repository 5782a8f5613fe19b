package devenv

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRepoIsFoundFromInside(t *testing.T) {
	repo, err := FindRepo()
	require.NoError(t, err)
	require.FileExists(t, repo.Path("test", "demo", "devenv", "repo_test.go"))
	t.Chdir(t.TempDir())
	_, err = FindRepo()
	require.ErrorContains(t, err, "is not in a clone")
}

func TestMissingBinaryNamesTheCommandThatBuildsIt(t *testing.T) {
	t.Setenv("ORCH_BIN_DIR", t.TempDir())
	_, err := Repo("/x").Binary("orch-worker")
	require.ErrorContains(t, err, "make build")
}

func TestTheUsersShellDoesNotRedirectTheDemo(t *testing.T) {
	for name, value := range map[string]string{
		"TF_CLI_ARGS": "-destroy", "TF_WORKSPACE": "other", "TEMPORAL_ADDRESS": "prod:7233", "ORCH_ENCRYPTION_KEY_FILE": "/x",
		"TF_VAR_loki_port": "3111", "TF_LOG": "debug",
	} {
		t.Setenv(name, value)
	}
	env := cleanEnv("TEMPORAL_ADDRESS=127.0.0.1:1")
	for _, gone := range []string{"TF_CLI_ARGS=-destroy", "TF_WORKSPACE=other", "TEMPORAL_ADDRESS=prod:7233", "ORCH_ENCRYPTION_KEY_FILE=/x"} {
		require.NotContains(t, env, gone)
	}
	for _, kept := range []string{"TF_VAR_loki_port=3111", "TF_LOG=debug", "TEMPORAL_ADDRESS=127.0.0.1:1"} {
		require.Contains(t, env, kept)
	}
}

func TestDiagnosticsLeaveOutThePlan(t *testing.T) {
	require.Equal(t, "Error: no", diagnostics("Plan: 1 to add\n\nError: no\n"))
	require.Equal(t, "Error: no", diagnostics("Error: no\n"))
	require.Equal(t, "panic", diagnostics("panic\n"))
}
