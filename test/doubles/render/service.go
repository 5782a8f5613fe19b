package render

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"
)

type service struct {
	doc     document
	envVars []envVar
	deploys []*deploy // newest last
}

// document is a service as Render answers it.
type document struct {
	ID             string   `json:"id"`
	Name           string   `json:"name"`
	OwnerID        string   `json:"ownerId"`
	Type           string   `json:"type"`
	AutoDeploy     string   `json:"autoDeploy"`
	Repo           string   `json:"repo,omitempty"`
	Branch         string   `json:"branch,omitempty"`
	ImagePath      string   `json:"imagePath,omitempty"`
	RootDir        string   `json:"rootDir"`
	Slug           string   `json:"slug"`
	Suspended      string   `json:"suspended"`
	Suspenders     []string `json:"suspenders"`
	NotifyOnFail   string   `json:"notifyOnFail"`
	DashboardURL   string   `json:"dashboardUrl"`
	CreatedAt      string   `json:"createdAt"`
	UpdatedAt      string   `json:"updatedAt"`
	ServiceDetails details  `json:"serviceDetails"`
}

type details struct {
	Env                string   `json:"env"`
	Runtime            string   `json:"runtime"`
	EnvSpecificDetails specific `json:"envSpecificDetails"`
	Plan               string   `json:"plan"`
	Region             string   `json:"region"`
	NumInstances       int      `json:"numInstances"`
	BuildPlan          string   `json:"buildPlan"`
	HealthCheckPath    string   `json:"healthCheckPath"`
	OpenPorts          []port   `json:"openPorts"`
	URL                string   `json:"url"`
}

// specific holds the fields of Docker and of the native runtimes; null where they do not apply.
type specific struct {
	DockerCommand    *string `json:"dockerCommand,omitempty"`
	DockerContext    *string `json:"dockerContext,omitempty"`
	DockerfilePath   *string `json:"dockerfilePath,omitempty"`
	BuildCommand     *string `json:"buildCommand,omitempty"`
	StartCommand     *string `json:"startCommand,omitempty"`
	PreDeployCommand *string `json:"preDeployCommand,omitempty"`
}

type port struct {
	Port     int    `json:"port"`
	Protocol string `json:"protocol"`
}

type envVar struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

type image struct {
	OwnerID   string `json:"ownerId"`
	ImagePath string `json:"imagePath"`
}

// requested is what POST and PATCH take. Fields that only one of them has are checked there.
type requested struct {
	Type           *string           `json:"type"`
	Name           *string           `json:"name"`
	OwnerID        *string           `json:"ownerId"`
	Repo           *string           `json:"repo"`
	Branch         *string           `json:"branch"`
	RootDir        *string           `json:"rootDir"`
	AutoDeploy     *string           `json:"autoDeploy"`
	Image          *image            `json:"image"`
	EnvVars        []envVar          `json:"envVars"`
	ServiceDetails *requestedDetails `json:"serviceDetails"`
}

type requestedDetails struct {
	Runtime            *string   `json:"runtime"`
	Plan               *string   `json:"plan"`
	Region             *string   `json:"region"`
	NumInstances       *int      `json:"numInstances"`
	HealthCheckPath    *string   `json:"healthCheckPath"`
	PreDeployCommand   *string   `json:"preDeployCommand"`
	EnvSpecificDetails *specific `json:"envSpecificDetails"`
}

