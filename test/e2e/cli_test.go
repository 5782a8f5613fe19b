package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/stretchr/testify/require"
)

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
	pid, ok := p.providerPID()
	require.True(p.w.t, ok, "the provider's process is found with pgrep")
	require.NoError(p.w.t, syscall.Kill(pid, syscall.SIGKILL))
}

// providerPID is the plugin's process, while there is one.
func (p *process) providerPID() (pid int, ok bool) {
	out, err := exec.Command("pgrep", "-g", strconv.Itoa(p.cmd.Process.Pid), "-f", "terraform-provider-orch").Output()
	pids := strings.Fields(string(out))
	if err != nil || len(pids) != 1 {
		return 0, false
	}
	pid, err = strconv.Atoi(pids[0])
	return pid, err == nil
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
		key := fmt.Sprint(d.text(), d.Range)
		if d.Severity == severity && !override && !seen[key] {
			seen[key] = true
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
