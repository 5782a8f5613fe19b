package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/proto"
)

func TestPasswordIsNowhereAndRotates(t *testing.T) {
	t.Parallel()
	const first, second = "s3cret-of-the-first-day", "s3cret-of-the-second-day"
	p := newPipeline(t, "secrets")
	p.head = []string{`variable "password" {`, "  type      = string", "  sensitive = true", "  ephemeral = true", "}"}
	version := func(n string) []string {
		return []string{"admin_password_wo = var.password", "admin_password_wo_version = " + n}
	}
	p.grafMore = version("1")
	w := newWorld(t, shared.get(t))
	w.use(p)
	password := func(value string) { w.env = append(w.env, "TF_VAR_password="+value) }
	password(first)

	traced := w.startWith([]string{"TF_LOG=TRACE"}, "apply", "-auto-approve").wait()
	require.Zero(t, traced.exit, lastLines(traced.out, 40))
	require.Equal(t, http.StatusOK, loginStatus(t, p, first))
	require.Equal(t, http.StatusUnauthorized, loginStatus(t, p, "admin"))
	require.Equal(t, first, grafanaPassword(t, w.server, p))
	sendLine(t, p, "before the rotation")
	grafanaHas(t, p, first, "before the rotation")
	w.assertEmptyPlan()

	p.grafMore = version("2")
	w.use(p)
	password(second)
	require.Equal(t, 2, w.plan().exit)
	w.apply()
	require.Equal(t, http.StatusOK, loginStatus(t, p, second))
	require.Equal(t, http.StatusUnauthorized, loginStatus(t, p, first))
	grafanaHas(t, p, second, "before the rotation")
	w.assertEmptyPlan()

	assertNowhere(t, w, p, traced.out, first, second)
	w.destroy()
	assertNowhere(t, w, p, "", first, second)
	assertNothingLeft(t, p.service)
}

// assertNowhere looks for the secrets in everything that is kept or shown.
func assertNowhere(t *testing.T, w *world, p *pipeline, traced string, secrets ...string) {
	t.Helper()
	places := map[string]string{"the trace": traced, "the worker's log": w.server.log(), "Temporal's history": histories(t, w.server, p)}
	for _, r := range w.ran {
		places["output of "+strings.Join(r.args, " ")] += r.out
	}
	files, err := os.ReadDir(w.dir)
	require.NoError(t, err)
	for _, file := range files {
		if file.IsDir() {
			continue
		}
		data, err := os.ReadFile(filepath.Join(w.dir, file.Name()))
		require.NoError(t, err)
		places["file "+file.Name()] = string(data)
	}
	if len(objects(t, p.service)) > 0 {
		places["docker inspect"] = inspectAll(t, p.service)
		plan := w.terraform("show", "-json", planFile)
		require.Zero(t, plan.exit)
		places["the plan"] = plan.out
	}
	for place, content := range places {
		for _, secret := range secrets {
			require.False(t, strings.Contains(content, secret), "%s holds the password", place)
		}
	}
}

// histories are the bytes of every run of a service, as the server keeps them.
func histories(t *testing.T, s *server, p *pipeline) string {
	t.Helper()
	c := s.dial(t)
	var all strings.Builder
	query := "WorkflowId STARTS_WITH '" + p.ref().ID() + "'"
	count := 0
	eventually(t, dataLimit, "the runs are listed", func() bool {
		all.Reset()
		list, err := c.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Namespace: client.DefaultNamespace, Query: query, PageSize: 1000})
		require.NoError(t, err)
		count = len(list.GetExecutions())
		for _, e := range list.GetExecutions() {
			raw, err := proto.Marshal(e)
			require.NoError(t, err)
			all.Write(raw)
			events := c.GetWorkflowHistory(t.Context(), e.GetExecution().GetWorkflowId(), e.GetExecution().GetRunId(), false,
				enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
			for events.HasNext() {
				event, err := events.Next()
				require.NoError(t, err)
				raw, err := proto.Marshal(event)
				require.NoError(t, err)
				all.Write(raw)
			}
		}
		return count >= 3
	})
	return all.String()
}

func TestSecretWithoutAKeyIsRefused(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, "no-key")
	p.grafMore = []string{`admin_password_wo = "s3cret-without-a-key"`, "admin_password_wo_version = 1"}
	w := newWorld(t, shared.get(t))
	w.use(p)
	for i, entry := range w.env {
		if strings.HasPrefix(entry, "ORCH_ENCRYPTION_KEY_FILE=") {
			w.env = append(w.env[:i:i], w.env[i+1:]...)
			break
		}
	}
	failsWithin(t, w, commandLimit, "key", "encryption_key_file")
	assertNothingLeft(t, p.service)
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
