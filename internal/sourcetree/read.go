package sourcetree

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing/format/gitignore"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// Limits of a tree. A folder beyond them is more likely the wrong one than an application's source.
const (
	MaxFiles = 20_000
	// MaxBytes is the most that all files hold, and MaxFileBytes the most that GitHub takes of one.
	MaxBytes     = 512 << 20
	MaxFileBytes = 100 << 20
)

// Read reads the folder. Files that .gitignore names are left out: they are where passwords and build results lie. An error
// is a *contract.StepFailure of class NotFound or InvalidInput.
func Read(dir string) (Tree, error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Tree{}, contract.Fail(contract.NotFound, "there is no folder %s", dir)
	case err != nil:
		return Tree{}, contract.Fail(contract.InvalidInput, "%s cannot be read: %v", dir, err)
	case !info.IsDir():
		return Tree{}, contract.Fail(contract.InvalidInput, "%s is no folder", dir)
	}
	// What a link leads to is walked, not the link.
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return Tree{}, contract.Fail(contract.InvalidInput, "%s cannot be read: %v", dir, err)
	}
	patterns, err := gitignore.ReadPatterns(osfs.New(root), nil)
	if err != nil {
		return Tree{}, contract.Fail(contract.InvalidInput, "the .gitignore files in %s cannot be read: %v", dir, err)
	}
	r := reader{root: root, ignored: gitignore.NewMatcher(patterns)}
	if err := filepath.WalkDir(root, r.visit); err != nil {
		return Tree{}, invalid(err)
	}
	if len(r.tree.files) == 0 {
		return Tree{}, contract.Fail(contract.InvalidInput, "%s holds no file that git would commit", dir)
	}
	return r.tree, nil
}

func invalid(err error) error {
	failure := contract.AsFailure(err)
	if failure != nil {
		return failure
	}
	return contract.Fail(contract.InvalidInput, "%v", err)
}

type reader struct {
	root    string
	ignored gitignore.Matcher
	tree    Tree
	bytes   int64
}

func (r *reader) visit(path string, entry fs.DirEntry, err error) error {
	if err != nil {
		return err
	}
	relative, err := filepath.Rel(r.root, path)
	if err != nil || relative == "." {
		return err
	}
	name := filepath.ToSlash(relative)
	if entry.Name() == ".git" || r.ignored.Match(strings.Split(name, "/"), entry.IsDir()) {
		if entry.IsDir() {
			return fs.SkipDir
		}
		return nil
	}
	if entry.IsDir() {
		return nil
	}
	file, err := r.read(path, entry)
	if err != nil {
		return err
	}
	file.path = name
	r.bytes += int64(len(file.content))
	switch {
	case len(r.tree.files) == MaxFiles:
		return contract.Fail(contract.InvalidInput, "%s holds more than %d files; name what does not belong into the repository in its .gitignore", r.root, MaxFiles)
	case r.bytes > MaxBytes:
		return contract.Fail(contract.InvalidInput, "%s holds more than %d MB; name what does not belong into the repository in its .gitignore", r.root, MaxBytes>>20)
	}
	r.tree.files = append(r.tree.files, file)
	return nil
}

func (r *reader) read(path string, entry fs.DirEntry) (file, error) {
	switch entry.Type() {
	case fs.ModeSymlink:
		target, err := os.Readlink(path)
		return file{mode: modeLink, content: []byte(filepath.ToSlash(target))}, err
	case 0:
	default:
		return file{}, contract.Fail(contract.InvalidInput, "%s is neither a file nor a link, git cannot keep it", path)
	}
	info, err := entry.Info()
	if err != nil {
		return file{}, err
	}
	if info.Size() > MaxFileBytes {
		return file{}, contract.Fail(contract.InvalidInput, "%s has %d MB, GitHub takes at most %d", path, info.Size()>>20, MaxFileBytes>>20)
	}
	mode := modeFile
	if info.Mode()&0o100 != 0 {
		mode = modeExecutable
	}
	content, err := os.ReadFile(path)
	return file{mode: mode, content: content}, err
}

// NotFound reports that an error of Read is about a folder that does not exist.
func NotFound(err error) bool {
	var failure *contract.StepFailure
	return errors.As(err, &failure) && failure.Class == contract.NotFound
}
