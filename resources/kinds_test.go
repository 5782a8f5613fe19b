package resources_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// life is what a kind with no input but a name is planned to be, and a change of it.
type life struct {
	kind      contract.Kind
	steps     []string
	endpoints map[string]string
	images    map[string]string // by component
	uid       knownvalue.Check
	proven    []string
	// change is an input that makes another container of the component changed.
	change, changed string
}

func lives() []life {
	return []life{{
		kind:  contract.MetricsPipeline,
		steps: []string{"start_prometheus", "start_grafana", "verify"},
		endpoints: map[string]string{
			"prometheus": "http://127.0.0.1:9090", "otlp_http": "http://127.0.0.1:9090/api/v1/otlp", "grafana": "http://127.0.0.1:3001",
			"otlp_http_internal": "http://prometheus.app.metrics:9090/api/v1/otlp",
		},
		images: map[string]string{"prometheus": catalog.PrometheusImage, "grafana": catalog.GrafanaImage},
		uid:    text("orch-prom"), proven: []string{"metric"},
		change: `prometheus = { retention_time = "30d" }`, changed: "prometheus",
	}, {
		kind:  contract.TracingPipeline,
		steps: []string{"start_jaeger", "start_grafana", "verify"},
		endpoints: map[string]string{
			"jaeger": "http://127.0.0.1:16686", "grafana": "http://127.0.0.1:3002", "otlp_http_internal": "http://jaeger.app.tracing:4318",
		},
		images: map[string]string{"jaeger": catalog.JaegerImage, "grafana": catalog.GrafanaImage},
		uid:    text("orch-jaeger"), proven: []string{"span"},
		change: `grafana = { port = 13002 }`, changed: "grafana",
	}, {
		kind:  contract.DatabasePipeline,
		steps: []string{"start_neo4j", "start_qdrant", "verify"},
		endpoints: map[string]string{
			"neo4j_bolt": "bolt://127.0.0.1:7687", "neo4j_http": "http://127.0.0.1:7474", "qdrant_http": "http://127.0.0.1:6333",
			"qdrant_grpc": "127.0.0.1:6334", "neo4j_bolt_internal": "bolt://neo4j.app.database:7687",
		},
		images: map[string]string{"neo4j": catalog.Neo4jImage, "qdrant": catalog.QdrantImage},
		uid:    knownvalue.Null(), proven: []string{"cypher", "vector"},
		change: `qdrant = { http_port = 16333 }`, changed: "qdrant",
	}}
}

func TestEveryKindLivesFromCreateToDestroy(t *testing.T) {
	t.Parallel()
	for _, l := range lives() {
		t.Run(l.kind.Name, func(t *testing.T) {
			t.Parallel()
			f, address, service := newFake(t), addressOf(l.kind), l.kind.Short+"/app"
			var steps []knownvalue.Check
			for _, step := range l.steps {
				steps = append(steps, text(step))
			}
			proofs := map[string]knownvalue.Check{}
			for i, signal := range l.proven {
				proofs[signal] = knownvalue.Int64Exact(int64(40 + i))
			}
			created := []expectation{
				{attribute("id"), text("orch/orch/" + l.kind.Short + "/app")}, {attribute("steps"), knownvalue.ListExact(steps)},
				{attribute("datasource_uid"), l.uid}, {attribute("verification"), nil}, {attribute("status"), nil},
			}
			for name, url := range l.endpoints {
				created = append(created, expectation{attribute("endpoints").AtMapKey(name), text(url)})
			}
			updated := []expectation{{attribute("verification"), nil}, {attribute("engine_id"), text(engineID)}}
			for component, image := range l.images {
				created = append(created, expectation{containerAt(component, "name"), text("orch-" + l.kind.Short + "-app-" + component)},
					expectation{containerAt(component, "image"), text(image)}, expectation{containerAt(component, "digest"), nil})
				updated = append(updated, expectation{containerAt(component, "image"), text(image)})
				if component == l.changed {
					updated = append(updated, expectation{containerAt(component, "state"), nil})
				} else {
					updated = append(updated, expectation{containerAt(component, "state"), text("running")})
				}
			}
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: f.factories(),
				Steps: []resource.TestStep{{
					PreConfig:        f.expect("create " + service),
					Config:           hclOf(l.kind, `service_name = "app"`),
					ConfigPlanChecks: plannedAt(address, plancheck.ResourceActionCreate, created...),
					ConfigStateChecks: []statecheck.StateCheck{
						statecheck.ExpectKnownValue(address, attribute("message"), text(messageOf(l.kind))),
						statecheck.ExpectKnownValue(address, attribute("verification"), knownvalue.MapExact(proofs)),
						statecheck.ExpectKnownValue(address, containerAt(l.changed, "health"), text("ready")),
					},
				}, importedAt(address), {
					PreConfig:        f.expect("update "+service, "delete "+service),
					Config:           hclOf(l.kind, `service_name = "app"`, l.change),
					ConfigPlanChecks: plannedAt(address, plancheck.ResourceActionUpdate, updated...),
				}, importedAt(address)},
			})
		})
	}
}

