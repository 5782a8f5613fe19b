package buildcontext

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
	"golang.org/x/sync/errgroup"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// Attributes of the input that a failure names.
const (
	attributeContext    = "build.context"
	attributeDockerfile = "build.dockerfile"
)

// DefaultDockerfile is the Dockerfile's name where none is given.
const DefaultDockerfile = "Dockerfile"

const ignoreFile = ".dockerignore"

// Context is a build context as it was when it was opened.
type Context struct {
	dir     string
	fsys    fs.FS
	entries []entry
	// Hash is the SHA-256 of everything that the engine is sent, in hex: paths, permissions, content and link targets. Times
	// and owners do not count.
	Hash string
	// Bytes is the size of all files together.
	Bytes int64
}

// entry is one file, directory or symbolic link, by its path with slashes.
type entry struct {
	path     string
	mode     fs.FileMode
	modified time.Time
	size     int64
	link     string
	// sum is of a file's content.
	sum [sha256.Size]byte
}

// Open reads the folder dir and computes its digest. The dockerfile is a path within it; empty is DefaultDockerfile. Errors
// are *contract.StepFailure of class InvalidInput, on build.context or build.dockerfile.
func Open(dir, dockerfile string) (*Context, error) {
	if isHTTP(dir) {
		return nil, invalid(attributeContext, "write the URL as https://<host>/<repository>.git#<ref>:<folder>, or give a folder",
			"build context %q is a URL, but not of a Git repository: those end in .git", dir)
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, invalid(attributeContext, "make the folder, or correct the path", "build context %s does not exist", dir)
	case err != nil:
		return nil, invalid(attributeContext, "", "build context %s cannot be read: %v", dir, bare(err))
	case !info.IsDir():
		return nil, invalid(attributeContext, "give the folder that holds the Dockerfile", "build context %s is not a folder", dir)
	}
	// The folder itself may be a link; what it holds may not lead out of it.
	target, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, invalid(attributeContext, "", "build context %s cannot be read: %v", dir, bare(err))
	}
	return open(dir, os.DirFS(target), dockerfile)
}

// open is Open on any file system; dir is for messages.
func open(dir string, fsys fs.FS, dockerfile string) (*Context, error) {
	if dockerfile == "" {
		dockerfile = DefaultDockerfile
	}
	c := &Context{dir: dir, fsys: fsys}
	name, err := c.dockerfile(dockerfile)
	if err != nil {
		return nil, err
	}
	ignored, err := c.ignored(name)
	if err != nil {
		return nil, err
	}
	if err := fs.WalkDir(fsys, ".", c.visit(ignored)); err != nil {
		return nil, err
	}
	if err := c.digest(); err != nil {
		return nil, err
	}
	return c, nil
}

// dockerfile returns the Dockerfile's path with slashes.
func (c *Context) dockerfile(given string) (string, error) {
	name := path.Clean(filepath.ToSlash(given))
	if !fs.ValidPath(name) {
		return "", invalid(attributeDockerfile, "give its path within the context, for example \"deploy/Dockerfile\"",
			"dockerfile %q does not lie in the build context %s", given, c.dir)
	}
	info, err := fs.Stat(c.fsys, name)
	where := filepath.Join(c.dir, filepath.FromSlash(name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", invalid(attributeDockerfile, "write one, or name another with `dockerfile`, by its path within the context",
			"there is no Dockerfile at %s", where)
	case err != nil:
		return "", invalid(attributeDockerfile, "", "the Dockerfile %s cannot be read: %v", where, bare(err))
	case !info.Mode().IsRegular():
		return "", invalid(attributeDockerfile, "name a file", "the Dockerfile %s is not a file", where)
	}
	return name, nil
}

// ignored reads <Dockerfile>.dockerignore, else .dockerignore. The Dockerfile is sent in any case. Where it is to be ignored,
// .dockerignore goes with it, from which the classic builder learns to leave both out of what it copies; BuildKit does not.
func (c *Context) ignored(dockerfile string) (*patternmatcher.PatternMatcher, error) {
	for _, name := range []string{dockerfile + ignoreFile, ignoreFile} {
		content, err := fs.ReadFile(c.fsys, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, invalid(attributeContext, "", "%s in the build context %s cannot be read: %v", name, c.dir, bare(err))
		}
		patterns, err := ignorefile.ReadAll(bytes.NewReader(content))
		if err != nil {
			return nil, invalid(attributeContext, "", "%s in the build context %s: %v", name, c.dir, err)
		}
		matcher, err := matching(patterns, dockerfile)
		if err != nil {
			return nil, invalid(attributeContext, "correct the pattern", "%s in the build context %s: %v", name, c.dir, err)
		}
		return matcher, nil
	}
	return patternmatcher.New(nil)
}

func matching(patterns []string, dockerfile string) (*patternmatcher.PatternMatcher, error) {
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		return nil, err
	}
	hidden, err := matcher.MatchesOrParentMatches(filepath.FromSlash(dockerfile))
	if err != nil || !hidden {
		return matcher, err
	}
	return patternmatcher.New(append(patterns, "!"+dockerfile, "!"+ignoreFile))
}

