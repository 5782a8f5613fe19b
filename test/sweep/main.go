// Command sweep removes what tests have left behind on real accounts: everything whose name begins with a prefix, of the
// repositories on GitHub only those that orch has created. It asks the platforms whose token is in the environment, prints what it finds, and removes it when -yes is given.
//
//	FLY_API_TOKEN=… go run ./test/sweep -prefix orch-acc- -yes
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// leastPrefix keeps a slip of the keyboard from sweeping an account.
const leastPrefix = 4

// sweeper is a platform that can be swept.
type sweeper struct {
	platform string
	// token is the variable that holds the token; without it the platform is left out, and that is said.
	token string
	// find lists what begins with the prefix.
	find func(ctx context.Context, token, prefix string) ([]leftover, error)
}

// leftover is something to remove.
type leftover struct {
	name   string
	remove func(ctx context.Context) error
}

// sweepers are all platforms that can be swept.
var sweepers = []sweeper{
	{"Fly.io", "FLY_API_TOKEN", sweepFlyio},
	{"Railway", "RAILWAY_API_TOKEN", sweepRailway},
	{"Render", "RENDER_API_KEY", sweepRender},
	{"GitHub", "GITHUB_TOKEN", sweepGitHub},
}

func main() {
	prefix := flag.String("prefix", "", "what the names of leftovers begin with")
	yes := flag.Bool("yes", false, "remove them; without it they are listed only")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := sweep(ctx, *prefix, *yes)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "sweep:", err)
		os.Exit(1)
	}
}

func sweep(ctx context.Context, prefix string, yes bool) error {
	if len(prefix) < leastPrefix {
		return fmt.Errorf("the prefix %q is shorter than %d characters; name what the tests' leftovers begin with: make sweep PREFIX=orch-acc-", prefix, leastPrefix)
	}
	var failed []error
	for _, s := range sweepers {
		token := os.Getenv(s.token)
		if token == "" {
			fmt.Printf("%s: not looked at, %s is not set\n", s.platform, s.token)
			continue
		}
		found, err := s.find(ctx, token, prefix)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		if len(found) == 0 {
			fmt.Printf("%s: nothing begins with %s\n", s.platform, prefix)
		}
		for _, l := range found {
			if !strings.HasPrefix(l.name, prefix) {
				return fmt.Errorf("%s: %s does not begin with %s", s.platform, l.name, prefix)
			}
			if !yes {
				fmt.Printf("%s: would remove %s (make sweep PREFIX=%s YES=1)\n", s.platform, l.name, prefix)
				continue
			}
			if err := l.remove(ctx); err != nil {
				failed = append(failed, err)
				continue
			}
			fmt.Printf("%s: removed %s\n", s.platform, l.name)
		}
	}
	return errors.Join(failed...)
}
