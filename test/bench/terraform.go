package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/demo/devenv"
)

// orch makes the stack with the provider, through the Terraform CLI and a worker.
type orch struct {
	api      *dockerAPI
	stack    contract.Stack
	tf       devenv.Terraform
	resource string
	// verify has every create write something and read it back, which is orch's default but more than the others do.
	verify bool
}

// newTerraform writes a configuration into a directory of its own and prepares the CLI for it. The empty configuration gets
// the same CLI configuration, provider and environment.
func newTerraform(repo devenv.Repo, dir, configuration string, env []string) (devenv.Terraform, error) {
	cli, err := devenv.FindTerraform()
	if err != nil {
		return devenv.Terraform{}, err
	}
	provider, err := repo.Binary("terraform-provider-orch")
	if err != nil {
		return devenv.Terraform{}, err
	}
	tf := devenv.Terraform{CLI: cli, ProviderDir: filepath.Dir(provider), Config: filepath.Join(dir, "configuration"), Work: dir, Env: env}
	if err := os.MkdirAll(tf.Config, 0o700); err != nil {
		return devenv.Terraform{}, fmt.Errorf("write a configuration: %w", err)
	}
	if err := os.WriteFile(filepath.Join(tf.Config, "main.tf.json"), []byte(configuration), 0o600); err != nil {
		return devenv.Terraform{}, fmt.Errorf("write a configuration: %w", err)
	}
	return tf, tf.Write()
}

// Name implements contestant.
func (o *orch) Name() string {
	if o.verify {
		return nameVerify
	}
	return nameOrch
}

// Explain implements contestant.
func (o *orch) Explain(p phase) string {
	cli := filepath.Base(o.tf.CLI)
	return map[phase]string{
		create:  cli + " apply of " + o.resource + " with verify = false: CLI, provider, Temporal, worker, engine, probes",
		noOp:    cli + " plan: inspects containers, files and probes through a status workflow",
		destroy: cli + " destroy with delete_volumes, ends by proving that nothing is left",
	}[p]
}

// Create implements contestant.
func (o *orch) Create(ctx context.Context) error { return apply(ctx, o.tf) }

// NoOp implements contestant.
func (o *orch) NoOp(ctx context.Context) error { return emptyPlan(ctx, o.tf) }

// Destroy implements contestant.
func (o *orch) Destroy(ctx context.Context) error { return destroyAll(ctx, o.tf) }

func (o *orch) label() string { return contract.LabelService + "=" + o.stack.Ref.Service }

// Verify implements contestant.
func (o *orch) Verify(ctx context.Context, exists bool) error {
	if exists {
		return o.api.awaitAll(ctx, o.stack, container)
	}
	return o.api.gone(ctx, o.label())
}

// Sweep removes what an interrupted run left.
func (o *orch) Sweep(ctx context.Context) error { return o.api.sweep(ctx, o.label()) }

// empty applies a configuration without anything in it: what the CLI itself takes.
type empty struct{ tf devenv.Terraform }

// Name implements contestant.
func (e *empty) Name() string { return nameEmpty }

// Explain implements contestant.
func (e *empty) Explain(p phase) string {
	command := map[phase]string{create: "apply", noOp: "plan", destroy: "destroy"}[p]
	return filepath.Base(e.tf.CLI) + " " + command + " of an empty configuration with the same CLI settings: the floor"
}

// Create implements contestant.
func (e *empty) Create(ctx context.Context) error { return apply(ctx, e.tf) }

// NoOp implements contestant.
func (e *empty) NoOp(ctx context.Context) error { return emptyPlan(ctx, e.tf) }

// Destroy implements contestant.
func (e *empty) Destroy(ctx context.Context) error { return destroyAll(ctx, e.tf) }

// Verify implements contestant.
func (e *empty) Verify(context.Context, bool) error { return nil }

func apply(ctx context.Context, tf devenv.Terraform) error {
	return tf.Run(ctx, nil, "apply", "-auto-approve", "-no-color")
}

// emptyPlan fails when the plan holds a change (exit code 2).
func emptyPlan(ctx context.Context, tf devenv.Terraform) error {
	return tf.Run(ctx, nil, "plan", "-detailed-exitcode", "-no-color")
}

func destroyAll(ctx context.Context, tf devenv.Terraform) error {
	return tf.Run(ctx, nil, "destroy", "-auto-approve", "-no-color")
}

// emptyConfiguration names the provider, so that the CLI reads the same settings, but uses nothing of it.
var emptyConfiguration = strings.TrimSpace(`
{"terraform": {"required_providers": {"orch": {"source": "temporal-orchestrator/orch"}}}}
`)
