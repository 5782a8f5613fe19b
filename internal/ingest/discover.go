package ingest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// found is a file that fits, with what the file system says of it.
type found struct {
	path string
	info fs.FileInfo
}

// glob lists the regular files that fit, each once, sorted by path. What cannot be looked at is in the second list, with the
// reason.
func glob(files *contract.LogFiles) ([]found, []string) {
	if files == nil {
		return nil, nil
	}
	g := &globber{files: files, seen: map[inode]bool{}}
	for _, pattern := range files.Include {
		g.include(filepath.Clean(pattern))
	}
	slices.SortFunc(g.found, func(a, b found) int { return strings.Compare(a.path, b.path) })
	slices.Sort(g.unreadable)
	return g.found, slices.Compact(g.unreadable)
}

type globber struct {
	files      *contract.LogFiles
	seen       map[inode]bool
	found      []found
	unreadable []string
}

func (g *globber) include(pattern string) {
	base, rest := doublestar.SplitPattern(filepath.ToSlash(pattern))
	if !strings.ContainsAny(rest, "*?[{\\") {
		if isDir(pattern) {
			g.cannot(pattern, errors.New("it is a directory; the files in it are "+filepath.Join(pattern, "*")))
			return
		}
		g.take(pattern)
		return
	}
	w := walk{globber: g, pattern: pattern, base: base, levels: strings.Count(rest, "/"), links: true}
	if strings.Contains(rest, "**") {
		w.levels, w.links = g.files.MaxDepth-1, false // -1 is no limit, and a link may lead back up
	}
	w.from(base)
}

// walk looks for the files that fit one pattern in base and so many levels of directories below it; links to directories count
// as directories when links is true.
type walk struct {
	*globber
	pattern, base string
	levels        int
	links         bool
}

// from walks a directory. The separator at its end makes one of a link to one.
func (w walk) from(dir string) {
	err := filepath.WalkDir(dir+string(filepath.Separator), func(at string, entry fs.DirEntry, err error) error {
		at = filepath.Clean(at)
		switch {
		case err != nil:
			return w.passOver(at, entry, err)
		case entry.IsDir():
			return w.enter(w.base, at, w.levels)
		case w.links && entry.Type()&fs.ModeSymlink != 0 && isDir(at):
			if w.enter(w.base, at, w.levels) == nil {
				w.from(at)
			}
			return nil
		}
		if ok, err := doublestar.PathMatch(w.pattern, at); err == nil && ok {
			w.take(at)
		}
		return nil
	})
	if err != nil {
		w.cannot(dir, err)
	}
}

func isDir(at string) bool {
	info, err := os.Stat(at)
	return err == nil && info.IsDir()
}

// enter keeps the walk out of directories that are excluded, or more than so many levels below base.
func (g *globber) enter(base, dir string, levels int) error {
	rel, err := filepath.Rel(base, dir)
	if err != nil {
		return err
	}
	if rel == "." {
		return nil
	}
	if levels >= 0 && 1+strings.Count(rel, string(filepath.Separator)) > levels || g.excluded(dir) {
		return fs.SkipDir
	}
	return nil
}

func (g *globber) excluded(at string) bool {
	return slices.ContainsFunc(g.files.Exclude, func(pattern string) bool {
		ok, err := doublestar.PathMatch(pattern, at)
		return err == nil && ok || !strings.Contains(pattern, "/") && fits(pattern, filepath.Base(at))
	})
}

func fits(pattern, name string) bool {
	ok, err := doublestar.Match(pattern, name)
	return err == nil && ok
}

func (g *globber) take(at string) {
	if g.excluded(at) {
		return
	}
	info, err := os.Stat(at)
	if err != nil {
		g.cannot(at, err)
		return
	}
	if id := inodeOf(info); info.Mode().IsRegular() && !g.seen[id] {
		g.seen[id] = true
		g.found = append(g.found, found{at, info})
	}
}

// passOver goes on with the walk behind what cannot be looked at.
func (g *globber) passOver(at string, entry fs.DirEntry, err error) error {
	g.cannot(at, err)
	if entry != nil && entry.IsDir() {
		return fs.SkipDir
	}
	return nil
}

func (g *globber) cannot(at string, err error) {
	if errors.Is(err, fs.ErrNotExist) {
		return // it may come, or was there a moment ago
	}
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err
	}
	g.unreadable = append(g.unreadable, fmt.Sprintf("%s: %v", at, err))
}

// Files lists what a selection of files finds on this host now.
func Files(files *contract.LogFiles) (contract.Discovered, error) {
	all, unreadable := glob(files)
	out := contract.Discovered{Sources: []contract.LogSource{}, Unreadable: unreadable}
	for _, f := range all {
		if file, err := os.Open(f.path); err != nil {
			out.Unreadable = append(out.Unreadable, fmt.Sprintf("%s: %v", f.path, errors.Unwrap(err)))
			continue
		} else if err := file.Close(); err != nil {
			return out, contract.Fail(contract.Unavailable, "close %s: %v", f.path, err)
		}
		id := inodeOf(f.info)
		out.Sources = append(out.Sources, contract.LogSource{
			Path: f.path, Identity: fmt.Sprintf("file %x:%d", id.Device, id.Inode), Bytes: f.info.Size(), Modified: f.info.ModTime().UTC(),
		})
	}
	if n := len(out.Sources); n > contract.MaxLogSources {
		return contract.Discovered{}, contract.Fail(contract.InvalidInput, "files.include finds %d files, and one ingest follows at most %d", n, contract.MaxLogSources).On("files.include")
	}
	return out, nil
}

// Docker is what the package needs of a Docker Engine. Errors are *contract.StepFailure, or those of the context.
type Docker interface {
	// LogContainers lists the containers that a selection fits, running or not.
	LogContainers(ctx context.Context, wanted contract.LogContainers) ([]contract.LogContainer, error)
	// FollowLog hands over the frames of a container's log from a time on, which it includes, until the container ends, each
	// returns an error, or ctx ends.
	FollowLog(ctx context.Context, c contract.LogContainer, since time.Time, each func(contract.LogFrame) error) error
}

// Containers lists what a selection of containers finds now. Those whose logging driver keeps nothing are unreadable.
func Containers(ctx context.Context, docker Docker, wanted *contract.LogContainers) (contract.Discovered, error) {
	out := contract.Discovered{Sources: []contract.LogSource{}}
	if wanted == nil {
		return out, nil
	}
	all, err := docker.LogContainers(ctx, *wanted)
	if err != nil {
		return out, err
	}
	for _, c := range all {
		if c.Driver == "none" {
			out.Unreadable = append(out.Unreadable, "container "+c.Name+": its logging driver none keeps no log")
			continue
		}
		out.Sources = append(out.Sources, contract.LogSource{
			Container: c.Name, ID: c.ID, Identity: "container " + c.ID, LogPath: path.Clean(c.LogPath), Modified: c.Started.UTC(),
		})
	}
	return out, nil
}
