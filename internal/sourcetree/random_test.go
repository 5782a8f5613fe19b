package sourcetree

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// pieces are what random names and patterns consist of: few, so that they meet.
var (
	names  = []string{"a", "b", "src", "lib", "ab", "key1", "keya", "x.js", "x.pem", "a b", "b ", "#h", "!n", `q\w`, "[c]", "é", "A", "a.b", "-"}
	pieces = []string{
		"*", "**", "?", "a", "b", "src", "lib", "key", "x", ".js", ".pem", ".", "/", "/", "[ab]", "[!1]", "[^a]", "[a-k]", "[]a]", "[!]a]",
		"[[:digit:]]", "[[:alpha:]x]", "[[:nope:]]", "[[:", "[", "]", `\`, `\a`, `\*`, `[\]a]`, `[a\-z]`, "[--b]", "[z-a]", " ", `\ `, "é", "#", "!", "-", "[a/b]", "***", "[c]",
	}
	lines = []string{"*", "!*/", "!*.js", "*.pem", "!src/", "!/src", "**/a", "src/**", "!**/lib", "a/**/b", "/*", "!/lib/", "lib/*", "!lib/a", "\ufeff*.js", "a\r", "/", "!", "a/", "src/a**/b", `a**/b`, "**", "/**", `**\/a`, "x.js  ", "\tb"}
)

func pick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

func randomLine(r *rand.Rand) string {
	if r.IntN(2) == 0 {
		return pick(r, lines)
	}
	var line strings.Builder
	if r.IntN(4) == 0 {
		line.WriteByte('!')
	}
	for range 1 + r.IntN(5) {
		line.WriteString(pick(r, pieces))
	}
	return line.String()
}

// randomTree fills a folder with files at up to four levels, and .gitignore files between them.
func randomTree(t *testing.T, r *rand.Rand, dir string) {
	t.Helper()
	for range 4 + r.IntN(10) {
		path := dir
		for range r.IntN(4) {
			path = filepath.Join(path, pick(r, names))
		}
		if os.MkdirAll(path, 0o755) != nil {
			continue // a file has the name of a folder
		}
		name := filepath.Join(path, pick(r, names))
		if r.IntN(12) == 0 {
			_ = os.Symlink(pick(r, names), name)
			continue
		}
		_ = os.WriteFile(name, nil, 0o600)
	}
	for range 1 + r.IntN(3) {
		path := dir
		for range r.IntN(3) {
			path = filepath.Join(path, pick(r, names))
		}
		var content []string
		for range 1 + r.IntN(5) {
			content = append(content, randomLine(r))
		}
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			require.NoError(t, os.WriteFile(filepath.Join(path, ".gitignore"), []byte(strings.Join(content, "\n")+strings.Repeat("\n", r.IntN(2))), 0o600))
		}
	}
}

// TestOutsideAWorkTreeTheRulesAreGits compares random folders with what git lists in them. ORCH_TREES is how many there are, and
// ORCH_SEED which.
func TestOutsideAWorkTreeTheRulesAreGits(t *testing.T) {
	count, seed := number(t, "ORCH_TREES", 600), number(t, "ORCH_SEED", 1)
	root, repository := t.TempDir(), filepath.Join(t.TempDir(), "repository")
	r := rand.New(rand.NewPCG(uint64(seed), 0))
	for i := range count {
		dir := filepath.Join(root, strconv.Itoa(i))
		require.NoError(t, os.Mkdir(dir, 0o755))
		randomTree(t, r, dir)
	}
	command := func(args ...string) string {
		git := exec.CommandContext(t.Context(), "git", append([]string{"--git-dir=" + repository, "--work-tree=" + root}, args...)...)
		git.Dir = root
		git.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "HOME="+t.TempDir(), "XDG_CONFIG_HOME="+t.TempDir())
		out, err := git.Output()
		require.NoError(t, err)
		return string(out)
	}
	command("init", "--quiet")
	want := make([][]string, count)
	for path := range strings.SplitSeq(strings.TrimSuffix(command("ls-files", "-z", "--others", "--exclude-standard"), "\x00"), "\x00") {
		dir, name, _ := strings.Cut(path, "/")
		i, err := strconv.Atoi(dir)
		require.NoError(t, err)
		want[i] = append(want[i], name)
	}
	for i := range count {
		dir := filepath.Join(root, strconv.Itoa(i))
		tree, err := Read(t.Context(), dir)
		if len(want[i]) == 0 {
			require.ErrorContains(t, err, "holds no file", "seed %d, tree %d:\n%s", seed, i, rules(t, dir))
			continue
		}
		require.NoError(t, err)
		var got []string
		for _, f := range tree.files {
			got = append(got, f.path)
		}
		slices.Sort(got)
		slices.Sort(want[i])
		require.Equal(t, want[i], got, "seed %d, tree %d:\n%s", seed, i, rules(t, dir))
	}
}

func number(t *testing.T, variable string, otherwise int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}

// rules are the .gitignore files of a tree, for a message.
func rules(t *testing.T, dir string) string {
	t.Helper()
	var out strings.Builder
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.Name() != ".gitignore" {
			return err
		}
		content, err := os.ReadFile(path)
		fmt.Fprintf(&out, "%s: %q\n", strings.TrimPrefix(path, dir), content)
		return err
	}))
	return out.String()
}
