package devenv

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Worker is an `orch-worker dev` process: embedded Temporal server, Web UI and worker. It outlives the program that starts
// it; a record in its directory lets a later one find it again.
type Worker struct {
	// Binary is orch-worker.
	Binary string
	// Dir is a directory for its data, log and record.
	Dir string
	// Ports chooses the ports of Temporal and its Web UI.
	Ports func() (temporal, webUI int, err error)
	// Say is told about progress.
	Say func(format string, args ...any)
}

// Process is a running worker.
type Process struct {
	PID int `json:"pid"`
	// Temporal and WebUI are the ports it listens on.
	Temporal int `json:"temporal_port"`
	WebUI    int `json:"web_ui_port"`
	// Build identifies the binary that was started.
	Build string `json:"build"`
}

const (
	readyTimeout = 60 * time.Second
	// A worker gives running activities 30 s to end.
	stopTimeout = 60 * time.Second
	pollEvery   = 50 * time.Millisecond
	sayEvery    = 3 * time.Second
)

// Log is the path of the worker's log.
func (w Worker) Log() string { return filepath.Join(w.Dir, "worker.log") }

// DataDir is where the worker keeps its database.
func (w Worker) DataDir() string { return filepath.Join(w.Dir, "data") }

// KeyFile holds the keys that secrets travel under; the worker makes it.
func (w Worker) KeyFile() string { return filepath.Join(w.DataDir(), "encryption.key") }

// emptyConfig is a Temporal client configuration without any profile: the user's own must not redirect the demo.
func (w Worker) emptyConfig() string { return filepath.Join(w.Dir, "temporal.toml") }

func (w Worker) record() string { return filepath.Join(w.Dir, "worker.json") }

// Env are the environment variables that lead the provider and orch-worker's own commands to this worker.
func (w Worker) Env(p Process) []string {
	return []string{
		"TEMPORAL_ADDRESS=" + Address(p.Temporal),
		"TEMPORAL_NAMESPACE=default",
		"TEMPORAL_CONFIG_FILE=" + w.emptyConfig(),
		"ORCH_ENCRYPTION_KEY_FILE=" + w.KeyFile(),
	}
}

// Running returns the recorded process if it is still there and really is this worker, not a later process of that number.
func (w Worker) Running() (Process, bool, error) {
	data, err := os.ReadFile(w.record())
	if errors.Is(err, fs.ErrNotExist) {
		return Process{}, false, nil
	}
	if err != nil {
		return Process{}, false, fmt.Errorf("find the worker: %w", err)
	}
	var p Process
	if err := json.Unmarshal(data, &p); err != nil {
		return Process{}, false, fmt.Errorf("find the worker: %s: %w", w.record(), err)
	}
	return p, strings.Contains(commandLine(p.PID), w.DataDir()), nil
}

// Ensure returns the running worker, or starts one and waits until it is ready. A worker of another build is stopped first.
func (w Worker) Ensure(ctx context.Context) (p Process, started bool, err error) {
	build, err := fingerprint(ctx, w.Binary)
	if err != nil {
		return Process{}, false, err
	}
	p, running, err := w.Running()
	if err != nil {
		return Process{}, false, err
	}
	if running && p.Build == build {
		return p, false, w.wait(ctx, p, nil)
	}
	if running {
		w.Say("the running worker (process %d) is of another build: restarting it", p.PID)
		if _, err := w.Stop(ctx); err != nil {
			return Process{}, false, err
		}
	}
	p, err = w.start(ctx, build)
	return p, true, err
}

