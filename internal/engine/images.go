package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

func imageLabels(call contract.ComponentCall) map[string]string {
	return map[string]string{
		contract.LabelImageOf: call.Ref.ID(), contract.LabelImageComponent: call.Component.Name,
		contract.LabelImageTag: call.Component.Image, contract.LabelImageRunID: call.RunID,
	}
}

// builtImages lists the images that were built for r. An image that somebody else has built upon one of them inherits its
// labels, but has only tags of its own.
func (e *Engine) builtImages(ctx context.Context, r contract.Ref) ([]image.Summary, error) {
	list, err := e.api.ImageList(ctx, image.ListOptions{Filters: filters.NewArgs(filters.Arg("label", contract.LabelImageOf+"="+r.ID()))})
	if err != nil {
		return nil, e.fail(ctx, err, "list the images of %s", r.ID())
	}
	return slices.DeleteFunc(list, func(i image.Summary) bool {
		return tagged(i) && !slices.Contains(i.RepoTags, i.Labels[contract.LabelImageTag])
	}), nil
}

// tagged reports whether an image has a name; the engine lists one without as "<none>:<none>".
func tagged(i image.Summary) bool {
	return slices.ContainsFunc(i.RepoTags, func(tag string) bool { return !strings.HasPrefix(tag, "<none>") })
}

// removeImages removes those of r's built images that are chosen. What a container uses stays, and is told with the
// container's name.
func (e *Engine) removeImages(ctx context.Context, r contract.Ref, chosen func(image.Summary) bool) (removed, kept []string, err error) {
	images, err := e.builtImages(ctx, r)
	if err != nil || !slices.ContainsFunc(images, chosen) {
		return nil, nil, err
	}
	users, err := e.usersOfImages(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, i := range images {
		if !chosen(i) {
			continue
		}
		name := i.ID
		if tagged(i) {
			name = i.Labels[contract.LabelImageTag]
		}
		if user := users[i.ID]; user != "" {
			kept = append(kept, fmt.Sprintf("%s, used by container %s", name, user))
			continue
		}
		_, err := e.api.ImageRemove(ctx, name, image.RemoveOptions{PruneChildren: true})
		switch {
		case err == nil:
			e.log.Info("removed image", "image", name)
			removed = append(removed, name)
		case errdefs.IsNotFound(err):
		case errdefs.IsConflict(err):
			kept = append(kept, fmt.Sprintf("%s: %s", name, oneLine(err)))
		default:
			return removed, kept, e.fail(ctx, err, "remove image %s", name)
		}
	}
	slices.Sort(removed)
	slices.Sort(kept)
	return removed, kept, nil
}

// usersOfImages are the names of containers by the ID of the image that they were made from.
func (e *Engine) usersOfImages(ctx context.Context) (map[string]string, error) {
	all, err := e.api.ContainerList(ctx, container.ListOptions{All: true})
	if err != nil {
		return nil, e.fail(ctx, err, "list containers")
	}
	users := map[string]string{}
	for _, s := range all {
		users[s.ImageID] = nameOf(s)
	}
	return users, nil
}

// removeRunImages removes the image that a run has built for a component.
func (e *Engine) removeRunImages(ctx context.Context, call contract.ComponentCall) ([]string, error) {
	removed, _, err := e.removeImages(ctx, call.Ref, func(i image.Summary) bool {
		return i.Labels[contract.LabelImageRunID] == call.RunID && i.Labels[contract.LabelImageComponent] == call.Component.Name
	})
	for i := range removed {
		removed[i] = "removed image " + removed[i]
	}
	return removed, err
}

// removeOldImages removes the service's built images that no component of the stack runs any more.
func (e *Engine) removeOldImages(ctx context.Context, s contract.Stack) error {
	_, kept, err := e.removeImages(ctx, s.Ref, func(i image.Summary) bool {
		return !slices.ContainsFunc(s.Components, func(c contract.Component) bool { return slices.Contains(i.RepoTags, c.Image) })
	})
	for _, phrase := range kept {
		e.log.Info("kept an image of an older version", "image", phrase)
	}
	return err
}

// proveImagesGone lists once more: a build whose answer was lost may have ended after the first look.
func (e *Engine) proveImagesGone(ctx context.Context, r contract.Ref, kept int) error {
	left, err := e.builtImages(ctx, r)
	if err != nil || len(left) <= kept {
		return err
	}
	return contract.Fail(contract.Unavailable, "still on the Docker Engine: %d images that were built for %s", len(left)-kept, r.ID())
}