func TestEveryAttributeOfEveryKindSurvivesApplyPlanAndImport(t *testing.T) {
	t.Parallel()
	const limits, grafana = `image = "i:1", memory_mb = 4096, cpus = 0.3333333333333333`,
		`grafana = { image = "g:1", memory_mb = 96, cpus = 2, port = 13000, admin_user = "root", admin_password_wo = "correct-horse", admin_password_wo_version = 3`
	for reason, test := range map[string]struct {
		kind   contract.Kind
		config []string
	}{
		"metrics": {contract.MetricsPipeline, []string{
			`prometheus = { ` + limits + `, port = 19090, retention_time = "4w", retention_size = "512MB", scrape_interval = "30s", scrape_targets = [` +
				`{ targets = ["a:1", "b:2"], labels = { job = "x", empty = "" } }, { targets = ["c:3"], labels = {} }, { targets = ["d:4"] }] }`,
			grafana + `, traces_datasource_uid = "t" }`,
		}},
		"tracing": {contract.TracingPipeline, []string{`jaeger = { ` + limits + `, port = 26686, retention = "30d" }`, grafana + `, logs_datasource_uid = "l" }`}},
		"database": {contract.DatabasePipeline, []string{
			`neo4j = { ` + limits + `, http_port = 17474, bolt_port = 17687, heap_mb = 512, page_cache_mb = 256, plugins = ["apoc", "graph-data-science"], ` +
				`password_wo = "correct-horse", password_wo_version = 0 }`,
			`qdrant = { ` + limits + `, http_port = 16333, grpc_port = 16334, api_key_wo = "correct-horse", api_key_wo_version = 7 }`,
		}},
		"container": {contract.ContainerService, []string{
			`image = "i:1"`, `entrypoint = ["/app"]`, `command = ["serve", ""]`, `env = { A = "b", EMPTY = "" }`, `memory_mb = 64`, `cpus = 0.5`,
			`secrets = { a = { value_wo = "v", value_wo_version = 0 }, b = { env = "B" }, c = { file = "/c", version = 2 }, generated = {}, ` +
				`d = { service = { id = "orch/orch/database/x", component = "neo4j", name = "password" }, version = 1 } }`,
			`ports = { http = { container = 80, host = 21210 }, admin = { container = 81, scheme = "https" }, dns = { container = 53, protocol = "udp", host = 21210 } }`,
			`volumes = { data = { path = "/data" }, mine = { path = "/mine", external = true, read_only = true } }`, `tmpfs = ["/tmp", "/run/x"]`,
			`restart = "on-failure:3"`, `user = "1000:1000"`, `read_only = true`, `stop_timeout = 3`, `bind_address = "0.0.0.0"`, `labels = { team = "a" }`,
			`health = { http = { port = "http", path = "/health?a=b" }, interval = "500ms", timeout = "2s", start_period = "0s", retries = 5 }`,
			`update = { order = "stop-first", drain_seconds = 0 }`,
		}},
		"container, health by TCP":   {contract.ContainerService, []string{`image = "i:1"`, `ports = { db = { container = 5432 } }`, `health = { tcp = { port = "db" } }`}},
		"container, health by image": {contract.ContainerService, []string{`image = "i:1"`, `health = { image = true }`, `update = { order = "start-first" }`}},
		"container, empty": {contract.ContainerService, []string{
			`image = "i:1"`, `entrypoint = []`, `command = []`, `env = {}`, `secrets = {}`, `ports = {}`, `volumes = {}`, `networks = []`, `tmpfs = []`, `update = {}`,
		}},
		"container from Git": {contract.ContainerService, []string{
			`build = { context = "https://example.com/app.git#v1:docker", dockerfile = "a/Dockerfile", target = "t", args = { V = "1", EMPTY = "" } }`,
		}},
		"chat": {contract.ChatService, []string{
			`image = "i:1"`, `neo4j = { ` + limits + `, http_port = 17474, bolt_port = 17687, heap_mb = 512, page_cache_mb = 256, plugins = ["apoc"], ` +
				`enabled = true, password_wo = "correct-horse", password_wo_version = 0 }`,
			`cloudflare = { token_wo = "t", token_wo_version = 1, account_id = "0123456789abcdef0123456789abcdef", zone = "example.com", record = "chat.example.com", ` +
				`record_content = "192.0.2.1", tunnel = "t", api_url = "http://127.0.0.1:1" }`,
		}},
		"chat, no Neo4j":              {contract.ChatService, []string{`image = "i:1"`, `neo4j = { enabled = false }`, `cloudflare = { token = { env = "T" } }`}},
		"chat, empty blocks":          {contract.ChatService, []string{`image = "i:1"`, `neo4j = {}`, `cloudflare = { token = { file = "/t" } }`}},
		"metrics, empty lists":        {contract.MetricsPipeline, []string{`labels = {}`, `prometheus = { scrape_targets = [] }`}},
		"metrics, empty blocks":       {contract.MetricsPipeline, []string{`prometheus = {}`, `grafana = {}`}},
		"tracing, empty blocks":       {contract.TracingPipeline, []string{`jaeger = {}`, `grafana = {}`}},
		"database, empty blocks":      {contract.DatabasePipeline, []string{`neo4j = { plugins = [] }`, `qdrant = {}`}},
		"metrics, Grafana by token":   {contract.MetricsPipeline, []string{`grafana = { url = "http://g:1/", token_wo = "t", token_wo_version = 1, datasource_url = "http://p:1" }`}},
		"tracing, Grafana by account": {contract.TracingPipeline, []string{`grafana = { url = "http://g:1", admin_user = "u", admin_password_wo = "p", admin_password_wo_version = 1, datasource_url = "http://j:1" }`}},
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			f, service := newFake(t), test.kind.Short+"/app"
			config := hclOf(test.kind, append(test.config, `service_name = "app"`)...)
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: f.factories(),
				Steps: []resource.TestStep{{
					PreConfig: f.expect("create "+service, "delete "+service), Config: config,
				}, importedAt(addressOf(test.kind)), {
					Config: config, PlanOnly: true,
				}},
			})
		})
	}
}

