package catalog

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// RenderInput is the input of a deployment on Render.
type RenderInput struct {
	Deploy
	// Owner is a workspace, by name or ID.
	Owner  *string `json:"owner"`
	Region *string `json:"region"`
	Plan   *string `json:"plan"`
	// Either Image is run, or Repository is built.
	Image      *string           `json:"image"`
	Repository *RenderRepository `json:"repository"`
	// Runtime is how a repository is built: docker, or a language.
	Runtime          *string `json:"runtime"`
	RootDir          *string `json:"root_dir"`
	Dockerfile       *string `json:"dockerfile"`
	BuildCommand     *string `json:"build_command"`
	StartCommand     *string `json:"start_command"`
	PreDeployCommand *string `json:"pre_deploy_command"`
	Instances        *int64  `json:"num_instances"`
}

// RenderRepository is the Git repository that Render builds.
type RenderRepository struct {
	// Name is "owner/name" on GitHub.
	Name   *string `json:"name"`
	Branch *string `json:"branch"`
	// Create makes the repository where there is none; private, unless Private says false.
	Create  *bool `json:"create"`
	Private *bool `json:"private"`
	// Source is a folder on the worker's host that is pushed, and SourceHash the Git tree that it was when planned.
	Source     *string `json:"source"`
	SourceHash *string `json:"source_hash"`
	// GitURL is where Git finds the repositories; nil is GitHub.
	GitURL *string `json:"git_url"`
}

// Defaults of a deployment on Render.
const (
	DefaultRenderRegion    = "oregon"
	DefaultRenderPlan      = "starter"
	DefaultRenderRuntime   = "docker"
	DefaultRenderBranch    = "main"
	DefaultRenderInstances = 1
	MaxRenderInstances     = 100
	defaultGitURL          = "https://github.com"
	renderRuntimeImage     = "image"
)

// RenderDeployment is the row of deployments on Render.
var RenderDeployment = DeploymentRow[RenderInput]{
	Kind: contract.RenderDeployment, NameAttribute: "service_name", DefaultName: "render-deploy", Message: "render_deploy_complete",
	Common: func(in RenderInput) Deploy { return in.Deploy },
	Build:  render,
	Check:  checkRender,
	Reserved: func(name string) string {
		if name == contract.RenderMark {
			return name + " is orch's own variable: it tells whose the service is"
		}
		return ""
	},
}

// RenderRegions are the regions that Render has.
func RenderRegions() []string {
	return []string{"frankfurt", "ohio", "oregon", "singapore", "virginia"}
}

// RenderPlans are the instance types that the API takes.
func RenderPlans() []string {
	return []string{"free", "starter", "starter_plus", "standard", "standard_plus", "pro", "pro_plus", "pro_max", "pro_ultra"}
}

// RenderRuntimes are the ways to build a repository.
func RenderRuntimes() []string {
	return []string{DefaultRenderRuntime, "elixir", "go", "node", "python", "ruby", "rust"}
}

func render(ref contract.Ref, in RenderInput, _ string) (contract.Deployment, error) {
	spec := in.spec()
	config, err := renderYAML(ref, in, spec)
	if err != nil {
		return contract.Deployment{}, err
	}
	steps := contract.DeploymentSteps{
		Generate: "generate_deployment_configs", Create: "create_service", Configure: "set_variables", Release: "deploy",
		Locate: "get_url", Check: "check_health",
	}
	if spec.Repository != nil && spec.Repository.Source != "" {
		steps.Push = "push_code"
	}
	return contract.Deployment{Steps: steps, Image: or(in.Image, ""), Config: config, ConfigName: "render.yaml", Render: &spec}, nil
}

