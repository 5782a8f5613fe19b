package e2e

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// ingest is an orch_stdout_ingest into a logs pipeline of the same configuration, with log files of its own.
type ingest struct {
	*pipeline
	t     *testing.T
	files string
	// container is the name of a container that it follows.
	container string
	more      []string
	written   int
}

func newIngest(t *testing.T, name string) *ingest {
	t.Helper()
	p := newPipeline(t, name)
	return &ingest{pipeline: p, t: t, files: t.TempDir(), container: "std-" + p.service}
}

func (i *ingest) hcl(address string) string {
	more := "  " + strings.Join(i.more, "\n  ") + "\n"
	return i.pipeline.hcl(address) + fmt.Sprintf(`
resource "orch_stdout_ingest" "it" {
  service_name = %q
  endpoint     = orch_logs_pipeline.it.endpoints["otlp_http"]
  files        = { include = [%q] }
  containers   = { names = ["%s*"] }
%s}
output "message" {
  value = orch_stdout_ingest.it.message
}
`, i.service, filepath.Join(i.files, "**/*.log*"), i.container, more)
}

// write appends numbered lines to a log file.
func (i *ingest) write(name string, count int) {
	i.t.Helper()
	file, err := os.OpenFile(filepath.Join(i.files, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(i.t, err)
	var text strings.Builder
	for range count {
		fmt.Fprintf(&text, "number %d of the proof\n", i.written)
		i.written++
	}
	_, err = file.WriteString(text.String())
	require.NoError(i.t, err)
	require.NoError(i.t, file.Close())
}

// numbers are the lines in Loki by their number, with how often each is there. The selector and the text find them, and the
// format reads the number.
func (i *ingest) numbers(selector, text, format string) map[int]int {
	seen := map[int]int{}
	for start := time.Now().Add(-time.Hour).UnixNano(); ; {
		query := url.Values{
			"query": {fmt.Sprintf("{service_name=%q%s} |= %q", i.service, selector, text)}, "limit": {strconv.Itoa(lokiLimit)}, "direction": {"forward"},
			"start": {strconv.FormatInt(start, 10)}, "end": {strconv.FormatInt(time.Now().Add(time.Minute).UnixNano(), 10)},
		}
		_, body, err := get(localURL(i.loki, "/loki/api/v1/query_range?"+query.Encode()), "", "")
		if err != nil {
			return seen
		}
		count, last := take(body, start, format, seen)
		if count < lokiLimit || last == start {
			return seen
		}
		start = last
	}
}

// lokiLimit is the most lines that Loki returns at once.
const lokiLimit = 5000

// take reads a page of Loki's answer. The next page begins with the last time of this one, whose lines are not counted twice.
func take(body string, start int64, format string, seen map[int]int) (count int, last int64) {
	var answer struct {
		Data struct {
			Result []struct {
				Values [][]any `json:"values"`
			} `json:"result"`
		} `json:"data"`
	}
	if json.Unmarshal([]byte(body), &answer) != nil {
		return 0, start
	}
	type entry struct {
		at   int64
		line string
	}
	var all []entry
	last = start
	for _, stream := range answer.Data.Result {
		for _, value := range stream.Values {
			at, err := strconv.ParseInt(fmt.Sprint(value[0]), 10, 64)
			if err != nil {
				return 0, start
			}
			all = append(all, entry{at, fmt.Sprint(value[1])})
			last = max(last, at)
		}
	}
	for _, e := range all {
		var n int
		if _, err := fmt.Sscanf(e.line, format, &n); err == nil && (e.at < last || len(all) < lokiLimit) {
			seen[n]++
		}
	}
	return len(all), last
}

// arrived waits until every number is in Loki, and returns how many came more than once.
func (i *ingest) arrived(limit time.Duration) (duplicates int) {
	i.t.Helper()
	var seen map[int]int
	i.t.Cleanup(func() {
		for n := 0; i.t.Failed() && n < i.written; n++ {
			if first := n; seen[n] == 0 {
				for n < i.written && seen[n] == 0 {
					n++
				}
				i.t.Logf("missing: %d to %d", first, n-1)
			}
		}
	})
	eventually(i.t, limit, fmt.Sprintf("%d numbers in Loki", i.written), func() bool {
		seen = i.numbers("", "of the proof", "number %d")
		return len(seen) >= i.written
	})
	for n := range i.written {
		require.NotZero(i.t, seen[n], "number %d is missing", n)
		duplicates += seen[n] - 1
	}
	return duplicates
}

// useIngest writes the configuration of an ingest.
func (w *world) useIngest(i *ingest) {
	w.t.Helper()
	w.write(i.hcl(w.server.address()))
}

// figures are what the data source shows. It is in the configuration for this only: figures change by themselves.
func figures(w *world, i *ingest) map[string]any {
	w.t.Helper()
	w.write(i.hcl(w.server.address()) + `
data "orch_stdout_ingest" "it" {
  service_name = orch_stdout_ingest.it.service_name
  task_queue   = orch_stdout_ingest.it.task_queue
}
data "orch_log_files" "it" {
  service_name = orch_stdout_ingest.it.service_name
  task_queue   = orch_stdout_ingest.it.task_queue
  files        = orch_stdout_ingest.it.files
  containers   = orch_stdout_ingest.it.containers
}
output "it" {
  value = merge(data.orch_stdout_ingest.it, { found = data.orch_log_files.it.sources[*].path })
}
`)
	w.apply()
	defer w.useIngest(i)
	figures, ok := w.outputs()["it"].(map[string]any)
	require.True(w.t, ok)
	return figures
}

func TestStdoutIngestLives(t *testing.T) {
	t.Parallel()
	i := newIngest(t, "stdout")
	i.more = []string{
		"grafana = {", "  url = orch_logs_pipeline.it.endpoints.grafana", "  pipeline_id = orch_logs_pipeline.it.id", "}",
	}
	s := ownServer(t)
	w := newWorld(t, s)
	ref := contract.NewRef(contract.StdoutIngest, "", i.service)
	foreign(t, "container", i.container, "run", "--detach", "--name", i.container, boxImage, "exit", "--lines", "7")
	i.write("app.log", 20)
	w.useIngest(i)
	w.apply()
	require.Equal(t, "ingest started: discovered=2 enriched=2 status=running", w.outputs()["message"])
	recordRun(t, s, ref.ID(), "", "stdout-setup")
	require.Zero(t, i.arrived(dataLimit))
	lokiHas(t, i.pipeline, "box: line 7 of 7")
	w.assertEmptyPlan()

	// Rotation, the worker killed in the middle, a file that appears later.
	i.write("app.log", 10)
	require.NoError(t, os.Rename(filepath.Join(i.files, "app.log"), filepath.Join(i.files, "app.log.1")))
	i.write("app.log", 10)
	require.NoError(t, s.kill())
	i.write("app.log", 10)
	i.write("later.log", 10)
	require.NoError(t, s.start())
	t.Log("duplicates after a kill:", i.arrived(dataLimit))
	seen := figures(w, i)
	require.Equal(t, float64(3), seen["files"])
	require.ElementsMatch(t, []any{nil, filepath.Join(i.files, "app.log"), filepath.Join(i.files, "app.log.1"), filepath.Join(i.files, "later.log")}, seen["found"])
	recordLook(t, s, ref, contract.StdoutIngest.StatusWorkflow(), "stdout-status")
	recordLook(t, s, ref, contract.StdoutIngest.DiscoverWorkflow(), "stdout-discover")

	i.changes(w, ref)

	// A tail that somebody has ended is drift, and started again.
	require.NoError(t, s.dial(t).TerminateWorkflow(t.Context(), ref.TailID(), "", "the test"))
	i.write("app.log", 10)
	require.Contains(t, w.plan().out, "its workflow does not run")
	w.apply()
	i.arrived(dataLimit)
	w.assertEmptyPlan()
	w.destroy()
	recordRun(t, s, ref.TailID(), "", "stdout-tail-cancelled")
	recordRun(t, s, ref.ID(), "", "stdout-cleanup")
	require.NoDirExists(t, filepath.Join(s.dir, "data", "ingest", contract.DefaultScope, i.service))
}

// changes updates the ingest in place, which keeps the checkpoint.
func (i *ingest) changes(w *world, ref contract.Ref) {
	t := i.t
	tail := func() *workflowservice.DescribeWorkflowExecutionResponse {
		described, err := w.server.dial(t).DescribeWorkflowExecution(t.Context(), ref.TailID(), "")
		require.NoError(t, err)
		return described
	}
	first := tail().GetWorkflowExecutionInfo().GetExecution().GetRunId()
	i.more = append(i.more, `labels = { team = "chat" }`)
	w.useIngest(i)
	w.apply()
	recordRun(t, w.server, ref.ID(), "", "stdout-update")
	recordRun(t, w.server, ref.TailID(), first, "stdout-tail")
	i.write("app.log", 10)
	i.arrived(dataLimit)

	// To another queue the tail must go too: nobody may poll the first one any more.
	other := i.service + "-other"
	i.more = append(i.more, fmt.Sprintf("task_queue = %q", other), "batch_size = 500")
	w.useIngest(i)
	w.apply()
	require.Equal(t, other, tail().GetExecutionConfig().GetTaskQueue().GetName())
	i.write("app.log", 10)
	i.arrived(dataLimit)
	w.assertEmptyPlan()
	require.Equal(t, "ready", figures(w, i)["status"])
}

func TestStdoutIngestIsImportedByName(t *testing.T) {
	t.Parallel()
	i := newIngest(t, "stdout-import")
	w := newWorld(t, shared.get(t))
	i.write("app.log", 5)
	w.useIngest(i)
	w.apply()
	require.Zero(t, w.terraform("state", "rm", "orch_stdout_ingest.it").exit)
	require.Zero(t, w.terraform("import", "orch_stdout_ingest.it", i.service).exit)
	w.assertEmptyPlan()
	require.Zero(t, i.arrived(dataLimit))
	w.destroy()
}

func TestStdoutIngestThatCannotBe(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ hcl, attribute, text string }{
		"nothing to follow":   {`files = { include = [] }`, "files", "onfiguration failed"},
		"no containers named": {`containers = {}`, "containers", "onfiguration failed"},
		"relative path":       {`files = { include = ["app.log"] }`, "files", "not an absolute path"},
		"bad pattern":         {`files = { include = ["/a/[b"] }`, "files", "not a valid pattern"},
		"reserved label":      {`labels = { "service.name" = "x" }`, "labels", "set by orch"},
		"too many labels":     {`labels = { for n in range(13) : "l${n}" => "x" }`, "labels", "too many"},
		"batch size":          {`batch_size = 0`, "batch_size", "not between"},
		"endpoint":            {`endpoint = "localhost:4318"`, "endpoint", "not an http or https URL"},
		"start":               {`start_at = "middle"`, "start_at", "middle"},
		"secret in clear":     {`headers = { Authorization = { value = "Bearer x" } }`, "headers", "would stand in plan"},
		"relative exclude":    {`files = { include = ["/a/*.log"], exclude = ["old/*"] }`, "files", "fits nothing"},
		"grafana":             {`grafana = { url = "http://127.0.0.1:3000", pipeline_id = "orch/orch/metrics/app" }`, "grafana", "how that Grafana reaches Loki"},
	}
	all := map[string]refusal{}
	for name, c := range cases {
		all[name] = refusal{fmt.Sprintf("resource \"orch_stdout_ingest\" %q {\n  service_name = \"app\"\n  %s\n}\n", labelOf(name), c.hcl), c.attribute, c.text}
	}
	assertRefused(t, all)
}
