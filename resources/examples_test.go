package resources_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every example is applied, planned again and destroyed. A new one needs a line here that tells what it makes.
func TestExamplesApplyAndPlanEmpty(t *testing.T) {
	t.Parallel()
	services := map[string][]string{
		"provider":              nil,
		"demo":                  {"app"},
		"logs-pipeline-options": {"shop"},
		"observability":         {"app", "metrics/app", "tracing/app"},
		"databases":             {"database/app"},
		"ai-proxy":              {"container/ai-proxy"},
		"knowledge-graph":       {"database/graph", "container/graph"},

		"resources/orch_logs_pipeline":     {"app", "batch"},
		"resources/orch_metrics_pipeline":  {"metrics/app", "metrics/batch"},
		"resources/orch_tracing_pipeline":  {"app", "tracing/app", "tracing/batch"},
		"resources/orch_database_pipeline": {"database/app", "database/batch"},
		"resources/orch_container_service": {"container/web", "container/api", "database/app"},
		"resources/orch_chat_service":      {"chat/app", "chat/beta", "database/shared"},

		"resources/orch_container_logs_ingest": {"app", "containerlogs/app", "containerlogs/host"},
		"resources/orch_otlp_ingest":           {"app", "otlp/app", "tracing/app", "container/shop"},
	}
	const root = "../examples"
	for _, pattern := range []string{"*", "resources/*"} {
		dirs, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range dirs {
			name, err := filepath.Rel(root, dir)
			if err != nil {
				t.Fatal(err)
			}
			if name == "resources" || name == "data-sources" { // the latter make nothing; the end-to-end tests apply them
				continue
			}
			if name == "custom-worker" || name == "resources/orch_workflow" {
				continue // they need a real worker of a user's own; the end-to-end tests have one
			}
			if strings.HasSuffix(name, "_deployment") {
				continue // they need a platform; test/deployments applies them against its double
			}
			if name == "logs-then-stdout-ingest" || name == "resources/orch_stdout_ingest" {
				continue // an ingest has no containers for the double of a worker to tell of; the end-to-end tests apply them
			}
			if name == "chat" {
				continue // it is built from a folder next to it, and the provider is not started there; the end-to-end tests apply it
			}
			made, ok := services[name]
			if !ok {
				t.Errorf("examples/%s is not tested", name)
				continue
			}
			delete(services, name)
			t.Run(name, func(t *testing.T) { t.Parallel(); applyExample(t, dir, made) })
		}
	}
	for name := range services {
		t.Errorf("there is no examples/%s", name)
	}
}

func applyExample(t *testing.T, dir string, services []string) {
	f := newFake(t)
	f.unordered = true
	c := newCLI(t, f)
	files, err := filepath.Glob(filepath.Join(dir, "*.tf"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasPrefix(filepath.Base(file), "import") {
			continue // imports what the other file of the directory creates
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		// What stands in the documentation of a resource has no provider.
		if filepath.Base(file) == "resource.tf" {
			c.write(string(data))
			continue
		}
		if err := os.WriteFile(filepath.Join(c.dir, filepath.Base(file)), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c.env = append(c.env, "TF_VAR_grafana_password=correct-horse-battery", "TF_VAR_image=i:1")
	var creates, deletes []string
	for _, s := range services {
		creates, deletes = append(creates, "create "+s), append(deletes, "delete "+s)
	}
	f.expect(creates...)()
	c.apply()
	c.planEmpty()
	f.expect(deletes...)()
	c.destroy()
}
