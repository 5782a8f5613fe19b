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

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/demo/devenv"
)

// places are the endpoints that a person wants to know, by kind of pipeline and in the order in which they are shown.
var places = []struct {
	kind        contract.Kind
	name, title string
}{
	{contract.LogsPipeline, "loki", "Loki"},
	{contract.MetricsPipeline, "prometheus", "Prometheus"},
	{contract.TracingPipeline, "jaeger", "Jaeger"},
	{contract.LogsPipeline, "otlp_http", "OTLP/HTTP"},
	{contract.LogsPipeline, "otlp_grpc", "OTLP/gRPC"},
}

// report prints what was done, what is there now, and what to type next.
func (d *demo) report(choice chosen, p devenv.Process, all pipelines) {
	heading("done: " + d.done)
	d.printTimes()
	fmt.Println()
	d.printContainers(all)
	fmt.Println()
	d.printPlaces(choice, p, all)
	fmt.Println()
	config := d.relative(d.tf.Dir())
	say("next:")
	table(func(w *tabwriter.Writer) {
		row(w, "  source "+d.relative(d.envPath()), "the settings of this demo, for your shell")
		row(w, fmt.Sprintf("  %s -chdir=%s plan", filepath.Base(d.tf.CLI), config), "shows no change; stop a container and it shows which")
		row(w, "  "+d.relative(d.worker.Binary)+" "+strings.Join(d.secretArguments(all.of(d.grafana)), " "), "Grafana's generated password (user admin)")
		row(w, "  make "+d.target, d.again)
		row(w, "  make "+d.target+"-down", "removes all of it, volumes too, and stops the worker")
	})
}

func (d *demo) printPlaces(choice chosen, p devenv.Process, all pipelines) {
	images := d.images(choice.Set)
	title := func(component, text string) string {
		if choice.Set == imagesLocal && devenv.IsDouble(images[component]) {
			return text + " (double)"
		}
		return text
	}
	grafana := all.of(d.grafana).Endpoints["grafana"]
	table(func(w *tabwriter.Writer) {
		row(w, title(catalog.GrafanaName, "Grafana"), grafana)
		if len(d.kinds) > 1 {
			for _, kind := range d.kinds {
				uid := all.of(kind).DatasourceUID
				row(w, "  "+kind.Short, "data source "+uid+", dashboard "+grafana+"/d/"+dashboard(d.grafana, kind, uid))
			}
		}
		for _, place := range places {
			if address := all.of(place.kind).Endpoints[place.name]; address != "" {
				row(w, place.title, address)
			}
		}
		row(w, "Temporal Web UI", "http://"+devenv.Address(p.WebUI))
		for _, kind := range d.kinds {
			row(w, "  run of the "+kind.Short+" pipeline", all.of(kind).WebUIURL)
		}
	})
}

// dashboard is the uid of a pipeline's dashboard: the kind's own in its own Grafana, else that of its data source.
func dashboard(owner, kind contract.Kind, datasourceUID string) string {
	if owner == kind {
		return "orch-" + kind.Short
	}
	return datasourceUID
}

func (d *demo) printTimes() {
	table(func(w *tabwriter.Writer) {
		for _, p := range d.parts {
			row(w, p.name, seconds(p.took), p.note)
		}
		row(w, "total", seconds(time.Since(d.began)), "without building bin/")
	})
}

func (d *demo) printContainers(all pipelines) {
	table(func(w *tabwriter.Writer) {
		row(w, "CONTAINER", "IMAGE", "STATE", "HEALTH")
		for _, kind := range d.kinds {
			containers := all.of(kind).Containers
			for _, name := range slices.Sorted(maps.Keys(containers)) {
				c := containers[name]
				row(w, c.Name, c.Image, c.State, c.Health)
			}
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
