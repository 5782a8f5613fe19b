package e2e

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
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

// readable shortens the lines of -json to what a person reads.
func readable(out string) string {
	lines := strings.Split(out, "\n")
	for i, line := range lines {
		var message struct {
			Text       string     `json:"@message"`
			Diagnostic diagnostic `json:"diagnostic"`
		}
		if json.Unmarshal([]byte(line), &message) == nil && message.Text != "" {
			lines[i] = strings.TrimSpace(message.Text + "\n" + message.Diagnostic.Detail)
		}
	}
	return strings.Join(lines, "\n")
}

// write puts HCL into the configuration.
func (w *world) write(hcl string) {
	w.t.Helper()
	require.NoError(w.t, os.WriteFile(filepath.Join(w.dir, configFile), []byte(hcl), 0o600))
}

// result is a finished Terraform command.
type result struct {
	args []string
	exit int
	out  string
	took time.Duration
}

// diagnostic is what `terraform … -json` says about an error or a warning.
type diagnostic struct {
	Severity string `json:"severity"`
	Summary  string `json:"summary"`
	Detail   string `json:"detail"`
	Address  string `json:"address"`
	Range    struct {
		Filename string   `json:"filename"`
		Start    position `json:"start"`
		End      position `json:"end"`
	} `json:"range"`
}

type position struct {
	Line int `json:"line"`
}

func (d diagnostic) text() string { return d.Summary + "\n" + d.Detail }

// diagnostics are the errors or warnings of a command that was run with -json; each once, however often Terraform says it.
func (r *result) diagnostics(severity string) []diagnostic {
	var out []diagnostic
	seen := map[string]bool{}
	add := func(d diagnostic) {
		override := strings.Contains(d.Summary, "Provider development overrides")
		if d.Severity == severity && !override && !seen[d.text()] {
			seen[d.text()] = true
			out = append(out, d)
		}
	}
	for _, line := range strings.Split(r.out, "\n") {
		var message struct {
			Type       string     `json:"type"`
			Diagnostic diagnostic `json:"diagnostic"`
		}
		if json.Unmarshal([]byte(line), &message) == nil && message.Type == "diagnostic" {
			add(message.Diagnostic)
		}
	}
	// `validate -json` writes one object.
	var whole struct {
		Diagnostics []diagnostic `json:"diagnostics"`
	}
	if json.Unmarshal([]byte(r.out), &whole) == nil {
		for _, d := range whole.Diagnostics {
			add(d)
		}
	}
	return out
}

// text is all errors or warnings in one string.
func (r *result) text(severity string) string {
	var b strings.Builder
	for _, d := range r.diagnostics(severity) {
		b.WriteString(d.text() + "\n")
	}
	return b.String()
}

func (r *result) errors() string   { return r.text("error") }
func (r *result) warnings() string { return r.text("warning") }

// process is a Terraform command under way, in a process group of its own as under a shell.
type process struct {
	w     *world
	cmd   *exec.Cmd
	out   *bytes.Buffer
	args  []string
	begin time.Time
	done  chan struct{}
}

// start begins a Terraform command.
func (w *world) start(args ...string) *process { return w.startWith(nil, args...) }

func (w *world) startWith(env []string, args ...string) *process {
	w.t.Helper()
	p := &process{w: w, args: args, out: &bytes.Buffer{}, begin: time.Now(), done: make(chan struct{})}
	p.cmd = exec.Command(setting.cli, args...)
	p.cmd.Dir, p.cmd.Env = w.dir, append(append([]string{}, w.env...), env...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// A killed Terraform may leave its provider behind, which would hold the pipe open.
	p.cmd.WaitDelay = 2 * time.Second
	require.NoError(w.t, p.cmd.Start())
	go func() {
		_ = p.cmd.Wait() // the exit code is read from the process state
		close(p.done)
	}()
	w.t.Cleanup(func() { _ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) })
	return p
}

// wait is the finished command.
func (p *process) wait() *result {
	p.w.t.Helper()
	select {
	case <-p.done:
	case <-time.After(commandLimit - time.Since(p.begin)):
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
		p.w.t.Errorf("%s did not end within %s", strings.Join(p.args, " "), commandLimit)
	}
	r := &result{args: append([]string{"terraform"}, p.args...), exit: p.cmd.ProcessState.ExitCode(), out: p.out.String(), took: time.Since(p.begin)}
	p.w.mu.Lock()
	p.w.ran = append(p.w.ran, r)
	p.w.mu.Unlock()
	return r
}

