// Program demo runs what orch is for on this machine, for `make demo`, `make demo-full` and their -down targets: it applies an
// example with the binaries in bin/, sends telemetry by OTLP and reads it back. Everything it writes is in .cache/demo, or
// .cache/demo-full.
//
// What differs between the demos is a scenario (scenario.go); what is proven of one is in logs.go and signals.go.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/demo/devenv"
)

const usage = `usage: go run ./test/demo up [-full] [-images auto|upstream|local]
       go run ./test/demo down [-full]`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		reason, evidence, _ := strings.Cut(err.Error(), "\n")
		fmt.Fprintf(os.Stderr, "\ndemo: %s\n", reason)
		if evidence != "" {
			fmt.Fprintln(os.Stderr, indented(evidence))
		}
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("no subcommand\n%s", usage)
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	images := flags.String("images", imagesAuto, "auto: the upstream images where a registry can be reached, else local builds; upstream; local")
	full := flags.Bool("full", false, "logs, metrics and traces in one Grafana (examples/observability) instead of logs alone (examples/demo)")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unknown argument %q\n%s", flags.Arg(0), usage)
	}
	s := logsScenario
	if *full {
		s = fullScenario
	}
	d, err := newDemo(s)
	if err != nil {
		return err
	}
	switch args[0] {
	case "up":
		return d.up(ctx, *images)
	case "down":
		return d.down(ctx)
	}
	return fmt.Errorf("unknown subcommand %q\n%s", args[0], usage)
}

type demo struct {
	scenario

	repo   devenv.Repo
	dir    string
	worker devenv.Worker
	tf     devenv.Terraform
	began  time.Time
	parts  []part
}

// part is a piece of the work and how long it took.
type part struct {
	name string
	took time.Duration
	note string
}

func newDemo(s scenario) (*demo, error) {
	repo, err := devenv.FindRepo()
	if err != nil {
		return nil, err
	}
	provider, err := repo.Binary("terraform-provider-orch")
	if err != nil {
		return nil, err
	}
	binary, err := repo.Binary("orch-worker")
	if err != nil {
		return nil, err
	}
	cli, err := devenv.FindTerraform()
	if err != nil {
		return nil, err
	}
	d := &demo{scenario: s, repo: repo, dir: repo.Path(".cache", s.target), began: time.Now()}
	d.worker = devenv.Worker{Binary: binary, Dir: d.dir, Ports: devenv.UsualPorts, Say: say}
	d.tf = devenv.Terraform{CLI: cli, ProviderDir: filepath.Dir(provider), Config: repo.Path("examples", s.example), Work: d.dir}
	return d, nil
}

// part runs one piece of the work under a heading and keeps its time. The piece may return a note for the table.
func (d *demo) part(name string, do func() (note string, err error)) error {
	heading(name)
	begin := time.Now()
	note, err := do()
	d.parts = append(d.parts, part{name, time.Since(begin), note})
	return err
}
