package sourcetree

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// choice decides what of a folder belongs to its tree. Paths are relative to the folder, with slashes.
type choice interface {
	// enter is asked for a folder before anything in it: whether git looks into it.
	enter(folder string) (bool, error)
	// takes is asked for a file or link: whether git would commit it, and whether somebody has said so of this very file.
	takes(file string) (taken, meant bool)
}

// choose returns how git decides about the folder root: git itself in a work tree, else the .gitignore files in it.
func choose(ctx context.Context, root string) (choice, error) {
	for dir := root; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return askGit(ctx, root, dir)
		}
		if dir == filepath.Dir(dir) {
			rules := &ignoreRules{root: root, files: map[string][]pattern{}}
			return rules, rules.load(".")
		}
	}
}

// listed is what git says of a folder in a work tree.
type listed struct {
	files   map[string]bool // true: tracked, or named by a pattern that takes it back
	folders map[string]bool
}

func (l *listed) enter(folder string) (bool, error) { return l.folders[folder], nil }

func (l *listed) takes(file string) (taken, meant bool) {
	meant, taken = l.files[file]
	return taken, meant
}

func (l *listed) add(file string, meant bool) {
	l.files[file] = l.files[file] || meant
	for dir := path.Dir(file); dir != "." && !l.folders[dir]; dir = path.Dir(dir) {
		l.folders[dir] = true
	}
}

// gitPatience is more than git needs for any folder that is not too large to be pushed.
const gitPatience = 2 * time.Minute

// askGit lists what git would commit of root, which lies in the work tree top.
func askGit(ctx context.Context, root, top string) (choice, error) {
	l := &listed{files: map[string]bool{}, folders: map[string]bool{}}
	tracked, err := runGit(ctx, root, top, nil, "ls-files", "-z", "--stage")
	if err != nil {
		return nil, err
	}
	for _, entry := range tracked {
		about, name, _ := strings.Cut(entry, "\t")
		if strings.HasPrefix(about, "160000 ") {
			return nil, nested(name)
		}
		l.add(name, true)
	}
	others, err := runGit(ctx, root, top, nil, "ls-files", "-z", "--others", "--exclude-standard")
	if err != nil {
		return nil, err
	}
	var suspects []string
	for _, name := range others {
		if folder, isFolder := strings.CutSuffix(name, "/"); isFolder {
			return nil, nested(folder)
		}
		l.add(name, false)
		if suspicious(path.Base(name)) {
			suspects = append(suspects, name)
		}
	}
	return l, l.mean(ctx, root, top, suspects)
}

// mean finds out which of the files a pattern takes back by their name.
func (l *listed) mean(ctx context.Context, root, top string, files []string) error {
	if len(files) == 0 {
		return nil
	}
	input := []byte(strings.Join(files, "\x00") + "\x00")
	// Four fields a file: where the pattern is, its line, the pattern, and the file.
	answer, err := runGit(ctx, root, top, input, "check-ignore", "-z", "-v", "-n", "--stdin")
	if err != nil {
		return err
	}
	for i := 0; i+3 < len(answer); i += 4 {
		if file := answer[i+3]; parse(trimmed(answer[i+2])).names(path.Base(file)) {
			l.files[file] = true
		}
	}
	return nil
}

// nested refuses a repository in the folder.
func nested(name string) error {
	return contract.Fail(contract.InvalidInput, "%s is a Git repository in the folder: git commits a reference to it, not its files", name).
		Next("name it in .gitignore, or move it out of the folder; a copy without its .git is pushed like other files")
}

// runGit runs git in root and returns the fields that it prints. Nothing in the environment or in the repository's settings may
// lead it to another repository or have it start programs, and who owns the folder does not matter: it is only listed.
func runGit(ctx context.Context, root, top string, input []byte, args ...string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, gitPatience)
	defer cancel()
	args = append([]string{"-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=" + os.DevNull}, args...)
	command := exec.CommandContext(ctx, "git", args...)
	command.Dir, command.Stdin = root, bytes.NewReader(input)
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(strings.ToUpper(variable), "GIT_") {
			command.Env = append(command.Env, variable)
		}
	}
	command.Env = append(command.Env, "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C")
	out, err := command.Output()
	var exit *exec.ExitError
	if errors.Is(err, exec.ErrNotFound) {
		return nil, contract.Fail(contract.InvalidInput, "%s lies in the Git work tree %s, and there is no git on this machine to say what it would commit", root, top).
			Next("install git where Terraform and where the worker runs")
	}
	// check-ignore ends with 1 when no pattern matches.
	if errors.As(err, &exit) && (exit.ExitCode() != 1 || input == nil) {
		return nil, contract.Fail(contract.InvalidInput, "git cannot say what it would commit of %s: %s", root, strings.TrimSpace(string(exit.Stderr)))
	}
	if err != nil && exit == nil {
		return nil, contract.Fail(contract.InvalidInput, "git cannot be run in %s: %v", root, err)
	}
	if len(out) == 0 {
		return nil, nil
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"), nil
}

// ignoreRules decide as git does in a folder that has just become a repository: each folder by the .gitignore files above it, the
// nearest first, the last line first; in a folder that is ignored nothing is looked at.
type ignoreRules struct {
	root  string
	files map[string][]pattern // by folder; "." is the root
}

func (r *ignoreRules) enter(folder string) (bool, error) {
	if p := r.decisive(folder, true); p != nil && !p.negated {
		return false, nil
	}
	if isRepository(filepath.Join(r.root, filepath.FromSlash(folder))) {
		return false, nested(folder)
	}
	return true, r.load(folder)
}

func (r *ignoreRules) takes(file string) (taken, meant bool) {
	p := r.decisive(file, false)
	return p == nil || p.negated, p != nil && p.names(path.Base(file))
}

// decisive is the pattern that decides about a path whose parents are not ignored; nil when there is none.
func (r *ignoreRules) decisive(name string, folder bool) *pattern {
	for dir := path.Dir(name); ; dir = path.Dir(dir) {
		relative := name
		if dir != "." {
			relative = name[len(dir)+1:]
		}
		found := r.files[dir]
		for i := len(found) - 1; i >= 0; i-- {
			if found[i].matches(relative, folder) {
				return &found[i]
			}
		}
		if dir == "." {
			return nil
		}
	}
}

// load reads the .gitignore of a folder. Git does not follow one that is a link.
func (r *ignoreRules) load(folder string) error {
	name := filepath.Join(r.root, filepath.FromSlash(folder), ".gitignore")
	info, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return nil
	}
	if err != nil {
		return contract.Fail(contract.InvalidInput, "%s cannot be read: %v", name, err)
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return contract.Fail(contract.InvalidInput, "%s cannot be read: %v", name, err)
	}
	r.files[folder] = patterns(string(content))
	return nil
}

// isRepository reports whether git would take a folder for a repository.
func isRepository(folder string) bool {
	name := filepath.Join(folder, ".git")
	info, err := os.Lstat(name)
	if err != nil {
		return false
	}
	if info.Mode().IsRegular() {
		return true
	}
	_, err = os.Lstat(filepath.Join(name, "HEAD"))
	return err == nil
}
