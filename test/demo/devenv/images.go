package devenv

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
)

// Images names the image of each component, by the component's name.
type Images map[string]string

// Sets of images that pipelines can run on.
var (
	// Upstream are the default images, from their registry.
	Upstream = Images{
		catalog.CollectorName: catalog.CollectorImage, catalog.LokiName: catalog.LokiImage, catalog.GrafanaName: catalog.GrafanaImage,
		catalog.PrometheusName: catalog.PrometheusImage, catalog.JaegerName: catalog.JaegerImage,
		catalog.Neo4jName: catalog.Neo4jImage, catalog.QdrantName: catalog.QdrantImage,
	}
	// Local are the real components, built here from source, where that is possible. The sources of Grafana, Neo4j and
	// Qdrant are not to be had that way: strict doubles stand in for them.
	Local = Images{
		catalog.CollectorName: "orch.local/opentelemetry-collector-contrib:0.149.0", catalog.LokiName: "orch.local/loki:3.7.8",
		catalog.PrometheusName: "orch.local/prometheus:v0.315.0", catalog.JaegerName: "orch.local/jaeger:1.76.0",
		catalog.GrafanaName: Doubles[catalog.GrafanaName], catalog.Neo4jName: Doubles[catalog.Neo4jName], catalog.QdrantName: Doubles[catalog.QdrantName],
	}
	// Doubles are strict stand-ins for all of them.
	Doubles = Images{
		catalog.CollectorName: "orch.local/doubles/collector:1", catalog.LokiName: "orch.local/doubles/loki:1",
		catalog.GrafanaName: "orch.local/doubles/grafana:12.4.15", catalog.PrometheusName: "orch.local/doubles/prometheus:1",
		catalog.JaegerName: "orch.local/doubles/jaeger:1", catalog.Neo4jName: "orch.local/doubles/neo4j:5.26.26",
		catalog.QdrantName: "orch.local/doubles/qdrant:v1.19.0",
	}
)

// IsDouble reports whether an image is a stand-in for the real component.
func IsDouble(image string) bool { return strings.Contains(image, "/doubles/") }

// Of are the images of some components only.
func (i Images) Of(components ...string) Images {
	some := Images{}
	for _, name := range components {
		some[name] = i[name]
	}
	return some
}

// All lists the images, in the order of their components' names.
func (i Images) All() []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(i)) {
		all = append(all, i[name])
	}
	return all
}

// Doubles names the components whose image is a double.
func (i Images) Doubles() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(i)) {
		if IsDouble(i[name]) {
			names = append(names, name)
		}
	}
	return names
}

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

// Builds are the arguments of test/images/build.sh that build these images; there are none for those of a registry.
func (i Images) Builds() []string {
	var names []string
	if len(i.Doubles()) > 0 {
		names = append(names, "doubles")
	}
	for _, name := range slices.Sorted(maps.Keys(i)) {
		if i[name] == Local[name] && !IsDouble(i[name]) {
			names = append(names, strings.TrimPrefix(name, "otel-"))
		}
	}
	return names
}

// Build builds sets of local images with test/images/build.sh; images that are up to date are left alone.
func (r Repo) Build(ctx context.Context, out io.Writer, sets ...string) error {
	cmd := exec.CommandContext(ctx, r.Path("test", "images", "build.sh"), sets...)
	cmd.Dir = string(r)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Cancel = func() error { return cmd.Process.Signal(terminate) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		names := strings.Join(sets, " ")
		return fmt.Errorf("build the images %s: %w; again: test/images/build.sh %s", names, err, names)
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
