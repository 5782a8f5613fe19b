package loki

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/httpserve"
)

const (
	defaultHealthURL = "http://localhost:3100/ready"
	healthTimeout    = 5 * time.Second
)

// options are the flags of Loki that orch uses, with one dash or two.
type options struct {
	configFile string
	verify     bool
	health     bool
	healthURL  string
}

// Main runs the double with Loki's flags (-config.file, -verify-config, -health and
// -health.url) until ctx ends, and returns the exit code.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	log := slog.New(slog.NewTextHandler(stdout, nil)).With("double", "loki")
	opts, err := parseArgs(args)
	if err != nil {
		log.Error("invalid arguments", "err", err)
		return 1
	}
	if opts.health {
		return health(ctx, opts.healthURL, stdout, stderr)
	}
	if err := run(ctx, opts, log); err != nil {
		log.Error("error running the Loki double", "err", err)
		return 1
	}
	return 0
}

func parseArgs(args []string) (options, error) {
	opts := options{healthURL: defaultHealthURL}
	for _, arg := range args {
		name, value, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		switch {
		case !strings.HasPrefix(arg, "-"):
			return opts, fmt.Errorf("argument %q is not a flag", arg)
		case name == "config.file" && value != "":
			opts.configFile = value
		case name == "verify-config" && value == "":
			opts.verify = true
		case name == "health" && value == "":
			opts.health = true
		case name == "health.url" && value != "":
			opts.healthURL = value
		default:
			return opts, fmt.Errorf("flag %q is unknown to the Loki double", arg)
		}
	}
	if opts.configFile == "" && !opts.health {
		return opts, errors.New("-config.file=PATH is missing")
	}
	return opts, nil
}

func run(ctx context.Context, opts options, log *slog.Logger) error {
	raw, err := os.ReadFile(opts.configFile)
	if err != nil {
		return err
	}
	cfg, err := Parse(raw)
	if err != nil {
		return fmt.Errorf("failed parsing config: %s: %w", opts.configFile, err)
	}
	if opts.verify {
		log.Info("config is valid")
		return nil
	}
	log.Info("Starting the Loki double: a test stand-in of orch, not Loki", "config", opts.configFile)
	server, err := New(cfg, log)
	if err != nil {
		return err
	}
	addr := net.JoinHostPort("", strconv.Itoa(cfg.Port))
	log.Info("server listening on addresses", "http", addr)
	return errors.Join(httpserve.Run(ctx, map[string]http.Handler{addr: server}), server.Close())
}

// health is the check that Loki's images run on themselves: exit 0 when /ready answers 200.
func health(ctx context.Context, url string, stdout, stderr io.Writer) int {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "Health check failed: %v\n", err)
		return 1
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "Health check failed: %v\n", err)
		return 1
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		_, _ = fmt.Fprintf(stderr, "Loki is unhealthy: status code %d\n", resp.StatusCode)
		return 1
	}
	_, _ = fmt.Fprintln(stdout, "Loki is healthy")
	return 0
}
