package devenv

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// FindTerraform returns the path of a Terraform CLI, terraform or tofu.
func FindTerraform() (string, error) {
	for _, name := range []string{"terraform", "tofu"} {
		path, err := exec.LookPath(name)
		if err == nil {
			return filepath.Abs(path)
		}
	}
	return "", errors.New("no Terraform CLI in PATH: install terraform 1.11 or newer, or tofu")
}

// Terraform runs a Terraform CLI on one configuration with the provider that was built here. No init is needed. All fields
// are absolute paths but Env.
type Terraform struct {
	// CLI is the program, ProviderDir the directory of terraform-provider-orch.
	CLI, ProviderDir string
	// Config is the directory of the configuration. Nothing is written there: the CLI runs in Dir, where links lead to it.
	Config string
	// Work is a directory for everything that the CLI writes: state, CLI configuration, its own data.
	Work string
	// Env is added to the cleaned environment.
	Env []string
}

// Dir is where the CLI runs: the configuration's files by links, and next to them the state.
func (t Terraform) Dir() string { return filepath.Join(t.Work, "config") }

// State is the path of the state file.
func (t Terraform) State() string { return filepath.Join(t.Dir(), "terraform.tfstate") }

// CLIConfig is the path of the CLI configuration.
func (t Terraform) CLIConfig() string { return filepath.Join(t.Work, "dev.tfrc") }

// Settings are the environment variables that make any run of the CLI use this set-up.
func (t Terraform) Settings() []string {
	return append([]string{
		"TF_CLI_CONFIG_FILE=" + t.CLIConfig(),
		"TF_DATA_DIR=" + filepath.Join(t.Work, "tf"),
	}, t.Env...)
}

// Write makes the work directory and the CLI configuration in it.
func (t Terraform) Write() error {
	if err := os.MkdirAll(t.Work, 0o700); err != nil {
		return fmt.Errorf("make a directory for Terraform: %w", err)
	}
	dir, err := json.Marshal(t.ProviderDir) // HCL's quoted strings are JSON's, but for ${ and %{, which no sane path holds
	if err != nil {
		return err
	}
	// terraform and tofu take the short address for their own registry each; the long one is for configurations that
	// name the registry.
	text := fmt.Sprintf(`provider_installation {
  dev_overrides {
    "temporal-orchestrator/orch"                       = %[1]s
    "registry.terraform.io/temporal-orchestrator/orch" = %[1]s
  }
  direct {}
}
`, dir)
	if err := os.WriteFile(t.CLIConfig(), []byte(text), 0o600); err != nil {
		return fmt.Errorf("write the CLI configuration: %w", err)
	}
	return t.link()
}

// link makes Dir anew around the state that is there.
func (t Terraform) link() error {
	if err := os.MkdirAll(t.Dir(), 0o700); err != nil {
		return fmt.Errorf("make a directory for Terraform: %w", err)
	}
	var files []string
	for _, pattern := range []string{"*.tf", "*.tf.json"} {
		found, err := filepath.Glob(filepath.Join(t.Config, pattern))
		if err != nil {
			return fmt.Errorf("list the configuration: %w", err)
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		return fmt.Errorf("there is no configuration in %s", t.Config)
	}
	for _, file := range files {
		link := filepath.Join(t.Dir(), filepath.Base(file))
		if err := os.Remove(link); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("link the configuration: %w", err)
		}
		if err := os.Symlink(file, link); err != nil {
			return fmt.Errorf("link the configuration: %w", err)
		}
	}
	return nil
}

// Run runs the CLI. Output goes to out when it is not nil; else it is only quoted in the error. An interrupt reaches the CLI
// as such, so that it can end what it does and save its state.
func (t Terraform) Run(ctx context.Context, out io.Writer, args ...string) error {
	var quiet bytes.Buffer
	if out == nil {
		out = &quiet
	}
	cmd := t.command(ctx, args...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		err = fmt.Errorf("%s %s: %w", filepath.Base(t.CLI), args[0], err)
		if evidence := diagnostics(quiet.String()); evidence != "" {
			return fmt.Errorf("%w\n%s", err, evidence)
		}
		return err
	}
	return nil
}

// diagnostics is the output from its first error on; all of it when there is none.
func diagnostics(output string) string {
	if at := strings.Index("\n"+output, "\nError: "); at >= 0 {
		output = output[at:]
	}
	return strings.TrimSpace(output)
}

// command starts the CLI in a process group of its own: a terminal's Ctrl-C would otherwise reach it twice, from the
// terminal and from the cancelled context, and the second one makes it give up at once.
func (t Terraform) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, t.CLI, append([]string{"-chdir=" + t.Dir()}, args...)...)
	cmd.Env = append(cleanEnv("TF_IN_AUTOMATION=1", "TF_INPUT=0", "CHECKPOINT_DISABLE=1"), t.Settings()...)
	cmd.SysProcAttr = ownProcessGroup()
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	// The provider takes up to 90 s to see a rollback through.
	cmd.WaitDelay = 3 * time.Minute
	return cmd
}

// Resource is a managed resource in state.
type Resource struct {
	// Type and Name are those of its block, for example "orch_logs_pipeline" and "app".
	Type   string          `json:"type"`
	Name   string          `json:"name"`
	Values json.RawMessage `json:"values"`
}

// Resources lists the managed resources of the root module, as state holds them.
func (t Terraform) Resources(ctx context.Context) ([]Resource, error) {
	cmd := t.command(ctx, "show", "-json", "-no-color")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("read the state: %w: %s", err, strings.TrimSpace(stderr.String()))
	}
	var shown struct {
		Values struct {
			RootModule struct {
				Resources []struct {
					Resource
					Mode string `json:"mode"`
				} `json:"resources"`
			} `json:"root_module"`
		} `json:"values"`
	}
	if err := json.Unmarshal(stdout.Bytes(), &shown); err != nil {
		return nil, fmt.Errorf("read the state: %w", err)
	}
	var managed []Resource
	for _, r := range shown.Values.RootModule.Resources {
		if r.Mode == "managed" {
			managed = append(managed, r.Resource)
		}
	}
	return managed, nil
}
