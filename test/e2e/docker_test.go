package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// docker runs the docker command and returns its output.
func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := tryDocker(args...)
	require.NoError(t, err, "docker %s", strings.Join(args, " "))
	return out
}

func tryDocker(args ...string) (string, error) {
	var stdout, stderr strings.Builder
	cmd := exec.Command("docker", args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(stdout.String()), nil
}

// owned are the filters for what belongs to a service.
func owned(service string) []string {
	return []string{"--filter", "label=" + contract.LabelManaged + "=true", "--filter", "label=" + contract.LabelService + "=" + service}
}

// objects lists what a service has: "container NAME", "network NAME", "volume NAME".
func objects(t *testing.T, service string) []string {
	t.Helper()
	var all []string
	for kind, command := range map[string][]string{
		"container": {"ps", "--all", "--format", "{{.Names}}"},
		"network":   {"network", "ls", "--format", "{{.Name}}"},
		"volume":    {"volume", "ls", "--format", "{{.Name}}"},
	} {
		for _, name := range strings.Fields(docker(t, append(command, owned(service)...)...)) {
			all = append(all, kind+" "+name)
		}
	}
	slices.Sort(all)
	return all
}

func assertNothingLeft(t *testing.T, service string) {
	t.Helper()
	require.Empty(t, objects(t, service), "nothing of %s may be left on the engine", service)
}

// purge removes what a failed test has left, with force.
func purge(t *testing.T, service string) {
	for _, kind := range []struct{ list, remove []string }{
		{[]string{"ps", "--all", "--quiet"}, []string{"rm", "--force", "--volumes"}},
		{[]string{"network", "ls", "--quiet"}, []string{"network", "rm"}},
		{[]string{"volume", "ls", "--quiet"}, []string{"volume", "rm", "--force"}},
	} {
		ids, err := tryDocker(append(kind.list, owned(service)...)...)
		if err == nil && ids != "" {
			_, err = tryDocker(append(kind.remove, strings.Fields(ids)...)...)
		}
		if err != nil {
			t.Error("purge:", err)
		}
	}
}

// life identifies one life of a container: another ID is a new container, another start a restart.
type life struct{ id, started, state string }

// lives are a service's containers by component.
func lives(t *testing.T, service string) map[string]life {
	t.Helper()
	out := map[string]life{}
	ids := strings.Fields(docker(t, append([]string{"ps", "--all", "--quiet", "--no-trunc"}, owned(service)...)...))
	if len(ids) == 0 {
		return out
	}
	format := `{{index .Config.Labels "` + contract.LabelComponent + `"}}|{{.Id}}|{{.State.StartedAt}}|{{.State.Status}}`
	for line := range strings.Lines(docker(t, append([]string{"inspect", "--format", format}, ids...)...)) {
		fields := strings.Split(strings.TrimSpace(line), "|")
		require.Len(t, fields, 4)
		_, twice := out[fields[0]]
		require.False(t, twice, "two containers of component %s", fields[0])
		out[fields[0]] = life{fields[1], fields[2], fields[3]}
	}
	return out
}

// inspectAll is what `docker inspect` tells about everything that a service has.
func inspectAll(t *testing.T, service string) string {
	t.Helper()
	var names []string
	for _, object := range objects(t, service) {
		_, name, _ := strings.Cut(object, " ")
		names = append(names, name)
	}
	return docker(t, append([]string{"inspect"}, names...)...)
}

// exists reports whether docker can inspect an object of that kind and name.
func exists(kind, name string) bool {
	_, err := tryDocker(kind, "inspect", name)
	return err == nil
}

var variants struct {
	sync.Mutex
	built map[string]bool
}

const variantPrefix = "orch.local/e2e-"

// isVariant reports whether an image was made by boxRunning.
func isVariant(image string) bool { return strings.HasPrefix(image, variantPrefix) }

// boxRunning is an image whose container does what the box's arguments say, for example hang. Being derived from a local
// image, it needs no registry; it stays, like every locally built image.
func boxRunning(t *testing.T, name string, args ...string) string {
	t.Helper()
	image := variantPrefix + name + ":1"
	variants.Lock()
	defer variants.Unlock()
	if variants.built[image] {
		return image
	}
	command, err := json.Marshal(args)
	require.NoError(t, err)
	build := exec.Command("docker", "build", "--quiet", "--tag", image, "-")
	build.Stdin = strings.NewReader("FROM " + boxImage + "\nCMD " + string(command) + "\n")
	build.Env = append(os.Environ(), "DOCKER_BUILDKIT=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "docker build: %s", out)
	if variants.built == nil {
		variants.built = map[string]bool{}
	}
	variants.built[image] = true
	return image
}

// slowLoki answers as a Loki that takes that many seconds to become ready, which gives a test a middle to act in.
func slowLoki(t *testing.T, seconds int) string {
	t.Helper()
	return boxRunning(t, fmt.Sprintf("slow-%ds", seconds), "serve", "--port", "3100", "--ready-after", fmt.Sprintf("%ds", seconds))
}

// hanging runs and never answers.
func hanging(t *testing.T) string {
	t.Helper()
	return boxRunning(t, "hang", "hang")
}

// foreign makes something that is not orch's, and removes it after the test.
func foreign(t *testing.T, kind, name string, create ...string) {
	t.Helper()
	docker(t, create...)
	t.Cleanup(func() {
		remove := []string{kind, "rm", name}
		if kind == "container" {
			remove = []string{"rm", "--force", "--volumes", name}
		}
		if _, err := tryDocker(remove...); err != nil {
			t.Error("remove", kind, err)
		}
	})
}
