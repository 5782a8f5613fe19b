package resources_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// sharing is a tracing pipeline whose Grafana a metrics pipeline uses.
func sharing(metrics ...string) string {
	return hclOf(contract.TracingPipeline, `service_name = "app"`) +
		hclOf(contract.MetricsPipeline, append(metrics, `service_name = "app"`, `grafana = {`,
			`  url = orch_tracing_pipeline.app.endpoints["grafana"]`, `  pipeline_id = orch_tracing_pipeline.app.id`,
			`  traces_datasource_uid = orch_tracing_pipeline.app.datasource_uid`, `}`)...)
}

func TestGrafanaOfAnotherPipelineIsKnownInThePlan(t *testing.T) {
	t.Parallel()
	f, address := newFake(t), addressOf(contract.MetricsPipeline)
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: f.factories(),
		Steps: []resource.TestStep{{
			PreConfig: f.expect("create tracing/app", "create metrics/app", "delete metrics/app", "delete tracing/app"),
			Config:    sharing(),
			ConfigPlanChecks: plannedAt(address, plancheck.ResourceActionCreate,
				expectation{attribute("steps"), knownvalue.ListExact([]knownvalue.Check{text("start_prometheus"), text("provision_grafana"), text("verify")})},
				expectation{attribute("endpoints").AtMapKey("grafana"), text("http://127.0.0.1:3002")},
				expectation{attribute("datasource_uid"), text("orch-metrics-app")},
				expectation{attribute("grafana").AtMapKey("traces_datasource_uid"), text("orch-jaeger")}),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(address, attribute("containers"), knownvalue.MapSizeExact(1)),
			},
		}, importedAt(address)},
	})
}

func TestDriftInAnotherGrafanaIsShownAndRepaired(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c := newCLI(t, f)
	c.write(sharing())
	f.expect("create tracing/app", "create metrics/app")()
	c.apply()
	f.set(func() { f.grafana["orch/orch/metrics/app"] = []string{"the data source orch-metrics-app is missing"} })
	out := c.planChanges(`Warning: metrics_pipeline "app" is degraded: grafana`, "grafana: the data source orch-metrics-app is missing",
		`~ status = "degraded" -> (known after apply)`, "1 to change")
	if strings.Contains(out, `~ "prometheus"`) || strings.Contains(out, `tracing_pipeline "app" is degraded`) {
		t.Errorf("the plan touches more than the objects in Grafana:\n%s", out)
	}
	f.expect("update metrics/app")()
	c.apply()
	c.planEmpty()
	f.expect("delete metrics/app", "delete tracing/app")()
	c.destroy()
}

func TestLoginToAnotherGrafanaIsKeptWithTheStore(t *testing.T) {
	t.Parallel()
	const token = `url = "http://g:1", token_wo = "t0ken", token_wo_version = 1, datasource_url = "http://store:1"`
	const account = `url = "http://g:1", admin_password_wo = "p4ss", admin_password_wo_version = 1, datasource_url = "http://store:1"`
	for reason, test := range map[string]struct {
		kind    contract.Kind
		grafana string
		secrets map[string]string
	}{
		"own Grafana":    {contract.MetricsPipeline, `admin_password_wo = "correct-horse", admin_password_wo_version = 1`, map[string]string{"grafana/admin_password": "correct-horse"}},
		"logs, token":    {contract.LogsPipeline, token, map[string]string{"loki/grafana_token": "t0ken"}},
		"logs, account":  {contract.LogsPipeline, account, map[string]string{"loki/grafana_password": "p4ss"}},
		"metrics, token": {contract.MetricsPipeline, token, map[string]string{"prometheus/grafana_token": "t0ken"}},
		"tracing, token": {contract.TracingPipeline, token, map[string]string{"jaeger/grafana_token": "t0ken"}},
		"no login":       {contract.TracingPipeline, `port = 3002`, nil},
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			c := newCLI(t, f)
			f.unordered = true
			service := test.kind.Short + "/app"
			if test.kind == contract.LogsPipeline {
				service = "app"
			}
			c.write(hclOf(test.kind, `service_name = "app"`, `grafana = { `+test.grafana+` }`))
			f.expect("create " + service)()
			c.apply()
			if !maps.Equal(f.secrets, test.secrets) {
				t.Errorf("the worker received %q, want %q", f.secrets, test.secrets)
			}
			for name, value := range test.secrets {
				if strings.Contains(c.state(), value) {
					t.Errorf("%s stands in the state", name)
				}
			}
			c.planEmpty()
			f.expect("delete " + service)()
			c.destroy()
		})
	}
}

// The input is what tells the cleanup which objects are in which Grafana.
func TestCleanupIsToldWhatIsInAnotherGrafana(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c := newCLI(t, f)
	c.write(sharing())
	f.expect("create tracing/app", "create metrics/app")()
	c.apply()
	c.write(hclOf(contract.TracingPipeline, `service_name = "app"`))
	f.expect("delete metrics/app")()
	c.apply()
	stack := f.expand(contract.MetricsPipeline, f.request.Ref(contract.MetricsPipeline), f.request.Input)
	if stack.Grafana == nil || stack.Grafana.URL != "http://127.0.0.1:3002" || stack.Grafana.FolderUID != "orch-metrics-app" {
		t.Errorf("the cleanup is told of %+v", stack.Grafana)
	}
	f.expect("delete tracing/app")()
	c.destroy()
}

func TestPipelineMovesToAnotherGrafanaAndBack(t *testing.T) {
	t.Parallel()
	f, address := newFake(t), addressOf(contract.MetricsPipeline)
	alone := hclOf(contract.TracingPipeline, `service_name = "app"`) + hclOf(contract.MetricsPipeline, `service_name = "app"`)
	f.unordered = true
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: f.factories(),
		Steps: []resource.TestStep{{
			PreConfig: f.expect("create tracing/app", "create metrics/app"),
			Config:    alone,
		}, {
			PreConfig: f.expect("update metrics/app"),
			Config:    sharing(),
			ConfigPlanChecks: plannedAt(address, plancheck.ResourceActionUpdate,
				expectation{attribute("datasource_uid"), text("orch-metrics-app")}, expectation{attribute("containers"), knownvalue.MapSizeExact(1)}),
		}, {
			PreConfig: f.expect("update metrics/app", "delete metrics/app", "delete tracing/app"),
			Config:    alone,
			ConfigPlanChecks: plannedAt(address, plancheck.ResourceActionUpdate,
				expectation{attribute("datasource_uid"), text("orch-prom")}, expectation{containerAt("grafana", "name"), text("orch-metrics-app-grafana")}),
		}},
	})
}