var (
	serviceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$`)
	imagePath   = regexp.MustCompile(`^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)*(:[A-Za-z0-9._-]+)?(@sha256:[0-9a-f]{64})?$`)
	regions     = []string{"frankfurt", "oregon", "ohio", "singapore", "virginia"}
	plans       = []string{"starter", "starter_plus", "standard", "standard_plus", "pro", "pro_plus", "pro_max", "pro_ultra"}
	runtimes    = []string{"docker", "elixir", "go", "node", "python", "ruby", "rust", "image"}
)

// refusal is an answer other than success.
type refusal struct {
	status  int
	message string
}

func (r *refusal) Error() string { return r.message }

func bad(format string, args ...any) error {
	return &refusal{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// apply checks what is requested and writes it into a service.
func (s *Server) apply(c call, doc *document, in requested) error {
	set(&doc.Name, in.Name)
	set(&doc.Branch, in.Branch)
	set(&doc.RootDir, in.RootDir)
	set(&doc.AutoDeploy, in.AutoDeploy)
	set(&doc.Repo, in.Repo)
	if in.Image != nil {
		if in.Image.OwnerID != doc.OwnerID {
			return bad("image.ownerId is not that of the service")
		}
		doc.ImagePath = in.Image.ImagePath
		if s.cfg.Complete && !strings.ContainsAny(doc.ImagePath, "/:") {
			doc.ImagePath = "docker.io/library/" + doc.ImagePath + ":latest"
		}
	}
	if in.ServiceDetails != nil {
		if err := doc.ServiceDetails.apply(*in.ServiceDetails); err != nil {
			return err
		}
	}
	switch {
	case !serviceName.MatchString(doc.Name):
		return bad("invalid name %q", doc.Name)
	case s.named(doc.OwnerID, doc.Name, doc.ID) != nil:
		return &refusal{s.cfg.DuplicateStatus, fmt.Sprintf("name %s is already in use in this workspace", doc.Name)}
	case (doc.Repo == "") == (doc.ImagePath == ""):
		return bad("exactly one of repo and image must be given")
	case doc.AutoDeploy != "yes" && doc.AutoDeploy != "no":
		return bad("invalid autoDeploy %q", doc.AutoDeploy)
	case doc.ImagePath != "" && !imagePath.MatchString(doc.ImagePath):
		return bad("invalid image URL: %s", doc.ImagePath)
	case (doc.ImagePath != "") != (doc.ServiceDetails.Runtime == "image"):
		return bad("runtime image belongs to services with an image, and to no others")
	}
	if doc.Repo != "" {
		if _, err := branchHead(c, doc.Repo, doc.Branch); err != nil {
			return bad("repository URL is invalid or unfetchable: %s", doc.Repo)
		}
	}
	return doc.ServiceDetails.check()
}

func (d *details) apply(in requestedDetails) error {
	set(&d.Runtime, in.Runtime)
	set(&d.Plan, in.Plan)
	set(&d.Region, in.Region)
	set(&d.HealthCheckPath, in.HealthCheckPath)
	if in.NumInstances != nil {
		d.NumInstances = *in.NumInstances
	}
	d.Env = d.Runtime
	own := &d.EnvSpecificDetails
	if in.PreDeployCommand != nil {
		own.PreDeployCommand = in.PreDeployCommand
	}
	if d.Runtime == "docker" || d.Runtime == "image" {
		for _, field := range []**string{&own.DockerCommand, &own.DockerContext, &own.DockerfilePath} {
			if *field == nil {
				*field = new(string)
			}
		}
	}
	if given := in.EnvSpecificDetails; given != nil {
		native := given.BuildCommand != nil || given.StartCommand != nil
		if native == (d.Runtime == "docker" || d.Runtime == "image") {
			return bad("envSpecificDetails do not fit the runtime %s", d.Runtime)
		}
		for field, value := range map[**string]*string{
			&own.DockerCommand: given.DockerCommand, &own.DockerContext: given.DockerContext, &own.DockerfilePath: given.DockerfilePath,
			&own.BuildCommand: given.BuildCommand, &own.StartCommand: given.StartCommand,
		} {
			if value != nil {
				*field = value
			}
		}
	}
	return nil
}

func (d *details) check() error {
	native := d.Runtime != "docker" && d.Runtime != "image"
	switch {
	case !slices.Contains(runtimes, d.Runtime):
		return bad("invalid runtime %q", d.Runtime)
	case native && (d.EnvSpecificDetails.BuildCommand == nil || d.EnvSpecificDetails.StartCommand == nil):
		return bad("buildCommand and startCommand are required for the runtime %s", d.Runtime)
	case !slices.Contains(regions, d.Region):
		return bad("invalid region %q", d.Region)
	case d.Plan == "free":
		return &refusal{http.StatusPaymentRequired, "free services cannot be created through the API"}
	case !slices.Contains(plans, d.Plan):
		return bad("invalid plan %q", d.Plan)
	case d.NumInstances < 1 || d.NumInstances > 100:
		return bad("invalid numInstances %d", d.NumInstances)
	case d.HealthCheckPath != "" && !strings.HasPrefix(d.HealthCheckPath, "/"):
		return bad("healthCheckPath must begin with /")
	}
	return nil
}

func set(to *string, value *string) {
	if value != nil {
		*to = *value
	}
}

// branchHead asks the repository for the commit of a branch, as Render's GitHub App would.
func branchHead(c call, repo, branch string) (string, error) {
	if branch == "" {
		branch = "HEAD"
	} else {
		branch = "refs/heads/" + branch
	}
	if path, ok := strings.CutPrefix(repo, c.cfg.GitFrom); ok && c.cfg.GitTo != "" {
		repo = c.cfg.GitTo + path
	}
	command := exec.CommandContext(c.r.Context(), "git", "ls-remote", "--exit-code", repo, branch)
	command.Env = append(os.Environ(), "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=true")
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("ls-remote %s %s: %w", repo, branch, err)
	}
	sha, _, _ := strings.Cut(string(out), "\t")
	return sha, nil
}

// named is another service of that name in the workspace.
func (s *Server) named(owner, name, except string) *service {
	for id, one := range s.services {
		if one.doc.OwnerID == owner && one.doc.Name == name && id != except {
			return one
		}
	}
	return nil
}

func now() string { return time.Now().UTC().Format(time.RFC3339Nano) }
