package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/image"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// attribute is the path of one of the component's attributes as the user wrote it, for example "loki.image".
func attribute(c contract.Component, name string) string {
	if c.InputPath == "" {
		return name
	}
	return c.InputPath + "." + name
}

// ensureImage returns what the component's image reference stands for, pulled as the policy says.
func (e *Engine) ensureImage(ctx context.Context, c contract.Component, policy string, progress Progress) (image.InspectResponse, error) {
	found, err := e.api.ImageInspect(ctx, c.Image)
	absent := err != nil && errdefs.IsNotFound(err)
	if err != nil && !absent {
		return found, e.imageFailure(ctx, c, err)
	}
	switch {
	case c.Build != nil && absent:
		return found, contract.Fail(contract.NotFound, "image %s, which was built for %s, is not on the Docker Engine any more", c.Image, c.Name).On(attribute(c, "build")).Next("somebody removed it (`docker image prune`?): apply again, and it is built anew")
	case c.Build != nil:
		return found, nil
	case absent && policy == contract.PullNever:
		return found, contract.Fail(contract.NotFound, "image %s is not on the Docker Engine, and pull_policy is %q", c.Image, policy).On(attribute(c, "image")).Next("%s", "load it (`docker pull "+c.Image+"` or `docker load`), or set pull_policy = \"missing\"")
	case !absent && policy != contract.PullAlways:
		return found, nil
	}
	if err := e.pull(ctx, c, progress); err != nil {
		return found, e.imageFailure(ctx, c, err)
	}
	if found, err = e.api.ImageInspect(ctx, c.Image); err != nil {
		return found, e.imageFailure(ctx, c, err)
	}
	return found, nil
}

// pull fetches the image. The answer is a stream that begins with success and may end in a failure.
func (e *Engine) pull(ctx context.Context, c contract.Component, progress Progress) error {
	e.log.Info("pulling image", "image", c.Image, "component", c.Name)
	return progress.during(ctx, "pulling image "+c.Image, func() error {
		stream, err := e.api.ImagePull(ctx, c.Image, image.PullOptions{RegistryAuth: registryAuth(c.Image)})
		if err != nil {
			return err
		}
		err = readPull(stream, c.Image, progress)
		return anyOf(err, stream.Close())
	})
}

// pullMessage is one line of the stream of a pull.
type pullMessage struct {
	ID       string `json:"id"`
	Status   string `json:"status"`
	Progress struct {
		Current int64 `json:"current"`
		Total   int64 `json:"total"`
	} `json:"progressDetail"`
	Error *struct {
		Message string `json:"message"`
	} `json:"errorDetail"`
}

// readPull reads the stream of a pull to its end and tells the bytes of all layers together.
func readPull(stream io.Reader, ref string, progress Progress) error {
	current, total := map[string]int64{}, map[string]int64{}
	told := time.Now()
	decoder := json.NewDecoder(stream)
	for {
		var message pullMessage
		if err := decoder.Decode(&message); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read the progress of the pull: %w", err)
		}
		if message.Error != nil {
			return errors.New(message.Error.Message)
		}
		if message.Status == "Downloading" && message.Progress.Total > 0 {
			current[message.ID], total[message.ID] = message.Progress.Current, message.Progress.Total
		}
		if len(total) > 0 && time.Since(told) >= progressEvery {
			told = time.Now()
			progress.tell("pulling image %s: %s of %s in %d layers", ref, megabytes(current), megabytes(total), len(total))
		}
	}
}

func megabytes(layers map[string]int64) string {
	var sum int64
	for _, n := range layers {
		sum += n
	}
	return fmt.Sprintf("%.1f MB", float64(sum)/1e6)
}

// imageFailure explains why an image cannot be had.
func (e *Engine) imageFailure(ctx context.Context, c contract.Component, err error) error {
	var failure *contract.StepFailure
	if failed := e.fail(ctx, err, "get image %s", c.Image); !errors.As(failed, &failure) {
		return failed
	}
	if strings.Contains(failure.Cause, "the Docker Engine at ") {
		return failure
	}
	failure.Attribute = attribute(c, "image")
	host := registryHost(c.Image)
	switch failure.Class {
	case contract.NotFound:
		failure.Cause = fmt.Sprintf("image %s does not exist in registry %s, or it needs a login: %s", c.Image, host, oneLine(err))
		failure.Hint = "check the name and tag (`docker pull " + c.Image + "`); a private image needs `docker login` on the worker's host"
	case contract.Unavailable:
		failure.Cause = fmt.Sprintf("image %s cannot be pulled, registry %s is not available: %s", c.Image, host, oneLine(err))
		if failure.Hint == "" {
			failure.Hint = "let the Docker Engine reach the registry, or point `image` or `registry_mirror` to one that it reaches; " +
				"an image that is loaded already needs none"
		}
	}
	return failure
}

// digestOf is the digest that the registry knows the image by, or its ID when it has never been in one.
func digestOf(i image.InspectResponse, ref string) string {
	repository, _, _ := strings.Cut(ref, "@")
	if slash, colon := strings.LastIndex(repository, "/"), strings.LastIndex(repository, ":"); colon > slash {
		repository = repository[:colon]
	}
	first := ""
	for _, known := range i.RepoDigests {
		name, digest, _ := strings.Cut(known, "@")
		if name == repository {
			return digest
		}
		if first == "" {
			first = digest
		}
	}
	if first != "" {
		return first
	}
	return i.ID
}

// registryHost is the host in an image reference; without one it is Docker Hub's.
func registryHost(ref string) string {
	first, rest, found := strings.Cut(ref, "/")
	if found && rest != "" && (strings.ContainsAny(first, ".:") || first == "localhost") {
		return first
	}
	return "docker.io"
}
