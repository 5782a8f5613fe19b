package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// After the first signal the default holds again: the second one ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// execute runs a command line and returns its exit status.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	if err := root.ExecuteContext(ctx); err != nil {
		_, _ = fmt.Fprintln(stderr, "Error:", runner.Detail(err))
		return 1
	}
	return 0
}

func newRootCommand() *cobra.Command {
	var logs logFlags
	root := &cobra.Command{
		Use:   "orch-worker",
		Short: "The worker of the orch Terraform provider",
		Long: "orch-worker carries out what the orch Terraform provider asks for: it polls Temporal task queues and drives the Docker\n" +
			"Engine of this host. `orch-worker dev` brings its own Temporal server, `orch-worker run` joins a cluster.",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w; see: %s --help", err, cmd.CommandPath())
	})
	logs.add(root.PersistentFlags())
	root.AddCommand(newRunCommand(&logs), newDevCommand(&logs), newDoctorCommand(&logs), newSecretCommand(&logs), newHealthCommand(), newVersionCommand())
	return root
}
