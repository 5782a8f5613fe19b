package secret

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// Variables of the worker's environment that extend its allow-list.
const (
	// EnvAllowedEnv holds names of variables, separated by commas; a name may end in *.
	EnvAllowedEnv = "ORCH_SECRET_ENV"
	// EnvAllowedFiles holds files and directories, separated like a PATH.
	EnvAllowedFiles = "ORCH_SECRET_FILES"
)

// AllowList says which references a worker resolves. Whoever may start workflows could otherwise read any file of the
// worker's host, and its whole environment.
type AllowList struct {
	// Env are names of environment variables; one that ends in * stands for all that begin so.
	Env []string
	// Files are files, and directories with all that is in them.
	Files []string
}

// DefaultAllowList has the variables that the platforms' own tools read, everything that begins with ORCH_SECRET_, the
// directory "secrets" in DefaultDataDir, and what ORCH_SECRET_ENV and ORCH_SECRET_FILES add.
func DefaultAllowList() AllowList {
	list := AllowList{
		Env: []string{
			"FLY_API_TOKEN", "RAILWAY_API_TOKEN", "RAILWAY_TOKEN", "RENDER_API_KEY", "GITHUB_TOKEN", "CLOUDFLARE_API_TOKEN", "ORCH_SECRET_*",
		},
		Files: []string{filepath.Join(DefaultDataDir(), "secrets")},
	}
	for name := range strings.SplitSeq(os.Getenv(EnvAllowedEnv), ",") {
		if name = strings.TrimSpace(name); name != "" {
			list.Env = append(list.Env, name)
		}
	}
	for _, path := range filepath.SplitList(os.Getenv(EnvAllowedFiles)) {
		if path != "" {
			list.Files = append(list.Files, path)
		}
	}
	return list
}

// Resolve returns the value of a reference to a variable or a file. An error is a *contract.StepFailure that says what the
// worker's operator has to do; it never holds a value. A reference to another service's secret is not for this function:
// the engine keeps those.
func (l AllowList) Resolve(source contract.SecretSource) (string, error) {
	switch {
	case source.Env != "":
		return l.env(source.Env)
	case source.File != "":
		return l.file(source.File)
	default:
		return "", contract.Fail(contract.Internal, "a secret's reference names neither a variable nor a file")
	}
}

func (l AllowList) env(name string) (string, error) {
	allowed := slices.ContainsFunc(l.Env, func(pattern string) bool {
		prefix, open := strings.CutSuffix(pattern, "*")
		return pattern == name || open && strings.HasPrefix(name, prefix)
	})
	if !allowed {
		return "", contract.Fail(contract.Denied, "the worker does not give out its environment variable %s", name).Next("%s", "allow it on the worker: orch-worker run --secret-env "+name+", or "+EnvAllowedEnv+"="+name+" in its environment")
	}
	value := os.Getenv(name)
	if value == "" {
		return "", contract.Fail(contract.NotFound, "the environment variable %s is not set where the worker runs", name).Next("%s", "set "+name+" in the worker's environment and start the worker again")
	}
	return value, nil
}

// file reads the file that path leads to; a line break at the end, which editors add, is not part of the secret.
func (l AllowList) file(path string) (string, error) {
	resolved, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", contract.Fail(contract.NotFound, "the worker has no file %s", path).Next("%s", "put the secret into "+path+" on the worker's host")
	}
	if err != nil {
		return "", contract.Fail(contract.Denied, "the worker cannot read %s: %v", path, err)
	}
	if !filepath.IsAbs(path) || !slices.ContainsFunc(l.Files, func(allowed string) bool { return within(allowed, resolved) }) {
		return "", contract.Fail(contract.Denied, "the worker does not give out the file %s", path).Next("%s", "allow it on the worker: orch-worker run --secret-file "+path+", or "+EnvAllowedFiles+"="+path+" in its environment")
	}
	content, err := os.ReadFile(resolved)
	if err != nil {
		return "", contract.Fail(contract.Denied, "the worker cannot read %s: %v", path, err)
	}
	value := strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r")
	if value == "" {
		return "", contract.Fail(contract.InvalidInput, "the worker's file %s is empty", path)
	}
	return value, nil
}

// within reports whether a path without symbolic links is allowed or lies in it. The allowed path may lead through links.
func within(allowed, path string) bool {
	resolved, err := filepath.EvalSymlinks(allowed)
	if err != nil {
		return false
	}
	relative, err := filepath.Rel(resolved, path)
	return err == nil && filepath.IsLocal(relative)
}
