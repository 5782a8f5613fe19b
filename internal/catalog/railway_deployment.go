package catalog

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// RailwayInput is the input of a deployment on Railway.
type RailwayInput struct {
	Deploy
	Workspace    *string         `json:"workspace"`
	Project      *string         `json:"project"`
	Environment  *string         `json:"environment"`
	Image        *string         `json:"image"`
	Repository   *string         `json:"repository"`
	Branch       *string         `json:"branch"`
	Port         *int64          `json:"port"`
	Region       *string         `json:"region"`
	Replicas     *int64          `json:"replicas"`
	StartCommand *string         `json:"start_command"`
	Restart      *RailwayRestart `json:"restart"`
}

// RailwayRestart says when Railway starts the application again after it has ended.
type RailwayRestart struct {
	Policy     *string `json:"policy"`
	MaxRetries *int64  `json:"max_retries"`
}

// Defaults of a deployment on Railway.
const (
	RailwayName     = "railway-deploy"
	RailwayBranch   = "main"
	RailwayRestarts = "on_failure"
	RailwayRetries  = 10
)

// RailwayRegions are Railway's regions.
var RailwayRegions = []string{"us-west2", "us-east4-eqdc4a", "europe-west4-drams3a", "asia-southeast1-eqsg3a"}

// railwayPolicies are the restart policies as written and as Railway calls them.
var railwayPolicies = map[string]string{"always": "ALWAYS", "never": "NEVER", "on_failure": "ON_FAILURE"}

// RailwayDeployment is the row of orch_railway_deployment.
var RailwayDeployment = DeploymentRow[RailwayInput]{
	Kind:          contract.RailwayDeployment,
	NameAttribute: "service_name",
	DefaultName:   RailwayName,
	Message:       "railway_deploy_complete",
	Common:        func(in RailwayInput) Deploy { return in.Deploy },
	Check:         checkRailway,
	Reserved:      reservedRailway,
	Build:         buildRailway,
}

func checkRailway(in RailwayInput) []Problem {
	var problems []Problem
	add := func(attribute, format string, args ...any) {
		problems = append(problems, Problem{attribute, fmt.Sprintf(format, args...)})
	}
	switch {
	case in.Image == nil && in.Repository == nil:
		add("image", "either image or repository says what is deployed, and neither is set")
	case in.Image != nil && in.Repository != nil:
		add("repository", "either image or repository says what is deployed, and both are set")
	case in.Branch != nil && in.Repository == nil:
		add("branch", "a branch is one of a repository, and no repository is set")
	}
	if r := in.Repository; r != nil && !repositoryPattern.MatchString(*r) {
		add("repository", "%q is not of the form owner/name", *r)
	}
	if r := in.Region; r != nil && !slices.Contains(RailwayRegions, *r) {
		add("region", "%q is not one of Railway's regions: %v", *r, RailwayRegions)
	}
	if n := in.Replicas; n != nil && (*n < 1 || *n > 50) {
		add("replicas", "%d is not between 1 and 50", *n)
	}
	if p := in.Port; p != nil && (*p < 1 || *p > 65535) {
		add("port", "%d is not between 1 and 65535", *p)
	}
	if r := in.Restart; r != nil {
		if r.Policy != nil && railwayPolicies[*r.Policy] == "" {
			add("restart.policy", "%q is not always, never or on_failure", *r.Policy)
		}
		if n := r.MaxRetries; n != nil && (*n < 0 || *n > 100) {
			add("restart.max_retries", "%d is not between 0 and 100", *n)
		}
	}
	if h := in.Health; h != nil && (h.IntervalSeconds != nil || h.AttemptSeconds != nil || h.GraceSeconds != nil) {
		add("health", "Railway has no interval_seconds, attempt_seconds and grace_seconds: it asks until the timeout has passed")
	}
	return problems
}

// reservedRailway tells of variables that are not the deployment's to set.
func reservedRailway(name string) string {
	switch {
	case strings.HasPrefix(name, "RAILWAY_"):
		return name + " cannot be set: Railway provides the variables that begin with RAILWAY_"
	case name == contract.RailwayRecord:
		return name + " cannot be set: it is where orch keeps what it has deployed"
	}
	return ""
}

func buildRailway(ref contract.Ref, in RailwayInput, _ string) (contract.Deployment, error) {
	health, restart := in.Health.check(), orZero(in.Restart)
	timeout, replicas, retries := int64(health.TimeoutSeconds), or(in.Replicas, 1), or(restart.MaxRetries, RailwayRetries)
	settings := contract.RailwaySettings{
		StartCommand: in.StartCommand, Region: in.Region, NumReplicas: &replicas,
		RestartPolicyType: railwayPolicies[or(restart.Policy, RailwayRestarts)], RestartPolicyMaxRetries: &retries,
	}
	if health.Path != "" {
		settings.HealthcheckPath, settings.HealthcheckTimeout = &health.Path, &timeout
	}
	spec := contract.RailwaySpec{
		Workspace: or(in.Workspace, ""), Project: or(in.Project, ref.Service), Environment: or(in.Environment, ""),
		Port: or(in.Port, 0), Settings: settings,
	}
	if in.Repository != nil {
		// Connecting a repository is what makes it the source: the settings know no branch.
		spec.Repository, spec.Branch = *in.Repository, or(in.Branch, RailwayBranch)
	} else {
		spec.Settings.Source = &contract.RailwaySource{Image: or(in.Image, "")}
	}
	shown := spec.Settings
	if spec.Repository != "" {
		shown.Source = &contract.RailwaySource{Repo: spec.Repository}
	}
	config, err := json.MarshalIndent(shown, "", "  ")
	if err != nil {
		return contract.Deployment{}, fmt.Errorf("encode settings: %w", err)
	}
	return contract.Deployment{
		Steps: contract.DeploymentSteps{
			Generate: "generate_deployment_configs", Create: "create_project", Configure: "set_variables", Release: "deploy",
			Locate: "get_url", Check: "check_health",
		},
		Image: or(in.Image, ""), Config: string(config) + "\n", ConfigName: "serviceInstanceUpdate", Railway: &spec,
	}, nil
}
