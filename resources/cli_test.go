package resources_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
)

const providerAddress = "registry.terraform.io/temporal-orchestrator/orch"

// cli runs the real Terraform CLI in a directory of its own, against the provider in this process. It is for what
// terraform-plugin-testing cannot see: warnings, the text of a plan, and files on disk.
type cli struct {
	t   *testing.T
	dir string
	env []string
}

func newCLI(t *testing.T, f *fakeRunner) *cli {
	server, err := f.factories()["orch"]()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	configs, closed := make(chan *plugin.ReattachConfig), make(chan struct{})
	go func() {
		err := tf6server.Serve(providerAddress, func() tfprotov6.ProviderServer { return server },
			tf6server.WithDebug(ctx, configs, closed), tf6server.WithGoPluginLogger(hclog.NewNullLogger()), tf6server.WithLoggingSink(t))
		if err != nil {
			t.Errorf("serve provider: %v", err)
		}
	}()
	config := <-configs
	t.Cleanup(func() { cancel(); <-closed })

	type address struct{ Network, String string }
	reattach, err := json.Marshal(map[string]any{providerAddress: map[string]any{
		"Protocol": "grpc", "ProtocolVersion": 6, "Pid": config.Pid, "Test": true,
		"Addr": address{config.Addr.Network(), config.Addr.String()},
	}})
	if err != nil {
		t.Fatal(err)
	}
	c := &cli{t: t, dir: t.TempDir(), env: []string{"TF_REATTACH_PROVIDERS=" + string(reattach), "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1"}}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "TF_") {
			c.env = append(c.env, v)
		}
	}
	return c
}

// write makes config the configuration.
func (c *cli) write(config string) {
	c.t.Helper()
	header := "terraform {\n  required_providers {\n    orch = {\n      source = \"" + providerAddress + "\"\n    }\n  }\n}\n"
	if err := os.WriteFile(filepath.Join(c.dir, "main.tf"), []byte(header+config), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cli) command(args ...string) *exec.Cmd {
	c.t.Helper()
	path := os.Getenv("TF_ACC_TERRAFORM_PATH")
	for _, name := range []string{"terraform", "tofu"} {
		if found, err := exec.LookPath(name); path == "" && err == nil {
			path = found
		}
	}
	if path == "" {
		c.t.Fatal("no terraform and no tofu in PATH: install one, or set TF_ACC_TERRAFORM_PATH")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	c.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Env = c.dir, c.env
	return cmd
}

// run returns what the CLI printed, with lines joined as the CLI had not wrapped them, and its exit code.
func (c *cli) run(args ...string) (output string, code int) {
	c.t.Helper()
	out, err := c.command(args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.t.Fatalf("terraform %s: %v", strings.Join(args, " "), err)
	}
	if exit != nil {
		code = exit.ExitCode()
	}
	return unwrapped(string(out)), code
}

// unwrapped takes the frame off diagnostics, which are wrapped at 78 columns inside of it.
func unwrapped(text string) string {
	text = strings.NewReplacer("│ ", "", "│", "", "╷", "", "╵", "").Replace(text)
	return strings.Join(strings.Fields(text), " ")
}

// apply expects success and these phrases in the output.
func (c *cli) apply(phrases ...string) string {
	c.t.Helper()
	return c.want(0, []string{"apply", "-auto-approve", "-no-color"}, phrases)
}

// applyFails expects an error and these phrases in the output.
func (c *cli) applyFails(phrases ...string) string {
	c.t.Helper()
	return c.want(1, []string{"apply", "-auto-approve", "-no-color"}, phrases)
}

// planEmpty expects a plan without changes.
func (c *cli) planEmpty(phrases ...string) string {
	c.t.Helper()
	return c.want(0, []string{"plan", "-detailed-exitcode", "-no-color"}, phrases)
}

// planChanges expects a plan with changes and these phrases in the output.
func (c *cli) planChanges(phrases ...string) string {
	c.t.Helper()
	return c.want(2, []string{"plan", "-detailed-exitcode", "-no-color"}, phrases)
}

// destroy removes what is there.
func (c *cli) destroy(phrases ...string) string {
	c.t.Helper()
	return c.want(0, []string{"destroy", "-auto-approve", "-no-color"}, phrases)
}

func (c *cli) want(code int, args, phrases []string) string {
	c.t.Helper()
	out, got := c.run(args...)
	if got != code {
		c.t.Fatalf("terraform %s: exit code %d, want %d:\n%s", strings.Join(args, " "), got, code, out)
	}
	for _, phrase := range phrases {
		if !strings.Contains(out, phrase) {
			c.t.Errorf("terraform %s does not say %q:\n%s", strings.Join(args, " "), phrase, out)
		}
	}
	return out
}

// state is the state file, empty when there is none.
func (c *cli) state() string {
	c.t.Helper()
	data, err := os.ReadFile(filepath.Join(c.dir, "terraform.tfstate"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		c.t.Fatal(err)
	}
	return string(data)
}

// attribute is a top-level attribute of orch_logs_pipeline.app in state; ok is false when the resource is not there.
func (c *cli) attribute(name string) (value any, tainted, ok bool) {
	c.t.Helper()
	var state struct {
		Resources []struct {
			Type      string
			Instances []struct {
				Status     string
				Attributes map[string]any
			}
		}
	}
	if data := c.state(); data != "" {
		if err := json.Unmarshal([]byte(data), &state); err != nil {
			c.t.Fatal(err)
		}
	}
	for _, r := range state.Resources {
		if r.Type == "orch_logs_pipeline" && len(r.Instances) == 1 {
			return r.Instances[0].Attributes[name], r.Instances[0].Status == "tainted", true
		}
	}
	return nil, false, false
}

// wantStatus expects the resource in state with that status, untainted.
func (c *cli) wantStatus(status string) {
	c.t.Helper()
	if got, tainted, ok := c.attribute("status"); !ok || tainted || got != status {
		c.t.Errorf("status in state is %v (tainted %v, present %v), want %s", got, tainted, ok, status)
	}
}

// wantAbsent expects the resource not to be in state.
func (c *cli) wantAbsent() {
	c.t.Helper()
	if _, _, ok := c.attribute("id"); ok {
		c.t.Errorf("the resource is in state:\n%s", c.state())
	}
}