func (in RenderInput) spec() contract.RenderSpec {
	spec := contract.RenderSpec{
		Owner: or(in.Owner, ""), Region: or(in.Region, DefaultRenderRegion), Plan: or(in.Plan, DefaultRenderPlan),
		Runtime: renderRuntimeImage, Instances: int(or(in.Instances, DefaultRenderInstances)), RootDir: or(in.RootDir, ""),
		Dockerfile: or(in.Dockerfile, ""), BuildCommand: or(in.BuildCommand, ""), StartCommand: or(in.StartCommand, ""),
		PreDeployCommand: or(in.PreDeployCommand, ""),
	}
	if r := in.Repository; r != nil {
		spec.Runtime = or(in.Runtime, DefaultRenderRuntime)
		spec.Repository = &contract.Repository{
			Name: or(r.Name, ""), Branch: or(r.Branch, DefaultRenderBranch), Create: or(r.Create, false), Private: or(r.Private, true),
			Source: or(r.Source, ""), SourceHash: or(r.SourceHash, ""), GitURL: strings.TrimSuffix(or(r.GitURL, defaultGitURL), "/"),
		}
	}
	return spec
}

// blueprint is a render.yaml, whose names are not those of Render's API.
type blueprint struct {
	Services []blueprintService `yaml:"services"`
}

type blueprintService struct {
	Type              string          `yaml:"type"`
	Name              string          `yaml:"name"`
	Runtime           string          `yaml:"runtime"`
	Image             *blueprintImage `yaml:"image,omitempty"`
	Repo              string          `yaml:"repo,omitempty"`
	Branch            string          `yaml:"branch,omitempty"`
	RootDir           string          `yaml:"rootDir,omitempty"`
	DockerfilePath    string          `yaml:"dockerfilePath,omitempty"`
	DockerCommand     string          `yaml:"dockerCommand,omitempty"`
	BuildCommand      string          `yaml:"buildCommand,omitempty"`
	StartCommand      string          `yaml:"startCommand,omitempty"`
	PreDeployCommand  string          `yaml:"preDeployCommand,omitempty"`
	Plan              string          `yaml:"plan"`
	Region            string          `yaml:"region"`
	NumInstances      int             `yaml:"numInstances"`
	HealthCheckPath   string          `yaml:"healthCheckPath"`
	AutoDeployTrigger string          `yaml:"autoDeployTrigger,omitempty"`
	EnvVars           []blueprintVar  `yaml:"envVars,omitempty"`
}

type blueprintImage struct {
	URL string `yaml:"url"`
}

type blueprintVar struct {
	Key   string  `yaml:"key"`
	Value *string `yaml:"value,omitempty"`
	// Sync false leaves the value to whoever applies the Blueprint: secrets do not stand in files.
	Sync *bool `yaml:"sync,omitempty"`
}

// renderYAML is the Blueprint that the service stands for: with it the same can be deployed by hand.
func renderYAML(ref contract.Ref, in RenderInput, spec contract.RenderSpec) (string, error) {
	one := blueprintService{
		Type: "web", Name: ref.Service, Runtime: spec.Runtime, RootDir: spec.RootDir, DockerfilePath: spec.Dockerfile,
		BuildCommand: spec.BuildCommand, PreDeployCommand: spec.PreDeployCommand, Plan: strings.ReplaceAll(spec.Plan, "_", " "), Region: spec.Region,
		NumInstances: spec.Instances, HealthCheckPath: in.Health.check().Path,
	}
	if spec.Dockered() {
		one.DockerCommand = spec.StartCommand
	} else {
		one.StartCommand = spec.StartCommand
	}
	if r := spec.Repository; r != nil {
		one.Repo, one.Branch, one.AutoDeployTrigger = r.URL(), r.Branch, "off"
	} else {
		one.Image = &blueprintImage{or(in.Image, "")}
	}
	for _, name := range slices.Sorted(maps.Keys(in.Env)) {
		value := in.Env[name]
		one.EnvVars = append(one.EnvVars, blueprintVar{Key: name, Value: &value})
	}
	for _, name := range slices.Sorted(maps.Keys(in.Secrets)) {
		one.EnvVars = append(one.EnvVars, blueprintVar{Key: name, Sync: new(bool)})
	}
	var out strings.Builder
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(blueprint{Services: []blueprintService{one}}); err != nil {
		return "", err
	}
	return out.String(), encoder.Close()
}

