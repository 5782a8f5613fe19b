package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// DeploymentRow is one row of the deployments: a kind, and how its input becomes what is deployed. In is the input as written
// in HCL: a struct whose pointers are nil where an attribute is absent.
type DeploymentRow[In any] struct {
	Kind contract.Kind
	// NameAttribute is the attribute that names the deployment, for example "app_name", and DefaultName what it is when absent.
	NameAttribute, DefaultName string
	// Message is what a finished setup says.
	Message string
	// Common returns the settings that all deployments have.
	Common func(in In) Deploy
	// Build fills in what the platform needs: Steps, Image, Config, ConfigName, PublicURL and its own part. The rest is filled in by
	// Deployment. release is Deployment.Release, for platforms that can be told. It is pure, and runs at plan time too.
	Build func(ref contract.Ref, in In, release string) (contract.Deployment, error)
	// URL is where the application will answer, where that follows from the input; nil where only the platform knows.
	URL func(ref contract.Ref, in In) string
	// CheckName says why a service name cannot be the platform's, or nothing; it may be nil.
	CheckName func(name string) error
	// Reserved says why a variable of the application cannot have that name, or nothing; it may be nil.
	Reserved func(name string) string
	// Check finds what a single attribute's rule cannot see.
	Check func(in In) []Problem
}

// Deploy are the settings that every deployment has at its top level.
type Deploy struct {
	// Env are variables of the application that everybody may see.
	Env map[string]string `json:"env"`
	// Secrets are references that the worker resolves, by the variable's name.
	Secrets map[string]contract.SecretSource `json:"secrets"`
	// SecretsVersion is the version of the write-only secrets.
	SecretsVersion *int64  `json:"secrets_wo_version"`
	Health         *Health `json:"health"`
	// PublicURL is where the application is reached when that is not where the platform puts it.
	PublicURL *string `json:"public_url"`
}

// Health is how a release proves itself.
type Health struct {
	Path            *string `json:"path"`
	TimeoutSeconds  *int64  `json:"timeout_seconds"`
	IntervalSeconds *int64  `json:"interval_seconds"`
	AttemptSeconds  *int64  `json:"attempt_seconds"`
	GraceSeconds    *int64  `json:"grace_seconds"`
}

// Defaults of a deployment's health check.
const (
	DefaultHealthPath     = "/"
	DefaultHealthTimeout  = 300
	DefaultHealthInterval = 15
	DefaultHealthAttempt  = 10
	DefaultHealthGrace    = 5
)

// maxHealthTimeout is less than the 15 minutes that an activity may take.
const maxHealthTimeout = 840

// check is the contract's form, defaults applied.
func (h *Health) check() contract.HealthCheck {
	in := orZero(h)
	return contract.HealthCheck{
		Path: or(in.Path, DefaultHealthPath), TimeoutSeconds: int(or(in.TimeoutSeconds, DefaultHealthTimeout)),
		IntervalSeconds: int(or(in.IntervalSeconds, DefaultHealthInterval)), AttemptSeconds: int(or(in.AttemptSeconds, DefaultHealthAttempt)),
		GraceSeconds: int(or(in.GraceSeconds, DefaultHealthGrace)),
	}
}

// Deployment expands an input into what the platform is to run.
func (p DeploymentRow[In]) Deployment(ref contract.Ref, in In) (contract.Deployment, error) {
	input, err := contract.Encode(in)
	if err != nil {
		return contract.Deployment{}, fmt.Errorf("encode input: %w", err)
	}
	common := p.Common(in)
	d, err := p.Build(ref, in, releaseOf(ref, input))
	if err != nil {
		return contract.Deployment{}, err
	}
	d.Ref, d.Release, d.Input = ref, releaseOf(ref, input), input
	d.Env, d.Secrets, d.Health, d.PublicURL = common.Env, common.Secrets, common.Health.check(), strings.TrimSuffix(or(common.PublicURL, ""), "/")
	return d, nil
}

// releaseOf names what an input deploys. It is short, because people read it, and platforms keep it as a label.
func releaseOf(ref contract.Ref, input json.RawMessage) string {
	sum := sha256.Sum256(append([]byte(ref.ID()+"\n"), input...))
	return hex.EncodeToString(sum[:6])
}

// DeploymentEntry is a DeploymentRow with its input type erased.
type DeploymentEntry struct {
	Kind                                contract.Kind
	NameAttribute, DefaultName, Message string
	// Expand decodes an input (null and absent mean all defaults), validates it and builds the deployment. An error is a
	// *contract.StepFailure of class InvalidInput.
	Expand func(ref contract.Ref, input json.RawMessage) (contract.Deployment, error)
}

