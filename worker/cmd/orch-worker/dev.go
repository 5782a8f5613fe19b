package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/secret"
	"github.com/temporal-orchestrator/terraform-provider-orch/worker"
	"github.com/temporal-orchestrator/terraform-provider-orch/worker/cmd/orch-worker/internal/dev"
	"github.com/temporal-orchestrator/terraform-provider-orch/worker/cmd/orch-worker/internal/devserver"
)

// devFlags are the flags of `orch-worker dev`.
type devFlags struct {
	server         devserver.Options
	keyFile        string
	maxConcurrency int
	metricsAddress string
	secrets        secretFlags
}

func newDevCommand(logs *logFlags) *cobra.Command {
	var f devFlags
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run a Temporal server, its Web UI and the worker in one process",
		Long: "dev runs a Temporal server of its own with its Web UI, on loopback only, and serves every task queue that a bundled\n" +
			"workflow is started on. Workflow history is kept in the data directory for seven days; a process that was killed\n" +
			"continues where it was. SIGINT or SIGTERM lets running steps finish for 20 s and hands longer ones to the next worker;\n" +
			"a second signal ends the process at once.",
		Example: "  orch-worker dev\n" +
			"  orch-worker dev --data-dir ./data --port 7243 --ui-port 8243",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			logger, err := logs.logger(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return f.run(cmd, logger)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.server.DataDir, "data-dir", secret.DefaultDataDir(), "`directory` of the database; one process at a time may use it")
	flags.StringVar(&f.server.IP, "ip", devserver.DefaultIP, "loopback `address` to listen on")
	flags.IntVar(&f.server.Port, "port", devserver.DefaultPort, "`port` of the Temporal frontend")
	flags.IntVar(&f.server.UIPort, "ui-port", devserver.DefaultUIPort, "`port` of the Web UI; 0 switches it off")
	flags.StringVar(&f.server.Namespace, "namespace", devserver.DefaultNamespace, "`namespace` that is made when it does not exist; others are served too")
	flags.StringVar(&f.keyFile, "encryption-key-file", secret.DefaultKeyFile(), "`file` with the keys that secrets travel under; made when it does not exist")
	addMaxConcurrency(cmd, &f.maxConcurrency)
	addMetricsAddress(cmd, &f.metricsAddress)
	f.secrets.add(flags)
	return cmd
}

func (f *devFlags) run(cmd *cobra.Command, logger *slog.Logger) error {
	if err := checkConcurrency(f.maxConcurrency); err != nil {
		return err
	}
	server := f.server
	switch {
	case server.Port == 0:
		return fmt.Errorf("--port 0 is not a port number; pass one from 1 to 65535")
	case server.UIPort == 0:
		server.UIPort = -1
	}
	dir, err := filepath.Abs(server.DataDir)
	if err != nil {
		return fmt.Errorf("--data-dir %s: %w", server.DataDir, err)
	}
	server.DataDir, server.Logger = dir, logger
	host, err := worker.NewHost(worker.Options{
		MaxConcurrency: f.maxConcurrency, Logger: logger, SecretEnv: f.secrets.env, SecretFiles: f.secrets.files, DataDir: dir,
	})
	if err != nil {
		return err
	}
	options, err := f.clientOptions(logger)
	if err != nil {
		return err
	}
	return dev.Run(cmd.Context(), dev.Options{
		Server:        server,
		Client:        options,
		Host:          host,
		WorkflowTypes: slices.Sorted(maps.Keys(worker.WorkflowTypes())),
		Logger:        logger,
		Observe: func(healthy func(context.Context) error) (client.MetricsHandler, func(), error) {
			return worker.Observe(f.metricsAddress, healthy, logger)
		},
		Ready: func(r dev.Ready) { printBanner(cmd.OutOrStdout(), r, f.keyFile) },
	})
}

// clientOptions reads no TEMPORAL_* variable: they are about some other cluster.
func (f *devFlags) clientOptions(logger *slog.Logger) (client.Options, error) {
	if err := secret.EnsureKeyFile(f.keyFile); err != nil {
		return client.Options{}, err
	}
	keyring, err := secret.LoadKeyring(f.keyFile)
	if err != nil {
		return client.Options{}, err
	}
	name, err := os.Hostname()
	if err != nil {
		name = "localhost"
	}
	return client.Options{
		Identity:                fmt.Sprintf("orch-worker-dev@%s/%d", name, os.Getpid()),
		Logger:                  log.NewStructuredLogger(logger),
		DataConverter:           secret.DataConverter(keyring),
		FailureConverter:        secret.FailureConverter(keyring),
		WorkerHeartbeatInterval: 10 * time.Second,
	}, nil
}

// printBanner tells a person where everything is and what to type next. Example:
//
//	orch-worker dev is ready (0.3 s)
//
//	  Temporal  127.0.0.1:7233, namespace default
//	  Web UI    http://127.0.0.1:8233
//	  Data      /home/me/.local/share/orch
//	  Key file  /home/me/.local/share/orch/encryption.key
//
//	Leave it running, and in another terminal type:
//
//	  terraform apply
func printBanner(w io.Writer, r dev.Ready, keyFile string) {
	ui := r.WebUIURL
	if ui == "" {
		ui = "off"
	}
	var next strings.Builder
	if r.Address != devserver.Address(devserver.Options{}) {
		fmt.Fprintf(&next, "  export TEMPORAL_ADDRESS=%s\n", r.Address)
	}
	if r.Namespace != devserver.DefaultNamespace {
		fmt.Fprintf(&next, "  export TEMPORAL_NAMESPACE=%s\n", r.Namespace)
	}
	if keyFile != secret.DefaultKeyFile() {
		fmt.Fprintf(&next, "  export %s=%s\n", secret.EnvKeyFile, keyFile)
	}
	_, _ = fmt.Fprintf(w, `orch-worker dev is ready (%.1f s)

  Temporal  %s, namespace %s
  Web UI    %s
  Data      %s
  Key file  %s

Leave it running, and in another terminal type:

%s  terraform apply

`, r.Took.Seconds(), r.Address, r.Namespace, ui, r.DataDir, keyFile, next.String())
}