var (
	repositoryPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$`)
	branchPattern     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,200}$`)
)

func checkRender(in RenderInput) []Problem {
	var problems []Problem
	add := func(attribute, format string, args ...any) {
		problems = append(problems, Problem{attribute, fmt.Sprintf(format, args...)})
	}
	oneOf := func(attribute string, value *string, values []string) {
		if value != nil && !slices.Contains(values, *value) {
			add(attribute, "%q is not one of %s", *value, strings.Join(values, ", "))
		}
	}
	oneOf("region", in.Region, RenderRegions())
	oneOf("plan", in.Plan, RenderPlans())
	oneOf("runtime", in.Runtime, RenderRuntimes())
	switch {
	case in.Image == nil && in.Repository == nil:
		add("image", "a deployment on Render needs either an image to run or a repository to build")
	case in.Image != nil && in.Repository != nil:
		add("image", "repository says what is deployed; set one of the two")
	case in.Image != nil && (*in.Image == "" || strings.ContainsAny(*in.Image, " \t\n")):
		add("image", "%q is not an image reference", *in.Image)
	}
	if n := or(in.Instances, DefaultRenderInstances); n < 1 || n > MaxRenderInstances {
		add("num_instances", "%d is not between 1 and %d", n, MaxRenderInstances)
	}
	return append(append(problems, checkRenderBuild(in)...), in.Repository.check()...)
}

// checkRenderBuild finds build settings that do not fit the runtime.
func checkRenderBuild(in RenderInput) []Problem {
	var problems []Problem
	spec := in.spec()
	if in.Image != nil {
		for attribute, set := range map[string]bool{
			"runtime": in.Runtime != nil, "dockerfile": in.Dockerfile != nil, "build_command": in.BuildCommand != nil, "root_dir": in.RootDir != nil,
		} {
			if set {
				problems = append(problems, Problem{attribute, "says how a repository is built, and an image is not built"})
			}
		}
		slices.SortFunc(problems, func(a, b Problem) int { return strings.Compare(a.Attribute, b.Attribute) })
		return problems
	}
	if spec.Dockered() {
		if in.BuildCommand != nil {
			problems = append(problems, Problem{"build_command", "the Dockerfile says how the image is built; set it for the other runtimes"})
		}
		return problems
	}
	if in.Dockerfile != nil {
		problems = append(problems, Problem{"dockerfile", fmt.Sprintf("the runtime %s is built without one", spec.Runtime)})
	}
	if spec.BuildCommand == "" {
		problems = append(problems, Problem{"build_command", fmt.Sprintf("the runtime %s needs one", spec.Runtime)})
	}
	if spec.StartCommand == "" {
		problems = append(problems, Problem{"start_command", fmt.Sprintf("the runtime %s needs one", spec.Runtime)})
	}
	return problems
}

func (r *RenderRepository) check() []Problem {
	if r == nil {
		return nil
	}
	var problems []Problem
	add := func(attribute, format string, args ...any) {
		problems = append(problems, Problem{"repository." + attribute, fmt.Sprintf(format, args...)})
	}
	if name := or(r.Name, ""); !repositoryPattern.MatchString(name) {
		add("name", "%q is not the name of a repository on GitHub, such as acme/shop", name)
	}
	if branch := or(r.Branch, DefaultRenderBranch); !branchPattern.MatchString(branch) || strings.Contains(branch, "..") {
		add("branch", "%q is not the name of a branch", branch)
	}
	if r.Source != nil && *r.Source == "" {
		add("source", "an empty path names no folder")
	}
	if or(r.Create, false) && r.Source == nil {
		add("source", "a repository that is to be created needs a folder that is pushed to it: Render cannot build an empty one")
	}
	if url := r.GitURL; url != nil && !strings.HasPrefix(*url, "https://") && !strings.HasPrefix(*url, "http://") {
		add("git_url", "%q does not begin with https:// or http://", *url)
	}
	return problems
}
