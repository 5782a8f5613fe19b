package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// probePause is between two tries: short, so that a contestant is not charged for the benchmark's own waiting.
const probePause = 10 * time.Millisecond

var prober = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// awaitAll returns when every component of the stack answers its probe. container names a component's container.
func (a *dockerAPI) awaitAll(ctx context.Context, stack contract.Stack, container func(contract.Component) string) error {
	return concurrently(stack.Components, func(c contract.Component) error { return a.await(ctx, container(c), c) })
}

// await polls one component's probe, as long as its container runs.
func (a *dockerAPI) await(ctx context.Context, container string, c contract.Component) error {
	ctx, cancel := context.WithTimeout(ctx, c.Probe.Timeout())
	defer cancel()
	address, err := a.probeURL(ctx, container, c)
	if err != nil {
		return err
	}
	const triesPerInspect = 50
	for try := 1; ; try++ {
		reason := probe(ctx, address, c.Probe.Contains)
		if reason == nil {
			return nil
		}
		if try%triesPerInspect == 0 {
			if found, err := a.inspect(ctx, container); err == nil && found.State.Status != "running" {
				return fmt.Errorf("container %s is %s, exit code %d", container, found.State.Status, found.State.ExitCode)
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("container %s is not ready: %w", container, reason)
		case <-time.After(probePause):
		}
	}
}

// probeURL finds out which host port the engine gave the probed one.
func (a *dockerAPI) probeURL(ctx context.Context, container string, c contract.Component) (string, error) {
	port, ok := c.Port(c.Probe.Port)
	if !ok {
		return "", fmt.Errorf("component %s probes a port %q that it does not have", c.Name, c.Probe.Port)
	}
	found, err := a.inspect(ctx, container)
	if err != nil {
		return "", err
	}
	bindings := found.NetworkSettings.Ports[strconv.Itoa(port.Container)+"/tcp"]
	if len(bindings) == 0 {
		return "", fmt.Errorf("container %s publishes no port for its probe; it is %s, exit code %d", container, found.State.Status, found.State.ExitCode)
	}
	return "http://" + net.JoinHostPort(bindings[0].HostIP, bindings[0].HostPort) + c.Probe.Path, nil
}

func probe(ctx context.Context, address, contains string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	resp, err := prober.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || !bytes.Contains(body, []byte(contains)) {
		return fmt.Errorf("%s answers %s: %s", address, resp.Status, bytes.TrimSpace(body))
	}
	return nil
}

// concurrently calls do for all values at the same time and returns all errors.
func concurrently[T any](values []T, do func(T) error) error {
	errs := make(chan error, len(values))
	for _, v := range values {
		go func() { errs <- do(v) }()
	}
	var all []error
	for range values {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}
