package runner

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// Client runs operations. It is safe for concurrent use.
type Client struct {
	cfg      Config
	resolved Resolved
	sdk      client.Client
	data     converter.DataConverter
	failures converter.FailureConverter
	// contacted is set once Temporal has answered: from then on a refusal may be a restart.
	contacted atomic.Bool
}

// New makes a client without dialling: a provider is configured in plans that never need Temporal.
func New(cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	options, resolved, err := ClientOptions(cfg)
	if err != nil {
		return nil, err
	}
	sdk, err := client.NewLazyClient(options)
	if err != nil {
		return nil, fmt.Errorf("make Temporal client for %s (from %s): %w", resolved.Address, resolved.AddressSource, err)
	}
	return &Client{cfg: cfg, resolved: resolved, sdk: sdk, data: options.DataConverter, failures: options.FailureConverter}, nil
}

// Close releases the connection.
func (c *Client) Close() { c.sdk.Close() }

// Resolved tells where the client connects to.
func (c *Client) Resolved() Resolved { return c.resolved }

// Scope is the scope of services that have none in state yet.
func (c *Client) Scope() string { return c.cfg.Scope }

// Queue decides on the task queue of a service: the resource's, else the provider's, else the service's own.
func (c *Client) Queue(resourceQueue, service string) string {
	return firstNonEmpty(resourceQueue, c.cfg.TaskQueue, contract.TaskQueue(service))
}

// Call is one operation on one service.
type Call struct {
	Kind         contract.Kind
	WorkflowType string
	Request      contract.Request
	// TaskQueue is what Queue decided.
	TaskQueue string
	// Timeout bounds the wait, not the run; zero means defaultWait.
	Timeout time.Duration
	// OnInterrupt is contract.OnInterruptCancel (also when empty) or contract.OnInterruptDetach. It holds for a wait that
	// takes too long as well.
	OnInterrupt string

	// readOnly runs make nothing: they are ended without a rollback.
	readOnly bool
	// custom is set for workflows that are not orch's; it takes the place of Kind and Request.
	custom *CustomCall
	// untilBegun ends the wait once a worker has run the workflow's first task.
	untilBegun bool
}

func (c Call) ref() contract.Ref { return c.Request.Ref(c.Kind) }

// Run is the workflow run that does, or did, an operation.
type Run struct {
	WorkflowID, RunID string
	// WebUIURL is the link to the run; empty when the Web UI's address is not known.
	WebUIURL string
	// Attached is set when the run was there already.
	Attached bool
}

func (c *Client) run(workflowID, runID string) Run {
	r := Run{WorkflowID: workflowID, RunID: runID}
	if c.resolved.WebUIURL != "" {
		r.WebUIURL = c.resolved.WebUIURL + "/namespaces/" + url.PathEscape(c.resolved.Namespace) +
			"/workflows/" + url.PathEscape(workflowID) + "/" + url.PathEscape(runID)
	}
	return r
}

// InFlight tells whether an operation on the service is running and which. The operation is contract.OpConverge for a run
// that was started from outside Terraform.
func (c *Client) InFlight(ctx context.Context, ref contract.Ref) (contract.Operation, Run, bool, error) {
	if err := c.contact(ctx); err != nil {
		return "", Run{}, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.DialTimeout)
	defer cancel()
	open, running, err := c.describeOpen(ctx, ref.ID())
	if err != nil {
		return "", Run{}, false, c.describeCall("look for a run of "+ref.ID(), err)
	}
	return open.operation, open.run, running, nil
}

// openRun is what Temporal says of the latest run of an ID.
type openRun struct {
	run       Run
	running   bool
	operation contract.Operation
	digest    string
	since     time.Time
}

// describeOpen looks at the latest run of an ID; running is false when there is none or it has ended.
func (c *Client) describeOpen(ctx context.Context, workflowID string) (_ openRun, running bool, err error) {
	latest, exists, err := c.describeLatest(ctx, workflowID)
	if err != nil || !exists || !latest.running {
		return openRun{}, false, err
	}
	return latest, true, nil
}

// describeLatest looks at the latest run of an ID, whether it has ended or not; exists is false when there is none.
func (c *Client) describeLatest(ctx context.Context, workflowID string) (_ openRun, exists bool, err error) {
	d, err := c.sdk.DescribeWorkflowExecution(ctx, workflowID, "")
	var notFound *serviceerror.NotFound
	if errors.As(err, &notFound) {
		return openRun{}, false, nil
	}
	if err != nil {
		return openRun{}, false, err
	}
	info := d.GetWorkflowExecutionInfo()
	o := openRun{
		run: c.run(workflowID, info.GetExecution().GetRunId()), since: info.GetStartTime().AsTime(),
		running: info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING,
	}
	operation, err := c.memo(d, contract.MemoOperation)
	if err != nil {
		return openRun{}, false, err
	}
	o.operation = contract.Operation(operation)
	o.digest, err = c.memo(d, contract.MemoDigest)
	return o, true, err
}

// memo reads a value of the memo; a run started from outside Terraform has none.
func (c *Client) memo(d *workflowservice.DescribeWorkflowExecutionResponse, key string) (string, error) {
	payload := d.GetWorkflowExecutionInfo().GetMemo().GetFields()[key]
	if payload == nil {
		return "", nil
	}
	var value string
	if err := c.data.FromPayload(payload, &value); err != nil {
		return "", fmt.Errorf("read %q of the memo of workflow %s: %w", key, d.GetWorkflowExecutionInfo().GetExecution().GetWorkflowId(), err)
	}
	return value, nil
}
