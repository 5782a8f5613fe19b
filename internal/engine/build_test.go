package engine

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/buildcontext"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/git"
)

// built is a component whose image is built from files; "$BOX" in a Dockerfile is the local image that it is based on.
func (s *service) built(name, tag string, files map[string]string) (contract.Component, Source) {
	s.t.Helper()
	dir := s.t.TempDir()
	for file, content := range files {
		where := filepath.Join(dir, file)
		must(s.t, os.MkdirAll(filepath.Dir(where), 0o755))
		must(s.t, os.WriteFile(where, []byte(strings.ReplaceAll(content, "$BOX", boxImage)), 0o644))
	}
	c := s.component(name)
	c.InputPath = ""
	c.Image = "orch.local/" + s.ref.Network() + ":" + tag
	c.Build = &contract.Build{Context: dir, Dockerfile: "Dockerfile", Step: "build_image"}
	return c, func() (io.ReadCloser, error) {
		opened, err := buildcontext.Open(dir, c.Build.Dockerfile)
		if err != nil {
			return nil, err
		}
		return opened.Tar(), nil
	}
}

func (s *service) build(c contract.Component, open Source, progress Progress) error {
	s.t.Helper()
	return s.e.Build(s.t.Context(), s.componentCall(c), open, progress)
}

func (s *service) images() []string {
	s.t.Helper()
	found, err := s.e.builtImages(s.t.Context(), s.ref)
	must(s.t, err)
	var tags []string
	for _, i := range found {
		tags = append(tags, i.RepoTags...)
	}
	slices.Sort(tags)
	return tags
}

// classicOnly is an engine of before BuildKit.
type classicOnly struct{ dockerAPI }

func (c classicOnly) Ping(ctx context.Context) (types.Ping, error) {
	ping, err := c.dockerAPI.Ping(ctx)
	ping.APIVersion, ping.BuilderVersion = "1.38", ""
	return ping, err
}

// eachBuilder runs a test with BuildKit and with the classic builder.
func eachBuilder(t *testing.T, test func(t *testing.T, s *service)) {
	t.Parallel()
	for _, name := range []string{"BuildKit", "classic"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			if name == "classic" {
				s.e.api = classicOnly{s.e.api}
			}
			test(t, s)
		})
	}
}

// TestBuildersAreChosenByTheEngineAndTheEnvironment is not parallel: it sets the environment.
func TestBuildersAreChosenByTheEngineAndTheEnvironment(t *testing.T) {
	s := newService(t)
	is := func(e *Engine, want ...build.BuilderVersion) {
		t.Helper()
		got, err := e.builders(t.Context())
		must(t, err)
		if !slices.Equal(got, want) {
			t.Errorf("builders %q, want %q", got, want)
		}
	}
	t.Setenv("DOCKER_BUILDKIT", "")
	is(s.e, build.BuilderBuildKit, build.BuilderV1)
	is(&Engine{api: classicOnly{s.e.api}}, build.BuilderV1)
	t.Setenv("DOCKER_BUILDKIT", "0")
	is(s.e, build.BuilderV1)
}

func TestBuiltImageRunsAndIsBuiltOnce(t *testing.T) {
	eachBuilder(t, func(t *testing.T, s *service) {
		c, open := s.built("alpha", "one", map[string]string{
			"Dockerfile":    "FROM $BOX AS base\nARG WORD=nothing\nENV WORD=$WORD\nFROM base AS app\nCOPY data /data\nFROM base AS other\nCOPY missing /",
			"data/deep/one": "1", ".dockerignore": "*.log",
		})
		c.Build.Target, c.Build.Args = "app", map[string]string{"WORD": "given"}
		var mu sync.Mutex
		var told []string
		must(t, s.build(c, open, func(format string, args ...any) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, sprintf(format, args...))
		}))
		if !slices.ContainsFunc(told, func(line string) bool { return strings.Contains(line, "COPY data /data") }) {
			t.Errorf("progress without the steps: %q", told)
		}
		found, err := s.api.ImageInspect(t.Context(), c.Image)
		must(t, err)
		if !slices.Contains(found.Config.Env, "WORD=given") {
			t.Errorf("environment %q without the argument", found.Config.Env)
		}
		if labels := found.Config.Labels; s.ref.Owns(labels) || labels[contract.LabelImageOf] != s.ref.ID() || labels[contract.LabelImageComponent] != "alpha" {
			t.Errorf("labels %v", labels)
		}
		s.up(c)
		if got := s.answer(c); got != "box is ready with one" {
			t.Errorf("answer %q", got)
		}
		s.noDrift(c)
		must(t, s.build(c, func() (io.ReadCloser, error) { return nil, errors.New("the context was read again") }, nil))

		removed, err := s.e.Remove(t.Context(), s.call(), nil)
		must(t, err)
		if !slices.Equal(removed.Images, []string{c.Image}) || len(s.images()) > 0 {
			t.Errorf("removed images %q, left %q", removed.Images, s.images())
		}
	})
}

