package resources_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

const app = "orch_logs_pipeline.app"

func inState(path tfjsonpath.Path, value knownvalue.Check) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(app, path, value)
}

// addressOf is the address of the resource that hclOf writes.
func addressOf(kind contract.Kind) string { return "orch_" + kind.Name + ".app" }

func attribute(name string) tfjsonpath.Path { return tfjsonpath.New(name) }

func containerAt(component, name string) tfjsonpath.Path {
	return attribute("containers").AtMapKey(component).AtMapKey(name)
}

// expectation is what a plan must say at a path; a nil value means that it is unknown.
type expectation struct {
	path  tfjsonpath.Path
	value knownvalue.Check
}

// planned expects an action and what is planned.
func planned(action plancheck.ResourceActionType, expected ...expectation) resource.ConfigPlanChecks {
	return plannedAt(app, action, expected...)
}

func plannedAt(address string, action plancheck.ResourceActionType, expected ...expectation) resource.ConfigPlanChecks {
	checks := []plancheck.PlanCheck{plancheck.ExpectResourceAction(address, action)}
	for _, e := range expected {
		if e.value == nil {
			checks = append(checks, plancheck.ExpectUnknownValue(address, e.path))
		} else {
			checks = append(checks, plancheck.ExpectKnownValue(address, e.path, e.value))
		}
	}
	return resource.ConfigPlanChecks{PreApply: checks}
}

func text(s string) knownvalue.Check { return knownvalue.StringExact(s) }

// imported imports the resource by its service's name and compares. What only state knows is left out.
func imported() resource.TestStep { return importedAt(app) }

func importedAt(address string, ignore ...string) resource.TestStep {
	return resource.TestStep{
		ResourceName: address, ImportState: true, ImportStateId: "app", ImportStateVerify: true,
		ImportStateVerifyIgnore: append(ignore,
			"run_id", "web_ui_url", "message", "verification", "timeouts", "task_queue", "delete_volumes", "on_failure", "on_interrupt", "verify"),
	}
}

func TestPipelineLivesFromCreateToDestroy(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	steps := knownvalue.ListExact([]knownvalue.Check{
		text("stop_otel_collector"), text("delete_otel_collector"), text("start_otel_collector"), text("start_loki"), text("start_grafana"), text("verify"),
	})
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: f.factories(),
		Steps: []resource.TestStep{{
			PreConfig: f.expect("create app"),
			Config:    hcl(`service_name = "app"`),
			ConfigPlanChecks: planned(plancheck.ResourceActionCreate,
				expectation{attribute("id"), text("orch/orch/logs/app")}, expectation{attribute("workflow_id"), text("orch/orch/logs/app")}, expectation{attribute("steps"), steps},
				expectation{attribute("endpoints").AtMapKey("loki"), text("http://127.0.0.1:3100")},
				expectation{containerAt("loki", "name"), text("orch-logs-app-loki")},
				expectation{containerAt("loki", "image"), text(catalog.LokiImage)},
				expectation{containerAt("loki", "state"), nil},
				expectation{attribute("datasource_uid"), text("orch-loki")},
				expectation{attribute("verification"), nil},
				expectation{attribute("status"), nil}, expectation{attribute("message"), nil}, expectation{attribute("run_id"), nil}, expectation{attribute("engine_id"), nil},
			),
			ConfigStateChecks: []statecheck.StateCheck{
				inState(attribute("id"), text("orch/orch/logs/app")),
				inState(attribute("status"), text("ready")),
				inState(attribute("message"), text("Logs pipeline fully configured")),
				inState(attribute("steps"), steps),
				inState(attribute("engine_id"), text(engineID)),
				inState(attribute("run_id"), text("run-1")),
				inState(attribute("web_ui_url"), text("http://127.0.0.1:8233/run-1")),
				inState(attribute("endpoints").AtMapKey("otlp_grpc"), text("127.0.0.1:4317")),
				inState(attribute("verification"), knownvalue.MapExact(map[string]knownvalue.Check{"log": knownvalue.Int64Exact(40)})),
				inState(containerAt("grafana", "state"), text("running")),
				inState(containerAt("grafana", "health"), text("ready")),
				inState(containerAt("grafana", "image"), text(catalog.GrafanaImage)),
			},
		}, imported(), {
			PreConfig: f.expect("update app"),
			Config:    hcl(`service_name = "app"`, `loki = {`, `  port = 3105`, `}`),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate,
				expectation{attribute("endpoints").AtMapKey("loki"), text("http://127.0.0.1:3105")},
				expectation{attribute("engine_id"), text(engineID)},
				expectation{containerAt("loki", "digest"), nil},
				expectation{containerAt("grafana", "state"), text("running")},
				expectation{containerAt("otel-collector", "state"), text("running")},
			),
			ConfigStateChecks: []statecheck.StateCheck{inState(attribute("run_id"), text("run-2"))},
		}, {
			PreConfig: f.expect("delete app", "create app2", "delete app2"),
			Config:    hcl(`service_name = "app2"`),
			ConfigPlanChecks: planned(plancheck.ResourceActionReplace,
				expectation{attribute("id"), text("orch/orch/logs/app2")}, expectation{containerAt("loki", "name"), text("orch-logs-app2-loki")},
			),
		}},
	})
}

