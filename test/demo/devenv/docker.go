package devenv

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Docker runs the docker command and returns what it printed, without the last line's end. The worker reads DOCKER_HOST but
// no docker contexts, so the command is kept from using them as well.
func Docker(ctx context.Context, args ...string) (string, error) {
	cmd := dockerCommand(ctx, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("docker %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimRight(stdout.String(), "\n"), nil
}

func dockerCommand(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "docker", args...)
	cmd.Env = append(os.Environ(), "DOCKER_CONTEXT=default")
	return cmd
}

// LabelFilters are the docker arguments that select objects which carry all of these labels.
func LabelFilters(labels map[string]string) []string {
	var args []string
	for name, value := range labels {
		args = append(args, "--filter=label="+name+"="+value)
	}
	slices.Sort(args)
	return args
}

// Leftovers lists the containers, networks and volumes that carry all of these labels, a phrase each.
func Leftovers(ctx context.Context, labels map[string]string) ([]string, error) {
	var left []string
	for _, list := range []struct {
		what string
		args []string
	}{
		{"container", []string{"container", "ls", "--all", "--format={{.Names}}"}},
		{"network", []string{"network", "ls", "--format={{.Name}}"}},
		{"volume", []string{"volume", "ls", "--format={{.Name}}"}},
	} {
		out, err := Docker(ctx, append(list.args, LabelFilters(labels)...)...)
		if err != nil {
			return nil, err
		}
		for name := range strings.Lines(out) {
			left = append(left, list.what+" "+strings.TrimSpace(name))
		}
	}
	return left, nil
}