func sprintf(format string, args ...any) string {
	return strings.TrimSpace(contract.Fail("", format, args...).Cause)
}

// removeLayers removes what an unfinished build of the classic builder leaves for the next one to begin with. The engine
// may still be at it: it answers a build that is called off before it makes the container of the step, and removes that
// container a moment later.
func (s *service) removeLayers() {
	ctx := context.Background()
	labelled := filters.NewArgs(filters.Arg("label", "test="+s.ref.Service))
	eventually(s.t, "the build's containers are gone and its layers can be removed", func() bool {
		layers, err := s.api.ImageList(ctx, image.ListOptions{Filters: labelled})
		must(s.t, err)
		for _, layer := range layers {
			if _, err := s.api.ImageRemove(ctx, layer.ID, image.RemoveOptions{PruneChildren: true}); err != nil {
				s.t.Logf("layer %s: %v", layer.ID, err)
				return false
			}
		}
		left, err := s.api.ContainerList(ctx, container.ListOptions{All: true, Filters: labelled})
		must(s.t, err)
		return len(left) == 0
	})
}

func TestFailedBuildsTellWhy(t *testing.T) {
	cases := map[string]struct {
		dockerfile string
		target     string
		class      contract.ErrorClass
		words      []string
	}{
		"syntax":       {"FROM $BOX\n\nRUNN x", "", contract.InvalidInput, []string{"Dockerfile has an error in line 3", "unknown instruction: RUNN", "build.dockerfile"}},
		"empty":        {"# nothing\n", "", contract.InvalidInput, []string{"is no Dockerfile", "build.dockerfile"}},
		"failing RUN":  {"FROM $BOX\nLABEL test=$SERVICE\nENV BOX_EXIT=7\nRUN [\"/box\"]", "", contract.InvalidInput, []string{"ended with exit code 7", "box gives up", "/box", "build.dockerfile"}},
		"no such file": {"FROM $BOX\nCOPY nothing.txt /", "", contract.InvalidInput, []string{"copies", "nothing.txt, which is not in the build context", ".dockerignore", "build.context"}},
		"target":       {"FROM $BOX AS one", "two", contract.InvalidInput, []string{"has no stage two", "build.target"}},
		"no registry":  {"FROM registry.invalid/base:1\nCOPY Dockerfile /", "", contract.Unavailable, []string{"base image registry.invalid/base:1", "cannot be pulled", "docker load", "build.dockerfile"}},
		"bad name":     {"FROM Bad:Name:1", "", contract.InvalidInput, []string{"Bad:Name:1", "build.dockerfile"}},
	}
	eachBuilder(t, func(t *testing.T, s *service) {
		t.Cleanup(func() { s.removeLayers() })
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				dockerfile := strings.ReplaceAll(c.dockerfile, "$SERVICE", s.ref.Service)
				component, open := s.built("alpha", "bad", map[string]string{"Dockerfile": dockerfile})
				component.Build.Target = c.target
				err := s.build(component, open, nil)
				wantFailure(t, err, c.class, c.words...)
			})
		}
		if left := s.images(); len(left) > 0 {
			t.Errorf("images %q of failed builds", left)
		}
	})
}

func TestBaseImageThatTheRegistryDoesNotHave(t *testing.T) {
	eachBuilder(t, func(t *testing.T, s *service) {
		host := newRegistry(t, "one")
		c, open := s.built("alpha", "bad", map[string]string{"Dockerfile": "FROM " + host + "/nothing:1\nCOPY Dockerfile /"})
		wantFailure(t, s.build(c, open, nil), contract.NotFound, host+"/nothing:1", "does not exist in registry "+host, "build.dockerfile")

		c, open = s.built("alpha", "good", map[string]string{"Dockerfile": "FROM " + host + "/pulled:1\nCOPY Dockerfile /"})
		must(t, s.build(c, open, nil))
		if _, err := s.api.ImageRemove(t.Context(), host+"/pulled:1", image.RemoveOptions{}); err != nil {
			t.Log("the base image was not tagged:", err)
		}
	})
}

