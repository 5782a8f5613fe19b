package datasources

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
)

// Runner looks at services, workflows and Temporal; *runner.Client is the real one. Every method blocks until its answer is
// there or ctx ends, and may be called from several goroutines at once.
type Runner interface {
	// Status runs a status workflow.
	Status(ctx context.Context, call runner.Call, result any) (runner.Run, error)
	// InFlight tells which operation is being carried out on a service, if any.
	InFlight(ctx context.Context, ref contract.Ref) (contract.Operation, runner.Run, bool, error)
	// Queue decides which task queue a service's workflows are started on.
	Queue(resourceQueue, service string) string
	// Describe looks at a run of any workflow; without a run ID at the latest one.
	Describe(ctx context.Context, workflowID, runID string, events bool) (*runner.Description, error)
	// List lists runs.
	List(ctx context.Context, wanted runner.Listing) (*runner.Listed, error)
	// DescribeQueue looks at a task queue.
	DescribeQueue(ctx context.Context, name string) (*runner.QueueDescription, error)
	// DescribeCluster asks the server what it is.
	DescribeCluster(ctx context.Context) (*runner.Cluster, error)
	// Resolved tells where Temporal is.
	Resolved() runner.Resolved
}

// Connection is what the provider hands to every data source. Runner is nil while the provider's configuration is not known.
type Connection struct {
	Runner Runner
	Scope  string
}

// connected is the part of a data source that has the connection. Data sources embed it.
type connected struct{ conn Connection }

// Configure implements datasource.DataSourceWithConfigure. Terraform validates before it configures the provider, then there
// is no data yet.
func (c *connected) Configure(_ context.Context, req datasource.ConfigureRequest, _ *datasource.ConfigureResponse) {
	if conn, ok := req.ProviderData.(Connection); ok {
		c.conn = conn
	}
}

// ready reports whether there is a connection. A data source has no prior state to show instead, so its absence is an error.
func (c *connected) ready(diags *diag.Diagnostics) bool {
	if c.conn.Runner != nil {
		return true
	}
	diags.AddError("There is no connection to Temporal yet",
		"The provider's configuration depends on values that are known after apply only, so nothing can be read in a plan.\n\n"+
			"Next: add depends_on with what these values come from to the data source, which puts its reading off until the apply.")
	return false
}
