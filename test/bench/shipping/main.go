package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/ingest"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/demo/devenv"
)

type options struct {
	lines, files, rounds int
	image                string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 4 && args[0] == "tail" { // this program as the contestant
		return tail(ctx, args[1], args[2], args[3])
	}
	var o options
	flags := flag.NewFlagSet("shipping", flag.ContinueOnError)
	flags.IntVar(&o.lines, "lines", 1_000_000, "lines in all files")
	flags.IntVar(&o.files, "files", 4, "files")
	flags.IntVar(&o.rounds, "n", 3, "rounds; in each both have their turn")
	flags.StringVar(&o.image, "image", "orch.local/opentelemetry-collector-contrib:0.149.0", "image that holds the Collector")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "shipping")
	if err != nil {
		return err
	}
	return errors.Join(compare(ctx, o, dir), os.RemoveAll(dir))
}

// tail ships the files that the pattern finds until it is told to end.
func tail(ctx context.Context, pattern, endpoint, store string) error {
	spec := contract.Ingest{
		Ref: contract.NewRef(contract.StdoutIngest, "", "bench"), Endpoint: endpoint, BatchSize: 1000, FlushInterval: 0.2, Timeout: 10,
		StartAt: contract.StartAtBeginning, Files: &contract.LogFiles{Include: []string{pattern}},
	}
	t, err := ingest.NewTail(spec, store, nil, ingest.Secrets{}, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		return err
	}
	if err := t.Run(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// score is what one contestant needed in one round.
type score struct {
	processor, wall time.Duration
	peak            int64 // bytes
}

func compare(ctx context.Context, o options, dir string) error {
	collector := filepath.Join(dir, "collector")
	if err := takeOut(ctx, o.image, "/otelcol-contrib", collector); err != nil {
		return err
	}
	pattern, bytes, err := writeFiles(dir, o)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	contestants := []struct {
		name    string
		command func(endpoint, store string) ([]string, error)
	}{
		{"orch_stdout_ingest", func(endpoint, store string) ([]string, error) {
			return []string{self, "tail", pattern, endpoint, store}, nil
		}},
		{"file_log receiver", func(endpoint, store string) ([]string, error) {
			config := filepath.Join(store, "config.yaml")
			text := strings.NewReplacer("PATTERN", pattern, "ENDPOINT", endpoint, "STORE", store).Replace(fileLogConfig)
			return []string{collector, "--config", config}, os.WriteFile(config, []byte(text), 0o600)
		}},
	}
	scores := make([][]score, len(contestants))
	for round := range o.rounds {
		for turn := range contestants {
			i := (round + turn) % len(contestants)
			s, err := measure(ctx, collector, dir, o.lines, contestants[i].command)
			if err != nil {
				return fmt.Errorf("%s: %w", contestants[i].name, err)
			}
			fmt.Printf("bench: shipping round %d: %s: %s of processor time, %s, %d MiB\n", round+1, contestants[i].name,
				s.processor.Round(10*time.Millisecond), s.wall.Round(10*time.Millisecond), s.peak>>20)
			scores[i] = append(scores[i], s)
		}
	}
	names := make([]string, len(contestants))
	for i, c := range contestants {
		names[i] = c.name
	}
	return table(os.Stdout, o, bytes, names, scores)
}

// table shows the medians, and what orch ships per core over what the row does.
func table(to io.Writer, o options, bytes int64, names []string, scores [][]score) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\nShipping %d lines, %d MiB, in %d files by OTLP/HTTP to a Collector on this host, median of %d rounds.\n", o.lines, bytes>>20, o.files, o.rounds)
	b.WriteString("\tlines/s per core\tlines/s\tpeak memory\torch/row\t\n")
	perCore := func(i int) float64 {
		return float64(o.lines) / median(scores[i], func(s score) float64 { return s.processor.Seconds() })
	}
	for i, name := range names {
		fmt.Fprintf(&b, "%s\t%.0f\t%.0f\t%.0f MiB\t%.2f\t\n", name, perCore(i), float64(o.lines)/median(scores[i], func(s score) float64 { return s.wall.Seconds() }),
			median(scores[i], func(s score) float64 { return float64(s.peak) / (1 << 20) }), perCore(0)/perCore(i))
	}
	out := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, err := io.WriteString(out, b.String())
	return errors.Join(err, out.Flush())
}

func median(all []score, of func(score) float64) float64 {
	values := make([]float64, len(all))
	for i, s := range all {
		values[i] = of(s)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// measure runs one contestant until the receiving Collector has taken all lines.
func measure(ctx context.Context, collector, dir string, lines int, command func(endpoint, store string) ([]string, error)) (s score, err error) {
	ports, err := devenv.FreePorts(2)
	if err != nil {
		return s, err
	}
	store, err := os.MkdirTemp(dir, "store")
	if err != nil {
		return s, err
	}
	config := filepath.Join(store, "sink.yaml")
	text := strings.NewReplacer("OTLP", strconv.Itoa(ports[0]), "METRICS", strconv.Itoa(ports[1])).Replace(sinkConfig)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return s, err
	}
	sink := exec.CommandContext(ctx, collector, "--config", config)
	if err := sink.Start(); err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, end(sink)) }()
	taken := func() int { return accepted(ctx, ports[1]) }
	if err := until(ctx, time.Minute, "the receiving Collector answers", func() bool { return taken() == 0 }); err != nil {
		return s, err
	}
	args, err := command("http://127.0.0.1:"+strconv.Itoa(ports[0]), store)
	if err != nil {
		return s, err
	}
	contestant := exec.CommandContext(ctx, args[0], args[1:]...)
	began := time.Now()
	if err := contestant.Start(); err != nil {
		return s, err
	}
	err = until(ctx, 10*time.Minute, "all lines are there", func() bool { return taken() >= lines })
	s.wall = time.Since(began)
	if err = errors.Join(err, end(contestant)); err != nil {
		return s, err
	}
	if n := taken(); n != lines {
		return s, fmt.Errorf("%d lines were sent instead of %d", n, lines)
	}
	usage, ok := contestant.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return s, errors.New("this system does not tell what a process has used")
	}
	s.processor, s.peak = contestant.ProcessState.UserTime()+contestant.ProcessState.SystemTime(), usage.Maxrss<<10
	return s, nil
}

