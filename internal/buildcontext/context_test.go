package buildcontext

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// folder writes files into a new folder; a path that ends in a slash is a directory.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		where := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(where), 0o755))
		if strings.HasSuffix(name, "/") {
			require.NoError(t, os.MkdirAll(where, 0o755))
			continue
		}
		require.NoError(t, os.WriteFile(where, []byte(content), 0o644))
	}
	return dir
}

// sent unpacks what the engine would get: names with their content.
func sent(t *testing.T, c *Context) map[string]string {
	t.Helper()
	got := map[string]string{}
	stream := c.Tar()
	reader := tar.NewReader(stream)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		require.Zero(t, header.Uid+header.Gid)
		info, err := os.Lstat(filepath.Join(c.dir, header.Name))
		require.NoError(t, err)
		require.WithinDuration(t, info.ModTime(), header.ModTime, time.Second, header.Name)
		content, err := io.ReadAll(reader)
		require.NoError(t, err)
		got[header.Name] = string(content) + header.Linkname
	}
	require.NoError(t, stream.Close())
	return got
}

func refused(t *testing.T, err error, attribute string, words ...string) {
	t.Helper()
	var failure *contract.StepFailure
	require.ErrorAs(t, err, &failure)
	require.Equal(t, contract.InvalidInput, failure.Class)
	require.Equal(t, attribute, failure.Attribute)
	for _, word := range words {
		require.Contains(t, failure.Cause+"\n"+failure.Hint, word)
	}
}

func TestIgnoredFilesAreNotSent(t *testing.T) {
	cases := map[string]struct {
		ignore map[string]string
		want   []string
	}{
		"no ignore file": {nil, []string{"Dockerfile", "a.log", "src/", "src/b.log", "src/main.go", "src/x/", "src/x/c.go"}},
		"a pattern":      {map[string]string{".dockerignore": "**/*.log\n"}, []string{".dockerignore", "Dockerfile", "src/", "src/main.go", "src/x/", "src/x/c.go"}},
		"an exception":   {map[string]string{".dockerignore": "src\n!src/x/c.go\n"}, []string{".dockerignore", "Dockerfile", "a.log", "src/x/c.go"}},
		"everything but": {map[string]string{".dockerignore": "*\n!src/main.go"}, []string{".dockerignore", "Dockerfile", "src/main.go"}},
		"the Dockerfile's own wins": {map[string]string{".dockerignore": "*", "Dockerfile.dockerignore": "src\n# comment\n"},
			[]string{".dockerignore", "Dockerfile", "Dockerfile.dockerignore", "a.log"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"Dockerfile": "FROM scratch", "a.log": "1", "src/main.go": "2", "src/b.log": "3", "src/x/c.go": "4"}
			for file, content := range c.ignore {
				files[file] = content
			}
			opened, err := Open(folder(t, files), "")
			require.NoError(t, err)
			got := sent(t, opened)
			names := make([]string, 0, len(got))
			for name := range got {
				names = append(names, name)
			}
			slices.Sort(names)
			require.Equal(t, c.want, names)
		})
	}
}

func TestDigestIsOfContentAlone(t *testing.T) {
	files := map[string]string{"Dockerfile": "FROM scratch", "src/main.go": "package main", "empty/": ""}
	dir := folder(t, files)
	require.NoError(t, os.Symlink("src/main.go", filepath.Join(dir, "link")))
	hash := func() string {
		c, err := Open(dir, "")
		require.NoError(t, err)
		return c.Hash
	}
	first := hash()
	old := time.Now().Add(-time.Hour)
	require.NoError(t, os.Chtimes(filepath.Join(dir, "src/main.go"), old, old))
	require.Equal(t, first, hash(), "a time is no content")

	other := folder(t, files)
	require.NoError(t, os.Symlink("src/main.go", filepath.Join(other, "link")))
	c, err := Open(other, "./Dockerfile")
	require.NoError(t, err)
	require.Equal(t, first, c.Hash, "neither is the place of the folder")

	seen := map[string]bool{first: true}
	for _, c := range []struct {
		of     string
		change func() error
	}{
		{"content", func() error { return os.WriteFile(filepath.Join(dir, "src/main.go"), []byte("package mine"), 0o644) }},
		{"permissions", func() error { return os.Chmod(filepath.Join(dir, "src/main.go"), 0o755) }},
		{"a link's target", func() error {
			return errors.Join(os.Remove(filepath.Join(dir, "link")), os.Symlink("Dockerfile", filepath.Join(dir, "link")))
		}},
		{"a name", func() error { return os.Rename(filepath.Join(dir, "link"), filepath.Join(dir, "link2")) }},
		{"an empty directory", func() error { return os.Remove(filepath.Join(dir, "empty")) }},
	} {
		require.NoError(t, c.change())
		got := hash()
		require.False(t, seen[got], "a change of %s does not show", c.of)
		seen[got] = true
	}
}