func TestEveryAttributeSurvivesApplyPlanAndImport(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	config := hcl(`service_name = "app"`, `task_queue = "hosts"`, `delete_volumes = true`, `on_failure = "keep"`, `on_interrupt = "detach"`,
		`bind_address = "0.0.0.0"`, `labels = { team = "chat", empty = "" }`, `pull_policy = "never"`, `registry_mirror = "mirror:5000/hub"`,
		`collector = { image = "col:1", memory_mb = 64, cpus = 0.1, grpc_port = 14317, http_port = 14318, `+
			`metrics_endpoint = "http://192.0.2.1:9090/api/v1/otlp", traces_endpoint = "https://traces.example.com" }`,
		`loki = { image = "loki:1", memory_mb = 128, cpus = 0.3333333333333333, port = 13100, retention = "30d", volume = "logs" }`,
		`grafana = { image = "grafana:1", memory_mb = 96, cpus = 2, port = 13000, admin_user = "root", admin_password_wo = "correct-horse", admin_password_wo_version = 3, traces_datasource_uid = "jaeger" }`,
		`timeouts = { create = "5m", update = "6m", delete = "7m", read = "1m" }`)
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: f.factories(),
		Steps: []resource.TestStep{{
			PreConfig: f.expect("create app", "delete app"),
			Config:    config,
			ConfigStateChecks: []statecheck.StateCheck{
				inState(attribute("grafana").AtMapKey("admin_password_wo"), knownvalue.Null()),
				inState(containerAt("loki", "image"), text("mirror:5000/hub/library/loki:1")),
				inState(attribute("endpoints").AtMapKey("loki"), text("http://127.0.0.1:13100")),
			},
		}, imported(), {
			Config: config, PlanOnly: true,
		}},
	})
	if f.queue != "hosts" {
		t.Errorf("the workflow was started on queue %q", f.queue)
	}
}

func TestEmptyBlocksAreNotNull(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: f.factories(),
		Steps: []resource.TestStep{{
			PreConfig: f.expect("create app", "delete app"),
			Config:    hcl(`service_name = "app"`, `labels = {}`, `collector = {}`, `loki = {}`, `grafana = {}`),
		}, imported()},
	})
}

func TestSettingsOfOperationsChangeWithoutAWorkflow(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: f.factories(),
		Steps: []resource.TestStep{{
			PreConfig: f.expect("create app"),
			Config:    hcl(`service_name = "app"`),
		}, {
			PreConfig: f.expect(),
			Config: hcl(`service_name = "app"`, `task_queue = "other"`, `delete_volumes = true`, `on_failure = "keep"`, `on_interrupt = "detach"`,
				`timeouts = { create = "1h" }`),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate,
				expectation{attribute("status"), text("ready")}, expectation{attribute("run_id"), text("run-1")}, expectation{containerAt("loki", "state"), text("running")},
			),
			ConfigStateChecks: []statecheck.StateCheck{inState(attribute("delete_volumes"), knownvalue.Bool(true))},
		}, {
			PreConfig: f.expect("delete app"),
			Config:    hcl(`service_name = "app"`),
		}},
	})
}