// Prometheus reads its targets anew, so its container stays, and the plan must not say otherwise.
func TestChangeOfScrapeTargetsTouchesNoContainer(t *testing.T) {
	t.Parallel()
	f, address := newFake(t), addressOf(contract.MetricsPipeline)
	config := func(target string) string {
		return hclOf(contract.MetricsPipeline, `service_name = "app"`, `prometheus = { scrape_targets = [{ targets = ["`+target+`"] }] }`)
	}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: f.factories(),
		Steps: []resource.TestStep{{
			PreConfig: f.expect("create metrics/app"), Config: config("a:1"),
		}, {
			PreConfig: f.expect("update metrics/app", "delete metrics/app"), Config: config("b:2"),
			ConfigPlanChecks: plannedAt(address, plancheck.ResourceActionUpdate,
				expectation{attribute("status"), nil}, expectation{containerAt("prometheus", "state"), text("running")},
				expectation{containerAt("prometheus", "digest"), knownvalue.NotNull()}, expectation{containerAt("grafana", "state"), text("running")}),
		}, importedAt(address)},
	})
}

func TestServiceThatVerifiesNothing(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	withVerify := knownvalue.ListExact([]knownvalue.Check{text("start_neo4j"), text("start_qdrant"), text("verify")})
	without := knownvalue.ListExact([]knownvalue.Check{text("start_neo4j"), text("start_qdrant")})
	address := addressOf(contract.DatabasePipeline)
	config := func(attributes ...string) string {
		return hclOf(contract.DatabasePipeline, append(attributes, `service_name = "app"`)...)
	}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: f.factories(),
		Steps: []resource.TestStep{{
			PreConfig: f.expect("create database/app"),
			Config:    config(`verify = false`),
			ConfigPlanChecks: plannedAt(address, plancheck.ResourceActionCreate,
				expectation{attribute("steps"), without}, expectation{attribute("verification"), knownvalue.Null()}),
		}, importedAt(address, "steps"), {
			PreConfig: f.expect(), // no workflow
			Config:    config(),
			ConfigPlanChecks: plannedAt(address, plancheck.ResourceActionUpdate, expectation{attribute("steps"), withVerify},
				expectation{attribute("verification"), knownvalue.Null()}, expectation{attribute("status"), text("ready")}),
		}, {
			PreConfig:        f.expect("update database/app"),
			Config:           config(`bind_address = "0.0.0.0"`),
			ConfigPlanChecks: plannedAt(address, plancheck.ResourceActionUpdate, expectation{attribute("verification"), nil}),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(address, attribute("verification"), knownvalue.MapSizeExact(2)),
			},
		}, {
			PreConfig: f.expect("delete database/app"), // no setup: the proof of the last one stands
			Config:    config(`bind_address = "0.0.0.0"`, `verify = false`),
			ConfigPlanChecks: plannedAt(address, plancheck.ResourceActionUpdate, expectation{attribute("steps"), without},
				expectation{attribute("verification"), knownvalue.MapSizeExact(2)}),
		}},
	})
}

