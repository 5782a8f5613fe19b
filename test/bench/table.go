package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/demo/devenv"
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
func report(out io.Writer, o options, kind string, all []contestant, measured results) error {
	parts, err := components(kind)
	if err != nil {
		return err
	}
	var names, doubles []string
	for _, c := range parts {
		name := c.Name
		if devenv.IsDouble(o.images[c.Name]) {
			name += " (double)"
			doubles = append(doubles, c.Name)
		}
		names = append(names, name)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s pipeline: %s; %s images, %d rounds after %d of warm-up, contestants alternating.\n",
		strings.ToUpper(kind[:1])+kind[1:], strings.Join(names, ", "), o.set, o.rounds, o.warmUp)
	if len(doubles) > 0 {
		fmt.Fprintf(&b, "A double is ready sooner than what it stands in for (%s): times are comparable with each other, not with other set-ups.\n",
			strings.Join(doubles, ", "))
	}
	b.WriteString("MAD: half of the rounds are at most this far from the median. orch/row: orch's median over this row's.\n")
	for _, p := range phases {
		b.WriteString("\n" + phaseTitles[p] + "\n")
		writePhase(&b, p, all, measured)
		if p == create {
			writeVerify(&b, measured)
		}
	}
	b.WriteString("\n")
	_, err = io.WriteString(out, b.String())
	return err
}

// writeVerify tells what the canary costs. It has no row, because nobody else does that.
func writeVerify(b *strings.Builder, measured results) {
	with, ok := measured[nameVerify]
	if !ok {
		return
	}
	fmt.Fprintf(b, "  orch with verify = true, its default: %s (MAD %s)", short(with[create].median()), short(with[create].mad()))
	if without, ok := measured[nameOrch]; ok {
		cost := with[create].median() - without[create].median()
		text := short(cost)
		if spread := with[create].mad() + without[create].mad(); cost <= spread {
			text = "less than rounds differ (" + short(spread) + ")"
		}
		fmt.Fprintf(b, "; writing something and reading it back through the whole path costs %s", text)
	}
	b.WriteString("\n")
}

func writePhase(b *strings.Builder, p phase, all []contestant, measured results) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	orch, hasOrch := measured[nameOrch]
	row(w, "", "median", "min .. max", "MAD", "orch/row", "what is measured")
	for _, c := range all {
		if c.Name() == nameVerify {
			continue
		}
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
