package devenv

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
)

// Images names the images of a logs pipeline.
type Images struct {
	Collector string `json:"collector"`
	Loki      string `json:"loki"`
	Grafana   string `json:"grafana"`
}

// Sets of images that a logs pipeline can run on.
var (
	// Upstream are the default images, from their registry.
	Upstream = Images{catalog.CollectorImage, catalog.LokiImage, catalog.GrafanaImage}
	// Local are the real Collector and Loki, built here from source. Grafana's source is not to be had that way: a
	// strict double stands in for it.
	Local = Images{"orch.local/opentelemetry-collector-contrib:0.149.0", "orch.local/loki:3.7.8", "orch.local/doubles/grafana:12.4.15"}
	// Doubles are strict stand-ins for all three.
	Doubles = Images{"orch.local/doubles/collector:1", "orch.local/doubles/loki:1", "orch.local/doubles/grafana:12.4.15"}
)

// All lists the images.
func (i Images) All() []string { return []string{i.Collector, i.Loki, i.Grafana} }

// Missing lists those images that are not on the engine.
func (i Images) Missing(ctx context.Context) ([]string, error) {
	args := []string{"image", "inspect", "--format={{.Id}}"}
	if _, err := Docker(ctx, append(args, i.All()...)...); err == nil {
		return nil, nil
	}
	var missing []string
	for _, image := range i.All() {
		_, err := Docker(ctx, append(args, image)...)
		switch {
		case err == nil:
		case strings.Contains(strings.ToLower(err.Error()), "no such image"):
			missing = append(missing, image)
		default:
			return nil, err
		}
	}
	return missing, nil
}

// Build builds a set of local images with test/images/build.sh; images that are up to date are left alone.
func (r Repo) Build(ctx context.Context, out io.Writer, set string) error {
	cmd := exec.CommandContext(ctx, r.Path("test", "images", "build.sh"), set)
	cmd.Dir = string(r)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Cancel = func() error { return cmd.Process.Signal(terminate) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build the %s images: %w; again: test/images/build.sh %s", set, err, set)
	}
	return nil
}

// UnreachableError says that a registry did not begin to deliver an image.
type UnreachableError struct {
	Image  string
	Reason string
}

// Error names the image and the reason.
func (e *UnreachableError) Error() string { return e.Image + " cannot be pulled: " + e.Reason }

// Pull pulls an image with visible progress. The engine itself is asked, because its way to a registry (proxy, mirror, other
// host) may not be this program's. When nothing is being delivered after patience, or the pull fails, the error is an
// *UnreachableError.
func Pull(ctx context.Context, out io.Writer, image string, patience time.Duration) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	impatient := fmt.Errorf("no answer from the registry within %s", patience)
	timer := time.AfterFunc(patience, func() { cancel(impatient) })
	defer timer.Stop()

	cmd := dockerCommand(ctx, "pull", image)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("docker pull: %w", err)
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		// The first line, "<tag>: Pulling from <repository>", comes when the registry has sent the manifest.
		timer.Stop()
		if _, err := fmt.Fprintln(out, lines.Text()); err != nil {
			return err
		}
	}
	err = errors.Join(lines.Err(), cmd.Wait())
	switch {
	case err == nil:
		return nil
	case errors.Is(context.Cause(ctx), impatient):
		return &UnreachableError{image, impatient.Error()}
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return &UnreachableError{image, firstLine(strings.TrimPrefix(stderr.String(), "Error response from daemon: "))}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}
