package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/secret"
	"github.com/temporal-orchestrator/terraform-provider-orch/worker"
)

func newRunCommand(logs *logFlags) *cobra.Command {
	var (
		connection     connectionFlags
		queues         queueFlags
		maxConcurrency int
		metricsAddress string
		dataDir        string
		secrets        secretFlags
	)
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Poll task queues of a Temporal cluster",
		Long: "run polls task queues of a Temporal cluster and carries out what is started on them, on the Docker Engine of DOCKER_HOST\n" +
			"(default: the local one). One queue belongs to one Docker Engine. SIGINT or SIGTERM stops polling, lets running\n" +
			"steps finish for 20 s and hands longer ones to the next worker; a second signal ends the process at once.",
		Example: "  orch-worker run --service-name app\n" +
			"  orch-worker run --task-queue team-a --address temporal.example.com:7233 --namespace prod\n" +
			"  orch-worker run --task-queue team-a --address temporal.example.com:7233 --tls-ca-cert-file ca.pem \\\n" +
			"    --tls-client-cert-file worker.pem --tls-client-key-file worker-key.pem",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			logger, err := logs.logger(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			names, err := queues.queues()
			if err != nil {
				return err
			}
			if len(names) == 0 {
				return errors.New("no queue to poll; pass --service-name NAME (its queue is NAME-queue) or --task-queue NAME")
			}
			if err := checkConcurrency(maxConcurrency); err != nil {
				return err
			}
			to, err := connection.connection()
			if err != nil {
				return err
			}
			return worker.Run(cmd.Context(), worker.Options{
				Connection:     to,
				ServiceNames:   queues.serviceNames,
				TaskQueues:     queues.taskQueues,
				MaxConcurrency: maxConcurrency,
				MetricsAddress: metricsAddress,
				DataDir:        dataDir,
				SecretEnv:      secrets.env,
				SecretFiles:    secrets.files,
				Logger:         logger,
			})
		},
	}
	queues.add(cmd.Flags())
	connection.add(cmd.Flags())
	addMaxConcurrency(cmd, &maxConcurrency)
	addMetricsAddress(cmd, &metricsAddress)
	cmd.Flags().StringVar(&dataDir, "data-dir", secret.DefaultDataDir(), "`directory` that keeps how far logs were shipped; it must outlive the worker")
	secrets.add(cmd.Flags())
	return cmd
}

// secretFlags extend what configurations may refer to as secrets.
type secretFlags struct{ env, files []string }

func (f *secretFlags) add(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.env, "secret-env", nil,
		"`name` of an environment variable that configurations may use as a secret; it may end in * (repeatable; "+secret.EnvAllowedEnv+")")
	flags.StringArrayVar(&f.files, "secret-file", nil,
		"`path` of a file or directory whose content configurations may use as secrets (repeatable; "+secret.EnvAllowedFiles+")")
}

func addMetricsAddress(cmd *cobra.Command, target *string) {
	cmd.Flags().StringVar(target, "metrics-address", "", "`host:port` that serves /healthz and /metrics; off when empty")
}

func addMaxConcurrency(cmd *cobra.Command, target *int) {
	cmd.Flags().IntVar(target, "max-concurrency", worker.DefaultMaxConcurrency, "`number` of activities that run at the same time, over all queues")
}

func checkConcurrency(n int) error {
	if n < 1 {
		return fmt.Errorf("--max-concurrency %d is not possible; pass 1 or more", n)
	}
	return nil
}
