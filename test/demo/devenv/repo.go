package devenv

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Repo is the directory of a clone of the repository.
type Repo string

const modulePath = "github.com/temporal-orchestrator/terraform-provider-orch"

// FindRepo returns the clone that the working directory is in.
func FindRepo() (Repo, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(data), "module "+modulePath+"\n") {
			return Repo(dir), nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("find the repository: %w", err)
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is not in a clone of %s: change into one", start, modulePath)
		}
	}
}

// Path is a path in the clone.
func (r Repo) Path(elem ...string) string {
	return filepath.Join(append([]string{string(r)}, elem...)...)
}

// Binary is the path of one of our binaries in bin/ (or $ORCH_BIN_DIR), which must exist.
func (r Repo) Binary(name string) (string, error) {
	dir := os.Getenv("ORCH_BIN_DIR")
	if dir == "" {
		dir = r.Path("bin")
	}
	path := filepath.Join(dir, name)
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return "", fmt.Errorf("there is no %s: build it with: make build", path)
	}
	return filepath.Abs(path)
}

// cleanEnv is the environment without what would lead Terraform, the provider or the worker to other servers, files or
// arguments than the ones that are passed. Variables of the configuration (TF_VAR_…) and TF_LOG are the user's choice.
func cleanEnv(extra ...string) []string {
	env := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		switch {
		case strings.HasPrefix(name, "TF_VAR_"), strings.HasPrefix(name, "TF_LOG"):
			return false
		}
		return strings.HasPrefix(name, "TF_") || strings.HasPrefix(name, "TEMPORAL_") || strings.HasPrefix(name, "ORCH_")
	})
	return append(env, extra...)
}
