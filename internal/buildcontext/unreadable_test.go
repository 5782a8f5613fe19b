//go:build unix

package buildcontext

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Root reads everything, so it becomes somebody else for this.
func TestUnreadableFileOnTheDiskIsRefused(t *testing.T) {
	const given = "ORCH_TEST_CONTEXT"
	dir := os.Getenv(given)
	switch {
	case dir == "":
		dir = folder(t, map[string]string{"Dockerfile": "FROM scratch", "key": "secret"})
		require.NoError(t, os.Chmod(filepath.Join(dir, "key"), 0))
	case os.Getuid() == 0:
		t.Fatal("still root")
	}
	if os.Getuid() != 0 {
		_, err := Open(dir, "")
		refused(t, err, attributeContext, "key in the build context "+dir+" cannot be read: permission denied", ".dockerignore")
		return
	}
	// Neither the folders of a test nor the one of its binary let others in.
	program, err := os.Executable()
	require.NoError(t, err)
	content, err := os.ReadFile(program)
	require.NoError(t, err)
	program = filepath.Join(dir, "..", "test")
	require.NoError(t, os.WriteFile(program, content, 0o755))
	for up := dir; up != os.TempDir() && up != "/"; up = filepath.Dir(up) {
		require.NoError(t, os.Chmod(up, 0o755))
	}
	command := exec.CommandContext(t.Context(), program, "-test.run", "^"+t.Name()+"$", "-test.v")
	command.Dir, command.Env = "/", append(os.Environ(), given+"="+dir)
	command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	output, err := command.CombinedOutput()
	if errors.Is(err, fs.ErrPermission) {
		t.Skipf("nobody but root can reach %s", program)
	}
	require.NoError(t, err, string(output))
	require.Contains(t, string(output), "--- PASS")
}
