package resources_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
)

func portTaken(clean bool) *runner.StepError {
	failure := contract.Fail(contract.Conflict, "port 3100 is taken by container web")
	failure.Step, failure.Attribute, failure.Hint = "start_loki", "loki.port", "choose another port"
	failure.Evidence = &contract.Evidence{Container: "orch-logs-app-loki", State: "exited", ExitCode: 1, Logs: []string{"bind: address in use"}}
	failure.Clean = clean
	return &runner.StepError{Failure: failure, Run: runner.Run{WorkflowID: "orch/orch/logs/app", RunID: "run-1", WebUIURL: "http://127.0.0.1:8233/run-1"}}
}

// creating is a configuration of one service with these attributes, whose creation is expected next.
func creating(t *testing.T, attributes ...string) (*fakeRunner, *cli) {
	t.Helper()
	f := newFake(t)
	c := newCLI(t, f)
	c.write(hcl(append([]string{`service_name = "app"`}, attributes...)...))
	f.expect("create app")()
	return f, c
}

// answer makes the next setup or cleanup end like this, after it was started.
func (f *fakeRunner) answer(err error) {
	f.set(func() {
		f.outcome = func(_ runner.Call, started func()) error {
			started()
			return err
		}
	})
}

func TestFailedCreateThatRolledBackLeavesNoState(t *testing.T) {
	t.Parallel()
	f, c := creating(t, `loki = {`, `  port = 3100`, `}`)
	f.answer(portTaken(true))
	c.applyFails(
		`Cannot create logs_pipeline "app": step start_loki failed`, "port 3100 is taken by container web",
		`with orch_logs_pipeline.app`, `port = 3100`, // Terraform quotes the line of the attribute to blame
		"exit code 1", "bind: address in use", "Next: choose another port", "Web UI: http://127.0.0.1:8233/run-1")
	c.wantAbsent()
}

func TestFailedCreateThatLeftSomethingIsTaintedAndCanBeDestroyed(t *testing.T) {
	t.Parallel()
	for reason, err := range map[string]error{
		"rollback incomplete":    portTaken(false),
		"outcome not known":      errors.New("connection lost"),
		"terminated from the UI": &runner.EndedError{How: runner.Terminated},
		"cancel left something":  &runner.InterruptedError{Ending: runner.Ending{Problem: "the rollback failed"}},
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			f, c := creating(t)
			f.answer(err)
			c.applyFails("Cannot create")
			if id, tainted, ok := c.attribute("id"); !ok || !tainted || id != "orch/orch/logs/app" {
				t.Errorf("id %v, tainted %v, present %v", id, tainted, ok)
			}
			f.exists("app", noInput)
			f.expect("delete app")()
			c.destroy()
			c.wantAbsent()
		})
	}
}

func TestCreateThatNeverBeganLeavesNoState(t *testing.T) {
	t.Parallel()
	for reason, err := range map[string]error{
		"no worker":             &runner.NoWorkerError{Queue: "app-queue", BundledCommand: "orch-worker dev", Terminated: true},
		"worker without it":     &runner.WorkflowTaskError{Queue: "app-queue", Message: "unknown type", Terminated: true},
		"other operation":       &runner.InFlightError{Operation: contract.OpUpdate, Wanted: contract.OpCreate},
		"interrupted and clean": &runner.InterruptedError{Ending: runner.Ending{Clean: true}},
		"timed out and clean":   &runner.TimeoutError{Ending: runner.Ending{Clean: true}},
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			f, c := creating(t)
			f.answer(err)
			c.applyFails(`Cannot create logs_pipeline "app"`)
			c.wantAbsent()
		})
	}
}

func TestCreateThatCouldNotBeStartedLeavesNoState(t *testing.T) {
	t.Parallel()
	f, c := creating(t)
	refused := &runner.UnreachableError{Endpoint: runner.Endpoint{Address: "127.0.0.1:7233", Source: "the default"}, Reason: runner.Refused, Cause: errors.New("refused")}
	f.set(func() { f.outcome = func(runner.Call, func()) error { return refused } })
	c.applyFails("refuses the connection", "orch-worker dev")
	c.wantAbsent()
}