// visit collects what is not ignored.
func (c *Context) visit(ignored *patternmatcher.PatternMatcher) fs.WalkDirFunc {
	parents := map[string]patternmatcher.MatchInfo{}
	return func(name string, d fs.DirEntry, err error) error {
		if name == "." && err == nil {
			return nil
		}
		if err != nil {
			return c.unreadable(name, err)
		}
		skip, match, err := ignored.MatchesUsingParentResults(filepath.FromSlash(name), parents[path.Dir(name)])
		if err != nil {
			return invalid(attributeContext, "", "the ignore patterns of build context %s: %v", c.dir, err)
		}
		if skip {
			if d.IsDir() && !reincluded(ignored, name) {
				return fs.SkipDir
			}
			if d.IsDir() {
				parents[name] = match
			}
			return nil
		}
		if d.IsDir() {
			parents[name] = match
		}
		info, err := d.Info()
		if err != nil {
			return c.unreadable(name, err)
		}
		return c.add(name, info)
	}
}

// reincluded reports whether an exception (!pattern) may reach below a directory that is ignored.
func reincluded(ignored *patternmatcher.PatternMatcher, dir string) bool {
	if !ignored.Exclusions() {
		return false
	}
	below := filepath.FromSlash(dir) + string(filepath.Separator)
	for _, p := range ignored.Patterns() {
		if !p.Exclusion() {
			continue
		}
		text := p.String()
		// A pattern with a wildcard in it may match anywhere below.
		if strings.HasPrefix(text+string(filepath.Separator), below) || strings.ContainsAny(text, "*?[") {
			return true
		}
	}
	return false
}

func (c *Context) add(name string, info fs.FileInfo) error {
	e := entry{path: name, mode: info.Mode(), modified: info.ModTime()}
	switch {
	case info.IsDir():
	case info.Mode().IsRegular():
		e.size = info.Size()
		c.Bytes += e.size
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := fs.ReadLink(c.fsys, name)
		if err != nil {
			return c.unreadable(name, err)
		}
		e.link = filepath.ToSlash(target)
		if path.IsAbs(e.link) || filepath.IsAbs(target) || !fs.ValidPath(path.Join(path.Dir(name), e.link)) {
			return invalid(attributeContext, "replace it by the file itself or by a relative link, or list it in "+ignoreFile,
				"symbolic link %s in the build context %s leads out of it, to %s", name, c.dir, target)
		}
	default:
		return invalid(attributeContext, "remove it, or list it in "+ignoreFile,
			"%s in the build context %s is a %s, which cannot be sent to the Docker Engine", name, c.dir, kindOf(info.Mode()))
	}
	c.entries = append(c.entries, e)
	return nil
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSocket != 0:
		return "socket"
	case mode&fs.ModeNamedPipe != 0:
		return "named pipe"
	case mode&fs.ModeDevice != 0:
		return "device"
	default:
		return "special file"
	}
}

// digest reads every file once, several at a time.
func (c *Context) digest() error {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range c.entries {
		e := &c.entries[i]
		if !e.mode.IsRegular() {
			continue
		}
		group.Go(func() error {
			hash := sha256.New()
			size, err := c.copy(hash, e.path)
			if err != nil {
				return err
			}
			if size != e.size {
				return c.changing(e.path)
			}
			hash.Sum(e.sum[:0])
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	all := sha256.New()
	for _, e := range c.entries {
		// Every field has a length or an end of its own, so that no two contexts read the same. A hash takes all writes.
		_, _ = fmt.Fprintf(all, "%q %o %q %x\n", e.path, e.permissions(), e.link, e.sum)
	}
	c.Hash = hex.EncodeToString(all.Sum(nil))
	return nil
}

// copy reads a file of the context to its end.
func (c *Context) copy(to io.Writer, name string) (int64, error) {
	file, err := c.fsys.Open(name)
	if err != nil {
		return 0, c.unreadable(name, err)
	}
	size, err := io.Copy(to, file)
	if errors.Is(err, tar.ErrWriteTooLong) {
		err = c.changing(name)
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return size, c.unreadable(name, err)
	}
	return size, nil
}

// permissions are what COPY keeps of a file's mode, type included, in the form of a tar header. Windows knows none, and gets
// Docker's.
func (e entry) permissions() int64 {
	if runtime.GOOS == "windows" {
		return int64(e.mode.Type()) | 0o755
	}
	return int64(e.mode & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky | fs.ModeType))
}

func (c *Context) unreadable(name string, err error) error {
	known := contract.AsFailure(err)
	if known != nil {
		return known
	}
	return invalid(attributeContext, "let the user that runs this process read it, or list it in "+ignoreFile,
		"%s in the build context %s cannot be read: %v", name, c.dir, bare(err))
}

func (c *Context) changing(name string) error {
	return invalid(attributeContext, "apply again when nothing writes to the folder any more, or list the file in "+ignoreFile,
		"%s in the build context %s changes while it is read", name, c.dir)
}

func invalid(attribute, hint, format string, args ...any) error {
	failure := contract.Fail(contract.InvalidInput, format, args...)
	failure.Attribute, failure.Hint = attribute, hint
	return failure
}

// bare is an error of a file operation without the path, which messages say in their own way.
func bare(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}
