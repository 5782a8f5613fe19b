package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

// freshness is how recently a poller must have polled to count as alive.
const freshness = 90 * time.Second

// AnswerTimeout is how long the server may take for the first answer.
const AnswerTimeout = 5 * time.Second

// errUnreachable stands for what the first check has said already.
var errUnreachable = Warnf("not checked, because Temporal does not answer")

// Temporal checks a Temporal cluster as a worker would use it. Its client must be lazy, so that it can be made when the
// cluster cannot be reached.
type Temporal struct {
	Client    client.Client
	Address   string
	Namespace string
	// TaskQueues are looked at for pollers.
	TaskQueues []string
	// Explain says what an error of the first call means and what to do.
	Explain func(error) string

	reachable bool
}

// Checks returns the checks: address, namespace, and one per task queue.
func (t *Temporal) Checks() []Check {
	checks := []Check{{"temporal address", t.address}, {"temporal namespace", t.namespace}}
	for _, queue := range t.TaskQueues {
		checks = append(checks, Check{"task queue " + queue, func(ctx context.Context) (string, error) { return t.queue(ctx, queue) }})
	}
	return checks
}

func (t *Temporal) address(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, AnswerTimeout)
	defer cancel()
	info, err := t.Client.WorkflowService().GetSystemInfo(ctx, &workflowservice.GetSystemInfoRequest{})
	if err != nil {
		return "", errors.New(t.Explain(err))
	}
	t.reachable = true
	return fmt.Sprintf("%s, server %s", t.Address, info.GetServerVersion()), nil
}

func (t *Temporal) namespace(ctx context.Context) (string, error) {
	if !t.reachable {
		return "", errUnreachable
	}
	ns, err := t.Client.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: t.Namespace})
	var missing *serviceerror.NamespaceNotFound
	if errors.As(err, &missing) {
		return "", fmt.Errorf("%s does not exist; create it with `temporal operator namespace create -n %s`, or pass --namespace%s",
			t.Namespace, t.Namespace, t.others(ctx))
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", t.Namespace, err)
	}
	return fmt.Sprintf("%s, keeps closed workflows for %s", t.Namespace,
		days(ns.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration())), nil
}

// others names the namespaces that exist, where the caller may list them.
func (t *Temporal) others(ctx context.Context) string {
	resp, err := t.Client.WorkflowService().ListNamespaces(ctx, &workflowservice.ListNamespacesRequest{PageSize: 20})
	if err != nil {
		return ""
	}
	var names []string
	for _, ns := range resp.GetNamespaces() {
		if name := ns.GetNamespaceInfo().GetName(); name != "temporal-system" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	return " (there are: " + strings.Join(names, ", ") + ")"
}

func (t *Temporal) queue(ctx context.Context, name string) (string, error) {
	if !t.reachable {
		return "", errUnreachable
	}
	living := map[string]bool{}
	for _, kind := range []enums.TaskQueueType{enums.TASK_QUEUE_TYPE_WORKFLOW, enums.TASK_QUEUE_TYPE_ACTIVITY} {
		resp, err := t.Client.WorkflowService().DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
			Namespace: t.Namespace, TaskQueue: &taskqueue.TaskQueue{Name: name}, TaskQueueType: kind,
		})
		if err != nil {
			return "", fmt.Errorf("ask who polls it: %w", err)
		}
		for _, p := range resp.GetPollers() {
			if time.Since(p.GetLastAccessTime().AsTime()) < freshness {
				living[p.GetIdentity()] = true
			}
		}
	}
	if len(living) == 0 {
		return "", Warnf("nobody polls it; start a worker with `orch-worker run --task-queue %s` (orch-worker dev begins by itself when a workflow starts)", name)
	}
	identities := make([]string, 0, len(living))
	for id := range living {
		identities = append(identities, id)
	}
	slices.Sort(identities)
	return "polled by " + strings.Join(identities, ", "), nil
}

func days(d time.Duration) string {
	if d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%d d", d/(24*time.Hour))
	}
	return d.String()
}
