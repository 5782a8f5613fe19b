package engine

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
	"golang.org/x/sync/errgroup"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// maxFile is the most that is read of a file in a container; injected files are far smaller.
const maxFile = 16 << 20

// archive collects files and directories to be put into a container, owner and mode included.
type archive struct {
	buffer bytes.Buffer
	writer *tar.Writer
	err    error
	files  int
}

func newArchive() *archive {
	a := &archive{}
	a.writer = tar.NewWriter(&a.buffer)
	return a
}

func (a *archive) add(header tar.Header, content string) {
	if a.err != nil {
		return
	}
	a.files++
	header.Name = strings.TrimPrefix(path.Clean(header.Name), "/")
	if header.Typeflag == tar.TypeDir {
		header.Name += "/"
	}
	header.Size = int64(len(content))
	header.ModTime = time.Now()
	header.Format = tar.FormatPAX
	if a.err = a.writer.WriteHeader(&header); a.err == nil {
		_, a.err = io.WriteString(a.writer, content)
	}
}

// file adds a regular file with all that Docker keeps of it.
func (a *archive) file(f contract.File) {
	a.add(tar.Header{Typeflag: tar.TypeReg, Name: f.Path, Uid: f.UID, Gid: f.GID, Mode: f.Mode}, f.Content)
}

// directory adds a directory; where a volume is mounted there, its owner becomes the volume's.
func (a *archive) directory(name string, uid, gid int, mode int64) {
	a.add(tar.Header{Typeflag: tar.TypeDir, Name: name, Uid: uid, Gid: gid, Mode: mode}, "")
}

// directoryMode is what a directory has that nobody has changed.
const directoryMode = 0o755

// put copies the archive into a container. It always goes to "/": only there does the engine make missing directories, and
// only from there does a directory's entry reach the volume that is mounted on it.
func (e *Engine) put(ctx context.Context, id, name string, a *archive) error {
	if a.files == 0 {
		return nil
	}
	if err := anyOf(a.err, a.writer.Close()); err != nil {
		return contract.Fail(contract.Internal, "pack files for container %s: %v", name, err)
	}
	err := e.copyTo(ctx, id, a)
	if err != nil && strings.Contains(err.Error(), "rootfs is marked read-only") {
		return e.putBeside(ctx, id, name, a)
	}
	if err != nil {
		return e.fail(ctx, err, "copy files into container %s", name)
	}
	return nil
}

func (e *Engine) copyTo(ctx context.Context, id string, a *archive) error {
	return e.api.CopyToContainer(ctx, id, "/", bytes.NewReader(a.buffer.Bytes()), container.CopyToContainerOptions{})
}

// putBeside copies the archive into the volumes of a container with a read-only root file system, which the engine lets nobody
// copy to, through a container that is never started and has the same volumes.
func (e *Engine) putBeside(ctx context.Context, id, name string, a *archive) (err error) {
	got, err := e.inspect(ctx, id)
	if err != nil {
		return err
	}
	if got == nil {
		return contract.Fail(contract.Unavailable, "container %s was removed while it was given its files", name)
	}
	mounts := slices.Clone(got.HostConfig.Mounts)
	for i := range mounts {
		mounts[i].ReadOnly = false
	}
	beside, err := e.neverStarted(ctx, serviceOf(got.Config.Labels), got.Image, mounts)
	if err != nil {
		return err
	}
	defer func() { err = anyOf(err, e.removeLent(ctx, beside, "for writing to volumes")) }()
	if err := e.copyTo(ctx, beside, a); err != nil {
		return e.fail(ctx, err, "copy files into the volumes of container %s", name)
	}
	return nil
}

// neverStarted makes a container that only lends its view on volumes. It has the service's labels, so that it cannot be left
// behind for good.
func (e *Engine) neverStarted(ctx context.Context, r contract.Ref, image string, mounts []mount.Mount) (string, error) {
	made, err := e.api.ContainerCreate(ctx, &container.Config{Image: image, Cmd: []string{"never-started"}, Labels: r.Labels()},
		&container.HostConfig{Mounts: mounts, NetworkMode: network.NetworkNone}, nil, nil, "")
	if err != nil {
		return "", e.fail(ctx, err, "create a container to reach volumes of %s", r.ID())
	}
	return made.ID, nil
}

