package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"syscall"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
	"github.com/temporal-orchestrator/terraform-provider-orch/worker/cmd/orch-worker/internal/doctor"
)

// Free space on the engine's disk that images and data of a pipeline need.
const (
	enoughSpace = 10 << 30
	leastSpace  = 1 << 30
)

func newDoctorCommand(logs *logFlags) *cobra.Command {
	var (
		connection connectionFlags
		queues     queueFlags
	)
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check what the worker needs, a line each",
		Long: "doctor checks Temporal, the task queues that are named, and the Docker Engine of DOCKER_HOST. Each check is a line that begins\n" +
			"with ok, warn or FAIL; the exit status is 1 when one has failed.",
		Example: "  orch-worker doctor --service-name app",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			logger, err := logs.logger(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			names, err := queues.queues()
			if err != nil {
				return err
			}
			temporal, closeClient := temporalChecks(connection, names)
			defer closeClient()
			e, err := engine.New(engine.Options{Logger: logger})
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, e.Close()) }()
			failed, err := doctor.Run(cmd.Context(), cmd.OutOrStdout(), append(temporal, engineChecks(e)...))
			if err == nil && failed > 0 {
				err = fmt.Errorf("checks that failed: %d", failed)
			}
			return err
		},
	}
	queues.add(cmd.Flags())
	connection.add(cmd.Flags())
	return cmd
}

// temporalChecks turns a configuration that cannot be read into a failed check, so that the engine is checked all the same.
func temporalChecks(f connectionFlags, queues []string) (checks []doctor.Check, closeClient func()) {
	broken := func(err error) ([]doctor.Check, func()) {
		return []doctor.Check{{Name: "temporal configuration", Run: func(context.Context) (string, error) { return "", err }}}, func() {}
	}
	connection, err := f.connection()
	if err != nil {
		return broken(err)
	}
	options, resolved, err := runner.ClientOptions(connection.Config(slog.New(slog.DiscardHandler)))
	if err != nil {
		return broken(err)
	}
	c, err := client.NewLazyClient(options)
	if err != nil {
		return broken(err)
	}
	t := doctor.Temporal{
		Client: c, Address: resolved.Address, Namespace: resolved.Namespace, TaskQueues: queues,
		Explain: func(err error) string { return runner.Detail(resolved.Unreachable(err, doctor.AnswerTimeout)) },
	}
	key := func(context.Context) (string, error) {
		if resolved.KeyFile == "" {
			return "", doctor.Warnf("none, so secrets cannot travel; `orch-worker dev` makes one, or pass --encryption-key-file")
		}
		return resolved.KeyFile, nil
	}
	return append(t.Checks(), doctor.Check{Name: "encryption key file", Run: key}), c.Close
}

// engineChecks looks at the Docker Engine. What depends on its answer is not checked without it.
func engineChecks(e *engine.Engine) []doctor.Check {
	var info engine.Info
	absent := func() error {
		if info.ID == "" {
			return doctor.Warnf("not checked, because the Docker Engine does not answer")
		}
		return nil
	}
	checks := []doctor.Check{
		{Name: "docker engine", Run: func(ctx context.Context) (string, error) {
			found, err := e.Info(ctx)
			if err != nil {
				return "", withHint(err)
			}
			info = found
			return fmt.Sprintf("%s, version %s, API %s, %s/%s", info.Name, info.Version, info.APIVersion, info.OS, info.Arch), nil
		}},
		{Name: "disk space", Run: func(context.Context) (string, error) {
			if err := absent(); err != nil {
				return "", err
			}
			return diskSpace(info.RootDir)
		}},
	}
	for _, image := range defaultImages() {
		checks = append(checks, doctor.Check{Name: "image", Run: func(ctx context.Context) (string, error) {
			if err := absent(); err != nil {
				return "", err
			}
			present, err := e.ImagePresent(ctx, image)
			if err != nil {
				return "", withHint(err)
			}
			if !present {
				return "", doctor.Warnf("%s is not here yet; the first apply pulls it, or do it now: docker pull %s", image, image)
			}
			return image, nil
		}})
	}
	return checks
}

// defaultImages lists the images that pipelines use when nothing else is configured.
func defaultImages() []string {
	var images []string
	for _, entry := range catalog.All() {
		// Defaults always expand; a test of the catalog proves it.
		stack, err := entry.Expand(contract.NewRef(entry.Kind, "", "app"), nil)
		if err != nil {
			continue
		}
		for _, c := range stack.Components {
			images = append(images, c.Image)
		}
	}
	slices.Sort(images)
	return slices.Compact(images)
}

func diskSpace(dir string) (string, error) {
	if _, err := os.Stat(dir); err != nil {
		return "", doctor.Warnf("not checked, because the engine's directory %s cannot be seen from here", dir)
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return "", fmt.Errorf("look at %s: %w", dir, err)
	}
	free := fs.Bavail * uint64(fs.Bsize)
	detail := fmt.Sprintf("%.1f GiB free in %s", float64(free)/(1<<30), dir)
	switch {
	case free < leastSpace:
		return "", fmt.Errorf("%s; free some, for example with: docker system prune", detail)
	case free < enoughSpace:
		return "", doctor.Warnf("%s; images and data need some 10 GiB", detail)
	default:
		return detail, nil
	}
}

// withHint adds what to do next to a failure that knows it.
func withHint(err error) error {
	failure := contract.AsFailure(err)
	if failure != nil && failure.Hint != "" {
		return fmt.Errorf("%w; %s", err, failure.Hint)
	}
	return err
}
