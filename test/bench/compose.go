package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/demo/devenv"
)

// compose makes the stack with docker compose and a compose file that says the same as the catalog.
type compose struct {
	api     *dockerAPI
	stack   contract.Stack
	command []string
	version string
	project string
	file    string
}

func newCompose(ctx context.Context, repo devenv.Repo, api *dockerAPI, p pipeline, dir string) (*compose, error) {
	c := &compose{api: api, stack: p.Stack, project: p.Stack.Ref.Service, file: filepath.Join(dir, p.Stack.Ref.Service+".json")}
	file, err := newComposeFile(c.project, p.Stack)
	if err != nil {
		return nil, err
	}
	data, err := file.marshal()
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(c.file, data, 0o600); err != nil {
		return nil, fmt.Errorf("write the compose file: %w", err)
	}
	if c.command, c.version, err = findCompose(ctx, repo); err != nil {
		return nil, err
	}
	say("docker compose %s: %s", c.version, strings.Join(c.command, " "))
	return c, nil
}

// builtVersion is what the wrapper module in test/images/compose pins.
const builtVersion = "v5.5.0"

// findCompose returns the command of a docker compose of version 2 or newer: the plugin, else the standalone program, else
// one that is built from its module. Version 1 was another program, and is no longer maintained.
func findCompose(ctx context.Context, repo devenv.Repo) (command []string, version string, err error) {
	built := repo.Path(".cache", "bench", "docker-compose-"+builtVersion)
	for _, candidate := range [][]string{{"docker", "compose"}, {"docker-compose"}, {built}} {
		if version, ok := composeVersion(ctx, candidate); ok {
			return candidate, version, nil
		}
	}
	say("no docker compose of version 2 or newer is installed: building %s from its module, a few minutes", builtVersion)
	cmd := exec.CommandContext(ctx, repo.Path("scripts", "go-build.sh"), repo.Path("test", "images", "compose"), built,
		"github.com/docker/compose/v5/cmd", "-X github.com/docker/compose/v5/internal.Version="+builtVersion)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, "", fmt.Errorf("build docker compose: %w; install the docker compose plugin, or leave it out with: -only orch,direct,empty", err)
	}
	version, ok := composeVersion(ctx, []string{built})
	if !ok {
		return nil, "", fmt.Errorf("%s does not tell its version", built)
	}
	return []string{built}, version, nil
}

var versionPattern = regexp.MustCompile(`^v?(\d+)\.\d+`)

func composeVersion(ctx context.Context, command []string) (version string, ok bool) {
	args := append(command[1:len(command):len(command)], "version", "--short")
	out, err := exec.CommandContext(ctx, command[0], args...).Output()
	if err != nil {
		return "", false
	}
	return modernCompose(string(out))
}

// modernCompose reads the answer to `version --short`.
func modernCompose(answer string) (version string, ok bool) {
	version = strings.TrimSpace(answer)
	match := versionPattern.FindStringSubmatch(version)
	if match == nil {
		return "", false
	}
	major, err := strconv.Atoi(match[1])
	return version, err == nil && major >= 2
}

// Name implements contestant.
func (c *compose) Name() string { return nameCompose }

// Explain implements contestant.
func (c *compose) Explain(p phase) string {
	return map[phase]string{
		create:  "docker compose " + c.version + " up --detach, then the same probes",
		noOp:    "docker compose up --detach again (it compares configuration, and probes nothing)",
		destroy: "docker compose down --volumes",
	}[p]
}

func (c *compose) run(ctx context.Context, args ...string) error {
	args = append([]string{"--project-name", c.project, "--file", c.file, "--progress", "quiet"}, args...)
	cmd := exec.CommandContext(ctx, c.command[0], append(c.command[1:len(c.command):len(c.command)], args...)...)
	cmd.Env = append(append(os.Environ(), "DOCKER_CONTEXT=default"), secretEnvironment(c.stack)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("docker compose %s: %w\n%s", strings.Join(args, " "), err, bytes.TrimSpace(out.Bytes()))
	}
	return nil
}

func (c *compose) container(component contract.Component) string {
	return composeContainer(c.project, component.Name)
}

func (c *compose) up(ctx context.Context) error {
	return c.run(ctx, "up", "--detach", "--no-build", "--pull", "never")
}

// Create implements contestant.
func (c *compose) Create(ctx context.Context) error {
	if err := c.up(ctx); err != nil {
		return err
	}
	return c.api.awaitAll(ctx, c.stack, c.container)
}

// NoOp implements contestant.
func (c *compose) NoOp(ctx context.Context) error { return c.up(ctx) }

// Destroy implements contestant.
func (c *compose) Destroy(ctx context.Context) error { return c.run(ctx, "down", "--volumes") }

func (c *compose) label() string { return "com.docker.compose.project=" + c.project }

// Verify implements contestant.
func (c *compose) Verify(ctx context.Context, exists bool) error {
	if exists {
		return c.api.awaitAll(ctx, c.stack, c.container)
	}
	return c.api.gone(ctx, c.label())
}

// Sweep removes what an interrupted run left.
func (c *compose) Sweep(ctx context.Context) error {
	return c.api.sweep(ctx, c.label())
}
