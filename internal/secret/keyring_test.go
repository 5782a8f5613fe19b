package secret

import (
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func keyLine(id string, fill byte) string {
	return id + ":" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat(string(fill), keySize)))
}

func mustParse(t *testing.T, lines ...string) *Keyring {
	t.Helper()
	k, err := ParseKeyring([]byte(strings.Join(lines, "\n")))
	require.NoError(t, err)
	return k
}

func TestParseKeyring(t *testing.T) {
	short := "key-1:" + base64.StdEncoding.EncodeToString([]byte("only sixteen byt"))
	for name, tc := range map[string]struct {
		reason, text, writeID, err string
	}{
		"first key writes":       {"rotation puts the new key first", "# note\n\n" + keyLine("b", 'b') + "\n" + keyLine("a", 'a') + "\n", "b", ""},
		"windows line ends":      {"files are edited anywhere", keyLine("a", 'a') + "\r\n", "a", ""},
		"empty":                  {"no key is no keyring", "# nothing\n", "", "holds no key"},
		"no separator":           {"the text may be a key and must not be repeated", "c2VjcmV0\n", "", "line 1: not of the form"},
		"bad key id":             {"IDs go into metadata", "a b:" + keyLine("", 'a'), "", "not of the form"},
		"not base64":             {"", "a:***\n", "", `line 1: key "a" is not valid base64`},
		"too short":              {"AES-256 takes 32 bytes", "\n" + short, "", `line 2: key "key-1" has 16 bytes, and 32 are needed`},
		"same key ID twice":      {"which of them decodes would be a guess", keyLine("a", 'a') + "\n" + keyLine("a", 'b'), "", "line 2: key ID \"a\" stands in the file twice"},
		"white space round keys": {"", "  " + keyLine("a", 'a') + "  ", "a", ""},
	} {
		t.Run(name, func(t *testing.T) {
			k, err := ParseKeyring([]byte(tc.text))
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				require.NotContains(t, err.Error(), "c2VjcmV0")
				require.NotContains(t, err.Error(), "***")
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.writeID, k.WriteKeyID())
		})
	}
}

func TestKeyringPrintsNoKey(t *testing.T) {
	k := mustParse(t, keyLine("a", 'a'))
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		require.Equal(t, `1 keys, writing with "a"`, fmt.Sprintf(format, k))
	}
}

func TestEnsureKeyFileMakesAPrivateFileOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "encryption.key")
	require.NoError(t, EnsureKeyFile(path))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	dir, err := os.Stat(filepath.Dir(path))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), dir.Mode().Perm())

	first, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, EnsureKeyFile(path))
	second, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, first, second)

	k, err := LoadKeyring(path)
	require.NoError(t, err)
	require.Regexp(t, `^key-[0-9a-f]{8}$`, k.WriteKeyID())
}

func TestEnsureKeyFileConcurrently(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "encryption.key")
	ids := make([]string, 16)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			if err := EnsureKeyFile(path); err != nil {
				t.Error(err)
				return
			}
			k, err := LoadKeyring(path)
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = k.WriteKeyID()
		})
	}
	wg.Wait()
	for _, id := range ids {
		require.Equal(t, ids[0], id)
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "no temporary file is left")
}

func TestKeyFileThatOthersMayReadIsRefused(t *testing.T) {
	for _, mode := range []os.FileMode{0o644, 0o640, 0o602} {
		path := filepath.Join(t.TempDir(), "encryption.key")
		require.NoError(t, os.WriteFile(path, []byte(keyLine("a", 'a')), 0o600))
		require.NoError(t, os.Chmod(path, mode))
		require.ErrorContains(t, EnsureKeyFile(path), "chmod 600 "+path)
		_, err := LoadKeyring(path)
		require.ErrorContains(t, err, "chmod 600 "+path)
	}
}

func TestDefaultKeyFile(t *testing.T) {
	t.Setenv("HOME", "/home/x")
	t.Setenv("XDG_DATA_HOME", "")
	t.Setenv(EnvKeyFile, "")
	require.Equal(t, "/home/x/.local/share/orch/encryption.key", DefaultKeyFile())
	t.Setenv("XDG_DATA_HOME", "relative")
	require.Equal(t, "/home/x/.local/share/orch", DefaultDataDir(), "XDG ignores relative paths")
	t.Setenv("XDG_DATA_HOME", "/data")
	require.Equal(t, "/data/orch/encryption.key", DefaultKeyFile())
	t.Setenv(EnvKeyFile, "/etc/orch.key")
	require.Equal(t, "/etc/orch.key", DefaultKeyFile())
	require.Equal(t, "/data/orch", DefaultDataDir())
}

// The error tells a command; a user pastes it.
func TestCommandInNoKeyErrorMakesAKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "encryption.key")
	t.Setenv(EnvKeyFile, path)
	text := (&NoKeyError{}).Error()
	_, rest, ok := strings.Cut(text, "make one with: ")
	require.True(t, ok, text)
	command, _, ok := strings.Cut(rest, " and give the same file")
	require.True(t, ok, text)
	out, err := exec.Command("sh", "-c", command).CombinedOutput()
	require.NoError(t, err, string(out))
	k, err := LoadKeyring(path)
	require.NoError(t, err)
	require.Equal(t, "key-1", k.WriteKeyID())
}
