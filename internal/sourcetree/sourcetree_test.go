package sourcetree_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/sourcetree"
)

func write(t *testing.T, dir, name, content string, mode os.FileMode) {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), mode))
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "git", args...)
	command.Dir = dir
	command.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "HOME="+t.TempDir())
	out, err := command.CombinedOutput()
	require.NoError(t, err, string(out))
	return strings.TrimSpace(string(out))
}

// The folder has what makes trees hard: names around a folder's own name in git's order, executables, links, equal
// contents, ignored files at two levels.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "app.py", "print()", 0o644)
	write(t, dir, "app/main.py", "print()", 0o644)
	write(t, dir, "app-old", "x", 0o644)
	write(t, dir, "bin/run", "#!/bin/sh", 0o755)
	write(t, dir, "deep/er/still/file", "y", 0o600)
	write(t, dir, ".env", "PASSWORD=1", 0o644)
	write(t, dir, ".gitignore", ".env\n*.log\n!keep.log\nbuild/\n", 0o644)
	write(t, dir, "keep.log", "kept", 0o644)
	write(t, dir, "trace.log", "left out", 0o644)
	write(t, dir, "build/out", "left out", 0o644)
	write(t, dir, "deep/.gitignore", "local\n", 0o644)
	write(t, dir, "deep/local", "left out", 0o644)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "empty"), 0o755))
	require.NoError(t, os.Symlink("bin/run", filepath.Join(dir, "start")))
	return dir
}

func TestHashIsTheTreeThatGitWouldCommit(t *testing.T) {
	dir := folder(t)
	tree, err := sourcetree.Read(t.Context(), dir)
	require.NoError(t, err)
	require.False(t, tree.Has(".env"))
	require.True(t, tree.Has("keep.log"))

	git(t, dir, "init", "--quiet")
	git(t, dir, "add", "--all")
	require.Equal(t, git(t, dir, "write-tree"), tree.Hash())

	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(dir, link))
	linked, err := sourcetree.Read(t.Context(), link)
	require.NoError(t, err)
	require.Equal(t, tree.Hash(), linked.Hash(), "a link to the folder is the folder")

	again, err := sourcetree.Read(t.Context(), dir)
	require.NoError(t, err)
	require.Equal(t, tree.Hash(), again.Hash(), ".git is not a part of the tree")

	write(t, dir, "render.yaml", "services: []\n", 0o644)
	git(t, dir, "add", "--all")
	require.Equal(t, git(t, dir, "write-tree"), tree.With("render.yaml", []byte("services: []\n")).Hash())
}

func TestReadSaysWhatIsWrongWithTheFolder(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "file", "x", 0o644)
	write(t, dir, "ignored/.gitignore", "*\n", 0o644)
	for path, want := range map[string]string{
		"missing": "there is no folder",
		"file":    "is no folder",
		"ignored": "holds no file that git would commit",
	} {
		_, err := sourcetree.Read(t.Context(), filepath.Join(dir, path))
		var failure *contract.StepFailure
		require.ErrorAs(t, err, &failure)
		require.Contains(t, failure.Cause, want)
	}
}
