package engine

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// boxImage and otherImage run testdata/box as root and as user 10001, checkedImage with a HEALTHCHECK, and slowImage with one that
// takes its time. They are built once and kept by the engine.
var boxImage, otherImage, checkedImage, slowImage string

func TestMain(m *testing.M) {
	// The tests wait most of the time, for what stops, drains and is not ready. The command line has the last word.
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	if err := buildImages(); err != nil {
		// A test of the engine without an engine proves nothing, so it must not look as if it did.
		fmt.Fprintln(os.Stderr, "the tests of this package need a Docker Engine:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func buildImages() error {
	dir, err := os.MkdirTemp("", "box")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary := filepath.Join(dir, "box")
	build := exec.Command("go", "build", "-trimpath", "-o", binary, "./testdata/box")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, output)
	}
	program, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(program)
	boxImage = "orch.local/engine-test:" + hex.EncodeToString(sum[:6])
	otherImage, checkedImage, slowImage = boxImage+"-nonroot", boxImage+"-checked", boxImage+"-slow"
	api, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		return err
	}
	defer func() { _ = api.Close() }()
	for ref, changes := range map[string][]string{
		boxImage:     {`ENTRYPOINT ["/box"]`, `ENV FROM_IMAGE=yes`},
		otherImage:   {`ENTRYPOINT ["/box"]`, `USER 10001:10001`},
		slowImage:    {`ENTRYPOINT ["/box"]`, `HEALTHCHECK --interval=3s --timeout=2s --retries=2 CMD ["/box", "health"]`},
		checkedImage: {`ENTRYPOINT ["/box"]`, `CMD ["from-image"]`, `HEALTHCHECK --interval=500ms --timeout=2s --retries=2 CMD ["/box", "health"]`},
	} {
		if err := importImage(api, ref, program, changes); err != nil {
			return err
		}
	}
	return nil
}

func importImage(api *client.Client, ref string, program []byte, changes []string) error {
	ctx := context.Background()
	if _, err := api.ImageInspect(ctx, ref); err == nil {
		return nil
	}
	var root bytes.Buffer
	w := tar.NewWriter(&root)
	header := &tar.Header{Name: "box", Mode: 0o755, Size: int64(len(program)), Typeflag: tar.TypeReg}
	if err := w.WriteHeader(header); err != nil {
		return err
	}
	if _, err := w.Write(program); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	stream, err := api.ImageImport(ctx, image.ImportSource{Source: &root, SourceName: "-"}, ref, image.ImportOptions{Changes: changes})
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, stream)
	return errors.Join(err, stream.Close())
}

// service is a stack of its own on the real engine, gone with the test.
type service struct {
	t   *testing.T
	e   *Engine
	api *client.Client
	ref contract.Ref
	run string
	// rotated records what the fake rotator was told: "base from to".
	rotated []string
	// rotatedAt is the base URL that it was told last.
	rotatedAt string
	refuse    error
}

func newService(t *testing.T) *service {
	t.Helper()
	random := make([]byte, 5)
	_, _ = rand.Read(random)
	s := &service{t: t, run: "run-1", ref: contract.Ref{Scope: "enginetest", Kind: "logs", Service: "t" + hex.EncodeToString(random)}}
	rotator := func(_ context.Context, base string, secret contract.Secret, from, to string) error {
		s.rotated = append(s.rotated, fmt.Sprintf("%s %s>%s", secret.User, from, to))
		s.rotatedAt = base
		if !strings.HasPrefix(base, "http://127.0.0.1:") {
			return fmt.Errorf("rotation asked of %q", base)
		}
		return s.refuse
	}
	e, err := New(Options{Rotate: map[contract.Rotation]Rotator{contract.RotateGrafana: rotator}})
	must(t, err)
	s.e = e
	s.api, err = client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	must(t, err)
	t.Cleanup(func() {
		call := contract.StackCall{Stack: contract.Stack{Ref: s.ref}, DeleteVolumes: true}
		if _, err := s.e.Remove(context.Background(), call, nil); err != nil {
			t.Errorf("leave nothing behind: %v", err)
		}
		_ = s.e.Close()
		_ = s.api.Close()
	})
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(describe(err))
	}
}

func describe(err error) string {
	if f := contract.AsFailure(err); f != nil {
		return f.Describe()
	}
	return err.Error()
}

