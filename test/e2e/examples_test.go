package e2e

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
)

const examplesDir = "../../examples"

// exampleDirs are all directories with Terraform files.
func exampleDirs(t *testing.T) []string {
	t.Helper()
	var dirs []string
	err := filepath.WalkDir(examplesDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if found, _ := filepath.Glob(filepath.Join(path, "*.tf")); d.IsDir() && len(found) > 0 {
			dirs = append(dirs, path)
		}
		return nil
	})
	require.NoError(t, err)
	require.NotEmpty(t, dirs)
	return dirs
}

// useExample copies an example's Terraform files.
func (w *world) useExample(dir string) {
	w.t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*.tf"))
	require.NoError(w.t, err)
	named := false
	for _, path := range found {
		data, err := os.ReadFile(path)
		require.NoError(w.t, err)
		named = named || strings.Contains(string(data), "required_providers")
		require.NoError(w.t, os.WriteFile(filepath.Join(w.dir, filepath.Base(path)), data, 0o600))
	}
	if !named { // a fragment for the documentation, which shows the provider on a page of its own
		require.NoError(w.t, os.WriteFile(filepath.Join(w.dir, "versions.tf"), []byte(requiredProviders), 0o600))
	}
}

// exampleImages are the variables of examples with an application of a user's own, which the box stands for.
var exampleImages = map[string]map[string]string{
	"logs-then-stdout-ingest": {"image": boxImage, "command": `["serve", "--lines", "20"]`},
}

func TestEveryExampleIsValid(t *testing.T) {
	t.Parallel()
	for _, dir := range exampleDirs(t) {
		name, err := filepath.Rel(examplesDir, dir)
		require.NoError(t, err)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.useExample(dir)
			r := w.terraform("validate", "-json")
			require.Zero(t, r.exit, r.errors())
			require.Empty(t, r.warnings())
		})
	}
}

var (
	serviceName = regexp.MustCompile(`service_name\s*=\s*"([^"]+)"`)
	mirror      = regexp.MustCompile(`registry_mirror\s*=\s*"([^"]+)"`)
	userVolume  = regexp.MustCompile(`volume\s*=\s*"([^"]+)"`)
)

// Every example that makes something is applied as it stands: default ports, default image names, its own service name.
func everyExampleApplies(t *testing.T) {
	for _, dir := range exampleDirs(t) {
		files, err := filepath.Glob(filepath.Join(dir, "*.tf"))
		require.NoError(t, err)
		var hcl strings.Builder
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			hcl.Write(data)
		}
		// Those with orch_workflow need the worker of examples/custom-worker: TestCustomWorkerExample applies them. Deployments need
		// a platform: test/deployments applies them against its double.
		if !strings.Contains(hcl.String(), "resource \"orch_") || strings.Contains(hcl.String(), "resource \"orch_workflow\"") ||
			strings.Contains(filepath.Base(dir), "_deployment") {
			continue
		}
		// Those with services need images of a user's own: the tests of services apply them with others.
		ownImage := strings.Contains(hcl.String(), "resource \"orch_container_service\"") || strings.Contains(hcl.String(), "resource \"orch_chat_service\"")
		if _, given := exampleImages[filepath.Base(dir)]; ownImage && !given {
			continue
		}
		t.Run(filepath.Base(dir), func(t *testing.T) { applyExample(t, dir, hcl.String()) })
	}
}

func applyExample(t *testing.T, dir, hcl string) {
	t.Helper()
	prefix := ""
	if found := mirror.FindStringSubmatch(hcl); found != nil {
		prefix = found[1] + "/"
	}
	withDefaultImages(t, prefix)
	needDefaultPorts(t)
	services := []string{"app"} // the demo's, whose name is a variable
	for _, found := range serviceName.FindAllStringSubmatch(hcl, -1) {
		services = append(services, found[1])
	}
	if found := userVolume.FindStringSubmatch(hcl); found != nil {
		foreign(t, "volume", found[1], "volume", "create", found[1])
	}
	for _, service := range services {
		require.Empty(t, objects(t, service), "a service %q exists on this engine: destroy it first (for the demo: make demo-down)", service)
		t.Cleanup(func() { purge(t, service) })
	}
	w := newWorld(t, shared.get(t))
	w.env = append(w.env, "TEMPORAL_ADDRESS="+w.server.address(), "TF_VAR_grafana_password=a-password-for-the-test", "TF_VAR_grafana_admin_password=a-password-for-the-test")
	w.variables(exampleImages[filepath.Base(dir)])
	w.useExample(dir)
	// An import block belongs to a service that exists already.
	imports, err := filepath.Glob(filepath.Join(w.dir, "import*.tf"))
	require.NoError(t, err)
	for _, path := range imports {
		require.NoError(t, os.Remove(path))
	}
	w.apply()
	w.assertEmptyPlan()
	if filepath.Base(dir) == "logs-then-stdout-ingest" {
		query := "/loki/api/v1/query_range?query=" + url.QueryEscape(`{service_name="ingest-after"} |= "line 20 of 20"`)
		eventually(t, time.Minute, "a line of the application is in Loki", func() bool {
			_, body, err := get(localURL(catalog.LokiPort, query), "", "")
			return err == nil && strings.Contains(body, "line 20 of 20")
		})
	}
	w.destroy(asUsual)
	for _, service := range services {
		for _, object := range objects(t, service) {
			require.True(t, strings.HasPrefix(object, "volume "), "%s is left", object)
		}
	}
}
