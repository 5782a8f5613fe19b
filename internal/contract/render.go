package contract

// RenderMark is the variable of a service on Render that tells whose the service is: Render has no labels.
const RenderMark = "ORCH_DEPLOYMENT"

// RepositoryNote begins the description of a repository that orch has created; the deployment's ID follows.
const RepositoryNote = "Pushed by Terraform for "

// RenderSpec is what a deployment on Render consists of.
type RenderSpec struct {
	// Owner is a workspace by name or ID; empty is the only one that the token sees.
	Owner  string `json:"owner,omitempty"`
	Region string `json:"region"`
	Plan   string `json:"plan"`
	// Runtime is "image", "docker" or a language.
	Runtime          string      `json:"runtime"`
	Instances        int         `json:"instances"`
	Repository       *Repository `json:"repository,omitempty"`
	RootDir          string      `json:"root_dir,omitempty"`
	Dockerfile       string      `json:"dockerfile,omitempty"`
	BuildCommand     string      `json:"build_command,omitempty"`
	StartCommand     string      `json:"start_command,omitempty"`
	PreDeployCommand string      `json:"pre_deploy_command,omitempty"`
}

// Dockered reports whether the service runs an image, built by Render or before.
func (s RenderSpec) Dockered() bool { return s.Runtime == "image" || s.Runtime == "docker" }

// Repository is a Git repository that a platform builds.
type Repository struct {
	// Name is "owner/name".
	Name   string `json:"name"`
	Branch string `json:"branch"`
	// Create makes it, private or not, where there is none.
	Create  bool `json:"create,omitempty"`
	Private bool `json:"private,omitempty"`
	// Source is a folder on the worker's host that is pushed; empty pushes nothing. SourceHash is the Git tree that it was when
	// planned: the worker pushes no other. Empty takes what is there.
	Source     string `json:"source,omitempty"`
	SourceHash string `json:"source_hash,omitempty"`
	// GitURL is what Name is appended to, without a trailing slash.
	GitURL string `json:"git_url"`
}

// URL is where the repository is cloned from.
func (r Repository) URL() string { return r.GitURL + "/" + r.Name }