func TestFailedUpdateKeepsThePriorValues(t *testing.T) {
	t.Parallel()
	f, c := creating(t)
	c.apply()
	c.write(hcl(`service_name = "app"`, `loki = {`, `  port = 3105`, `}`))
	f.expect("update app")()
	f.answer(portTaken(true))
	c.applyFails("Cannot update", "start_loki")
	c.wantStatus("ready")
	if loki, _, _ := c.attribute("loki"); loki != nil {
		t.Errorf("loki in state is %v, want the prior null", loki)
	}
	f.expect("update app")()
	f.answer(portTaken(false))
	c.applyFails("Cannot update")
	c.wantStatus("degraded")
	f.expect("update app", "delete app")()
	c.apply()
	c.wantStatus("ready")
	c.planEmpty()
	c.destroy()
}

func TestDetachedCreateIsNotTaintedAndBecomesReady(t *testing.T) {
	t.Parallel()
	f, c := creating(t, `on_interrupt = "detach"`)
	f.set(func() {
		f.outcome = func(call runner.Call, started func()) error {
			if call.OnInterrupt != contract.OnInterruptDetach {
				t.Errorf("on_interrupt = %q", call.OnInterrupt)
			}
			started()
			f.inFlight["orch/orch/logs/app"] = contract.OpCreate
			return &runner.InterruptedError{Ending: runner.Ending{Detached: true}}
		}
	})
	c.apply("Warning: The creation of logs_pipeline \"app\" goes on without Terraform")
	c.wantStatus("in_progress")
	c.planEmpty()

	f.exists("app", noInput)
	f.set(func() { delete(f.inFlight, "orch/orch/logs/app") })
	c.apply()
	c.wantStatus("ready")
	if message, _, _ := c.attribute("message"); message != "Logs pipeline fully configured" {
		t.Errorf("message is %v", message)
	}
	c.planEmpty()
	f.expect("delete app")()
	c.destroy()
}

// The answer to the start was lost and Temporal is silent: the run may be making the service, so it must be in the state. When
// Temporal answers again, a refresh finds the service, or that there is none.
func TestCreateWhoseStartIsUnknownIsInProgress(t *testing.T) {
	t.Parallel()
	for name, happened := range map[string]bool{"it had happened": true, "it had not": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, c := creating(t)
			f.set(func() {
				f.outcome = func(runner.Call, func()) error {
					return &runner.UnknownStartError{Endpoint: runner.Endpoint{Address: "127.0.0.1:7233"}, WorkflowID: "orch/orch/logs/app"}
				}
			})
			c.apply("goes on without Terraform", "nor the question whether it was started")
			c.wantStatus("in_progress")
			f.set(func() { f.outcome = nil })
			if happened {
				f.exists("app", noInput)
			} else {
				f.expect("create app")()
			}
			c.apply()
			c.wantStatus("ready")
			c.planEmpty()
			f.expect("delete app")()
			c.destroy()
		})
	}
}

func TestCtrlCReachesTheRunnerAndSavesState(t *testing.T) {
	t.Parallel()
	f, c := creating(t, `on_interrupt = "detach"`)
	running := make(chan struct{})
	f.set(func() {
		f.wait = func(done <-chan struct{}) error {
			close(running)
			select {
			case <-done:
			case <-time.After(time.Minute):
				return errors.New("the interrupt has not arrived")
			}
			return &runner.InterruptedError{Ending: runner.Ending{Detached: true}}
		}
	})
	cmd := c.command("apply", "-auto-approve", "-no-color")
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-running:
	case <-time.After(time.Minute):
		t.Fatal("the setup was never started")
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Log("terraform took the interrupted apply for a success") // its exit code is its own business
	}
	if text := unwrapped(out.String()); !strings.Contains(text, "goes on without Terraform") {
		t.Errorf("no warning:\n%s", text)
	}
	c.wantStatus("in_progress")
	f.exists("app", noInput)
	f.expect("delete app")()
	c.destroy()
}

func TestAdoptionIsAWarningThatNamesTheRun(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c := newCLI(t, f)
	f.exists("app", noInput)
	c.write(hcl(`service_name = "app"`))
	f.expect("create app", "delete app")()
	c.apply(`Warning: Adopted logs_pipeline "app", which existed already`, "2026-11-01T12:00:00Z", "run-before")
	c.planEmpty()
	c.destroy()
}

