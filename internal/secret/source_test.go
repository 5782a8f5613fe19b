package secret_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/secret"
)

func TestOnlyWhatIsAllowedIsResolved(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	inside, outside := write("allowed/token", "from-file\n"), write("private", "mine")
	write("allowed/empty", "\n")
	link := filepath.Join(dir, "allowed", "link")
	require.NoError(t, os.Symlink(outside, link))
	t.Setenv("TEAM_TOKEN", "from-env")
	t.Setenv("OTHER", "mine")
	list := secret.AllowList{Env: []string{"TEAM_*", "UNSET"}, Files: []string{filepath.Join(dir, "allowed")}}

	for _, c := range []struct {
		name   string
		source contract.SecretSource
		value  string
		class  contract.ErrorClass
	}{
		{"variable", contract.SecretSource{Env: "TEAM_TOKEN"}, "from-env", ""},
		{"variable that is not allowed", contract.SecretSource{Env: "OTHER"}, "", contract.Denied},
		{"variable that is not set", contract.SecretSource{Env: "UNSET"}, "", contract.NotFound},
		{"file without its line break", contract.SecretSource{File: inside}, "from-file", ""},
		{"file outside", contract.SecretSource{File: outside}, "", contract.Denied},
		{"link to a file outside", contract.SecretSource{File: link}, "", contract.Denied},
		{"way out", contract.SecretSource{File: filepath.Join(dir, "allowed") + "/../private"}, "", contract.Denied},
		{"no file", contract.SecretSource{File: filepath.Join(dir, "allowed", "none")}, "", contract.NotFound},
		{"empty file", contract.SecretSource{File: filepath.Join(dir, "allowed", "empty")}, "", contract.InvalidInput},
	} {
		t.Run(c.name, func(t *testing.T) {
			value, err := list.Resolve(c.source)
			require.Equal(t, c.value, value)
			var failure *contract.StepFailure
			if c.class == "" {
				require.NoError(t, err)
				return
			}
			require.True(t, errors.As(err, &failure), "%v", err)
			require.Equal(t, c.class, failure.Class)
			require.NotContains(t, failure.Describe(), "mine")
		})
	}
}

func TestEnvironmentExtendsTheAllowList(t *testing.T) {
	t.Setenv(secret.EnvAllowedEnv, "A, B_*")
	t.Setenv(secret.EnvAllowedFiles, "/one"+string(os.PathListSeparator)+"/two")
	list := secret.DefaultAllowList()
	require.Subset(t, list.Env, []string{"FLY_API_TOKEN", "A", "B_*"})
	require.Subset(t, list.Files, []string{"/one", "/two"})
}