func TestBadContextsAreRefused(t *testing.T) {
	good := map[string]string{"Dockerfile": "FROM scratch", "sub/Dockerfile": "FROM scratch", "file": ""}
	at := func(files map[string]string, change func(dir string) error) string {
		dir := folder(t, files)
		if change != nil {
			require.NoError(t, change(dir))
		}
		return dir
	}
	_, err := Open(filepath.Join(at(good, nil), "nowhere"), "")
	refused(t, err, attributeContext, "nowhere does not exist")
	_, err = Open(filepath.Join(at(good, nil), "file"), "")
	refused(t, err, attributeContext, "is not a folder")
	_, err = Open("https://example.com/app.tar.gz", "")
	refused(t, err, attributeContext, "not of a Git repository")
	_, err = Open(at(map[string]string{"main.go": ""}, nil), "")
	refused(t, err, attributeDockerfile, "there is no Dockerfile at", "/Dockerfile")
	_, err = Open(at(good, nil), "deploy/Dockerfile")
	refused(t, err, attributeDockerfile, "deploy/Dockerfile")
	_, err = Open(at(good, nil), "sub")
	refused(t, err, attributeDockerfile, "is not a file")
	for _, outside := range []string{"../Dockerfile", "/etc/passwd"} {
		_, err = Open(at(good, nil), outside)
		refused(t, err, attributeDockerfile, "does not lie in the build context")
	}
	for _, target := range []string{"/etc/passwd", "../outside", "sub/../../outside"} {
		link := func(dir string) error { return os.Symlink(target, filepath.Join(dir, "sub", "link")) }
		if target == "../outside" {
			link = func(dir string) error { return os.Symlink(target, filepath.Join(dir, "sub-link")) }
		}
		if strings.HasPrefix(target, "sub/") {
			link = func(dir string) error { return os.Symlink(target, filepath.Join(dir, "sub-link")) }
		}
		_, err = Open(at(good, link), "")
		refused(t, err, attributeContext, "leads out of it, to "+target, ".dockerignore")
	}
	_, err = Open(at(map[string]string{"Dockerfile": "", ".dockerignore": "[a"}, nil), "")
	refused(t, err, attributeContext, ".dockerignore")
}

func TestWhatIsIgnoredMayBeAnything(t *testing.T) {
	dir := folder(t, map[string]string{"Dockerfile": "FROM scratch", ".dockerignore": "venv\n*.sock"})
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "venv"), 0o755))
	require.NoError(t, os.Symlink("/usr/bin/python3", filepath.Join(dir, "venv", "python")))
	listen(t, filepath.Join(dir, "app.sock"))
	c, err := Open(dir, "")
	require.NoError(t, err)
	require.Len(t, sent(t, c), 2)
}

func TestSpecialFilesAreRefused(t *testing.T) {
	dir := folder(t, map[string]string{"Dockerfile": "FROM scratch"})
	listen(t, filepath.Join(dir, "app.sock"))
	_, err := Open(dir, "")
	refused(t, err, attributeContext, "app.sock", "is a socket", ".dockerignore")

	for mode, want := range map[fs.FileMode]string{fs.ModeNamedPipe: "named pipe", fs.ModeDevice | fs.ModeCharDevice: "device", fs.ModeIrregular: "special file"} {
		_, err := open("/app", fstest.MapFS{"Dockerfile": {}, "odd": {Mode: mode}}, "")
		refused(t, err, attributeContext, "odd in the build context /app is a "+want)
	}
}

func listen(t *testing.T, path string) {
	t.Helper()
	// A socket's path has room for about a hundred bytes.
	t.Chdir(filepath.Dir(path))
	listener, err := net.Listen("unix", filepath.Base(path))
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
}

// barred is a file system in which one path cannot be read. Modes would not do: tests may run as root.
type barred struct {
	fstest.MapFS
	path string
}

