package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/demo/devenv"
)

// options are the command line's.
type options struct {
	rounds int
	warmUp int
	only   []string
	// kinds are the pipelines that are measured, one after the other.
	kinds  []string
	images devenv.Images
	set    string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// names of the contestants, as -only takes them.
const (
	nameOrch    = "orch"
	nameVerify  = "verify"
	nameCompose = "compose"
	nameDirect  = "direct"
	nameEmpty   = "empty"
)

// imageSets are the values of -images.
var imageSets = map[string]devenv.Images{"real": devenv.Local, "doubles": devenv.Doubles, "upstream": devenv.Upstream}

func parse(args []string, out io.Writer) (options, error) {
	o := options{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.IntVar(&o.rounds, "n", 7, "measured `rounds`; in each round every contestant has its turn")
	flags.IntVar(&o.warmUp, "warmup", 1, "`rounds` before that are not counted")
	only := flags.String("only", "", "comma-separated contestants instead of all: orch, verify, compose, direct, empty")
	kinds := flags.String("pipelines", "", "comma-separated pipelines instead of all: "+strings.Join(kindNames(), ", "))
	flags.StringVar(&o.set, "images", "real", "real: built from source, doubles where that is not possible; doubles: strict stand-ins; upstream: pulled")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unknown argument %q", flags.Arg(0))
	}
	if o.rounds < 1 || o.warmUp < 0 {
		return o, errors.New("-n takes 1 or more, -warmup 0 or more")
	}
	var ok bool
	if o.images, ok = imageSets[o.set]; !ok {
		return o, fmt.Errorf("-images %s: it takes real, doubles or upstream", o.set)
	}
	var err error
	if o.only, err = choose("only", "contestant", *only, []string{nameOrch, nameVerify, nameCompose, nameDirect, nameEmpty}); err != nil {
		return o, err
	}
	if o.kinds, err = choose("pipelines", "pipeline", *kinds, kindNames()); err != nil {
		return o, err
	}
	return o, o.narrow()
}

// choose reads a comma-separated choice; an empty one is all.
func choose(flag, what, chosen string, all []string) ([]string, error) {
	if chosen == "" {
		return all, nil
	}
	names := strings.Split(chosen, ",")
	for _, name := range names {
		if !slices.Contains(all, name) {
			return nil, fmt.Errorf("-%s %s: there is no %s %q; they are %s", flag, chosen, what, name, strings.Join(all, ", "))
		}
	}
	return names, nil
}

// narrow leaves out the images of components that no chosen pipeline has.
func (o *options) narrow() error {
	var names []string
	for _, kind := range o.kinds {
		all, err := components(kind)
		if err != nil {
			return err
		}
		for _, c := range all {
			names = append(names, c.Name)
		}
	}
	o.images = o.images.Of(names...)
	return nil
}

func run(ctx context.Context, args []string) (err error) {
	o, err := parse(args, os.Stderr)
	if err != nil {
		return err
	}
	repo, err := devenv.FindRepo()
	if err != nil {
		return err
	}
	if err := getImages(ctx, repo, o); err != nil {
		return err
	}
	a, err := newArena(ctx, repo)
	defer func() { err = errors.Join(err, a.cleanUp()) }()
	if err != nil {
		return err
	}
	if load, cores, busy := busyMachine(); busy {
		say("this machine is busy (load %.1f on %d cores): expect a wide spread", load, cores)
	}
	for _, kind := range o.kinds {
		if err := compare(ctx, a, o, kind); err != nil {
			if ctx.Err() != nil {
				return errors.New("interrupted; what was running is removed again")
			}
			return fmt.Errorf("%s pipeline: %w", kind, err)
		}
	}
	return nil
}

// compare measures all contestants on one pipeline and prints its tables.
func compare(ctx context.Context, a *arena, o options, kind string) error {
	say("%s pipeline", kind)
	all, err := a.contestants(ctx, kind, o)
	if err != nil {
		return err
	}
	measured, err := measure(ctx, all, o.rounds, o.warmUp)
	if err != nil {
		return err
	}
	return report(os.Stdout, o, kind, all, measured)
}

// getImages puts all images on the engine before anything is measured.
func getImages(ctx context.Context, repo devenv.Repo, o options) error {
	missing, err := o.images.Missing(ctx)
	if err != nil || len(missing) == 0 {
		return err
	}
	if sets := o.images.Builds(); len(sets) > 0 {
		return repo.Build(ctx, os.Stdout, sets...)
	}
	for _, image := range missing {
		if err := devenv.Pull(ctx, os.Stdout, image, pullPatience); err != nil {
			return err
		}
	}
	return nil
}

func say(format string, args ...any) { fmt.Printf("bench: "+format+"\n", args...) }
