package railway

import (
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// Workspace is what a token may see projects of.
type Workspace struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Project holds environments and services. A name does not identify one: Railway takes duplicates.
type Project struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	Description string     `json:"description"`
	DeletedAt   *time.Time `json:"deletedAt"`
}

// Environment is a set of instances of a project's services.
type Environment struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	DeletedAt *time.Time `json:"deletedAt"`
}

// Service is a name within a project; what runs is its instance in an environment.
type Service struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	DeletedAt *time.Time `json:"deletedAt"`
}

// ProjectCreate is the input of CreateProject.
type ProjectCreate struct {
	Name                   string `json:"name"`
	Description            string `json:"description"`
	WorkspaceID            string `json:"workspaceId,omitempty"`
	DefaultEnvironmentName string `json:"defaultEnvironmentName,omitempty"`
}

// Instance names a service in an environment of a project.
type Instance struct {
	ProjectID     string `json:"projectId"`
	EnvironmentID string `json:"environmentId"`
	ServiceID     string `json:"serviceId"`
}

// Configured is an instance as Railway reports it.
type Configured struct {
	contract.RailwaySettings
	// Branch is the branch whose commits are deployed, empty when none is connected.
	Branch string
}

// Status is the state of a deployment.
type Status string

// States of a deployment.
const (
	StatusQueued        Status = "QUEUED"
	StatusInitializing  Status = "INITIALIZING"
	StatusBuilding      Status = "BUILDING"
	StatusDeploying     Status = "DEPLOYING"
	StatusSuccess       Status = "SUCCESS"
	StatusSleeping      Status = "SLEEPING"
	StatusFailed        Status = "FAILED"
	StatusCrashed       Status = "CRASHED"
	StatusRemoving      Status = "REMOVING"
	StatusRemoved       Status = "REMOVED"
	StatusSkipped       Status = "SKIPPED"
	StatusWaiting       Status = "WAITING"
	StatusNeedsApproval Status = "NEEDS_APPROVAL"
)

// Running reports that the deployment is up: its health check answered, or its container started where there is no check.
func (s Status) Running() bool { return s == StatusSuccess || s == StatusSleeping }

// Ended reports that the deployment will not come up any more.
func (s Status) Ended() bool {
	switch s {
	case StatusFailed, StatusCrashed, StatusRemoving, StatusRemoved, StatusSkipped:
		return true
	default:
		return false
	}
}

// Held reports that the deployment does not go on before somebody does something on the platform.
func (s Status) Held() bool { return s == StatusWaiting || s == StatusNeedsApproval }

// Deployment is one attempt to bring an instance up.
type Deployment struct {
	ID        string    `json:"id"`
	Status    Status    `json:"status"`
	CreatedAt time.Time `json:"createdAt"`
	// Stopped is true when somebody has stopped it: its status stays what it was.
	Stopped     bool `json:"deploymentStopped"`
	CanRollback bool `json:"canRollback"`
}

// LogLine is a line of a build or of a running deployment.
type LogLine struct {
	Message   string `json:"message"`
	Timestamp string `json:"timestamp"`
}

// Domain is a name that an instance answers under, without a scheme.
type Domain struct {
	ID     string `json:"id"`
	Domain string `json:"domain"`
	// TargetPort is the container's port, null when Railway finds it out.
	TargetPort *int64 `json:"targetPort"`
}

// Domains are an instance's: those that Railway gave it, and those that people brought.
type Domains struct {
	Service []Domain `json:"serviceDomains"`
	Custom  []Domain `json:"customDomains"`
}

// connection is a page of a list.
type connection[T any] struct {
	Edges []struct {
		Node T `json:"node"`
	} `json:"edges"`
	PageInfo struct {
		HasNextPage bool   `json:"hasNextPage"`
		EndCursor   string `json:"endCursor"`
	} `json:"pageInfo"`
}

func (c connection[T]) nodes() []T {
	nodes := make([]T, len(c.Edges))
	for i, edge := range c.Edges {
		nodes[i] = edge.Node
	}
	return nodes
}