// interrupt is Ctrl-C: a terminal sends it to the whole process group.
func (p *process) interrupt() {
	p.w.t.Helper()
	require.NoError(p.w.t, syscall.Kill(-p.cmd.Process.Pid, syscall.SIGINT))
}

// killAll is SIGKILL to Terraform and its provider.
func (p *process) killAll() {
	p.w.t.Helper()
	require.NoError(p.w.t, syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL))
}

// killProvider is SIGKILL to the plugin process alone.
func (p *process) killProvider() {
	p.w.t.Helper()
	out, err := exec.Command("pgrep", "-g", strconv.Itoa(p.cmd.Process.Pid), "-f", "terraform-provider-orch").Output()
	require.NoError(p.w.t, err, "find the provider's process with pgrep")
	pids := strings.Fields(string(out))
	require.Len(p.w.t, pids, 1)
	pid, err := strconv.Atoi(pids[0])
	require.NoError(p.w.t, err)
	require.NoError(p.w.t, syscall.Kill(pid, syscall.SIGKILL))
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

func (w *world) destroy(args ...string) *result {
	w.t.Helper()
	r := w.terraform(append([]string{"destroy", "-auto-approve", "-json"}, args...)...)
	require.Zero(w.t, r.exit, "destroy: %s", r.errors())
	return r
}

const planFile = "plan.bin"

// plan plans into planFile; exit code 2 means that there are changes.
func (w *world) plan(args ...string) *result {
	w.t.Helper()
	return w.terraform(append([]string{"plan", "-json", "-detailed-exitcode", "-out=" + planFile}, args...)...)
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

// pipeline is the configuration of one orch_logs_pipeline. The slices are further lines of HCL.
type pipeline struct {
	service                           string
	grpc, http, loki, grafana         int
	images                            imageSet
	head                              []string // before the provider block, for example a variable
	provider, top                     []string
	collectorMore, lokiMore, grafMore []string
}

// newPipeline is a service of its own, on ports of its own, that destroy removes with its volumes. What a failed test
// leaves of it is purged.
func newPipeline(t *testing.T, name string) *pipeline {
	t.Helper()
	p := &pipeline{service: uniqueName(name), images: setting.images, top: []string{"delete_volumes = true"}}
	for _, port := range []*int{&p.grpc, &p.http, &p.loki, &p.grafana} {
		var err error
		*port, err = reservePort()
		require.NoError(t, err)
	}
	t.Cleanup(func() { purge(t, p.service) })
	return p
}

const requiredProviders = `terraform {
  required_providers {
    orch = { source = "temporal-orchestrator/orch" }
  }
}`

// defaultPort leaves a port out of the configuration.
const defaultPort = -99

func uniqueName(name string) string {
	var suffix [3]byte
	_, _ = rand.Read(suffix[:]) // never fails
	return "e2e-" + name + "-" + hex.EncodeToString(suffix[:])
}

func (p *pipeline) ref() contract.Ref { return contract.NewRef(contract.LogsPipeline, "", p.service) }

func (p *pipeline) container(component string) string { return p.ref().Container(component) }

// hcl is the configuration; address is the Temporal server's.
func (p *pipeline) hcl(address string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	lines := func(indent string, all []string) {
		for _, l := range all {
			line("%s%s", indent, l)
		}
	}
	line(requiredProviders)
	lines("", p.head)
	line("provider \"orch\" {")
	if address != "" {
		line("  address = %q", address)
	}
	lines("  ", p.provider)
	line("}\nresource \"orch_logs_pipeline\" \"it\" {\n  service_name = %q", p.service)
	lines("  ", p.top)
	component := func(name, image string, more []string, ports ...any) {
		line("  %s = {", name)
		if image != "" {
			line("    image = %q", image)
		}
		for i := 0; i < len(ports); i += 2 {
			if ports[i+1] == defaultPort {
				continue
			}
			line("    %s = %d", ports[i], ports[i+1])
		}
		lines("    ", more)
		line("  }")
	}
	component("collector", p.images.collector, p.collectorMore, "grpc_port", p.grpc, "http_port", p.http)
	component("loki", p.images.loki, p.lokiMore, "port", p.loki)
	component("grafana", p.images.grafana, p.grafMore, "port", p.grafana)
	line("}")
	return b.String()
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

// lineOf is the number of the line of the configuration that holds text.
func (w *world) lineOf(text string) int {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join(w.dir, configFile))
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
	line := w.lineOf(text)
	require.Equal(w.t, configFile, d.Range.Filename)
	require.LessOrEqual(w.t, d.Range.Start.Line, line, "the diagnostic points at %q", text)
	require.GreaterOrEqual(w.t, d.Range.End.Line, line, "the diagnostic points at %q", text)
}