// component is a box that is ready at once, on a port of the engine's choice.
func (s *service) component(name string) contract.Component {
	return contract.Component{
		Name: name, Container: s.ref.Container(name), Network: s.ref.Network(), Image: boxImage, StopTimeout: 2,
		Ports:     []contract.Port{{Name: "http", Container: 8080, Bind: "127.0.0.1", Attribute: name + ".port"}},
		Files:     []contract.File{{Path: "/etc/box/config.txt", Content: "one", UID: 10001, GID: 10001, Mode: 0o440}},
		Probe:     contract.Probe{Port: "http", Path: "/ready", Contains: "box is ready", TimeoutSeconds: 20},
		Input:     json.RawMessage(`{"` + name + `":{"port":null}}`),
		InputPath: name,
	}
}

func (s *service) stack(components ...contract.Component) contract.Stack {
	return contract.Stack{Ref: s.ref, PullPolicy: contract.PullMissing, Components: components}
}

func (s *service) call(components ...contract.Component) contract.StackCall {
	return contract.StackCall{Stack: s.stack(components...), RunID: s.run}
}

func (s *service) componentCall(c contract.Component) contract.ComponentCall {
	return contract.ComponentCall{Ref: s.ref, PullPolicy: contract.PullMissing, Component: c, RunID: s.run}
}

func (s *service) ensure(c contract.Component) (contract.ComponentState, error) {
	s.t.Helper()
	return s.e.Ensure(s.t.Context(), s.componentCall(c), nil)
}

// up makes the components and commits, as a whole setup does.
func (s *service) up(components ...contract.Component) {
	s.t.Helper()
	_, err := s.e.Prepare(s.t.Context(), s.call(components...), nil)
	must(s.t, err)
	for _, c := range components {
		_, err := s.ensure(c)
		must(s.t, err)
	}
	must(s.t, s.e.Commit(s.t.Context(), s.call(components...)))
}

func (s *service) id(name string) string {
	s.t.Helper()
	found, err := s.api.ContainerInspect(s.t.Context(), name)
	must(s.t, err)
	return found.ID
}

func (s *service) exists(name string) bool {
	s.t.Helper()
	_, err := s.api.ContainerInspect(s.t.Context(), name)
	return err == nil
}

// answer is what the component says at its published port.
func (s *service) answer(c contract.Component) string {
	s.t.Helper()
	return s.get(c, "/ready")
}

// get asks the component at its published port.
func (s *service) get(c contract.Component, path string) string {
	s.t.Helper()
	found, err := s.api.ContainerInspect(s.t.Context(), c.Container)
	must(s.t, err)
	bindings := found.NetworkSettings.Ports["8080/tcp"]
	if len(bindings) == 0 {
		s.t.Fatalf("%s publishes nothing, state %s", c.Container, found.State.Status)
	}
	response, err := s.e.probes.Get("http://127.0.0.1:" + bindings[0].HostPort + path)
	must(s.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	must(s.t, err)
	return string(body)
}

func (s *service) observe(components ...contract.Component) contract.Observed {
	s.t.Helper()
	observed, err := s.e.Inspect(s.t.Context(), s.call(components...))
	must(s.t, err)
	return observed
}

func (s *service) noDrift(components ...contract.Component) {
	s.t.Helper()
	if drift := s.observe(components...).Drifted(); len(drift) > 0 {
		s.t.Fatalf("drift where there is none: %q", drift)
	}
}

// eventually polls a condition of the engine that comes true by itself.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); !holds(); {
		if time.Now().After(deadline) {
			t.Fatal("not in time: " + what)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// foreign makes a container of somebody else's, not started.
func (s *service) foreign(name string, config *container.Config, host *container.HostConfig) string {
	s.t.Helper()
	if config == nil {
		config = &container.Config{}
	}
	config.Image = boxImage
	made, err := s.api.ContainerCreate(s.t.Context(), config, host, nil, nil, name)
	must(s.t, err)
	s.t.Cleanup(func() {
		_ = s.api.ContainerRemove(context.Background(), made.ID, container.RemoveOptions{Force: true, RemoveVolumes: true})
	})
	return made.ID
}

// wantFailure checks the class of a failure and words of its description.
func wantFailure(t *testing.T, err error, class contract.ErrorClass, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no failure, want %s", class)
	}
	f := contract.AsFailure(err)
	if f == nil {
		t.Fatalf("not a step failure: %v", err)
	}
	if f.Class != class {
		t.Errorf("class %s, want %s: %s", f.Class, class, f.Cause)
	}
	text := f.Describe() + f.Attribute
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("missing %q in:\n%s\nattribute %s", word, text, f.Attribute)
		}
	}
}

func untag(s *service, ref string) {
	if _, err := s.api.ImageRemove(context.Background(), ref, image.RemoveOptions{Force: true}); err != nil {
		s.t.Errorf("untag %s: %v", ref, err)
	}
}
