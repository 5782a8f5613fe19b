package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud/flyio"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
)

// ready waits until a Machine is started and its checks pass.
func (p flyioPlatform) ready(ctx context.Context, c *flyio.Client, call contract.DeploymentCall, m flyio.Machine, progress engine.Progress) (flyio.Machine, error) {
	app, health := call.Deployment.Ref.Service, call.Deployment.Health
	begin := time.Now()
	ok, err := poll(ctx, health.Timeout(), func() (bool, error) {
		now, err := c.Machine(ctx, app, m.ID)
		if cloud.IsStatus(err, http.StatusNotFound) && time.Since(begin) < flyioSettle {
			return false, nil // just made
		}
		if err != nil {
			return false, err
		}
		m = now
		if dead(m, begin) {
			return false, unhealthy(app, m, "machine %s does not stay up: it is %s", m.ID, m.State)
		}
		progress("machine %s is %s, %d checks do not pass", m.ID, m.State, len(failingChecks(m)))
		// Every machine of ours has a check: one that is not told of yet has not passed.
		checked := len(m.Checks) > 0 || time.Since(begin) > flyioSettle
		return checked && flyioInstance(m).Health == contract.HealthReady, nil
	})
	if err == nil && !ok {
		err = unhealthy(app, m, "machine %s is %s and not healthy after %s", m.ID, m.State, health.Timeout())
	}
	return m, err
}

// exit is what Fly.io tells of the end of an application.
type exit struct {
	Event struct {
		Code int  `json:"exit_code"`
		OOM  bool `json:"oom_killed"`
		// Asked is set when somebody had the Machine stopped, as every update does.
		Asked bool `json:"requested_stop"`
	} `json:"exit_event"`
	Restarts int `json:"restart_count"`
}

// exitOf is the end that an event tells of, if it is one.
func exitOf(e flyio.Event) (x exit, ok bool) {
	// One that tells nothing more is an end all the same.
	_ = json.Unmarshal(e.Request, &x)
	return x, e.Type == "exit"
}

// dead reports that a Machine will not come up by itself.
func dead(m flyio.Machine, since time.Time) bool {
	switch m.State {
	case "failed", "launch_failed", "destroyed", "destroying":
		return true
	case "stopped":
		// A Machine is stopped for a moment before it starts; one that has exited by itself since the release stays so.
		return slices.ContainsFunc(m.Events, func(e flyio.Event) bool {
			x, exited := exitOf(e)
			return exited && !x.Event.Asked && time.UnixMilli(e.Timestamp).After(since.Add(-flyioSettle))
		})
	default:
		return false
	}
}

// unhealthy has as evidence what Fly.io tells of a Machine that is not well.
func unhealthy(app string, m flyio.Machine, format string, args ...any) *contract.StepFailure {
	return contract.Fail(contract.Unhealthy, format, args...).With(flyioEvidence(m)).Next("%s", "see the application's log: fly logs --app "+app+" --machine "+m.ID)
}

// flyioEvidence is what Fly.io tells of a Machine. Its API gives no log.
func flyioEvidence(m flyio.Machine) *contract.Evidence {
	evidence := &contract.Evidence{Container: "machine " + m.ID, State: m.State, Logs: failingChecks(m)}
	for _, e := range m.Events {
		if x, exited := exitOf(e); exited {
			evidence.ExitCode, evidence.OOMKilled, evidence.Restarts = x.Event.Code, x.Event.OOM, x.Restarts
			break // the latest comes first
		}
	}
	for i := min(len(m.Events), 5) - 1; i >= 0; i-- {
		e := m.Events[i]
		evidence.Logs = append(evidence.Logs, fmt.Sprintf("%s %s %s (%s)", time.UnixMilli(e.Timestamp).UTC().Format(time.RFC3339), e.Type, e.Status, e.Source))
	}
	return evidence
}