func TestContextThatFailsWhileItIsSentIsTheCause(t *testing.T) {
	eachBuilder(t, func(t *testing.T, s *service) {
		c, _ := s.built("alpha", "bad", map[string]string{"Dockerfile": "FROM $BOX"})
		cause := contract.Fail(contract.InvalidInput, "data changes while it is read")
		err := s.build(c, func() (io.ReadCloser, error) {
			reader, writer := io.Pipe()
			go func() { writer.CloseWithError(cause) }()
			return reader, nil
		}, nil)
		wantFailure(t, err, contract.InvalidInput, "data changes while it is read")
	})
}

func TestRepositoryThatCannotBeFetched(t *testing.T) {
	eachBuilder(t, func(t *testing.T, s *service) {
		c, _ := s.built("alpha", "bad", nil)
		c.Build.Context = "https://repository.invalid/app.git#main"
		wantFailure(t, s.build(c, nil, nil), contract.Unavailable, "cannot fetch the build context https://repository.invalid/app.git#main",
			"git ls-remote https://repository.invalid/app.git`", "build.context")
	})
}

func TestEngineFetchesAGitRepository(t *testing.T) {
	eachBuilder(t, func(t *testing.T, s *service) {
		repository := git.Serve(t)
		repository.Commit("one", map[string]string{"deploy/Dockerfile": "FROM " + boxImage + "\nENV FROM_GIT=yes"})
		url := repository.URL
		c, _ := s.built("alpha", "git", nil)
		c.Build.Context = url + "#main:deploy"
		must(t, s.build(c, nil, nil))
		found, err := s.api.ImageInspect(t.Context(), c.Image)
		must(t, err)
		if !slices.Contains(found.Config.Env, "FROM_GIT=yes") {
			t.Errorf("environment %q", found.Config.Env)
		}
		c.Image += "-other"
		c.Build.Context = url + "#nowhere"
		wantFailure(t, s.build(c, nil, nil), contract.NotFound, "cannot fetch the build context "+url+"#nowhere", "git ls-remote", "build.context")
		c.Build.Context, c.Build.Dockerfile = url+"#main:deploy", "Other"
		wantFailure(t, s.build(c, nil, nil), contract.InvalidInput, "has no Other", "build.dockerfile")
	})
}