// Entry erases the input type of p.
func (p DeploymentRow[In]) Entry() DeploymentEntry {
	return DeploymentEntry{
		Kind: p.Kind, NameAttribute: p.NameAttribute, DefaultName: p.DefaultName, Message: p.Message,
		Expand: func(ref contract.Ref, input json.RawMessage) (contract.Deployment, error) {
			in, err := decode[In](input)
			if err != nil {
				return contract.Deployment{}, unreadable(ref, err)
			}
			if err := p.ValidateName(ref); err != nil {
				return contract.Deployment{}, contract.Fail(contract.InvalidInput, "%v", err).On(p.NameAttribute)
			}
			if problems := p.Validate(in); len(problems) > 0 {
				return contract.Deployment{}, contract.Fail(contract.InvalidInput, "%s: %s", problems[0].Attribute, problems[0].Message).On(problems[0].Attribute)
			}
			d, err := p.Deployment(ref, in)
			if err != nil {
				return contract.Deployment{}, contract.Fail(contract.InvalidInput, "the input of %s cannot be expanded: %v", ref.ID(), err)
			}
			return d, nil
		},
	}
}

// ValidateName reports why a deployment cannot have that name, or nil.
func (p DeploymentRow[In]) ValidateName(ref contract.Ref) error {
	if err := ref.Validate(); err != nil {
		return err
	}
	if p.CheckName == nil {
		return nil
	}
	return p.CheckName(ref.Service)
}

// Validate finds everything in an input that cannot work, whoever wrote it.
func (p DeploymentRow[In]) Validate(in In) []Problem {
	problems := p.Common(in).problems(p.variable)
	if p.Check != nil {
		problems = append(problems, p.Check(in)...)
	}
	return problems
}

// WriteOnly finds what cannot work in the names of write-only secrets, which are no part of the input.
func (p DeploymentRow[In]) WriteOnly(in Deploy, names []string) []Problem {
	const attribute = "secrets_wo"
	var problems []Problem
	for _, name := range names {
		_, plain := in.Env[name]
		_, referred := in.Secrets[name]
		switch reason := p.variable(name); {
		case reason != "":
			problems = append(problems, Problem{attribute, reason})
		case plain:
			problems = append(problems, Problem{attribute, fmt.Sprintf("%s is in env too; a variable has one value", name)})
		case referred:
			problems = append(problems, Problem{attribute, fmt.Sprintf("%s is in secrets too; a variable has one value", name)})
		}
	}
	return problems
}

// variable says why a variable cannot have that name, or nothing.
func (p DeploymentRow[In]) variable(name string) string {
	switch {
	case !variablePattern.MatchString(name):
		return fmt.Sprintf("%q cannot be a variable's name: it takes letters, digits and underscores, and begins with no digit", name)
	case p.Reserved != nil:
		return p.Reserved(name)
	}
	return ""
}

var variablePattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (d Deploy) problems(variable func(name string) string) []Problem {
	var problems []Problem
	for _, name := range slices.Sorted(maps.Keys(d.Env)) {
		if reason := variable(name); reason != "" {
			problems = append(problems, Problem{"env", reason})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.Secrets)) {
		source, reason := d.Secrets[name], variable(name)
		switch _, twice := d.Env[name]; {
		case reason != "":
			problems = append(problems, Problem{"secrets", reason})
		case twice:
			problems = append(problems, Problem{"secrets", fmt.Sprintf("%s is in env too; a variable has one value", name)})
		case (source.Env == "") == (source.File == "") || source.Service != nil:
			problems = append(problems, Problem{"secrets", fmt.Sprintf("%s takes either env or file", name)})
		}
	}
	if url := d.PublicURL; url != nil && !strings.HasPrefix(*url, "https://") && !strings.HasPrefix(*url, "http://") {
		problems = append(problems, Problem{"public_url", fmt.Sprintf("%q does not begin with https:// or http://", *url)})
	}
	return append(problems, d.Health.problems()...)
}

func (h *Health) problems() []Problem {
	if h == nil {
		return nil
	}
	var problems []Problem
	if h.Path != nil && !strings.HasPrefix(*h.Path, "/") {
		problems = append(problems, Problem{"health.path", fmt.Sprintf("%q does not begin with a slash", *h.Path)})
	}
	for _, seconds := range []struct {
		name  string
		value *int64
		most  int64
	}{
		{"timeout_seconds", h.TimeoutSeconds, maxHealthTimeout}, {"interval_seconds", h.IntervalSeconds, 3600},
		{"attempt_seconds", h.AttemptSeconds, 60}, {"grace_seconds", h.GraceSeconds, 3600},
	} {
		if v := seconds.value; v != nil && (*v < 1 || *v > seconds.most) {
			problems = append(problems, Problem{"health." + seconds.name, fmt.Sprintf("%d is not between 1 and %d seconds", *v, seconds.most)})
		}
	}
	return problems
}
