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
	nameCompose = "compose"
	nameDirect  = "direct"
	nameEmpty   = "empty"
)

// imageSets are the values of -images and the image sets of build.sh that they need.
var imageSets = map[string]struct {
	images devenv.Images
	build  []string
}{
	"real":    {devenv.Local, []string{"doubles", "real"}},
	"doubles": {devenv.Doubles, []string{"doubles"}},
	// These are pulled.
	"upstream": {devenv.Upstream, nil},
}

func parse(args []string, out io.Writer) (options, error) {
	o := options{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.IntVar(&o.rounds, "n", 7, "measured `rounds`; in each round every contestant has its turn")
	flags.IntVar(&o.warmUp, "warmup", 1, "`rounds` before that are not counted")
	only := flags.String("only", "", "comma-separated contestants instead of all: orch, compose, direct, empty")
	flags.StringVar(&o.set, "images", "real", "real: Collector and Loki built from source, Grafana's double; doubles: strict stand-ins; upstream: pulled")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unknown argument %q", flags.Arg(0))
	}
	if o.rounds < 1 || o.warmUp < 0 {
		return o, errors.New("-n takes 1 or more, -warmup 0 or more")
	}
	set, ok := imageSets[o.set]
	if !ok {
		return o, fmt.Errorf("-images %s: it takes real, doubles or upstream", o.set)
	}
	o.images = set.images
	o.only = []string{nameOrch, nameCompose, nameDirect, nameEmpty}
	if *only == "" {
		return o, nil
	}
	all := o.only
	o.only = strings.Split(*only, ",")
	for _, name := range o.only {
		if !slices.Contains(all, name) {
			return o, fmt.Errorf("-only %s: there is no contestant %q; they are %s", *only, name, strings.Join(all, ", "))
		}
	}
	return o, nil
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
	all, cleanUp, err := setUp(ctx, repo, o)
	defer func() { err = errors.Join(err, cleanUp()) }()
	if err != nil {
		return err
	}
	if load, cores, busy := busyMachine(); busy {
		say("this machine is busy (load %.1f on %d cores): expect a wide spread", load, cores)
	}
	results, err := measure(ctx, all, o.rounds, o.warmUp)
	if ctx.Err() != nil {
		return errors.New("interrupted; what was running is removed again")
	}
	if err != nil {
		return err
	}
	report(os.Stdout, o, all, results)
	return nil
}

// getImages puts all images on the engine before anything is measured.
func getImages(ctx context.Context, repo devenv.Repo, o options) error {
	missing, err := o.images.Missing(ctx)
	if err != nil || len(missing) == 0 {
		return err
	}
	for _, set := range imageSets[o.set].build {
		if err := repo.Build(ctx, os.Stdout, set); err != nil {
			return err
		}
	}
	if len(imageSets[o.set].build) > 0 {
		return nil
	}
	for _, image := range missing {
		if err := devenv.Pull(ctx, os.Stdout, image, pullPatience); err != nil {
			return err
		}
	}
	return nil
}

func say(format string, args ...any) { fmt.Printf("bench: "+format+"\n", args...) }