// end asks a process to end, and waits for it.
func end(p *exec.Cmd) error {
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	err := p.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil // what it did is measured by its lines
	}
	return err
}

func until(ctx context.Context, limit time.Duration, what string, done func() bool) error {
	deadline := time.Now().Add(limit)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		if time.Now().After(deadline) {
			return fmt.Errorf("not within %s: %s", limit, what)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

// accepted is how many records the receiving Collector has taken, -1 while it does not answer.
func accepted(ctx context.Context, port int) int {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/metrics", port), nil)
	if err != nil {
		return -1
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return -1
	}
	defer response.Body.Close() //nolint:errcheck // nothing is written through the body
	for scanner := bufio.NewScanner(response.Body); scanner.Scan(); {
		if name, value, _ := strings.Cut(scanner.Text(), "} "); strings.HasPrefix(name, "otelcol_receiver_accepted_log_records") {
			if n, err := strconv.ParseFloat(value, 64); err == nil {
				return int(n)
			}
		}
	}
	return 0
}

// takeOut copies a file out of an image.
func takeOut(ctx context.Context, image, from, to string) error {
	id, err := exec.CommandContext(ctx, "docker", "create", image).Output()
	if err != nil {
		return fmt.Errorf("image %s: %w\n  next: make images-real", image, err)
	}
	name := strings.TrimSpace(string(id))
	out, err := exec.CommandContext(ctx, "docker", "cp", name+":"+from, to).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("take %s out of %s: %w: %s", from, image, err, out)
	}
	return errors.Join(err, exec.CommandContext(ctx, "docker", "rm", name).Run())
}

func writeFiles(dir string, o options) (pattern string, size int64, err error) {
	for n := range o.files {
		file, err := os.Create(filepath.Join(dir, fmt.Sprintf("app-%d.log", n)))
		if err != nil {
			return "", 0, err
		}
		w := bufio.NewWriter(file)
		for i := n; i < o.lines; i += o.files {
			// A write that fails shows at Flush.
			written, _ := fmt.Fprintf(w, "level=info msg=\"request served\" method=GET path=/api/v1/items/%07d status=200 duration=%dms bytes=%d\n", i, i%250, i%9000)
			size += int64(written)
		}
		if err := errors.Join(w.Flush(), file.Close()); err != nil {
			return "", 0, err
		}
	}
	return filepath.Join(dir, "*.log"), size, nil
}
