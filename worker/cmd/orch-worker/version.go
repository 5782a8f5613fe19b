package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// builtWith are the modules whose versions a bug report needs.
var builtWith = []struct{ name, module string }{
	{"temporal server", "go.temporal.io/server"},
	{"temporal web ui", "github.com/temporalio/ui-server/v2"},
	{"temporal sdk", "go.temporal.io/sdk"},
}

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of orch-worker and of what it is built with",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := cmd.OutOrStdout()
			if _, err := fmt.Fprintf(out, "orch-worker %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH); err != nil {
				return err
			}
			for _, b := range builtWith {
				if _, err := fmt.Fprintf(out, "%-16s %s\n", b.name, moduleVersion(b.module)); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func moduleVersion(path string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == path {
				return m.Version
			}
		}
	}
	return "unknown"
}
