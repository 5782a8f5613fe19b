package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/demo/devenv"
)

// Values of -images.
const (
	imagesAuto     = "auto"
	imagesUpstream = "upstream"
	imagesLocal    = "local"
	// imagesOwn is what the variables of the example say, when the user has set them.
	imagesOwn = "own"
)

// chosen is which set of images a demo runs on. It is kept, so that the next run does not ask the registry again and a
// running demo keeps its images.
type chosen struct {
	Set string `json:"images"`
}

// images are those of a set that the scenario needs.
func (s scenario) images(set string) devenv.Images {
	if set == imagesLocal {
		return devenv.Local.Of(s.components...)
	}
	return devenv.Upstream.Of(s.components...)
}

// How long a registry may take to begin with an image: with local images at hand nobody wants to wait for it.
const (
	patience      = 5 * time.Second
	shortPatience = time.Second
)

func (d *demo) choicePath() string { return filepath.Join(d.dir, "images.json") }

// choice is the kept choice; the zero value when there is none.
func (d *demo) choice() (chosen, error) {
	var c chosen
	data, err := os.ReadFile(d.choicePath())
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("read the choice of images: %w", err)
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("read the choice of images: %s: %w", d.choicePath(), err)
	}
	return c, nil
}

func (d *demo) keepChoice(c chosen) error {
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := os.WriteFile(d.choicePath(), data, 0o600); err != nil {
		return fmt.Errorf("keep the choice of images: %w", err)
	}
	return nil
}

// getImages makes sure that a set of images is on the engine, and returns which.
func (d *demo) getImages(ctx context.Context, want string) (chosen, error) {
	switch want {
	case imagesUpstream:
		if err := d.pull(ctx, patience); err != nil {
			return chosen{}, fmt.Errorf("%w\nto run on local images: go run ./test/demo up%s -images local", err, d.flag())
		}
		return chosen{imagesUpstream}, nil
	case imagesLocal:
		return chosen{imagesLocal}, d.build(ctx)
	case imagesAuto:
	default:
		return chosen{}, fmt.Errorf("-images %s: it takes auto, upstream or local", want)
	}
	if d.ownImages() {
		return chosen{imagesOwn}, nil
	}
	kept, err := d.choice()
	if err != nil {
		return chosen{}, err
	}
	if kept.Set == imagesLocal || kept.Set == imagesUpstream {
		missing, err := d.images(kept.Set).Missing(ctx)
		if err != nil || len(missing) == 0 {
			return kept, err
		}
	}
	wait := patience
	if missing, err := d.images(imagesLocal).Missing(ctx); err != nil {
		return chosen{}, err
	} else if len(missing) == 0 {
		wait = shortPatience
	}
	err = d.pull(ctx, wait)
	var unreachable *devenv.UnreachableError
	if errors.As(err, &unreachable) {
		say("no registry: %v", unreachable)
		say("using local images instead")
		return chosen{imagesLocal}, d.build(ctx)
	}
	return chosen{imagesUpstream}, err
}

// pull pulls what is missing of the upstream images.
func (d *demo) pull(ctx context.Context, wait time.Duration) error {
	missing, err := d.images(imagesUpstream).Missing(ctx)
	if err != nil {
		return err
	}
	for _, image := range missing {
		say("pulling %s", image)
		if err := devenv.Pull(ctx, stream(), image, wait); err != nil {
			return err
		}
	}
	return nil
}

// build builds what is missing of the local images.
func (d *demo) build(ctx context.Context) error {
	missing, err := d.images(imagesLocal).Missing(ctx)
	if err != nil || len(missing) == 0 {
		return err
	}
	say("building them; %s", d.patience)
	return d.repo.Build(ctx, stream(), d.images(imagesLocal).Builds()...)
}

// titles are the components' names for people.
var titles = map[string]string{
	catalog.CollectorName: "Collector", catalog.LokiName: "Loki", catalog.PrometheusName: "Prometheus", catalog.JaegerName: "Jaeger",
	catalog.GrafanaName: "Grafana",
}

// describe says which images are used. What is a double is called one.
func (s scenario) describe(c chosen) {
	if c.Set == imagesOwn {
		say("as your TF_VAR_ variables say; the worker pulls what is missing")
		return
	}
	images := s.images(c.Set)
	if c.Set == imagesUpstream {
		say("upstream: %s", strings.Join(images.All(), ", "))
		return
	}
	table(func(w *tabwriter.Writer) {
		for _, name := range s.components {
			origin := "the real one, built here from source"
			if devenv.IsDouble(images[name]) {
				origin = "a DOUBLE: a strict stand-in without a user interface, because it cannot be built from source here"
			}
			row(w, titles[name]+":", images[name], origin)
		}
	})
	say("where a registry can be reached, `go run ./test/demo up%s -images upstream` runs the real ones", s.flag())
}

// flag is what tells the scenario apart on the command line.
func (s scenario) flag() string {
	if s.target == fullScenarioTarget {
		return " -full"
	}
	return ""
}

// imageVariables are the variables of the examples that name images, by component.
var imageVariables = map[string]string{
	catalog.CollectorName: "TF_VAR_collector_image", catalog.LokiName: "TF_VAR_loki_image", catalog.GrafanaName: "TF_VAR_grafana_image",
	catalog.PrometheusName: "TF_VAR_prometheus_image", catalog.JaegerName: "TF_VAR_jaeger_image",
}

// variables are the input variables of the example for these images; what the user has set stays.
func (s scenario) variables(c chosen) []string {
	if c.Set != imagesLocal {
		return nil
	}
	var env []string
	for _, component := range s.components {
		if name := imageVariables[component]; os.Getenv(name) == "" {
			env = append(env, name+"="+devenv.Local[component])
		}
	}
	return env
}

// ownImages is true when the user's variables leave no image to choose.
func (s scenario) ownImages() bool {
	if os.Getenv("TF_VAR_registry_mirror") != "" {
		return true
	}
	return !slices.ContainsFunc(s.components, func(component string) bool { return os.Getenv(imageVariables[component]) == "" })
}
