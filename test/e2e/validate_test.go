package e2e

import (
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Nothing here needs Temporal or Docker: bad input is found by `terraform validate`, at its line.
func TestBadInputIsRefusedAtItsLine(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		change func(p *pipeline)
		at     string // text of the line that the error points at
		says   string
	}{
		{"empty name", func(p *pipeline) { p.service = "" }, "service_name", "1 to 63"},
		{"upper case", func(p *pipeline) { p.service = "App" }, "service_name", "lower-case"},
		{"64 characters", func(p *pipeline) { p.service = strings.Repeat("a", 64) }, "service_name", "1 to 63"},
		{"slash", func(p *pipeline) { p.service = "a/b" }, "service_name", "lower-case"},
		{"port 0", func(p *pipeline) { p.loki = 0 }, "port = 0", "65535"},
		{"port 70000", func(p *pipeline) { p.http = 70000 }, "http_port = 70000", "65535"},
		{"negative port", func(p *pipeline) { p.grpc = -1 }, "grpc_port = -1", "65535"},
		{"same port twice", func(p *pipeline) { p.grpc, p.grafana = 4711, 4711 }, "    port = 4711", "collector.grpc_port"},
		{"port of a default", func(p *pipeline) { p.loki, p.grafana = 3000, defaultPort }, "grafana = {", "loki.port"},
		{"short retention", func(p *pipeline) { p.lokiMore = []string{`retention = "23h"`} }, "retention", "24h"},
		{"retention is no duration", func(p *pipeline) { p.lokiMore = []string{`retention = "long"`} }, "retention", "duration"},
		{"bind address", func(p *pipeline) { p.top = []string{`bind_address = "localhost"`} }, "bind_address", "IP address"},
		{"pull policy", func(p *pipeline) { p.top = []string{`pull_policy = "sometimes"`} }, "pull_policy", "missing"},
		{"label of ours", func(p *pipeline) { p.top = []string{`labels = { "io.orch.scope" = "x" }`} }, "labels", "io.orch."},
		{"no memory", func(p *pipeline) { p.lokiMore = []string{"memory_mb = 1"} }, "memory_mb", "Docker"},
		{"negative cpus", func(p *pipeline) { p.lokiMore = []string{"cpus = -1"} }, "cpus", "negative"},
		{"password without version", func(p *pipeline) { p.grafMore = []string{`admin_password_wo = "long enough"`} }, "resource \"orch_logs_pipeline\"", "admin_password_wo_version"},
		{"on_failure", func(p *pipeline) { p.top = []string{`on_failure = "panic"`} }, "on_failure", "rollback"},
	}
	all := map[string]refusal{}
	for _, c := range cases {
		p := &pipeline{service: "app", grpc: 4317, http: 4318, loki: 3100, grafana: 3000}
		c.change(p)
		all[c.name] = refusal{p.block(labelOf(c.name)), c.at, c.says}
	}
	assertRefused(t, all)
}

// refusal is a resource that is not valid, text of the line that the error points at, and text of the error.
type refusal struct{ hcl, at, says string }

// labelOf is a resource's label for a case. It has nothing of the case's name, or the line of the resource would hold the text
// that an error is to point at.
func labelOf(name string) string { return fmt.Sprintf("case_%08x", crc32.ChecksumIEEE([]byte(name))) }

// assertRefused validates resources in one go, which is much quicker than one by one; each is in a file of its own, by which its
// errors are told from others.
func assertRefused(t *testing.T, cases map[string]refusal) {
	t.Helper()
	w := newWorld(t, nil)
	w.write(requiredProviders + "\n")
	for name, c := range cases {
		require.NoError(t, os.WriteFile(filepath.Join(w.dir, labelOf(name)+".tf"), []byte(c.hcl), 0o600))
	}
	r := w.terraform("validate", "-json")
	require.Equal(t, 1, r.exit)
	errors := map[string][]diagnostic{}
	for _, d := range r.diagnostics("error") {
		errors[d.Range.Filename] = append(errors[d.Range.Filename], d)
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			file, texts := labelOf(name)+".tf", ""
			for _, d := range errors[file] {
				texts += d.text() + "\n"
			}
			require.NotEmpty(t, texts, "it is taken for valid")
			require.Contains(t, strings.ToLower(texts), strings.ToLower(c.says))
			if c.at != "" {
				w.assertPointsInto(file, errors[file][0], c.at)
			}
		})
	}
}

// What is wrong with the provider's block is told at its line, too.
func TestBadScopeIsRefusedAtItsLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.write((&pipeline{service: "app", grpc: 1, http: 2, loki: 3, grafana: 4, provider: []string{`scope = "a-b"`}}).hcl(""))
	r := w.terraform("validate", "-json")
	require.Equal(t, 1, r.exit)
	require.Contains(t, r.errors(), "lower-case")
	w.assertPointsAt(r.diagnostics("error")[0], "scope")
}

func TestEmptyConfigurationsAreNoProblem(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	p := &pipeline{service: "app", grpc: 1, http: 2, loki: 3, grafana: 4}
	w.write(p.hcl(""))
	require.Zero(t, w.terraform("validate", "-json").exit)
}
