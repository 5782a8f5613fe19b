package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
)

func newSecretCommand(logs *logFlags) *cobra.Command {
	var scope, name string
	cmd := &cobra.Command{
		Use:   "secret KIND SERVICE COMPONENT",
		Short: "Print a secret of a service on this host",
		Long: "secret prints what a component's secret is set to, read from its secrets volume on the Docker Engine of DOCKER_HOST. That is\n" +
			"how to learn a password that was generated. It goes to standard output and nowhere else.",
		Example: "  orch-worker secret logs app grafana",
		Args:    cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			logger, err := logs.logger(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			entry, err := findKind(args[0])
			if err != nil {
				return err
			}
			ref := contract.NewRef(entry.Kind, scope, args[1])
			if err := ref.Validate(); err != nil {
				return err
			}
			which, err := findSecret(entry, ref, args[2], name)
			if err != nil {
				return err
			}
			e, err := engine.New(engine.Options{Logger: logger})
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, e.Close()) }()
			value, err := e.Secret(cmd.Context(), ref, args[2], which)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), value)
			return err
		},
	}
	cmd.Flags().StringVar(&scope, "scope", contract.DefaultScope, "`scope` that the provider is configured with")
	cmd.Flags().StringVar(&name, "name", "", "`name` of the secret, where a component has several")
	return cmd
}

// findKind accepts "logs", "logs_pipeline" and "orch_logs_pipeline".
func findKind(name string) (catalog.Entry, error) {
	var known []string
	for _, entry := range catalog.All() {
		if name == entry.Kind.Short || strings.TrimPrefix(name, "orch_") == entry.Kind.Name {
			return entry, nil
		}
		known = append(known, entry.Kind.Short)
	}
	return catalog.Entry{}, fmt.Errorf("there is no kind %q; pass one of: %s", name, strings.Join(known, ", "))
}

// findSecret checks that the component has such a secret; an empty name means its only one.
func findSecret(entry catalog.Entry, ref contract.Ref, component, name string) (string, error) {
	stack, err := entry.Expand(ref, entry.Minimal)
	if err != nil {
		return "", err
	}
	c, ok := stack.Component(component)
	if !ok {
		return "", fmt.Errorf("%s has no component %q; pass one of: %s", entry.Kind.Name, component, strings.Join(catalog.Names(stack), ", "))
	}
	// Only the service itself knows the secrets that its configuration has named.
	if entry.Minimal != nil && name != "" {
		return name, nil
	}
	var names []string
	for _, s := range c.Secrets {
		if s.Name == name {
			return name, nil
		}
		names = append(names, s.Name)
	}
	switch {
	case entry.Minimal != nil && len(names) != 1:
		return "", fmt.Errorf("the secrets of %s are those that its configuration names; pass one as --name", ref.ID())
	case len(names) == 0:
		return "", fmt.Errorf("component %s of %s has no secret", component, entry.Kind.Name)
	case name == "" && len(names) == 1:
		return names[0], nil
	default:
		return "", fmt.Errorf("component %s has the secrets %s; pass one as --name", component, strings.Join(names, ", "))
	}
}
