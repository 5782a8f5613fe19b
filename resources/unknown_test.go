package resources_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// Whoever refers to the endpoints of a service must not seem to change because of a label that is not known yet.
func TestEndpointsAreKnownWhateverElseIsNot(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	config := func(value string, attributes ...string) string {
		return "resource \"terraform_data\" \"x\" {\n  input = \"" + value + "\"\n}\n" + hcl(append([]string{`service_name = "app"`}, attributes...)...)
	}
	labels, retention := `labels = { value = terraform_data.x.output }`, `loki = { retention = terraform_data.x.output }`
	at := func(port string) expectation {
		return expectation{attribute("endpoints").AtMapKey("loki"), text("http://127.0.0.1:" + port)}
	}
	uid := expectation{attribute("datasource_uid"), text("orch-loki")}
	named, image := expectation{containerAt("loki", "name"), text("orch-logs-app-loki")}, expectation{containerAt("loki", "image"), nil}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: f.factories(),
		Steps: []resource.TestStep{{
			PreConfig:        f.expect("create app"),
			Config:           config("48h", labels, retention),
			ConfigPlanChecks: planned(plancheck.ResourceActionCreate, at("3100"), uid, named, image),
		}, {
			PreConfig:        f.expect("update app"),
			Config:           config("72h", labels, `loki = { port = 3105, retention = terraform_data.x.output }`),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate, at("3105"), uid, named, image),
		}, {
			PreConfig: f.expect("update app", "delete app"),
			Config:    config("3106", labels, `loki = { port = tonumber(terraform_data.x.output) }`),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate,
				expectation{attribute("endpoints"), nil}, expectation{attribute("datasource_uid"), nil}, expectation{attribute("containers"), nil}),
		}},
	})
}

func TestEndpointsOfServicesAreKnownWhateverElseIsNot(t *testing.T) {
	t.Parallel()
	f, address := newFake(t), addressOf(contract.ContainerService)
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: f.factories(),
		Steps: []resource.TestStep{{
			PreConfig: f.expect("create container/app", "delete container/app"),
			Config: "resource \"terraform_data\" \"x\" {\n  input = \"i:1\"\n}\n" + hclOf(contract.ContainerService, `service_name = "app"`,
				`image = terraform_data.x.output`, `env = { A = terraform_data.x.output }`, `command = [terraform_data.x.output]`,
				`ports = { http = { container = 8080, host = 21220 } }`),
			ConfigPlanChecks: plannedAt(address, plancheck.ResourceActionCreate,
				expectation{attribute("endpoints").AtMapKey("http"), text("http://127.0.0.1:21220")},
				expectation{attribute("endpoints").AtMapKey("http_internal"), text("http://service.app.container:8080")},
				expectation{attribute("datasource_uid"), knownvalue.Null()},
			),
		}},
	})
}