func TestDriftIsRepairedInPlaceComponentByComponent(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	gone := func() {
		f.change("app", "grafana", func(c *contract.ComponentState) {
			*c = contract.ComponentState{Name: "grafana", Container: c.Container, State: contract.StateMissing, Health: contract.HealthNotReady, Drift: []string{"removed"}}
		})
		f.expect("update app")()
	}
	silent := func() {
		f.change("app", "loki", func(c *contract.ComponentState) { c.Health = contract.HealthNotReady })
		f.expect("update app", "delete app")()
	}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: f.factories(),
		Steps: []resource.TestStep{{
			PreConfig: f.expect("create app"),
			Config:    hcl(`service_name = "app"`),
		}, {
			PreConfig: gone,
			Config:    hcl(`service_name = "app"`),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate,
				expectation{containerAt("grafana", "state"), nil}, expectation{containerAt("grafana", "name"), text("orch-logs-app-grafana")},
				expectation{containerAt("loki", "state"), text("running")}, expectation{containerAt("otel-collector", "digest"), knownvalue.NotNull()},
			),
		}, {
			PreConfig: silent,
			Config:    hcl(`service_name = "app"`),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate,
				expectation{containerAt("loki", "health"), nil}, expectation{containerAt("grafana", "health"), text("ready")},
			),
		}},
	})
}

func TestServiceThatIsGoneIsCreatedAgain(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: f.factories(),
		Steps: []resource.TestStep{{
			PreConfig: f.expect("create app"),
			Config:    hcl(`service_name = "app"`),
		}, {
			PreConfig: func() {
				f.set(func() { delete(f.services, "orch/orch/logs/app") })
				f.expect("create app", "delete app")()
			},
			Config:           hcl(`service_name = "app"`),
			ConfigPlanChecks: planned(plancheck.ResourceActionCreate),
		}},
	})
}

func TestOperationUnderWayIsNotDrift(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: f.factories(),
		Steps: []resource.TestStep{{
			PreConfig: f.expect("create app"),
			Config:    hcl(`service_name = "app"`),
		}, {
			PreConfig: func() {
				f.change("app", "loki", stop)
				f.set(func() { f.inFlight["orch/orch/logs/app"] = contract.OpUpdate })
			},
			Config:            hcl(`service_name = "app"`),
			ConfigStateChecks: []statecheck.StateCheck{inState(attribute("status"), text("in_progress"))},
		}, {
			PreConfig: func() {
				f.set(func() { delete(f.inFlight, "orch/orch/logs/app") })
				f.expect("update app", "delete app")()
			},
			Config:            hcl(`service_name = "app"`),
			ConfigStateChecks: []statecheck.StateCheck{inState(attribute("status"), text("ready"))},
		}},
	})
}

func TestScopeOfTheProviderCountsAtCreateOnly(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	provider := func(scope string) string { return "provider \"orch\" {\n  scope = \"" + scope + "\"\n}\n" }
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: f.factories(),
		Steps: []resource.TestStep{{
			PreConfig:         f.expect("create app"),
			Config:            provider("blue") + hcl(`service_name = "app"`),
			ConfigStateChecks: []statecheck.StateCheck{inState(attribute("id"), text("orch/blue/logs/app"))},
		}, {
			PreConfig: f.expect("update app", "delete app"),
			Config:    provider("green") + hcl(`service_name = "app"`, `bind_address = "0.0.0.0"`),
			ConfigStateChecks: []statecheck.StateCheck{
				inState(attribute("id"), text("orch/blue/logs/app")), inState(containerAt("loki", "name"), text("blue-logs-app-loki")),
			},
		}, {
			ResourceName: app, ImportState: true, ImportStateId: "orch/blue/logs/app", ImportStateVerify: true,
			ImportStateVerifyIgnore: []string{"run_id", "web_ui_url", "message", "verification"},
		}},
	})
}
