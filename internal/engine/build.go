package engine

import (
	"cmp"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path"

	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/api/types/versions"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// Source opens the tar of a build context. It is called once for each builder that is tried, and not at all when the image is
// there already.
type Source func() (io.ReadCloser, error)

// unsuitable is the failure of a builder where another one may succeed.
type unsuitable struct{ error }

func (u *unsuitable) Unwrap() error { return u.error }

// imageBuild is one Build at work.
type imageBuild struct {
	*Engine
	call     contract.ComponentCall
	open     Source
	progress Progress
}

// Build makes the image of a component, unless the engine has it: the tag names the content. It uses BuildKit where the engine
// has it, else the classic builder. A nil source lets the engine fetch the context, which is the URL of a Git repository.
// Progress tells each step of the Dockerfile. A failure carries the last lines of the build's log.
func (e *Engine) Build(ctx context.Context, call contract.ComponentCall, open Source, progress Progress) error {
	if _, err := e.check(ctx, call.EngineID); err != nil {
		return err
	}
	c := call.Component
	found, err := e.localImage(ctx, c.Image)
	if err != nil {
		return err
	}
	if found != nil {
		var labels map[string]string
		if found.Config != nil {
			labels = found.Config.Labels
		}
		if labels[contract.LabelImageOf] != call.Ref.ID() {
			failure := notOwned("image", c.Image, "ID "+found.ID, labels)
			failure.Hint = "remove the tag (`docker image rm " + c.Image + "`), or choose another service_name or scope"
			return failure
		}
		progress.tell("image %s is built already", c.Image)
		return nil
	}
	builders, err := e.builders(ctx)
	if err != nil {
		return err
	}
	b := &imageBuild{Engine: e, call: call, open: open, progress: progress}
	for i, version := range builders {
		err = b.run(ctx, version)
		var other *unsuitable
		if i == len(builders)-1 || !errors.As(err, &other) {
			break
		}
		e.log.Info("BuildKit cannot build this, trying the classic builder", "image", c.Image, "error", err)
	}
	if err == nil {
		e.log.Info("built image", "image", c.Image)
	}
	return err
}

// builders are the ones to try. Engines before 23.0 have BuildKit and do not announce it. DOCKER_BUILDKIT=0 in the worker's
// environment means the same as for the docker command.
func (e *Engine) builders(ctx context.Context) ([]build.BuilderVersion, error) {
	ping, err := e.api.Ping(ctx)
	if err != nil {
		return nil, e.fail(ctx, err, "ask the Docker Engine for its builder")
	}
	has := ping.BuilderVersion == build.BuilderBuildKit ||
		ping.OSType == "linux" && versions.GreaterThanOrEqualTo(ping.APIVersion, "1.39")
	if !has || os.Getenv("DOCKER_BUILDKIT") == "0" {
		return []build.BuilderVersion{build.BuilderV1}, nil
	}
	return []build.BuilderVersion{build.BuilderBuildKit, build.BuilderV1}, nil
}

// run builds with one builder.
func (b *imageBuild) run(ctx context.Context, version build.BuilderVersion) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	options := b.options(version)
	b.progress.tell("building image %s", b.call.Component.Image)
	if version == build.BuilderBuildKit {
		session, err := b.openSession(ctx)
		if err != nil {
			return err
		}
		defer session.close()
		options.SessionID = session.ID()
	}
	// A nil reader is not the same as none.
	var body io.Reader
	source := &sourceReader{}
	if b.open != nil {
		stream, err := b.open()
		if err != nil {
			return err
		}
		defer stream.Close() //nolint:errcheck // reading it is all that can fail
		source.stream = stream
		body = source
	}
	response, err := b.api.ImageBuild(ctx, body, options)
	// What the context itself says is wrong explains everything that follows from it.
	if known := contract.AsFailure(source.failed()); known != nil {
		if err == nil {
			_ = response.Body.Close()
		}
		return known
	}
	log := newBuildLog(b.progress, b.call)
	if err != nil {
		return b.failed(ctx, err, log)
	}
	message, err := log.read(response.Body)
	_ = response.Body.Close()
	if known := contract.AsFailure(source.failed()); known != nil {
		return known
	}
	switch {
	case err != nil:
		return b.fail(ctx, err, "build image %s", b.call.Component.Image)
	case message != "" && ctx.Err() == nil:
		err := b.refused(message, log)
		if version == build.BuilderBuildKit && onlyClassic.MatchString(message) {
			return &unsuitable{err}
		}
		return err
	default:
		return ctx.Err()
	}
}

func (b *imageBuild) options(version build.BuilderVersion) build.ImageBuildOptions {
	c := b.call.Component
	options := build.ImageBuildOptions{
		Tags: []string{c.Image}, Dockerfile: dockerfile(c), Target: c.Build.Target, Labels: imageLabels(b.call),
		BuildArgs: map[string]*string{}, AuthConfigs: logins(dockerConfig()), Version: version, Remove: true, ForceRemove: true,
	}
	for name, value := range maps.All(c.Build.Args) {
		options.BuildArgs[name] = &value
	}
	if b.open == nil {
		options.RemoteContext = c.Build.Context
	}
	return options
}

// failed explains why a build did not begin. What is wrong with the Dockerfile may show here, too.
func (b *imageBuild) failed(ctx context.Context, err error, log *buildLog) error {
	failure := contract.AsFailure(b.fail(ctx, err, "build image %s", b.call.Component.Image))
	if failure == nil || ctx.Err() != nil {
		return b.fail(ctx, err, "build image %s", b.call.Component.Image)
	}
	if explained := b.explain(oneLine(err), log.lines()); explained != nil {
		return explained
	}
	return failure
}

// refused is the failure of a build that the engine gave up.
func (b *imageBuild) refused(message string, log *buildLog) error {
	c := b.call.Component
	if failure := b.explain(message, log.lines()); failure != nil {
		return failure
	}
	return contract.Fail(contract.InvalidInput, "image %s cannot be built: %s", c.Image, message).On(attribute(c, "build.dockerfile")).Next("the last lines of the build's log say more").With(&contract.Evidence{Logs: log.lines()})
}

// dockerfile is the path of the component's Dockerfile within the context.
func dockerfile(c contract.Component) string {
	return path.Clean(cmp.Or(c.Build.Dockerfile, "Dockerfile"))
}
