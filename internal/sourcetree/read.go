package sourcetree

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// Limits of a tree. A folder beyond them is more likely the wrong one than an application's source.
const (
	MaxFiles = 20_000
	// MaxBytes is the most that all files hold, and MaxFileBytes the most that GitHub takes of one.
	MaxBytes     = 512 << 20
	MaxFileBytes = 100 << 20
)

// Read reads the folder. What git would not commit is left out: that is where passwords and build results lie. Files that look
// like secrets all the same are refused, unless they are tracked or a line of a .gitignore takes them back by name. An error is
// a *contract.StepFailure of class NotFound or InvalidInput.
func Read(ctx context.Context, dir string) (Tree, error) {
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
	chosen, err := choose(ctx, root)
	if err != nil {
		return Tree{}, invalid(err)
	}
	r := reader{root: root, choice: chosen}
	if err := filepath.WalkDir(root, r.visit); err != nil {
		return Tree{}, invalid(err)
	}
	if err := refused(dir, r.secrets); err != nil {
		return Tree{}, err
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
	choice  choice
	tree    Tree
	bytes   int64
	secrets []string
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
	if entry.IsDir() {
		if entry.Name() == ".git" {
			return fs.SkipDir
		}
		entered, err := r.choice.enter(name)
		if err == nil && !entered {
			return fs.SkipDir
		}
		return err
	}
	taken, meant := r.choice.takes(name)
	if !taken || entry.Name() == ".git" {
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
	if !meant && file.mode != modeLink && sensitive(entry.Name(), file.content) {
		r.secrets = append(r.secrets, name)
	}
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
