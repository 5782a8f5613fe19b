package box

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/httpserve"
)

// behaviour runs one command until it ends or ctx does, and returns the exit code.
type behaviour func(ctx context.Context, args []string, out io.Writer) int

var behaviours = map[string]behaviour{
	"serve":      serve,
	"exit":       exit,
	"crash-loop": crash,
	"hang":       hang,
	"oom":        oom,
	"poll":       poll,
}

// Main runs `COMMAND [flags]` and returns the exit code; a wrong command line is 2.
func Main(ctx context.Context, args []string, out io.Writer) int {
	if len(args) > 0 {
		if run, ok := behaviours[args[0]]; ok {
			return run(ctx, args[1:], out)
		}
	}
	names := make([]string, 0, len(behaviours))
	for name := range behaviours {
		names = append(names, name)
	}
	slices.Sort(names)
	say(out, "box: arguments %q, want one of %s", args, strings.Join(names, ", "))
	return 2
}

func say(out io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(out, format+"\n", args...)
}

func sayLines(out io.Writer, count int) {
	for i := range count {
		say(out, "box: line %d of %d", i+1, count)
	}
}

// parse reads the flags of a command; trailing arguments are errors.
func parse(set *flag.FlagSet, args []string, out io.Writer) bool {
	set.SetOutput(out)
	if err := set.Parse(args); err != nil {
		return false
	}
	if set.NArg() > 0 {
		say(out, "box: unexpected arguments %q", set.Args())
		return false
	}
	return true
}

func serve(ctx context.Context, args []string, out io.Writer) int {
	set := flag.NewFlagSet("serve", flag.ContinueOnError)
	port := set.Int("port", 8080, "port to listen on")
	readyAfter := set.Duration("ready-after", 0, "answer 503 on /ready for so long")
	data := set.String("data", "", "directory to append to a file starts in; exit 1 when that fails")
	lines := set.Int("lines", 1, "lines to print at the start")
	if !parse(set, args, out) {
		return 2
	}
	if *data != "" {
		if err := recordStart(*data); err != nil {
			say(out, "box: data directory: %v", err)
			return 1
		}
	}
	sayLines(out, *lines)
	err := httpserve.Run(ctx, map[string]http.Handler{":" + strconv.Itoa(*port): routes(time.Now().Add(*readyAfter))})
	if err != nil {
		say(out, "box: %v", err)
		return 1
	}
	say(out, "box: stopped")
	return 0
}

// recordStart leaves one line per start, so that a test sees whether a volume survived.
func recordStart(dir string) error {
	file, err := os.OpenFile(filepath.Join(dir, "starts"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(file, time.Now().UTC().Format(time.RFC3339Nano)); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}

func routes(readyAt time.Time) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) {
		if time.Now().Before(readyAt) {
			http.Error(w, "not ready yet", http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ready\n")
	})
	mux.HandleFunc("GET /fail", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "box: failing as asked", http.StatusInternalServerError)
	})
	mux.HandleFunc("GET /hang", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.Handle("GET /redirect", http.RedirectHandler("https://box.example/", http.StatusMovedPermanently))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Query().Get("file")
		if path == "" {
			_, _ = io.WriteString(w, "box\n")
			return
		}
		content, err := os.ReadFile(path)
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		_, _ = w.Write(content)
	})
	return mux
}

func exit(_ context.Context, args []string, out io.Writer) int {
	set := flag.NewFlagSet("exit", flag.ContinueOnError)
	code := set.Int("code", 0, "exit code")
	lines := set.Int("lines", 1, "lines to print before")
	if !parse(set, args, out) {
		return 2
	}
	sayLines(out, *lines)
	return *code
}

// crash lives long enough to be seen running; the restart policy makes it a loop.
func crash(ctx context.Context, args []string, out io.Writer) int {
	set := flag.NewFlagSet("crash-loop", flag.ContinueOnError)
	after := set.Duration("after", 100*time.Millisecond, "life time")
	if !parse(set, args, out) {
		return 2
	}
	say(out, "box: crashing in %s", *after)
	select {
	case <-ctx.Done():
	case <-time.After(*after):
	}
	say(out, "box: crashed")
	return 1
}

func hang(ctx context.Context, args []string, out io.Writer) int {
	set := flag.NewFlagSet("hang", flag.ContinueOnError)
	ignore := set.Bool("ignore-term", false, "go on after SIGTERM")
	if !parse(set, args, out) {
		return 2
	}
	say(out, "box: hanging")
	<-ctx.Done()
	if *ignore {
		say(out, "box: ignoring the signal")
		select {}
	}
	return 0
}

// oom touches every page it allocates, or the kernel would not count it.
func oom(ctx context.Context, args []string, out io.Writer) int {
	set := flag.NewFlagSet("oom", flag.ContinueOnError)
	chunk := set.Int("chunk-mb", 8, "MiB to allocate at a time")
	if !parse(set, args, out) {
		return 2
	}
	say(out, "box: allocating until killed")
	var hoard [][]byte
	for ctx.Err() == nil {
		block := make([]byte, *chunk<<20)
		for i := 0; i < len(block); i += os.Getpagesize() {
			block[i] = 1
		}
		hoard = append(hoard, block)
	}
	say(out, "box: still alive with %d blocks", len(hoard))
	return 1
}