func (b barred) Open(name string) (fs.File, error) {
	if name == b.path {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return b.MapFS.Open(name)
}

func (b barred) ReadDir(name string) ([]fs.DirEntry, error) {
	if name == b.path {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return b.MapFS.ReadDir(name)
}

func TestUnreadableFilesAreRefusedUnlessIgnored(t *testing.T) {
	files := fstest.MapFS{"Dockerfile": {}, "key": {}, "private/x": {}}
	for _, path := range []string{"key", "private"} {
		_, err := open("/app", barred{files, path}, "")
		refused(t, err, attributeContext, path+" in the build context /app cannot be read: permission denied", ".dockerignore")
	}
	files[".dockerignore"] = &fstest.MapFile{Data: []byte("key\nprivate")}
	_, err := open("/app", barred{files, "key"}, "")
	require.NoError(t, err)
	_, err = open("/app", barred{files, "private"}, "")
	require.NoError(t, err)
}

func TestFileThatChangesMeanwhileIsNotSent(t *testing.T) {
	for name, content := range map[string]string{"same size": "two", "longer": "three", "shorter": "1"} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, map[string]string{"Dockerfile": "FROM scratch", "data": "one"})
			c, err := Open(dir, "")
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(dir, "data"), []byte(content), 0o644))
			stream := c.Tar()
			_, err = io.Copy(io.Discard, stream)
			refused(t, err, attributeContext, "data in the build context", "changes while it is read")
			require.NoError(t, stream.Close())
		})
	}
}

func TestTenThousandFilesAndAHugeOne(t *testing.T) {
	dir := folder(t, map[string]string{"Dockerfile": "FROM scratch"})
	for i := range 10_000 {
		if i%100 == 0 {
			require.NoError(t, os.Mkdir(filepath.Join(dir, fmt.Sprint("d", i/100)), 0o755))
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprint("d", i/100), fmt.Sprint(i)), []byte{byte(i)}, 0o644))
	}
	huge, err := os.Create(filepath.Join(dir, "huge"))
	require.NoError(t, err)
	require.NoError(t, huge.Truncate(256<<20)) // sparse: reading it costs no disk
	require.NoError(t, huge.Close())

	c, err := Open(dir, "")
	require.NoError(t, err)
	require.EqualValues(t, 256<<20+10_000+len("FROM scratch"), c.Bytes)
	stream := c.Tar()
	var buffer [1 << 16]byte
	count := int64(0)
	for {
		n, err := stream.Read(buffer[:])
		count += int64(n)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
	}
	require.Greater(t, count, c.Bytes)

	before := c.Manifest()
	require.LessOrEqual(t, len(before.Sums), maxManifest)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "d42", "4217"), []byte("other"), 0o644))
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "d7")))
	c, err = Open(dir, "")
	require.NoError(t, err)
	require.Equal(t, "changed d42/; removed d7/", Changed(before, c.Manifest()).String())
}

func TestChangedNamesFiles(t *testing.T) {
	look := func(files map[string]string) Manifest {
		c, err := Open(folder(t, files), "")
		require.NoError(t, err)
		return c.Manifest()
	}
	before := look(map[string]string{"Dockerfile": "1", "a/x": "1", "a/y": "1", "gone": "1"})
	require.Empty(t, Changed(before, before).String())
	after := look(map[string]string{"Dockerfile": "2", "a/x": "1", "a/y": "2", "new/z": "1"})
	require.Equal(t, "changed Dockerfile, a/y; added new/, new/z; removed gone", Changed(before, after).String())
	require.Equal(t, "changed ./, a/; added new/", Changed(before, after.summed(2)).String(), "a summary is compared with a whole one")
	require.Equal(t, "changed ./", Changed(before.summed(2), after.summed(1)).String())

	many := map[string]string{"Dockerfile": "1"}
	for i := range 15 {
		many[fmt.Sprintf("f%02d", i)] = ""
	}
	require.Contains(t, Changed(look(map[string]string{"Dockerfile": "1"}), look(many)).String(), "f09 and 5 more")
}

func TestTarIsDeterministic(t *testing.T) {
	files := map[string]string{"Dockerfile": "FROM scratch", "b": "2", "a/c": "3"}
	var first []byte
	for range 3 {
		c, err := Open(folder(t, files), "")
		require.NoError(t, err)
		got, err := io.ReadAll(c.Tar())
		require.NoError(t, err)
		if first == nil {
			first = got
		}
		require.True(t, bytes.Equal(first, got))
	}
}

func TestGitURLsAreTold(t *testing.T) {
	for context, want := range map[string]bool{
		"https://example.com/app.git": true, "https://example.com/app.git#v1:deploy": true, "http://localhost:8080/r.git#main": true,
		"git://example.com/app": true, "git@example.com:team/app.git": true, "github.com/team/app": true,
		"https://example.com/app.tar.gz": false, "https://example.com/app": false, "./app": false, "/srv/app.git": false, "app.git": false, "": false,
	} {
		require.Equal(t, want, IsGit(context), context)
	}
}
