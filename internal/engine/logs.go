package engine

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// composeService is the label by which Compose names the service of a container.
const composeService = "com.docker.compose.service"

// LogContainers lists the containers that a selection fits, running or not, sorted by name. By service alone, the parts of a
// pipeline of that name are not meant: a Collector that ships its own log would never come to an end.
func (e *Engine) LogContainers(ctx context.Context, wanted contract.LogContainers) ([]contract.LogContainer, error) {
	list, err := e.api.ContainerList(ctx, container.ListOptions{All: true})
	if err != nil {
		return nil, e.fail(ctx, err, "list the containers")
	}
	all := []contract.LogContainer{}
	for _, item := range list {
		if !logWanted(item, wanted) {
			continue
		}
		found, err := e.inspect(ctx, item.ID)
		if err != nil {
			return nil, err
		}
		if found == nil || found.State == nil || found.State.Status == container.StateCreated {
			continue // it has no log yet, or no more
		}
		c := contract.LogContainer{ID: found.ID, Name: nameOf(item), LogPath: found.LogPath, Running: found.State.Running}
		c.TTY = found.Config != nil && found.Config.Tty
		if found.HostConfig != nil {
			c.Driver = found.HostConfig.LogConfig.Type
		}
		if c.Started, err = time.Parse(time.RFC3339Nano, found.State.StartedAt); err != nil {
			return nil, contract.Fail(contract.Internal, "container %s was started at %q, which is no time", c.Name, found.State.StartedAt)
		}
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b contract.LogContainer) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

func logWanted(c container.Summary, wanted contract.LogContainers) bool {
	name := nameOf(c)
	for _, pattern := range wanted.Names {
		if ok, err := path.Match(pattern, name); err == nil && ok {
			return true
		}
	}
	if len(wanted.Labels) > 0 {
		all := true
		for key, value := range wanted.Labels {
			has, ok := c.Labels[key]
			all = all && ok && (value == "" || has == value)
		}
		if all {
			return true
		}
	}
	if wanted.Service == "" {
		return false
	}
	if c.Labels[contract.LabelManaged] != "" {
		// Pipelines and ingests of the name are what logs go through: to follow them would feed them with themselves.
		kind := c.Labels[contract.LabelKind]
		application := kind == contract.ContainerService.Short || kind == contract.ChatService.Short
		return c.Labels[contract.LabelService] == wanted.Service && application
	}
	return c.Labels[composeService] == wanted.Service || name == wanted.Service
}

// FollowLog hands over the frames of a container's log from a time on, which it includes, until the container ends, each
// returns an error, or ctx ends.
func (e *Engine) FollowLog(ctx context.Context, c contract.LogContainer, since time.Time, each func(contract.LogFrame) error) error {
	options := container.LogsOptions{ShowStdout: true, ShowStderr: true, Timestamps: true, Follow: true}
	if !since.IsZero() {
		options.Since = fmt.Sprintf("%d.%09d", since.Unix(), since.Nanosecond())
	}
	stream, err := e.api.ContainerLogs(ctx, c.ID, options)
	if errdefs.IsNotFound(err) {
		return nil // it was removed, and its log with it
	}
	if err != nil {
		return e.fail(ctx, err, "read the log of container %s", c.Name)
	}
	reader := bufio.NewReaderSize(stream, 64<<10)
	if c.TTY {
		err = ttyFrames(reader, each)
	} else {
		err = logFrames(reader, each)
	}
	closing := stream.Close()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil || errors.Is(err, io.EOF):
		return e.closed(ctx, closing, c)
	default:
		return e.fail(ctx, err, "read the log of container %s", c.Name)
	}
}

func (e *Engine) closed(ctx context.Context, err error, c contract.LogContainer) error {
	if err == nil {
		return nil
	}
	return e.fail(ctx, err, "close the log of container %s", c.Name)
}

// maxFrame is far above what the engine sends, which is 16 KiB and a time.
const maxFrame = 4 << 20

// logFrames reads what containers without a terminal write: a header of eight bytes, with the stream in the first and the
// length in the last four, before each piece.
func logFrames(reader *bufio.Reader, each func(contract.LogFrame) error) error {
	var header [8]byte
	var buffer []byte
	for {
		if _, err := io.ReadFull(reader, header[:]); err != nil {
			return err // io.EOF between two frames is the end
		}
		size := int(binary.BigEndian.Uint32(header[4:]))
		if size > maxFrame {
			return fmt.Errorf("a frame of %d bytes is too long to be one", size)
		}
		buffer = slices.Grow(buffer[:0], size)[:size]
		if _, err := io.ReadFull(reader, buffer); err != nil {
			return err
		}
		if stdcopy.StdType(header[0]) == stdcopy.Systemerr {
			return fmt.Errorf("the engine says: %s", strings.TrimSpace(string(buffer)))
		}
		at, text, err := stamped(buffer)
		if err != nil {
			return err
		}
		if err := each(contract.LogFrame{Stderr: stdcopy.StdType(header[0]) == stdcopy.Stderr, Time: at, Text: text}); err != nil {
			return err
		}
	}
}

// stamped takes the time off a piece.
func stamped(piece []byte) (time.Time, []byte, error) {
	stamp, text, ok := bytes.Cut(piece, []byte{' '})
	if !ok {
		return time.Time{}, nil, fmt.Errorf("a piece of the log has no time: %.40q", piece)
	}
	at, err := time.Parse(time.RFC3339Nano, string(stamp))
	return at, text, err
}

const (
	// pieceSize is how long the pieces are that the engine cuts a line into. One that cuts a character is a few bytes longer:
	// the json-file driver replaces the halves.
	pieceSize = 16 << 10
	// stampSize is how long a time is with the space behind it. The engine writes all digits.
	stampSize = len("2006-01-02T15:04:05.000000000Z ")
)

// ttyFrames reads what containers with a terminal write: lines, each with a time before it, and one more inside wherever the
// engine has cut it.
func ttyFrames(reader *bufio.Reader, each func(contract.LogFrame) error) error {
	for {
		stamp, err := reader.ReadString(' ')
		if err != nil {
			return err
		}
		at, err := time.Parse(time.RFC3339Nano, strings.TrimSuffix(stamp, " "))
		if err != nil {
			return err
		}
		text, err := ttyPiece(reader)
		if err != nil {
			return err
		}
		if err := each(contract.LogFrame{Time: at, Text: text}); err != nil {
			return err
		}
	}
}

// ttyPiece reads up to the line feed, to the time of the next piece, or to the end of the log.
func ttyPiece(reader *bufio.Reader) ([]byte, error) {
	text := make([]byte, 0, 256)
	for !bytes.HasSuffix(text, []byte{'\n'}) {
		if len(text) >= pieceSize && stampFollows(reader) {
			return text, nil
		}
		b, err := reader.ReadByte()
		if errors.Is(err, io.EOF) {
			return text, nil
		}
		if err != nil {
			return nil, err
		}
		text = append(text, b)
	}
	return text, nil
}

func stampFollows(reader *bufio.Reader) bool {
	next, err := reader.Peek(1)
	if err != nil || next[0] < '0' || next[0] > '9' {
		return false
	}
	next, err = reader.Peek(stampSize)
	if err != nil {
		return false
	}
	_, err = time.Parse("2006-01-02T15:04:05.000000000Z ", string(next))
	return err == nil
}