func TestVerifyThatIsNotKnownInThePlan(t *testing.T) {
	t.Parallel()
	f, address := newFake(t), addressOf(contract.DatabasePipeline)
	config := func(verify string) string {
		return "resource \"terraform_data\" \"verify\" {\n  input = " + verify + "\n}\n" +
			hclOf(contract.DatabasePipeline, `service_name = "app"`, `verify = terraform_data.verify.output`)
	}
	step := func(verify string, action plancheck.ResourceActionType, steps int, operations ...string) resource.TestStep {
		return resource.TestStep{
			PreConfig: f.expect(operations...), Config: config(verify),
			ConfigPlanChecks:  plannedAt(address, action, expectation{attribute("steps"), nil}),
			ConfigStateChecks: []statecheck.StateCheck{statecheck.ExpectKnownValue(address, attribute("steps"), knownvalue.ListSizeExact(steps))},
		}
	}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: f.factories(),
		Steps: []resource.TestStep{
			step("false", plancheck.ResourceActionCreate, 2, "create database/app"),
			step("true", plancheck.ResourceActionUpdate, 3, "delete database/app"), // no setup
		},
	})
}

func TestEndpointsAreUnknownWhileTheNameIs(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.expect("create tracing/app", "delete tracing/app")()
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: f.factories(),
		Steps: []resource.TestStep{{
			Config: "resource \"terraform_data\" \"name\" {\n  input = \"app\"\n}\n" +
				hclOf(contract.TracingPipeline, `service_name = terraform_data.name.output`),
			ConfigPlanChecks: plannedAt(addressOf(contract.TracingPipeline), plancheck.ResourceActionCreate,
				expectation{attribute("steps"), knownvalue.ListSizeExact(3)}, expectation{attribute("endpoints"), nil},
				expectation{attribute("containers"), nil}, expectation{attribute("datasource_uid"), nil}),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(addressOf(contract.TracingPipeline), attribute("datasource_uid"), text("orch-jaeger")),
			},
		}},
	})
}
