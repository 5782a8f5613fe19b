package engine

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// talker runs a box that writes a line of that many bytes and one to the other stream, and ends.
func (s *service) talker(name string, tty bool, size string, labels map[string]string) contract.LogContainer {
	s.t.Helper()
	s.foreign(name, &container.Config{Image: boxImage, Tty: tty, Env: []string{"BOX_SAY=" + size, "BOX_EXIT=0"}, Labels: labels}, nil)
	must(s.t, s.api.ContainerStart(s.t.Context(), name, container.StartOptions{}))
	var found contract.LogContainer
	eventually(s.t, name+" has ended", func() bool {
		all, err := s.e.LogContainers(s.t.Context(), contract.LogContainers{Names: []string{name}})
		must(s.t, err)
		if len(all) == 1 {
			found = all[0]
		}
		return len(all) == 1 && !all[0].Running
	})
	return found
}

// frames reads a whole log.
func (s *service) frames(c contract.LogContainer, since time.Time) (stdout, stderr string, times []time.Time) {
	s.t.Helper()
	must(s.t, s.e.FollowLog(s.t.Context(), c, since, func(f contract.LogFrame) error {
		if f.Stderr {
			stderr += string(f.Text)
		} else {
			stdout += string(f.Text)
		}
		times = append(times, f.Time)
		return nil
	}))
	return stdout, stderr, times
}

func TestLogsComeInPiecesWithOneTimeEach(t *testing.T) {
	s := newService(t)
	for name, size := range map[string]string{"short": "30", "a piece": "16383", "two pieces": "49152", "pieces": "100000"} {
		t.Run(name, func(t *testing.T) {
			c := s.talker(s.ref.Container("talker-"+strings.ReplaceAll(name, " ", "-")), false, size, nil)
			if c.TTY || c.LogPath == "" || c.Driver != "json-file" || c.Started.IsZero() {
				t.Errorf("listed as %+v", c)
			}
			stdout, stderr, times := s.frames(c, time.Time{})
			_, said, _ := strings.Cut(stdout, "\n")
			long := strings.TrimSuffix(said, "\n")
			if strings.Trim(long, "x") != "" || len(long) != atoi(size) {
				t.Errorf("a line of %s bytes came as %d bytes: %.60q…", size, len(long), long)
			}
			if stderr != "said\nbox gives up\n" {
				t.Errorf("stderr is %q", stderr)
			}
			// A time is included where it is asked from.
			last := times[len(times)-1]
			if out, err, _ := s.frames(c, last); out+err == "" {
				t.Errorf("nothing came from %s on", last)
			}
		})
	}
}

func TestLogsOfTerminalsComeInPiecesToo(t *testing.T) {
	s := newService(t)
	for name, size := range map[string]string{"short": "30", "pieces": "100000"} {
		t.Run(name, func(t *testing.T) {
			c := s.talker(s.ref.Container("terminal-"+name), true, size, nil)
			if !c.TTY {
				t.Errorf("listed as %+v", c)
			}
			text, _, _ := s.frames(c, time.Time{})
			lines := strings.Split(strings.TrimSuffix(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), "\n")
			if len(lines) != 4 || lines[1] != strings.Repeat("x", atoi(size)) || lines[2] != "said" {
				t.Errorf("%d lines, the second of %d bytes: %.200q…", len(lines), len(lines[min(1, len(lines)-1)]), text)
			}
		})
	}
}

func atoi(text string) (n int) {
	for _, digit := range text {
		n = 10*n + int(digit-'0')
	}
	return n
}

func TestContainersAreChosenByNameLabelOrService(t *testing.T) {
	summary := func(name string, labels map[string]string) container.Summary {
		return container.Summary{Names: []string{"/" + name}, Labels: labels}
	}
	own := contract.NewRef(contract.LogsPipeline, "", "app").Labels()
	chat := contract.Ref{Scope: "orch", Kind: "chat", Service: "app"}.Labels()
	cases := map[string]struct {
		c      container.Summary
		wanted contract.LogContainers
		fits   bool
	}{
		"name":                    {summary("web", nil), contract.LogContainers{Names: []string{"web"}}, true},
		"pattern":                 {summary("web-1", nil), contract.LogContainers{Names: []string{"db", "web-?"}}, true},
		"other name":              {summary("web-10", nil), contract.LogContainers{Names: []string{"web-?"}}, false},
		"labels":                  {summary("x", map[string]string{"a": "1", "b": "2"}), contract.LogContainers{Labels: map[string]string{"a": "1", "b": ""}}, true},
		"one label is missing":    {summary("x", map[string]string{"a": "1"}), contract.LogContainers{Labels: map[string]string{"a": "1", "b": ""}}, false},
		"service of Compose":      {summary("p-app-1", map[string]string{composeService: "app"}), contract.LogContainers{Service: "app"}, true},
		"service by name":         {summary("app", nil), contract.LogContainers{Service: "app"}, true},
		"service of orch":         {summary("orch-chat-app", chat), contract.LogContainers{Service: "app"}, true},
		"pipeline of the service": {summary("orch-logs-app-loki", own), contract.LogContainers{Service: "app"}, false},
		"pipeline by name":        {summary("orch-logs-app-loki", own), contract.LogContainers{Names: []string{"*-loki"}}, true},
		"nothing":                 {summary("app", nil), contract.LogContainers{}, false},
	}
	for name, c := range cases {
		if logWanted(c.c, c.wanted) != c.fits {
			t.Errorf("%s: fits is %t", name, !c.fits)
		}
	}
}

func TestBrokenLogsAreErrors(t *testing.T) {
	frame := func(stream byte, text string) []byte {
		return append(append([]byte{stream, 0, 0, 0}, binary.BigEndian.AppendUint32(nil, uint32(len(text)))...), text...)
	}
	good := "2026-11-22T05:33:43.123456789Z x\n"
	cases := map[string]struct {
		log  []byte
		want error
		text string
	}{
		"end":         {frame(1, good), io.EOF, ""},
		"cut":         {slices.Concat(frame(1, good), frame(2, good)[:20]), io.ErrUnexpectedEOF, ""},
		"no time":     {frame(1, "nothing"), nil, "no time"},
		"system":      {frame(3, "out of luck"), nil, "the engine says: out of luck"},
		"not a frame": {[]byte("HTTP/1.1 500 Internal"), nil, "too long"},
	}
	for name, c := range cases {
		err := logFrames(bufio.NewReader(bytes.NewReader(c.log)), func(contract.LogFrame) error { return nil })
		if c.want != nil && !errors.Is(err, c.want) || c.text != "" && !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
	stop := errors.New("stop")
	if err := logFrames(bufio.NewReader(bytes.NewReader(frame(1, good))), func(contract.LogFrame) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the reader's error became %v", err)
	}
}

func TestFollowingEndsWithItsContext(t *testing.T) {
	s := newService(t)
	c := s.component("box")
	s.up(c)
	ctx, cancel := context.WithCancel(s.t.Context())
	err := s.e.FollowLog(ctx, contract.LogContainer{ID: c.Container, Name: c.Container}, time.Time{}, func(contract.LogFrame) error {
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := s.e.FollowLog(s.t.Context(), contract.LogContainer{ID: "no-such-container"}, time.Time{}, nil); err != nil {
		t.Errorf("a container that is gone: %v", err)
	}
}
