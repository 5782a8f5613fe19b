package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// healthTimeout is longer than the worker's own limit for the answer.
const healthTimeout = 8 * time.Second

func newHealthCommand() *cobra.Command {
	var address string
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask a running worker whether it polls its queues",
		Long: "health asks /healthz of the worker that was started with the same --metrics-address. The exit status is 0 when it is\n" +
			"connected and polls all its queues, else 1. It is the health check of the container image, which holds no other program.",
		Example: "  orch-worker health --metrics-address 127.0.0.1:9464",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			answer, err := askHealth(cmd.Context(), address)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), answer)
			return err
		},
	}
	cmd.Flags().StringVar(&address, "metrics-address", "127.0.0.1:9464", "`host:port` of the worker's --metrics-address")
	return cmd
}

func askHealth(ctx context.Context, address string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/healthz", nil)
	if err != nil {
		return "", fmt.Errorf("--metrics-address %s: %w", address, err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fmt.Errorf("no worker answers: %w; start it with --metrics-address %s", err, address)
	}
	defer func() { _ = resp.Body.Close() }() // it is read only
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if err != nil {
		return "", fmt.Errorf("read the worker's health: %w", err)
	}
	answer := strings.TrimSpace(string(body))
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the worker is not ready: %s", answer)
	}
	return answer, nil
}
