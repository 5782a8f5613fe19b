package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// commandLimit ends a Terraform command that hangs; every scenario is far below it.
const commandLimit = 4 * time.Minute

const configFile = "main.tf"

// world is one configuration directory, the CLI in it, and the server that it talks to.
type world struct {
	t      *testing.T
	server *server
	dir    string
	env    []string

	mu  sync.Mutex
	ran []*result
}

func newWorld(t *testing.T, s *server) *world {
	t.Helper()
	w := &world{t: t, server: s, dir: t.TempDir()}
	home := t.TempDir()
	cliConfig := filepath.Join(home, "cli.tfrc")
	require.NoError(t, os.WriteFile(cliConfig, []byte(fmt.Sprintf(
		"provider_installation {\n  dev_overrides {\n    \"temporal-orchestrator/orch\" = %q\n  }\n  direct {}\n}\n", setting.binDir)), 0o600))
	w.env = append(cleanEnv(), "HOME="+home, "TF_CLI_CONFIG_FILE="+cliConfig, "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1")
	if s != nil {
		w.env = append(w.env, "ORCH_ENCRYPTION_KEY_FILE="+s.keyFile())
	}
	t.Cleanup(w.explain)
	return w
}

// explain prints what was run, when the test failed.
func (w *world) explain() {
	if !w.t.Failed() {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.ran {
		w.t.Logf("$ %s   # exit %d, %s\n%s", strings.Join(r.args, " "), r.exit, r.took.Round(time.Millisecond), readable(r.out))
	}
}

// write puts HCL into the configuration.
func (w *world) write(hcl string) {
	w.t.Helper()
	require.NoError(w.t, os.WriteFile(filepath.Join(w.dir, configFile), []byte(hcl), 0o600))
}

// terraform runs a command to its end.
func (w *world) terraform(args ...string) *result {
	w.t.Helper()
	return w.start(args...).wait()
}

// apply applies and expects success.
func (w *world) apply(args ...string) *result {
	w.t.Helper()
	r := w.tryApply(args...)
	require.Zero(w.t, r.exit, "apply: %s", r.errors())
	return r
}

func (w *world) tryApply(args ...string) *result {
	w.t.Helper()
	return w.terraform(append([]string{"apply", "-auto-approve", "-json"}, args...)...)
}

// destroy ends a scenario. It looks at nothing first, which the plan or apply before it has just done; asUsual does.
func (w *world) destroy(args ...string) *result {
	w.t.Helper()
	r := w.terraform(append([]string{"destroy", "-auto-approve", "-json", "-refresh=false"}, args...)...)
	require.Zero(w.t, r.exit, "destroy: %s", r.errors())
	return r
}

// asUsual is a destroy as a user types it: with a refresh.
const asUsual = "-refresh=true"

const planFile = "plan.bin"

// plan plans into planFile; exit code 2 means that there are changes.
func (w *world) plan(args ...string) *result {
	w.t.Helper()
	return w.terraform(append([]string{"plan", "-json", "-detailed-exitcode", "-out=" + planFile}, args...)...)
}

// applyPlan applies what w.plan has just planned, as after a review.
func (w *world) applyPlan() *result {
	w.t.Helper()
	r := w.terraform("apply", "-json", planFile)
	require.Zero(w.t, r.exit, "apply of the plan: %s", r.errors())
	return r
}

func (w *world) assertEmptyPlan(args ...string) {
	w.t.Helper()
	r := w.plan(args...)
	require.Zero(w.t, r.exit, "the plan after an apply must be empty: %s%s", r.errors(), r.warnings())
	require.Empty(w.t, r.warnings(), "an empty plan has nothing to warn of")
}

// change is the one resource in the plan that w.plan made.
type change struct {
	Actions      []string       `json:"actions"`
	Before       map[string]any `json:"before"`
	After        map[string]any `json:"after"`
	AfterUnknown map[string]any `json:"after_unknown"`
}

func (w *world) planned() change {
	w.t.Helper()
	r := w.terraform("show", "-json", planFile)
	require.Zero(w.t, r.exit, r.out)
	var plan struct {
		ResourceChanges []struct {
			Change change `json:"change"`
		} `json:"resource_changes"`
	}
	require.NoError(w.t, json.Unmarshal([]byte(firstLineOfJSON(r.out)), &plan))
	require.Len(w.t, plan.ResourceChanges, 1)
	return plan.ResourceChanges[0].Change
}

// firstLineOfJSON skips warnings that the CLI prints around a JSON document.
func firstLineOfJSON(out string) string {
	for _, line := range strings.Split(out, "\n") {
		if strings.HasPrefix(line, "{") {
			return line
		}
	}
	return ""
}

func (w *world) stateFile() string { return filepath.Join(w.dir, "terraform.tfstate") }

// attributes are the resource's in state, and nil when there is no resource in it.
func (w *world) attributes() map[string]any {
	w.t.Helper()
	data, err := os.ReadFile(w.stateFile())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	require.NoError(w.t, err)
	if len(data) == 0 { // Terraform opens the file before it has something to write
		return nil
	}
	var state struct {
		Resources []struct {
			Mode      string
			Instances []struct {
				Status     string
				Attributes map[string]any
			}
		}
	}
	require.NoError(w.t, json.Unmarshal(data, &state))
	for _, r := range state.Resources {
		if r.Mode == "managed" && len(r.Instances) > 0 {
			return r.Instances[0].Attributes
		}
	}
	return nil
}

func (w *world) attribute(name string) string {
	w.t.Helper()
	text, _ := w.attributes()[name].(string)
	return text
}

func (w *world) assertNoState() {
	w.t.Helper()
	require.Nil(w.t, w.attributes(), "there must be no resource in state")
}

// use writes the pipeline as the world's configuration.
func (w *world) use(p *pipeline) {
	w.t.Helper()
	w.write(p.hcl(w.server.address()))
	service := p.service
	w.t.Cleanup(func() {
		if w.t.Failed() {
			w.t.Logf("objects of %s: %v\nworker's log:\n%s", service, objects(w.t, service), w.server.logAbout(service))
		}
	})
}

// lineOf is the number of the line of a file of the configuration that holds text.
func (w *world) lineOf(file, text string) int {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join(w.dir, file))
	require.NoError(w.t, err)
	for i, line := range strings.Split(string(data), "\n") {
		if strings.Contains(line, text) {
			return i + 1
		}
	}
	w.t.Fatalf("no line with %q", text)
	return 0
}

// assertPointsAt says that a diagnostic is shown at the line of the configuration that holds text. Terraform marks the whole
// of a nested attribute, so its lines count too.
func (w *world) assertPointsAt(d diagnostic, text string) {
	w.t.Helper()
	require.Equal(w.t, configFile, d.Range.Filename)
	w.assertPointsInto(configFile, d, text)
}

func (w *world) assertPointsInto(file string, d diagnostic, text string) {
	w.t.Helper()
	line := w.lineOf(file, text)
	require.LessOrEqual(w.t, d.Range.Start.Line, line, "the diagnostic points at %q", text)
	require.GreaterOrEqual(w.t, d.Range.End.Line, line, "the diagnostic points at %q", text)
}
