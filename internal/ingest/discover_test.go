package ingest

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

func TestGlobs(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.log", "a.log.gz", "b.txt", "x/c.log", "x/y/d.log", "x/y/z/e.log", "skip/f.log"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600))
	}
	require.NoError(t, os.Symlink(filepath.Join(dir, "a.log"), filepath.Join(dir, "link.log")))
	cases := map[string]struct {
		files contract.LogFiles
		want  []string
	}{
		"one file":           {contract.LogFiles{Include: []string{"a.log"}}, []string{"a.log"}},
		"one directory":      {contract.LogFiles{Include: []string{"*.log"}}, []string{"a.log"}},
		"one level":          {contract.LogFiles{Include: []string{"*/*.log"}}, []string{"skip/f.log", "x/c.log"}},
		"any depth":          {contract.LogFiles{Include: []string{"**/*.log"}}, []string{"a.log", "skip/f.log", "x/c.log", "x/y/d.log", "x/y/z/e.log"}},
		"depth 1":            {contract.LogFiles{Include: []string{"**/*.log"}, MaxDepth: 1}, []string{"a.log"}},
		"depth 3":            {contract.LogFiles{Include: []string{"**/*.log"}, MaxDepth: 3}, []string{"a.log", "skip/f.log", "x/c.log", "x/y/d.log"}},
		"excluded directory": {contract.LogFiles{Include: []string{"**/*.log"}, Exclude: []string{"x", "skip/**"}}, []string{"a.log"}},
		"excluded name":      {contract.LogFiles{Include: []string{"a*"}, Exclude: []string{"*.gz"}}, []string{"a.log"}},
		"two patterns":       {contract.LogFiles{Include: []string{"a.log", "*.{log,txt}"}}, []string{"a.log", "b.txt"}},
		"nothing yet":        {contract.LogFiles{Include: []string{"none/*.log"}}, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for i, pattern := range c.files.Include {
				c.files.Include[i] = filepath.Join(dir, pattern)
			}
			for i, pattern := range c.files.Exclude {
				if pattern == "skip/**" {
					c.files.Exclude[i] = filepath.Join(dir, pattern)
				}
			}
			found, err := Files(&c.files)
			require.NoError(t, err)
			var got []string
			for _, source := range found.Sources {
				rel, err := filepath.Rel(dir, source.Path)
				require.NoError(t, err)
				got = append(got, rel)
				require.Equal(t, int64(len(rel)), source.Bytes)
				require.WithinDuration(t, time.Now(), source.Modified, time.Minute)
			}
			require.Equal(t, c.want, got)
			require.Empty(t, found.Unreadable)
		})
	}
}

func TestLinksToDirectoriesLeadToTheirFiles(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "apps/one"), 0o700))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "shared"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "shared/a.log"), nil, 0o600))
	require.NoError(t, os.Symlink(filepath.Join(dir, "shared"), filepath.Join(dir, "apps/one/log")))
	require.NoError(t, os.Symlink(dir, filepath.Join(dir, "apps/one/up")))
	for include, want := range map[string]string{
		"apps/one/log/*.log": "apps/one/log/a.log", "apps/*/log/*.log": "apps/one/log/a.log", "apps/one/log/**/*.log": "apps/one/log/a.log",
		"apps/**/*.log": "", "apps/one/log": "",
	} {
		found, err := Files(&contract.LogFiles{Include: []string{filepath.Join(dir, include)}})
		require.NoError(t, err)
		if want == "" {
			require.Empty(t, found.Sources, include)
			continue
		}
		require.Len(t, found.Sources, 1, include)
		require.Equal(t, filepath.Join(dir, want), found.Sources[0].Path, include)
	}
	found, err := Files(&contract.LogFiles{Include: []string{filepath.Join(dir, "shared")}})
	require.NoError(t, err)
	require.Len(t, found.Unreadable, 1)
	require.Contains(t, found.Unreadable[0], "it is a directory; the files in it are "+filepath.Join(dir, "shared/*"))
}

// Two attempts of one activity may overlap.
func TestOnlyOneHoldsTheLock(t *testing.T) {
	store := NewStore(t.TempDir(), contract.NewRef(contract.StdoutIngest, "", "app"))
	release, err := store.Lock(t.Context())
	require.NoError(t, err)
	short, cancel := context.WithTimeout(t.Context(), 3*lockInterval)
	defer cancel()
	_, err = store.Lock(short)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, release())
	release, err = store.Lock(t.Context())
	require.NoError(t, err)
	require.NoError(t, release())
}

func TestStoreKeepsConfigurationAndStatus(t *testing.T) {
	store := NewStore(t.TempDir(), contract.NewRef(contract.StdoutIngest, "", "app"))
	none, err := store.Config()
	require.NoError(t, err)
	require.Nil(t, none)
	require.NoError(t, store.Make())
	require.NoError(t, store.SetConfig(Config{RunID: "run", Ingest: contract.Ingest{Endpoint: "http://x"}}))
	require.NoError(t, store.SetStatus(contract.TailStatus{Lines: 7}))
	config, err := store.Config()
	require.NoError(t, err)
	require.Equal(t, "http://x", config.Ingest.Endpoint)
	status, err := store.Status()
	require.NoError(t, err)
	require.Equal(t, int64(7), status.Lines)
	info, err := os.Stat(filepath.Join(store.Dir(), configFile))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	require.NoError(t, store.Remove())
	require.NoDirExists(t, store.Dir())
}
