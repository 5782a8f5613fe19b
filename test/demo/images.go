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
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/demo/devenv"
)

// Values of -images.
const (
	imagesAuto     = "auto"
	imagesUpstream = "upstream"
	imagesLocal    = "local"
	// imagesOwn is what the variables of examples/demo say, when the user has set them.
	imagesOwn = "own"
)

// chosen is which set of images a demo runs on. It is kept, so that the next run does not ask the registry again and a
// running demo keeps its images.
type chosen struct {
	Set string `json:"images"`
}

func (c chosen) images() devenv.Images {
	if c.Set == imagesLocal {
		return devenv.Local
	}
	return devenv.Upstream
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
			return chosen{}, fmt.Errorf("%w\nto run on local images: go run ./test/demo up -images local", err)
		}
		return chosen{imagesUpstream}, nil
	case imagesLocal:
		return chosen{imagesLocal}, d.build(ctx)
	case imagesAuto:
	default:
		return chosen{}, fmt.Errorf("-images %s: it takes auto, upstream or local", want)
	}
	if ownImages() {
		return chosen{imagesOwn}, nil
	}
	kept, err := d.choice()
	if err != nil {
		return chosen{}, err
	}
	if kept.Set == imagesLocal || kept.Set == imagesUpstream {
		missing, err := kept.images().Missing(ctx)
		if err != nil || len(missing) == 0 {
			return kept, err
		}
	}
	wait := patience
	if missing, err := devenv.Local.Missing(ctx); err != nil {
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
	missing, err := devenv.Upstream.Missing(ctx)
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
	missing, err := devenv.Local.Missing(ctx)
	if err != nil || len(missing) == 0 {
		return err
	}
	say("building them; the real Collector and Loki take about 15 minutes on two cores the first time")
	for _, set := range []string{"doubles", "real"} {
		if err := d.repo.Build(ctx, stream(), set); err != nil {
			return err
		}
	}
	return nil
}

// describe says which images are used. What is a double is called one.
func (c chosen) describe() {
	images := c.images()
	switch c.Set {
	case imagesOwn:
		say("as your TF_VAR_ variables say; the worker pulls what is missing")
		return
	case imagesUpstream:
		say("upstream: %s, %s, %s", images.Collector, images.Loki, images.Grafana)
		return
	}
	say("Collector: %s (the real one, built here from source)", images.Collector)
	say("Loki:      %s (the real one, built here from source)", images.Loki)
	say("Grafana:   %s (a DOUBLE: a strict stand-in without a user interface, because Grafana", images.Grafana)
	say("           cannot be built from source here; where a registry can be reached, `go run ./test/demo up -images upstream` runs the real one)")
}

// variables are the input variables of examples/demo for these images; what the user has set stays.
func (c chosen) variables() []string {
	if c.Set != imagesLocal {
		return nil
	}
	var env []string
	for i, image := range c.images().All() {
		if os.Getenv(imageVariables[i]) == "" {
			env = append(env, imageVariables[i]+"="+image)
		}
	}
	return env
}

// imageVariables are the variables of examples/demo that name images, in the order of devenv.Images.All.
var imageVariables = []string{"TF_VAR_collector_image", "TF_VAR_loki_image", "TF_VAR_grafana_image"}

// ownImages is true when the user's variables leave no image to choose.
func ownImages() bool {
	if os.Getenv("TF_VAR_registry_mirror") != "" {
		return true
	}
	return !slices.ContainsFunc(imageVariables, func(name string) bool { return os.Getenv(name) == "" })
}
