package e2e

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// reading is a logs pipeline and an ingest that reads a folder of the test for it.
type reading struct {
	*world
	logs, files *resource
	folder      string
}

func newReading(t *testing.T, name string) *reading {
	t.Helper()
	g := &reading{world: newWorld(t, shared.get(t)), logs: newResource(t, contract.LogsPipeline, name+"-logs"), folder: t.TempDir()}
	g.files = newResource(t, contract.ContainerLogsIngest, name)
	g.configure("resource_attributes = { \"service.namespace\" = \"first\" }")
	return g
}

// configure writes the configuration, with further lines for the ingest.
func (g *reading) configure(more ...string) {
	g.t.Helper()
	g.files.top = append([]string{
		"delete_volumes = true", fmt.Sprintf("log_paths = [%q]", filepath.Join(g.folder, "*.log")),
		"loki_endpoint = " + g.logs.address() + ".endpoints.loki_internal",
	}, more...)
	g.useAll(g.logs, g.files)
}

// log appends a line to a file of the folder, as an application would.
func (g *reading) log(line string) {
	g.t.Helper()
	file, err := os.OpenFile(filepath.Join(g.folder, "app.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	require.NoError(g.t, err)
	_, err = file.WriteString(line + "\n")
	require.NoError(g.t, err)
	require.NoError(g.t, file.Close())
}

func (g *reading) rotate() {
	g.t.Helper()
	name := filepath.Join(g.folder, "app.log")
	require.NoError(g.t, os.Rename(name, name+".1"))
}

// arrived waits until Loki has a line, and returns how often it has it.
func (g *reading) arrived(line string) int {
	g.t.Helper()
	n := 0
	eventually(g.t, dataLimit, "Loki returns "+line, func() bool {
		n = g.copies(g.files.service, line)
		return n > 0
	})
	return n
}

func (g *reading) copies(service, line string) int {
	g.t.Helper()
	query := url.Values{"query": {fmt.Sprintf("{service_name=%q} |= %q", service, line)}}
	_, body, err := get(g.logs.url("loki.port")+"/loki/api/v1/query_range?"+query.Encode(), "", "")
	var said struct {
		Data struct {
			Result []struct {
				Values [][]string `json:"values"`
			} `json:"result"`
		} `json:"data"`
	}
	if err != nil || json.Unmarshal([]byte(body), &said) != nil {
		return 0
	}
	n := 0
	for _, stream := range said.Data.Result {
		n += len(stream.Values)
	}
	return n
}

// changeOf is what the plan that w.plan made says of one of several resources.
func (w *world) changeOf(r *resource) change {
	w.t.Helper()
	shown := w.terraform("show", "-json", planFile)
	require.Zero(w.t, shown.exit, shown.out)
	var plan struct {
		ResourceChanges []struct {
			Address string `json:"address"`
			Change  change `json:"change"`
		} `json:"resource_changes"`
	}
	require.NoError(w.t, json.Unmarshal([]byte(firstLineOfJSON(shown.out)), &plan))
	for _, c := range plan.ResourceChanges {
		if c.Address == r.address() {
			return c.Change
		}
	}
	w.t.Fatalf("the plan does not name %s", r.address())
	return change{}
}

// assertMends stops the Collector, sees it named in the plan, and the apply start it again.
func (w *world) assertMends(r *resource) {
	w.t.Helper()
	before := lives(w.t, r.service)[catalog.CollectorName]
	docker(w.t, "stop", "--time", "10", r.container(catalog.CollectorName))
	planned := w.plan()
	require.Equal(w.t, 2, planned.exit, planned.errors())
	require.Contains(w.t, planned.warnings(), catalog.CollectorName+": the container is stopped")
	require.Equal(w.t, []string{"update"}, w.changeOf(r).Actions)
	w.applyPlan()
	after := lives(w.t, r.service)[catalog.CollectorName]
	require.Equal(w.t, before.id, after.id)
	require.Equal(w.t, "running", after.state)
	w.assertEmptyPlan()
}

// The life of an ingest of files: made, read through a rotation, changed while it runs, broken, repaired, imported, removed.
func TestLifeOfContainerLogsIngest(t *testing.T) {
	t.Parallel()
	g := newReading(t, "files")
	planned := g.plan()
	require.Equal(t, 2, planned.exit, planned.errors())
	// The endpoint is known from the names alone, so the configuration can be reviewed before anything exists.
	config, _ := g.changeOf(g.files).After["config"].(string)
	require.Contains(t, config, filepath.Join(g.folder, "*.log"))
	require.Contains(t, config, "http://loki."+g.logs.service+".logs:3100/otlp")
	g.applyPlan()
	state := g.inState(g.files)
	require.Equal(t, "ready", state["status"])
	require.Equal(t, "container_logs ingest configured", state["message"])
	require.Equal(t, config, state["config"])
	require.Equal(t, []any{"generate_config", "validate_config", "push_config", "reload_otel_collector"}, state["steps"])
	g.assertEmptyPlan()
	recordRun(t, g.server, contract.NewRef(contract.ContainerLogsIngest, "", g.files.service).ID(), "", "containerlogs-setup")

	g.log("a line before the rotation")
	require.Equal(t, 1, g.arrived("a line before the rotation"))
	g.log("the last line before the rotation")
	g.rotate()
	g.log("a line after the rotation")
	require.Equal(t, 1, g.arrived("a line after the rotation"))
	require.Equal(t, 1, g.arrived("the last line before the rotation"))

	assertReloads(t, g)
	g.assertMends(g.files)
	assertEditedIsReloaded(t, g)
	assertImportsBoth(t, g)
	g.log("the last line")
	require.Equal(t, 1, g.arrived("the last line"))
	g.destroy(asUsual)
	assertNothingLeft(t, g.files.service)
	assertNothingLeft(t, g.logs.service)
}

// assertReloads changes the configuration of a Collector that runs: its container and its process stay.
func assertReloads(t *testing.T, g *reading) {
	t.Helper()
	before := lives(t, g.files.service)
	g.configure("resource_attributes = { \"service.namespace\" = \"second $x\" }")
	require.Equal(t, 2, g.plan().exit)
	c := g.changeOf(g.files)
	require.Equal(t, []string{"update"}, c.Actions)
	config, _ := c.After["config"].(string)
	require.Contains(t, config, `"second $$x"`)
	require.False(t, holdsTrue(c.AfterUnknown["containers"]), "the plan says that no container is touched")
	g.applyPlan()
	require.Equal(t, before, lives(t, g.files.service), "neither another container nor a restart")
	g.assertEmptyPlan()
	recordRun(t, g.server, contract.NewRef(contract.ContainerLogsIngest, "", g.files.service).ID(), "", "containerlogs-reload")
	g.log("a line after the reload")
	require.Equal(t, 1, g.arrived("a line after the reload"))
	query := url.Values{"query": {fmt.Sprintf("{service_name=%q, service_namespace=%q}", g.files.service, "second $x")}}
	_, body, err := get(g.logs.url("loki.port")+"/loki/api/v1/query_range?"+query.Encode(), "", "")
	require.NoError(t, err)
	require.Contains(t, body, "a line after the reload")
	require.Equal(t, 1, g.copies(g.files.service, "a line after the rotation"), "nothing is read twice")
}

// assertEditedIsReloaded edits the configuration in the container, which the next apply puts back without another one.
func assertEditedIsReloaded(t *testing.T, g *reading) {
	t.Helper()
	before := lives(t, g.files.service)[catalog.CollectorName]
	config, _ := g.inState(g.files)["config"].(string)
	edited := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(edited, []byte("# edited by hand\n"+config), 0o644))
	docker(t, "cp", edited, g.files.container(catalog.CollectorName)+":/etc/otelcol-contrib/config.yaml")
	planned := g.plan()
	require.Equal(t, 2, planned.exit)
	require.Contains(t, planned.warnings(), "config.yaml was edited")
	g.applyPlan()
	g.assertEmptyPlan()
	require.Equal(t, before, lives(t, g.files.service)[catalog.CollectorName])
}

// assertImportsBoth finds both services again by their names.
func assertImportsBoth(t *testing.T, g *reading) {
	t.Helper()
	w := newWorld(t, g.server)
	logs, files := *g.logs, *g.files
	logs.top, files.top = nil, files.top[1:] // without delete_volumes, which is no setting of the service
	w.useAll(&logs, &files)
	for _, r := range []*resource{&logs, &files} {
		imported := w.terraform("import", "-no-color", r.address(), r.service)
		require.Zero(t, imported.exit, imported.out)
	}
	w.assertEmptyPlan()
}

const userTemplate = `extensions:
  health_check: {endpoint: "0.0.0.0:13133"}
  file_storage: {directory: /var/lib/otelcol}
receivers:
  file_log: {include: [{{quote .LogPaths}}], start_at: beginning, storage: file_storage, resource: {service.name: {{quote .ServiceName}} } }
exporters:
  otlp_http: {endpoint: {{quote .LokiEndpoint}} }
service:
  extensions: [health_check, file_storage]
  telemetry:
    metrics:
      readers: [{pull: {exporter: {prometheus: {host: "0.0.0.0", port: 8888}}}}]
  pipelines:
    logs: {receivers: [file_log], exporters: [otlp_http]}
`

// useTemplate writes the template file of the configuration.
func (g *reading) useTemplate(text string) {
	g.t.Helper()
	require.NoError(g.t, os.WriteFile(filepath.Join(g.dir, "collector.tmpl"), []byte(text), 0o600))
	g.configure(`template_path = "${path.module}/collector.tmpl"`)
}

// What the Collector does not take is found before anything is changed, or undone when only its start shows it.
func TestBadCollectorConfigurationLeavesTheOldOneRunning(t *testing.T) {
	t.Parallel()
	g := newReading(t, "bad")
	g.useTemplate(userTemplate)
	g.apply()
	g.assertEmptyPlan()
	before := lives(t, g.files.service)

	// Validation by the image refuses it.
	g.useTemplate(strings.Replace(userTemplate, "start_at: beginning", "start_at: middle", 1))
	refused := g.tryApply()
	require.Equal(t, 1, refused.exit)
	require.Contains(t, refused.errors(), "step validate_config failed")
	require.Contains(t, refused.errors(), "invalid start_at")
	g.assertPointsAt(refused.diagnostics("error")[0], "template_path")
	require.Equal(t, before, lives(t, g.files.service))

	// A port that is taken shows only when the Collector starts.
	g.useTemplate(strings.NewReplacer("receivers:\n", "receivers:\n  otlp: {protocols: {grpc: {endpoint: \"0.0.0.0:4317\"}, http: {endpoint: \"0.0.0.0:13133\"}}}\n",
		"[file_log]", "[file_log, otlp]").Replace(userTemplate))
	refused = g.tryApply()
	require.Equal(t, 1, refused.exit)
	require.Contains(t, refused.errors(), "step reload_otel_collector failed")
	require.Contains(t, refused.errors(), "address already in use")
	require.Contains(t, refused.errors(), "put back")
	require.Equal(t, before[catalog.CollectorName].id, lives(t, g.files.service)[catalog.CollectorName].id)
	g.log("a line after the failures")
	g.arrived("a line after the failures")

	// A folder that is not there is not made.
	g.useTemplate(userTemplate)
	g.files.top[1] = fmt.Sprintf("log_paths = [%q]", filepath.Join(g.folder, "missing", "*.log"))
	g.useAll(g.logs, g.files)
	refused = g.tryApply()
	require.Equal(t, 1, refused.exit)
	require.Contains(t, refused.errors(), "does not exist on the Docker Engine's host")
	g.assertPointsAt(refused.diagnostics("error")[0], "log_paths")
	require.NoDirExists(t, filepath.Join(g.folder, "missing"))

	g.useTemplate(userTemplate)
	g.assertEmptyPlan()
	g.destroy()
	assertNothingLeft(t, g.files.service)
}

// A template that changed outside of the configuration is an update, with a warning that shows what is different.
func TestChangedTemplateFileIsAnUpdate(t *testing.T) {
	t.Parallel()
	g := newReading(t, "template")
	g.useTemplate(userTemplate)
	g.apply()
	before := lives(t, g.files.service)
	require.NoError(t, os.WriteFile(filepath.Join(g.dir, "collector.tmpl"),
		[]byte(strings.Replace(userTemplate, "{service.name: ", "{team: chat, service.name: ", 1)), 0o600))
	planned := g.plan()
	require.Equal(t, 2, planned.exit, planned.errors())
	require.Contains(t, planned.warnings(), "has changed")
	require.Contains(t, planned.warnings(), "team: chat")
	c := g.changeOf(g.files)
	require.True(t, holdsTrue(c.AfterUnknown["config"]), "it may change once more before the apply")
	g.applyPlan()
	require.Contains(t, g.inState(g.files)["config"], "team: chat")
	g.assertEmptyPlan()
	require.Equal(t, before, lives(t, g.files.service))
	g.destroy()
	assertNothingLeft(t, g.files.service)
}

// What can be told without an engine is told by validate, on the attribute.
func TestBadIngestInputIsFoundByValidate(t *testing.T) {
	t.Parallel()
	all := map[string]refusal{}
	for name, c := range map[string]struct{ lines, at, says string }{
		"promtail":      {"template = \"scrape_configs: []\\nclients: []\"", "template", "alloy convert"},
		"unknown field": {"template = \"a: 1\\n{{.Nope}}\"", "template", "line 2"},
		"no YAML":       {"template = \"a: [\"", "template", "not YAML"},
		"no template":   {"template_path = \"nowhere.tmpl\"", "template_path", "no such file"},
		"both":          {"template = \"a\"\n  template_path = \"b\"", "template_path", "template"},
		"push address":  {"loki_endpoint = \"http://localhost:3100\"", "loki_endpoint", "logs_pipeline_id"},
		"relative path": {"log_paths = [\"app.log\"]", "log_paths", "absolute"},
		"root":          {"log_paths = [\"/*.log\"]", "log_paths", "folder of their own"},
		"pipeline id":   {"logs_pipeline_id = \"orch/orch/metrics/app\"", "logs_pipeline_id", "orch_logs_pipeline"},
	} {
		all[name] = refusal{fmt.Sprintf("resource \"orch_container_logs_ingest\" %q {\n  service_name = \"app\"\n  %s\n}\n", labelOf(name), c.lines), c.at + " =", c.says}
	}
	assertRefused(t, all)
}