// A build that is interrupted ends at once, and leaves neither image nor container.
func TestInterruptedBuildLeavesNothing(t *testing.T) {
	eachBuilder(t, func(t *testing.T, s *service) {
		c, open := s.built("alpha", "hung", map[string]string{"Dockerfile": "FROM $BOX\nLABEL test=" + s.ref.Service + "\nRUN [\"/box\"]"})
		ctx, cancel := context.WithCancel(t.Context())
		err := s.e.Build(ctx, s.componentCall(c), open, func(format string, args ...any) {
			if strings.Contains(sprintf(format, args...), "RUN") {
				cancel()
			}
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		s.removeLayers()
		if left := s.images(); len(left) > 0 {
			t.Errorf("images %q", left)
		}
	})
}

// withoutSessions is an engine whose BuildKit cannot be reached.
type withoutSessions struct{ dockerAPI }

func (withoutSessions) DialHijack(context.Context, string, string, map[string][]string) (net.Conn, error) {
	return nil, errors.New("unexpected upgrade")
}

func TestClassicBuilderTakesOverWhereNoSessionCanBeOpened(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.e.api = withoutSessions{s.e.api}
	c, open := s.built("alpha", "one", map[string]string{"Dockerfile": "FROM $BOX\nENV A=b"})
	var told []string
	must(t, s.build(c, open, func(format string, args ...any) { told = append(told, sprintf(format, args...)) }))
	if !slices.ContainsFunc(told, func(line string) bool { return strings.Contains(line, "Step 2/") }) {
		t.Errorf("not built by the classic builder: %q", told)
	}
}

// What the engines of this machine do not say, newer ones and full disks do.
func TestCausesInTheWordsOfOtherEngines(t *testing.T) {
	t.Parallel()
	c := contract.Component{Name: "app", Image: "orch.local/app:1", Build: &contract.Build{Context: "/src", Dockerfile: "deploy/Dockerfile"}}
	for message, want := range map[string]struct {
		class contract.ErrorClass
		words []string
	}{
		`failed to solve: dockerfile parse error on line 4: unknown instruction: RUNN (did you mean RUN?)`: {
			contract.InvalidInput, []string{"deploy/Dockerfile has an error in line 4: unknown instruction: RUNN", "build.dockerfile"}},
		`failed to solve: process "/bin/sh -c make all" did not complete successfully: exit code: 2`: {
			contract.InvalidInput, []string{"command `/bin/sh -c make all` of deploy/Dockerfile ended with exit code 2"}},
		`The command '/bin/sh -c exit 3' returned a non-zero code: 3`: {contract.InvalidInput, []string{"`/bin/sh -c exit 3`", "exit code 3"}},
		`failed to compute cache key: failed to calculate checksum of ref moby::abc: "/app": not found`: {
			contract.InvalidInput, []string{"copies /app, which is not in the build context", "build.context"}},
		`failed to solve: failed to calculate checksum of ref abc::def: "/go.sum": not found`: {contract.InvalidInput, []string{"copies /go.sum"}},
		`target stage "prod" could not be found`:                                              {contract.InvalidInput, []string{"has no stage prod", "build.target"}},
		`the --chmod option requires BuildKit. Refer to the documentation`:                    {contract.InvalidInput, []string{"needs BuildKit", "classic builder"}},
		`failed to copy: write /var/lib/docker/tmp/x: no space left on device`:                {contract.Unavailable, []string{"disk is full", "docker system df"}},
		`pull access denied for team/base, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`: {
			contract.NotFound, []string{"base image team/base does not exist in registry docker.io", "build.dockerfile"}},
		`failed to solve: registry.example.com/base:1: failed to resolve source metadata for registry.example.com/base:1: failed to authorize: 401 Unauthorized`: {
			contract.Denied, []string{"base image registry.example.com/base:1 cannot be pulled", "docker login"}},
		`failed to solve: rpc error: code = Canceled desc = context canceled`: {contract.Unavailable, []string{"was not built to the end"}},
		`toomanyrequests: You have reached your pull rate limit: failed to resolve source metadata for docker.io/library/golang:1`: {
			contract.Unavailable, []string{"base image docker.io/library/golang:1", "limits pulls"}},
	} {
		b := &imageBuild{call: contract.ComponentCall{Component: c}, open: func() (io.ReadCloser, error) { return nil, nil }}
		failure := b.explain(message, []string{"the log"})
		if failure == nil {
			t.Errorf("no cause for %q", message)
			continue
		}
		wantFailure(t, failure, want.class, append(want.words, "the log")...)
	}
}

// content lists the files that an image has in a folder.
func (s *service) content(ref, dir string) []string {
	s.t.Helper()
	made, err := s.api.ContainerCreate(s.t.Context(), &container.Config{Image: ref}, nil, nil, nil, s.ref.Network()+"-look")
	must(s.t, err)
	defer func() {
		must(s.t, s.api.ContainerRemove(context.Background(), made.ID, container.RemoveOptions{Force: true}))
	}()
	stream, _, err := s.api.CopyFromContainer(s.t.Context(), made.ID, dir)
	must(s.t, err)
	defer stream.Close()
	var names []string
	for reader := tar.NewReader(stream); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			slices.Sort(names)
			return names
		}
		must(s.t, err)
		if header.Typeflag == tar.TypeReg {
			names = append(names, header.Name)
		}
	}
}

func TestIgnoredFilesAreNotInTheImage(t *testing.T) {
	eachBuilder(t, func(t *testing.T, s *service) {
		c, open := s.built("alpha", "ignore", map[string]string{
			"sub/Dockerfile": "FROM $BOX\nCOPY . /context/", ".dockerignore": ".dockerignore\n*.log", "a.log": "", "a.txt": "",
		})
		c.Build.Dockerfile = "./sub/Dockerfile"
		must(t, s.build(c, open, nil))
		if names := s.content(c.Image, "/context"); !slices.Equal(names, []string{"context/a.txt", "context/sub/Dockerfile"}) {
			t.Errorf("the image has %q", names)
		}
		c, open = s.built("alpha", "hidden", map[string]string{"Dockerfile": "FROM $BOX\nCOPY . /context/", ".dockerignore": "*\n!a.txt", "a.txt": ""})
		must(t, s.build(c, open, nil))
		want := []string{"context/a.txt"}
		if _, classic := s.e.api.(classicOnly); !classic {
			// BuildKit copies what it was sent, and it has to be sent these.
			want = []string{"context/.dockerignore", "context/Dockerfile", "context/a.txt"}
		}
		if names := s.content(c.Image, "/context"); !slices.Equal(names, want) {
			t.Errorf("the image has %q", names)
		}
	})
}

