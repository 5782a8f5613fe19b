package lockfile_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/worker/cmd/orch-worker/internal/lockfile"
)

func TestASecondHolderIsToldWhoHasTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "lock")
	first, err := lockfile.Acquire(path)
	require.NoError(t, err)

	_, err = lockfile.Acquire(path)
	var held *lockfile.HeldError
	require.ErrorAs(t, err, &held)
	require.Equal(t, os.Getpid(), held.PID)
	require.ErrorContains(t, err, path)

	require.NoError(t, first.Release())
	again, err := lockfile.Acquire(path)
	require.NoError(t, err)
	require.NoError(t, again.Release())
}

func TestALockWithoutANumberStillNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := lockfile.Acquire(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, first.Release()) }()
	require.NoError(t, os.Truncate(path, 0))
	_, err = lockfile.Acquire(path)
	require.ErrorContains(t, err, "fuser "+path)
}
