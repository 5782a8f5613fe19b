package contract

import (
	"fmt"
	"regexp"
	"strings"
)

// DefaultScope keeps the objects of a configuration apart from other configurations' when the provider names no scope.
const DefaultScope = "orch"

var (
	servicePattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$`)
	// A scope has no hyphen: "<scope>-<kind>-<service_name>" could otherwise be read in two ways.
	scopePattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9_]{0,30}[a-z0-9])?$`)
)

// ServiceNameRule says in a sentence what ValidateServiceName accepts.
const ServiceNameRule = "1 to 63 lower-case letters, digits, hyphens and underscores, beginning and ending with a letter or digit"

// ScopeRule says in a sentence what ValidateScope accepts.
const ScopeRule = "1 to 32 lower-case letters, digits and underscores, beginning and ending with a letter or digit"

// ValidateServiceName reports why name cannot be a service name, or nil.
func ValidateServiceName(name string) error {
	if !servicePattern.MatchString(name) {
		return fmt.Errorf("service_name %q is not valid: it takes %s", name, ServiceNameRule)
	}
	return nil
}

// ValidateScope reports why scope cannot be a scope, or nil.
func ValidateScope(scope string) error {
	if !scopePattern.MatchString(scope) {
		return fmt.Errorf("scope %q is not valid: it takes %s", scope, ScopeRule)
	}
	return nil
}

// TaskQueue is the queue that a service's workflows are started on when no queue is configured.
func TaskQueue(serviceName string) string { return serviceName + "-queue" }

// Ref names one service: everything orch makes for it is found again by these three words.
type Ref struct {
	Scope   string `json:"scope"`
	Kind    string `json:"kind"` // Kind.Short
	Service string `json:"service_name"`
}

// NewRef is the Ref of a service; an empty scope means DefaultScope.
func NewRef(kind Kind, scope, service string) Ref {
	if scope == "" {
		scope = DefaultScope
	}
	return Ref{Scope: scope, Kind: kind.Short, Service: service}
}

// Validate reports the first part of r that breaks a naming rule, or nil.
func (r Ref) Validate() error {
	if err := ValidateServiceName(r.Service); err != nil {
		return err
	}
	return ValidateScope(r.Scope)
}

// ID is the resource's id and the workflow ID that setup, update and cleanup share: Temporal lets one run of an ID be
// open at a time, which makes it the lock of the service. Example: "orch/orch/logs/app".
func (r Ref) ID() string { return "orch/" + r.Scope + "/" + r.Kind + "/" + r.Service }

// ParseID is the inverse of Ref.ID.
func ParseID(id string) (Ref, error) {
	parts := strings.Split(id, "/")
	if len(parts) != 4 || parts[0] != "orch" {
		return Ref{}, fmt.Errorf("id %q is not of the form orch/<scope>/<kind>/<service_name>", id)
	}
	r := Ref{Scope: parts[1], Kind: parts[2], Service: parts[3]}
	return r, r.Validate()
}

// Network is the name of the service's own network, for example "orch-logs-app".
func (r Ref) Network() string { return r.Scope + "-" + r.Kind + "-" + r.Service }

// Container is the name of a component's container, for example "orch-logs-app-loki".
func (r Ref) Container(component string) string { return r.Network() + "-" + component }

// Alias is the DNS name of a component on the networks of other services that it joins, for example "jaeger.app.tracing".
// On its own network it is called by its component name alone.
func (r Ref) Alias(component string) string { return component + "." + r.Service + "." + r.Kind }

// Volume is the name of a component's volume, for example "orch-logs-app-loki-data".
func (r Ref) Volume(component, purpose string) string { return r.Container(component) + "-" + purpose }

// SecretsVolume is the volume that keeps what a component's secrets were set to.
func (r Ref) SecretsVolume(component string) string { return r.Volume(component, "secrets") }

// Labels of everything orch makes on a Docker Engine.
const (
	LabelManaged    = "io.orch.managed"     // always "true"
	LabelScope      = "io.orch.scope"       // Ref.Scope
	LabelKind       = "io.orch.kind"        // Ref.Kind
	LabelService    = "io.orch.service"     // Ref.Service
	LabelComponent  = "io.orch.component"   // Component.Name; not on networks
	LabelConfigHash = "io.orch.config-hash" // Component.ConfigHash; containers only
	LabelInput      = "io.orch.input"       // Component.Input; containers only
	LabelPorts      = "io.orch.ports"       // Component.Ports, container ports by name as JSON; containers only
	LabelRunID      = "io.orch.run-id"      // Temporal run that made the object; not in the hash
	LabelSubnet     = "io.orch.subnet"      // range with room for addresses of orch's choice; only on networks that have one
)

// Labels of the images that orch builds. They are not those of the other objects: a container inherits the labels of its
// image, and one that somebody else runs from it would pass for the service's own.
const (
	LabelImageOf        = "io.orch.image-of"        // Ref.ID()
	LabelImageComponent = "io.orch.image-component" // Component.Name
	LabelImageTag       = "io.orch.image-tag"       // Component.Image
	LabelImageRunID     = "io.orch.image-run-id"    // Temporal run that built it
)

// ReplacedSuffix ends the name of a container that an update has stopped and put aside until its successor is ready.
const ReplacedSuffix = "-replaced"

// IncomingSuffix ends the name of a container that is being made and has not got all its files yet, or that is taking over
// from its predecessor.
const IncomingSuffix = "-incoming"

// Labels are the labels that tell whose r's objects are.
func (r Ref) Labels() map[string]string {
	return map[string]string{LabelManaged: "true", LabelScope: r.Scope, LabelKind: r.Kind, LabelService: r.Service}
}

// Owns reports whether labels say that an object belongs to r.
func (r Ref) Owns(labels map[string]string) bool {
	for name, value := range r.Labels() {
		if labels[name] != value {
			return false
		}
	}
	return true
}