func TestImagesLiveAsLongAsTheyAreNeeded(t *testing.T) {
	t.Parallel()
	s := newService(t)
	version := func(tag string) contract.Component {
		c, open := s.built("alpha", tag, map[string]string{"Dockerfile": "FROM $BOX\nENV VERSION=" + tag})
		must(t, s.build(c, open, nil))
		return c
	}
	first := version("one")
	s.up(first)

	// A failed update takes back what it built, and nothing else.
	s.run = "run-2"
	second := version("two")
	if _, err := s.ensure(second); err != nil {
		must(t, err)
	}
	if got := s.images(); len(got) != 2 {
		t.Fatalf("images %q before the rollback: the old one is needed for it", got)
	}
	undone, err := s.e.Restore(t.Context(), s.componentCall(second))
	must(t, err)
	if !slices.Contains(undone.Done, "removed image "+second.Image) || !slices.Equal(s.images(), []string{first.Image}) {
		t.Errorf("undone %q, images %q", undone.Done, s.images())
	}
	s.noDrift(first)

	// One that succeeds removes the old image with its commit, unless somebody uses it.
	s.run = "run-3"
	guest, err := s.api.ContainerCreate(t.Context(), &container.Config{Image: first.Image}, nil, nil, nil, s.ref.Network()+"-guest")
	must(t, err)
	remove := func() {
		must(t, s.api.ContainerRemove(context.Background(), guest.ID, container.RemoveOptions{Force: true}))
	}
	third := version("three")
	s.up(third)
	if got := s.images(); len(got) != 2 {
		t.Errorf("images %q while a stranger uses the old one", got)
	}
	if observed := s.observe(third); len(observed.Components) != 1 {
		t.Errorf("a stranger's container of the image passes for the service's: %+v", observed.Components)
	}
	removed, err := s.e.Remove(t.Context(), s.call(), nil)
	must(t, err)
	if !slices.Equal(removed.Images, []string{third.Image}) || len(removed.KeptImages) != 1 ||
		!strings.Contains(removed.KeptImages[0], first.Image+", used by container "+s.ref.Network()+"-guest") {
		t.Errorf("removed %q, kept %q", removed.Images, removed.KeptImages)
	}
	remove()
	removed, err = s.e.Remove(t.Context(), s.call(), nil)
	must(t, err)
	if !slices.Equal(removed.Images, []string{first.Image}) || len(s.images()) > 0 {
		t.Errorf("removed %q, left %q", removed.Images, s.images())
	}
}

// A second attempt takes the tag from what an attempt that nobody waits for any more has built.
func TestUntaggedImagesAreRemoved(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c, open := s.built("alpha", "lost", map[string]string{"Dockerfile": "FROM $BOX\nENV LOST=yes"})
	must(t, s.build(c, open, nil))
	must(t, s.api.ImageTag(t.Context(), boxImage, c.Image))
	t.Cleanup(func() { untag(s, c.Image) })
	removed, err := s.e.Remove(t.Context(), s.call(), nil)
	must(t, err)
	if len(removed.Images) != 1 || !strings.HasPrefix(removed.Images[0], "sha256:") || len(s.images()) > 0 {
		t.Errorf("removed %q, left %q", removed.Images, s.images())
	}
	if _, err := s.api.ImageInspect(t.Context(), c.Image); err != nil {
		t.Errorf("somebody else's image of that tag: %v", err)
	}
}

func TestTagOfSomebodyElseIsNotTaken(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c, open := s.built("alpha", "theirs", map[string]string{"Dockerfile": "FROM $BOX"})
	must(t, s.api.ImageTag(t.Context(), boxImage, c.Image))
	t.Cleanup(func() { untag(s, c.Image) })
	wantFailure(t, s.build(c, open, nil), contract.NotOwned, c.Image, "docker image rm")
}

func TestImageThatWasRemovedIsNotPulled(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c, _ := s.built("alpha", "gone", nil)
	_, err := s.e.Prepare(t.Context(), s.call(c), nil)
	must(t, err)
	_, err = s.ensure(c)
	wantFailure(t, err, contract.NotFound, c.Image, "which was built for alpha", "apply again")
}