func (w Worker) start(ctx context.Context, build string) (Process, error) {
	p := Process{Build: build}
	var err error
	if p.Temporal, p.WebUI, err = w.Ports(); err != nil {
		return Process{}, fmt.Errorf("start the worker: %w", err)
	}
	if err := os.MkdirAll(w.Dir, 0o700); err != nil {
		return Process{}, fmt.Errorf("start the worker: %w", err)
	}
	if err := os.WriteFile(w.emptyConfig(), nil, 0o600); err != nil {
		return Process{}, fmt.Errorf("start the worker: %w", err)
	}
	log, err := os.OpenFile(w.Log(), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return Process{}, fmt.Errorf("start the worker: %w", err)
	}
	defer func() { _ = log.Close() }() // the worker has a handle of its own

	cmd := exec.Command(w.Binary, w.arguments(p)...)
	cmd.Env = cleanEnv(w.Env(p)...)
	cmd.Dir = w.Dir
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = ownSession()
	if err := cmd.Start(); err != nil {
		return Process{}, fmt.Errorf("start the worker: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	p.PID = cmd.Process.Pid
	data, err := json.Marshal(p)
	if err != nil {
		return Process{}, err
	}
	if err := os.WriteFile(w.record(), data, 0o600); err != nil {
		return Process{}, errors.Join(fmt.Errorf("record the worker: %w", err), cmd.Process.Kill())
	}
	return p, w.wait(ctx, p, ended)
}

func (w Worker) arguments(p Process) []string {
	return []string{
		"dev",
		"--data-dir", w.DataDir(),
		"--port", fmt.Sprint(p.Temporal),
		"--ui-port", fmt.Sprint(p.WebUI),
		"--encryption-key-file", w.KeyFile(),
	}
}

// wait polls until the worker is ready. A value on ended means that the process is gone.
func (w Worker) wait(ctx context.Context, p Process, ended <-chan error) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	begin, said := time.Now(), time.Now()
	for {
		if w.ready(p) {
			return nil
		}
		select {
		case err := <-ended:
			if err == nil {
				err = errors.New("exit status 0")
			}
			return fmt.Errorf("the worker ended before it was ready: %w; the last lines of %s:\n%s", err, w.Log(), w.LogTail(15))
		case <-ctx.Done():
			return fmt.Errorf("the worker (process %d) was not ready after %.0f s: %w; the last lines of %s:\n%s",
				p.PID, time.Since(begin).Seconds(), ctx.Err(), w.Log(), w.LogTail(15))
		case <-time.After(pollEvery):
		}
		if time.Since(said) >= sayEvery {
			said = time.Now()
			w.Say("waiting for the worker, %.0f s", time.Since(begin).Seconds())
		}
	}
}

// ready looks for the worker's own word in its log, which is new at every start, and for a listener on its port.
func (w Worker) ready(p Process) bool {
	log, err := os.ReadFile(w.Log())
	return err == nil && bytes.Contains(log, []byte("orch-worker dev is ready")) && !Free(p.Temporal)
}

// Stop ends the worker gracefully and waits until it is gone. stopped is false when none was running.
func (w Worker) Stop(ctx context.Context) (stopped bool, err error) {
	p, running, err := w.Running()
	if err != nil || !running {
		return false, err
	}
	if err := syscall.Kill(p.PID, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return false, fmt.Errorf("stop the worker (process %d): %w", p.PID, err)
	}
	begin, said := time.Now(), time.Now()
	for {
		if _, running, err = w.Running(); err != nil || !running {
			return true, err
		}
		if time.Since(begin) > stopTimeout {
			return false, fmt.Errorf("the worker (process %d) does not end after %s; end it with: kill -9 %d; its log: %s",
				p.PID, stopTimeout, p.PID, w.Log())
		}
		if time.Since(said) >= sayEvery {
			said = time.Now()
			w.Say("waiting for the worker to end, %.0f s", time.Since(begin).Seconds())
		}
		select {
		case <-ctx.Done():
			return false, fmt.Errorf("stop the worker (process %d): %w", p.PID, ctx.Err())
		case <-time.After(pollEvery):
		}
	}
}

// LogTail returns the last n lines of the worker's log.
func (w Worker) LogTail(n int) string {
	data, err := os.ReadFile(w.Log())
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// fingerprint tells builds of a binary apart without reading all of it. Its time says nothing: go build sets it anew
// when nothing has changed, too.
func fingerprint(ctx context.Context, path string) (string, error) {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", "tool", "buildid", path)
	cmd.Stderr = &stderr
	id, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go tool buildid %s: %w: %s", path, err, bytes.TrimSpace(stderr.Bytes()))
	}
	return string(bytes.TrimSpace(id)), nil
}