// inject copies the component's files into its container and gives its own volumes to the user that it runs as, with the mode that
// they have: a database may have closed its directory to others, and would not open it otherwise. Root's volumes are left alone:
// they take owner and content of the image's directory. So are external ones: they are the user's.
func (e *Engine) inject(ctx context.Context, id string, c contract.Component) error {
	a := newArchive()
	for _, v := range c.Volumes {
		if v.External || v.ReadOnly || v.UID == 0 && v.GID == 0 {
			continue
		}
		mode, err := e.modeOf(ctx, id, c.Container, v.Path)
		if err != nil {
			return err
		}
		a.directory(v.Path, v.UID, v.GID, mode)
	}
	for _, f := range c.Files {
		a.file(f)
	}
	return e.put(ctx, id, c.Container, a)
}

// modeOf is the mode of a directory in a container, running or not, in a tar's own bits.
func (e *Engine) modeOf(ctx context.Context, id, name, dir string) (int64, error) {
	found, err := e.api.ContainerStatPath(ctx, id, dir)
	switch {
	case errdefs.IsNotFound(err), err == nil && !found.Mode.IsDir():
		return directoryMode, nil
	case err != nil:
		return 0, e.fail(ctx, err, "look at %s in container %s", dir, name)
	}
	mode := int64(found.Mode.Perm())
	if found.Mode&fs.ModeSetgid != 0 {
		mode |= 0o2000
	}
	if found.Mode&fs.ModeSticky != 0 {
		mode |= 0o1000
	}
	return mode, nil
}

// injectLive copies the files that the process reads anew when they change into its container, which need not be stopped. All
// of them go: the engine makes each of them anew, so that who watches their directory sees it.
func (e *Engine) injectLive(ctx context.Context, id string, c contract.Component) error {
	a := newArchive()
	for _, f := range c.Files {
		if f.Live {
			a.file(f)
		}
	}
	return e.put(ctx, id, c.Container, a)
}

// read returns the regular files at a path in a container, by path within it. A missing path has none. It works on
// containers that do not run, with their volumes.
func (e *Engine) read(ctx context.Context, id, name, from string) (files map[string]contract.File, err error) {
	stream, _, err := e.api.CopyFromContainer(ctx, id, from)
	if errdefs.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, e.fail(ctx, err, "read %s in container %s", from, name)
	}
	defer func() {
		if closed := stream.Close(); err == nil && closed != nil {
			err = e.fail(ctx, closed, "read %s in container %s", from, name)
		}
	}()
	files = map[string]contract.File{}
	reader := tar.NewReader(stream)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, e.fail(ctx, err, "read %s in container %s", from, name)
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		content, err := io.ReadAll(io.LimitReader(reader, maxFile))
		if err != nil {
			return nil, e.fail(ctx, err, "read %s in container %s", from, name)
		}
		// The archive's names begin with the last element of the path that was asked for.
		at := path.Join(path.Dir(from), header.Name)
		files[at] = contract.File{Path: at, Content: string(content), UID: header.Uid, GID: header.Gid, Mode: header.Mode & 0o7777}
	}
}

// injected reads the component's files as they are in its container, by path; missing ones are left out. They are read at the
// same time: each takes an engine a moment.
func (e *Engine) injected(ctx context.Context, id string, c contract.Component) (map[string]contract.File, error) {
	var mu sync.Mutex
	all := map[string]contract.File{}
	group, groupCtx := errgroup.WithContext(ctx)
	for _, f := range c.Files {
		group.Go(func() error {
			at := path.Clean(f.Path)
			files, err := e.read(groupCtx, id, c.Container, at)
			if got, found := files[at]; found {
				mu.Lock()
				defer mu.Unlock()
				all[at] = got
			}
			return err
		})
	}
	return all, group.Wait()
}

// fileDrift finds the component's files that are not in its container as they are to be.
func fileDrift(c contract.Component, files map[string]contract.File) []finding {
	var findings []finding
	for _, want := range c.Files {
		got, found := files[path.Clean(want.Path)]
		add := func(format string, args ...any) {
			remedy := remedyFiles
			if want.Live {
				remedy = remedyLive
			}
			findings = append(findings, finding{fmt.Sprintf(format, args...), remedy})
		}
		switch {
		case !found:
			add("the file %s is missing", want.Path)
		case got.Content != want.Content:
			add("the file %s was edited", want.Path)
		case got.Mode != want.Mode&0o7777 || got.UID != want.UID || got.GID != want.GID:
			add("the file %s has mode %#o and owner %d:%d instead of %#o and %d:%d",
				want.Path, got.Mode, got.UID, got.GID, want.Mode&0o7777, want.UID, want.GID)
		}
	}
	return findings
}
