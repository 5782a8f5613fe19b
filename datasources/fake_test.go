package datasources_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
	"github.com/temporal-orchestrator/terraform-provider-orch/provider"
	"github.com/temporal-orchestrator/terraform-provider-orch/resources"
)

// fakeRunner answers what a test gives it. It is strict: what the test has given no answer to fails the test, and so does a
// request that the worker would not understand. The embedded interface has no value: an operation panics.
type fakeRunner struct {
	resources.Runner
	t *testing.T

	status     func(r contract.Request) (contract.Observed, error)
	inFlight   contract.Operation
	describe   func(workflowID, runID string, events bool) (*runner.Description, error)
	list       func(wanted runner.Listing) (*runner.Listed, error)
	queue      *runner.QueueDescription
	cluster    *runner.Cluster
	err        error // answer of queue and cluster
	configured runner.Config
	calls      []runner.Call
}

func (f *fakeRunner) factories() map[string]func() (tfprotov6.ProviderServer, error) {
	connect := func(cfg runner.Config) (resources.Runner, error) {
		f.configured = cfg
		return f, nil
	}
	return map[string]func() (tfprotov6.ProviderServer, error){
		"orch": providerserver.NewProtocol6WithError(provider.NewWith("test", connect)()),
	}
}

// run runs the real Terraform CLI over the steps.
func (f *fakeRunner) run(steps ...resource.TestStep) {
	resource.UnitTest(f.t, resource.TestCase{ProtoV6ProviderFactories: f.factories(), Steps: steps})
}

func (f *fakeRunner) unexpected(what string) error {
	f.t.Errorf("unexpected: %s", what)
	return fmt.Errorf("the test does not expect %s", what)
}

// Queue implements datasources.Runner.
func (f *fakeRunner) Queue(resourceQueue, service string) string {
	if resourceQueue != "" {
		return resourceQueue
	}
	return contract.TaskQueue(service)
}

// InFlight implements datasources.Runner.
func (f *fakeRunner) InFlight(_ context.Context, ref contract.Ref) (contract.Operation, runner.Run, bool, error) {
	return f.inFlight, runner.Run{WorkflowID: ref.ID(), RunID: "in-flight", WebUIURL: "http://ui/in-flight"}, f.inFlight != "", nil
}

// Status implements datasources.Runner.
func (f *fakeRunner) Status(_ context.Context, call runner.Call, result any) (runner.Run, error) {
	observed, ok := result.(*contract.Observed)
	if !ok || f.status == nil {
		return runner.Run{}, f.unexpected("a status run into " + fmt.Sprintf("%T", result))
	}
	r := call.Request
	if call.WorkflowType != call.Kind.StatusWorkflow() || r.Operation != contract.OpStatus || call.Timeout <= 0 || call.TaskQueue == "" {
		f.t.Errorf("not a status call: %+v", call)
	}
	if r.Verify != nil && len(r.Input) == 0 {
		f.t.Error("the worker knows no canaries without an input")
	}
	f.calls = append(f.calls, call)
	var err error
	*observed, err = f.status(r)
	return runner.Run{WebUIURL: "http://ui/status"}, err
}

// Describe implements datasources.Runner.
func (f *fakeRunner) Describe(_ context.Context, workflowID, runID string, events bool) (*runner.Description, error) {
	if f.describe == nil {
		return nil, f.unexpected("describe " + workflowID)
	}
	return f.describe(workflowID, runID, events)
}

// List implements datasources.Runner.
func (f *fakeRunner) List(_ context.Context, wanted runner.Listing) (*runner.Listed, error) {
	if f.list == nil {
		return nil, f.unexpected("list " + wanted.Query)
	}
	return f.list(wanted)
}

// DescribeQueue implements datasources.Runner.
func (f *fakeRunner) DescribeQueue(_ context.Context, name string) (*runner.QueueDescription, error) {
	if f.queue == nil && f.err == nil {
		return nil, f.unexpected("describe queue " + name)
	}
	return f.queue, f.err
}

// DescribeCluster implements datasources.Runner.
func (f *fakeRunner) DescribeCluster(context.Context) (*runner.Cluster, error) {
	if f.cluster == nil && f.err == nil {
		return nil, f.unexpected("describe the cluster")
	}
	return f.cluster, f.err
}

// Resolved implements datasources.Runner.
func (f *fakeRunner) Resolved() runner.Resolved {
	return runner.Resolved{Address: "127.0.0.1:7233", Namespace: "default", WebUIURL: "http://127.0.0.1:8233"}
}
