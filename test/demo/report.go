package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/demo/devenv"
)

// report prints what was done, what is there now, and what to type next.
func (d *demo) report(choice chosen, p devenv.Process, out outputs) {
	heading("done: the logs pipeline is up, and a line went through it")
	d.printTimes()
	fmt.Println()
	printContainers(out.Containers)
	fmt.Println()
	grafana := "Grafana"
	if choice.Set == imagesLocal {
		grafana = "Grafana (double)"
	}
	table(func(w *tabwriter.Writer) {
		row(w, grafana, out.Endpoints["grafana"])
		row(w, "Loki", out.Endpoints["loki"])
		row(w, "OTLP/HTTP", out.Endpoints["otlp_http"])
		row(w, "OTLP/gRPC", out.Endpoints["otlp_grpc"])
		row(w, "Temporal Web UI", "http://"+devenv.Address(p.WebUI))
		row(w, "this apply's workflow", out.WebUIURL)
	})
	fmt.Println()
	config := d.relative(d.tf.Dir())
	say("next:")
	table(func(w *tabwriter.Writer) {
		row(w, "  source "+d.relative(d.envPath()), "the settings of this demo, for your shell")
		row(w, fmt.Sprintf("  %s -chdir=%s plan", filepath.Base(d.tf.CLI), config), "shows no change; stop a container and it shows which")
		row(w, "  "+d.relative(d.worker.Binary)+" "+strings.Join(d.secretArguments(), " "), "Grafana's generated password (user admin)")
		row(w, "  make demo", "applies again and sends another line")
		row(w, "  make demo-down", "removes all of it, volumes too, and stops the worker")
	})
}

func (d *demo) printTimes() {
	table(func(w *tabwriter.Writer) {
		for _, p := range d.parts {
			row(w, p.name, seconds(p.took), p.note)
		}
		row(w, "total", seconds(time.Since(d.began)), "without building bin/")
	})
}

func printContainers(containers map[string]container) {
	table(func(w *tabwriter.Writer) {
		row(w, "CONTAINER", "IMAGE", "STATE", "HEALTH")
		for _, name := range slices.Sorted(maps.Keys(containers)) {
			c := containers[name]
			row(w, c.Name, c.Image, c.State, c.Health)
		}
	})
}

func table(fill func(w *tabwriter.Writer)) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fill(w)
	_ = w.Flush() // standard output that cannot be written to has nobody to tell
}

func row(w *tabwriter.Writer, cells ...string) {
	_, _ = fmt.Fprintln(w, margin+strings.Join(cells, "\t"))
}

func (d *demo) envPath() string { return filepath.Join(d.dir, "env.sh") }

// writeEnv writes the demo's settings as a shell script, so that the user's own terraform commands find state, provider and
// worker.
func (d *demo) writeEnv() error {
	var b strings.Builder
	b.WriteString("# Settings of the running demo. Use: source " + d.relative(d.envPath()) + "\n")
	for _, entry := range d.tf.Settings() {
		name, value, _ := strings.Cut(entry, "=")
		fmt.Fprintf(&b, "export %s=%s\n", name, quote(value))
	}
	if err := os.WriteFile(d.envPath(), []byte(b.String()), 0o600); err != nil {
		return fmt.Errorf("write the demo's settings: %w", err)
	}
	return nil
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:=,@%+-]+$`)

// quote is a word for a POSIX shell.
func quote(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