func TestDriftIsShownByComponentAndRepaired(t *testing.T) {
	t.Parallel()
	f, c := creating(t)
	c.apply()
	f.change("app", "loki", stop)
	out := c.planChanges(`Warning: logs_pipeline "app" is degraded: loki`, "loki: stopped (exit code 137)", `~ "loki" = {`, `~ state = "exited" -> (known after apply)`,
		"1 to change")
	for _, untouched := range []string{`~ "grafana"`, `~ "otel-collector"`} {
		if strings.Contains(out, untouched) {
			t.Errorf("the plan touches %s:\n%s", untouched, out)
		}
	}
	f.expect("update app", "delete app")()
	c.apply()
	c.wantStatus("ready")
	if out := c.planEmpty(); strings.Contains(out, "degraded") {
		t.Errorf("a repaired service is still called degraded:\n%s", out)
	}
	c.destroy()
}

func TestContainerThatChangesDuringTheApplyIsAWarning(t *testing.T) {
	t.Parallel()
	f, c := creating(t)
	c.apply()
	f.change("app", "loki", stop)
	f.expect("update app", "delete app")()
	f.set(func() {
		f.after = func(result *contract.Result) {
			for i := range result.Components {
				if result.Components[i].Name == "grafana" {
					result.Components[i].Digest = "sha256:moved"
				}
			}
		}
	})
	c.apply("something changed during the apply", `grafana: digest is "sha256:moved" instead of`)
	c.destroy()
}

func TestUnreachableTemporalNeverRemovesFromState(t *testing.T) {
	t.Parallel()
	f, c := creating(t)
	c.apply()
	f.set(func() {
		f.err = &runner.NoWorkerError{Queue: "app-queue", BundledCommand: "orch-worker dev", Terminated: true}
	})
	c.want(1, []string{"plan", "-no-color"}, []string{`Cannot read logs_pipeline "app": no worker is polling task queue "app-queue"`, "orch-worker dev"})
	c.applyFails("no worker is polling")
	c.wantStatus("ready")
	f.set(func() { f.err = nil })
	f.expect("delete app")()
	f.answer(&runner.TimeoutError{})
	c.want(1, []string{"destroy", "-auto-approve", "-no-color"}, []string{`Cannot delete logs_pipeline "app"`})
	c.wantStatus("ready")
	f.expect("delete app")()
	c.destroy("Warning: The volumes of logs_pipeline \"app\" were kept", "docker volume rm orch-logs-app-loki-data")
	c.wantAbsent()
}

func TestImportOfAServiceThatDoesNotExist(t *testing.T) {
	t.Parallel()
	for id, phrase := range map[string]string{
		"ghost":               `There is no logs_pipeline "ghost" to import`,
		"orch/eu/logs/ghost":  "looked for orch/eu/logs/ghost",
		"orch/orch/db/ghost":  `is of kind "db", and a logs_pipeline is of kind "logs"`,
		"Ghost":               "The import ID is not valid",
		"logs/ghost":          "not of the form orch/<scope>/<kind>/<service_name>",
		"orch/orch/logs/busy": "under way in workflow orch/orch/logs/busy",
	} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.inFlight["orch/orch/logs/busy"] = contract.OpUpdate
			c := newCLI(t, f)
			c.write(hcl(`service_name = "ghost"`))
			c.want(1, []string{"import", "-no-color", "orch_logs_pipeline.app", id}, []string{phrase})
		})
	}
}

func TestPlanWorksWhileTheProvidersConfigurationIsUnknown(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c := newCLI(t, f)
	config := func(server, port string) string {
		return "resource \"terraform_data\" \"server\" {\n  input = \"" + server + "\"\n}\n" +
			"provider \"orch\" {\n  address = terraform_data.server.output\n}\n" +
			hcl(`service_name = "app"`, `loki = {`, `  port = `+port, `}`)
	}
	c.write(config("temporal:7233", "3100"))
	f.expect("create app")()
	c.apply("(known after apply)", `"start_loki"`, `http://127.0.0.1:3100`)
	if f.config.Address != "temporal:7233" {
		t.Errorf("the provider was configured with address %q", f.config.Address)
	}
	c.planEmpty()
	statuses := f.statuses
	c.write(config("temporal2:7233", "3101"))
	c.planChanges(`logs_pipeline "app" was not refreshed`, "http://127.0.0.1:3101")
	if f.statuses != statuses {
		t.Error("a status workflow was run although the address is not known")
	}
	f.expect("update app")()
	c.apply()
	if f.config.Address != "temporal2:7233" {
		t.Errorf("the provider was configured with address %q", f.config.Address)
	}
	c.planEmpty()
	f.expect("delete app")()
	c.destroy()
}
