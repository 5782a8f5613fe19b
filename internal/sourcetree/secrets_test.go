package sourcetree_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/sourcetree"
)

// Each has pushed a file that git ignores, when one line that matched any folder of a path decided about all below it.
func TestALineAboutAFolderDoesNotBringBackWhatAnotherLeavesOut(t *testing.T) {
	for rules, out := range map[string]string{
		".env\n/*\n!/src/\n!/Dockerfile\n":  "src/.env",
		".env\n!src/\n":                     "src/lib/.env",
		"*.bin\n!/src\n":                    "src/x.bin",
		"*\n!*/\n!*.js\n!Dockerfile\n":      "src/x.bin",
		"**/.env\n!**/lib\n":                "src/lib/.env",
		"key[!1]\n":                         "keya",
		"/secret\n!secret/app.js\n":         "secret/app.js",
		"*.js.map\n!src/lib\nsrc/lib/*.bin": "src/lib/y.bin",
	} {
		dir := t.TempDir()
		write(t, dir, ".gitignore", rules, 0o644)
		for _, name := range []string{"src/app.js", "Dockerfile", "key1"} {
			write(t, dir, name, "x", 0o644)
		}
		write(t, dir, out, "x", 0o644)
		tree, err := sourcetree.Read(t.Context(), dir)
		require.NoError(t, err, rules)
		require.False(t, tree.Has(out), "%q pushes %s", rules, out)
	}
}

func TestInAWorkTreeGitSaysWhatBelongs(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, ".config"))
	write(t, home, ".gitconfig", "[core]\n\texcludesFile = ~/ignored\n", 0o644)
	write(t, home, "ignored", "*.swp\n", 0o644)
	mono := t.TempDir()
	git(t, mono, "init", "--quiet")
	write(t, mono, ".gitignore", "*.local\n", 0o644)
	write(t, mono, ".git/info/exclude", "notes\n", 0o644)
	for _, name := range []string{"app/index.html", "app/x.local", "app/notes", "app/a.swp", "app/deleted", "app/old/file", "app/forced.local", "other/file"} {
		write(t, mono, name, name, 0o644)
	}
	git(t, mono, "add", "app/deleted", "app/old/file")
	git(t, mono, "add", "--force", "app/forced.local")
	require.NoError(t, os.Remove(filepath.Join(mono, "app/deleted")))
	require.NoError(t, os.RemoveAll(filepath.Join(mono, "app/old")))
	require.NoError(t, os.Symlink("../other", filepath.Join(mono, "app/old")))

	// Git's variables, as a hook has them, must not lead to another repository.
	t.Setenv("GIT_DIR", filepath.Join(home, "elsewhere"))
	t.Setenv("GIT_INDEX_FILE", filepath.Join(home, "index"))
	tree, err := sourcetree.Read(t.Context(), filepath.Join(mono, "app"))
	require.NoError(t, err)
	require.NoError(t, os.Unsetenv("GIT_DIR"))
	require.NoError(t, os.Unsetenv("GIT_INDEX_FILE"))
	for name, has := range map[string]bool{
		"index.html": true, "forced.local": true, "old": true,
		"x.local": false, "notes": false, "a.swp": false, "deleted": false, "old/file": false,
	} {
		require.Equal(t, has, tree.Has(name), name)
	}
	write(t, mono, ".git/info/exclude", "notes\n*.swp\n", 0o644) // git below has another home
	git(t, mono, "add", "--all", "app")
	require.Equal(t, git(t, mono, "write-tree", "--prefix=app/"), tree.Hash())
}

func TestARepositoryInTheFolderIsRefused(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "app.js", "x", 0o644)
	write(t, dir, "vendor/lib/lib.js", "x", 0o644)
	git(t, filepath.Join(dir, "vendor/lib"), "init", "--quiet")
	check := func(where string) {
		_, err := sourcetree.Read(t.Context(), dir)
		failure := contract.AsFailure(err)
		require.NotNil(t, failure, where)
		require.Contains(t, failure.Cause, "vendor/lib is a Git repository in the folder")
	}
	check("outside a work tree")
	git(t, dir, "init", "--quiet")
	check("in a work tree")
	write(t, dir, ".gitignore", "vendor/\n", 0o644)
	tree, err := sourcetree.Read(t.Context(), dir)
	require.NoError(t, err)
	require.Equal(t, 2, tree.Len())
}

func TestSecretsAreRefusedUntilSomebodySaysThatTheyBelong(t *testing.T) {
	key := "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n"
	secrets := map[string]string{
		".env": "A=1", ".env.production": "A=1", "config/prod.env": "A=1", "id_ed25519": key, "tls.pem": key, "tls.key": key,
		"gcp.json": `{"private_key":"-----BEGIN PRIVATE KEY-----\n"}`, "credentials.json": "{}", ".npmrc": "//registry/:_authToken=npm_x",
		"store.p12": "x", "terraform.tfstate": "{}", ".ENV": "A=1",
	}
	for name, content := range secrets {
		for _, inWorkTree := range []bool{false, true} {
			dir := t.TempDir()
			write(t, dir, "app.js", "x", 0o644)
			write(t, dir, name, content, 0o644)
			if inWorkTree {
				git(t, dir, "init", "--quiet")
			}
			_, err := sourcetree.Read(t.Context(), dir)
			failure := contract.AsFailure(err)
			require.NotNil(t, failure, name)
			require.Contains(t, failure.Cause, name)
			require.Equal(t, "repository.source", failure.Attribute)
			require.Contains(t, failure.Hint, "!/"+name)

			write(t, dir, ".gitignore", "!*\n", 0o644)
			_, err = sourcetree.Read(t.Context(), dir)
			require.Error(t, err, "a wildcard is not the file's name: %s", name)

			write(t, dir, ".gitignore", "!/"+name+"\n", 0o644)
			tree, err := sourcetree.Read(t.Context(), dir)
			require.NoError(t, err, name)
			require.True(t, tree.Has(name))
			if inWorkTree {
				require.NoError(t, os.Remove(filepath.Join(dir, ".gitignore")))
				git(t, dir, "add", "--force", name)
				tree, err := sourcetree.Read(t.Context(), dir)
				require.NoError(t, err, "%s is tracked", name)
				require.True(t, tree.Has(name))
			}
		}
	}
}

func TestWhatOnlyLooksLikeASecretIsPushed(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		".env.example": "A=", "example.env": "A=", "ca.pem": "-----BEGIN CERTIFICATE-----", "id_rsa.pub": "ssh-rsa",
		".npmrc": "//registry/:_authToken=${NPM_TOKEN}", "package.json": "{}", "environment.ts": "x", "translations.key": "x",
	} {
		write(t, dir, name, content, 0o644)
	}
	tree, err := sourcetree.Read(t.Context(), dir)
	require.NoError(t, err)
	require.Equal(t, 8, tree.Len())
}
