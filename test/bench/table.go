package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// busyMachine tells whether other programs are competing for the processors, where the system says so.
func busyMachine() (load float64, cores int, busy bool) {
	cores = runtime.NumCPU()
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0, cores, false
	}
	if _, err := fmt.Sscan(string(data), &load); err != nil {
		return 0, cores, false
	}
	return load, cores, load > float64(cores)
}

// report prints one table per phase and what its rows mean.
func report(out io.Writer, o options, all []contestant, measured results) {
	var b strings.Builder
	fmt.Fprintf(&b, "\nA logs pipeline (Collector, Loki, Grafana), %s images, %d rounds after %d of warm-up, contestants alternating.\n", o.set, o.rounds, o.warmUp)
	if o.set != "upstream" {
		b.WriteString("Grafana is a double, which is ready sooner than Grafana: times are comparable with each other, not with other set-ups.\n")
	}
	b.WriteString("MAD: half of the rounds are at most this far from the median. orch/row: orch's median over this row's.\n")
	for _, p := range phases {
		b.WriteString("\n" + phaseTitles[p] + "\n")
		writePhase(&b, p, all, measured)
	}
	_, _ = io.WriteString(out, b.String()) // standard output that cannot be written to has nobody to tell
}

func writePhase(b *strings.Builder, p phase, all []contestant, measured results) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	orch, hasOrch := measured[nameOrch]
	row(w, "", "median", "min .. max", "MAD", "orch/row", "what is measured")
	for _, c := range all {
		s := measured[c.Name()][p]
		compared := "-"
		if hasOrch {
			compared = fmt.Sprintf("%.2f", ratio(orch[p].median(), s.median()))
		}
		row(w, c.Name(), short(s.median()), short(s.min())+" .. "+short(s.max()), short(s.mad()), compared, c.Explain(p))
	}
	_ = w.Flush() // a strings.Builder takes everything
	floor, hasFloor := measured[nameEmpty]
	if !hasOrch || !hasFloor {
		return
	}
	own := orch[p].median() - floor[p].median()
	fmt.Fprintf(b, "  orch without the floor of the CLI: %s", short(own))
	for _, other := range []string{nameCompose, nameDirect} {
		if s, ok := measured[other]; ok {
			fmt.Fprintf(b, "; %.2f of %s", ratio(own, s[p].median()), other)
		}
	}
	b.WriteString("\n")
}

func row(w io.Writer, cells ...string) {
	_, _ = fmt.Fprintln(w, "  "+strings.Join(cells, "\t")) // a strings.Builder takes everything
}

// short shows three digits, which is more than such measurements are good for.
func short(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}
