package runner

import (
	"context"
	"slices"
	"strings"
	"time"

	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// systemNamespace is where Temporal runs workflows of its own.
const systemNamespace = "temporal-system"

// Namespace is one of a cluster's namespaces.
type Namespace struct {
	Name, ID, Description string
	// State is "registered", "deprecated" or "deleted".
	State string
	// Retention is how long the histories of runs that have ended are kept.
	Retention    time.Duration
	Capabilities map[string]bool
}

// Cluster is what a Temporal server tells of itself. What it keeps to itself, as Temporal Cloud does, is empty.
type Cluster struct {
	ServerVersion, Name, ID           string
	PersistenceStore, VisibilityStore string
	HistoryShards                     int32
	Capabilities                      map[string]bool
	// Namespaces are sorted by name; those that the account may not see are missing, the configured one is there.
	Namespaces []Namespace
}

// DescribeCluster asks the server what it is.
func (c *Client) DescribeCluster(ctx context.Context) (*Cluster, error) {
	system, err := ask(ctx, c, "ask for the server's version", func(ctx context.Context) (*workflowservice.GetSystemInfoResponse, error) {
		return c.sdk.WorkflowService().GetSystemInfo(ctx, &workflowservice.GetSystemInfoRequest{})
	})
	if err != nil {
		return nil, err
	}
	info, err := ask(ctx, c, "describe the cluster", func(ctx context.Context) (*workflowservice.GetClusterInfoResponse, error) {
		return c.sdk.WorkflowService().GetClusterInfo(ctx, &workflowservice.GetClusterInfoRequest{})
	})
	if err != nil && !withheld(err) {
		return nil, err
	}
	out := &Cluster{
		ServerVersion: firstNonEmpty(info.GetServerVersion(), system.GetServerVersion()), Name: info.GetClusterName(), ID: info.GetClusterId(),
		PersistenceStore: info.GetPersistenceStore(), VisibilityStore: info.GetVisibilityStore(), HistoryShards: info.GetHistoryShardCount(),
		Capabilities: switches(system.GetCapabilities().ProtoReflect()),
	}
	out.Namespaces, err = c.allNamespaces(ctx)
	return out, err
}

// allNamespaces lists the namespaces, or only the configured one for an account that may not see the others.
func (c *Client) allNamespaces(ctx context.Context) ([]Namespace, error) {
	var out []Namespace
	for token := []byte(nil); ; {
		page, err := ask(ctx, c, "list the namespaces", func(ctx context.Context) (*workflowservice.ListNamespacesResponse, error) {
			return c.sdk.WorkflowService().ListNamespaces(ctx, &workflowservice.ListNamespacesRequest{PageSize: 100, NextPageToken: token})
		})
		if withheld(err) {
			break
		}
		if err != nil {
			return nil, err
		}
		for _, n := range page.GetNamespaces() {
			if n.GetNamespaceInfo().GetName() != systemNamespace {
				out = append(out, newNamespace(n))
			}
		}
		if token = page.GetNextPageToken(); len(token) == 0 {
			break
		}
	}
	if !slices.ContainsFunc(out, func(n Namespace) bool { return n.Name == c.resolved.Namespace }) {
		own, err := ask(ctx, c, "describe namespace "+c.resolved.Namespace, func(ctx context.Context) (*workflowservice.DescribeNamespaceResponse, error) {
			return c.sdk.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: c.resolved.Namespace})
		})
		if err != nil {
			return nil, err
		}
		out = append(out, newNamespace(own))
	}
	slices.SortFunc(out, func(a, b Namespace) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func newNamespace(n interface {
	GetNamespaceInfo() *namespacepb.NamespaceInfo
	GetConfig() *namespacepb.NamespaceConfig
}) Namespace {
	info := n.GetNamespaceInfo()
	return Namespace{
		Name: info.GetName(), ID: info.GetId(), Description: info.GetDescription(), State: snakeCase(info.GetState().String()),
		Retention:    n.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration(),
		Capabilities: switches(info.GetCapabilities().ProtoReflect()),
	}
}

// switches are the boolean fields of a message by name: a newer server's are there without anybody listing them here.
func switches(m protoreflect.Message) map[string]bool {
	out := map[string]bool{}
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		if f := fields.Get(i); f.Kind() == protoreflect.BoolKind && !f.IsList() {
			out[string(f.Name())] = m.Get(f).Bool()
		}
	}
	return out
}
