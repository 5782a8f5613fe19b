package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// StepBuild makes the image from its build context.
const StepBuild = "build_image"

// DefaultDockerfile is its name in the context.
const DefaultDockerfile = "Dockerfile"

// BuildInput makes the image from a build context.
type BuildInput struct {
	// Context is a folder or the URL of a Git repository, as written.
	Context    string            `json:"context"`
	Dockerfile *string           `json:"dockerfile"`
	Target     *string           `json:"target"`
	Args       map[string]string `json:"args"`
	// Hash is the digest of the folder's content.
	Hash *string `json:"hash"`
	// Dir is the folder's absolute path where Terraform runs. It is told to the worker and kept nowhere: the same content in
	// another folder is the same image.
	Dir *string `json:"dir,omitempty"`
}

func (b BuildInput) build() *contract.Build {
	return &contract.Build{
		Context: or(b.Dir, b.Context), Dockerfile: or(b.Dockerfile, DefaultDockerfile), Target: or(b.Target, ""), Args: b.Args,
		Hash: or(b.Hash, ""), Step: StepBuild,
	}
}

// recorded is the input without what only this run needs to know.
func (in ServiceInput) recorded() ServiceInput {
	if in.Build != nil {
		build := *in.Build
		build.Dir = nil
		in.Build = &build
	}
	return in
}

// builtImage names what an image is built from: the same content, Dockerfile, target and arguments are the same image. A Git
// repository's content is not known here, so its URL stands for it.
func builtImage(ref contract.Ref, name string, b contract.Build) string {
	content := b.Hash
	if content == "" {
		content = b.Context
	}
	// A struct of strings always has a JSON form.
	data, _ := json.Marshal(struct {
		Container, Content, Dockerfile, Target string
		Args                                   map[string]string
	}{ref.Container(name), content, b.Dockerfile, b.Target, b.Args})
	sum := sha256.Sum256(data)
	return repository(ref.Container(name)) + ":" + hex.EncodeToString(sum[:6])
}

var severalSeparators = regexp.MustCompile(`[_-]{2,}`)

// repository is a container's name as the name of an image repository, which takes no mixture of separators.
func repository(container string) string {
	return severalSeparators.ReplaceAllString(strings.Trim(container, "-_"), "-")
}
