package resources_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

func TestServicesLiveFromCreateToDestroy(t *testing.T) {
	t.Parallel()
	for _, l := range []struct {
		kind      contract.Kind
		component string
		steps     []string
		endpoints map[string]string
	}{
		{contract.ContainerService, catalog.ServiceName, []string{"start_service"}, map[string]string{
			"http": "http://127.0.0.1:21210", "http_internal": "http://service.app.container:80",
		}},
		{contract.ChatService, catalog.ChatName, []string{"start_neo4j", "start_chat"}, map[string]string{
			"http": "http://127.0.0.1:21210", "http_internal": "http://chat.app.chat:80", "neo4j_http": "http://127.0.0.1:7474",
			"neo4j_bolt": "bolt://127.0.0.1:7687", "neo4j_bolt_internal": "bolt://neo4j.app.chat:7687",
		}},
	} {
		t.Run(l.kind.Name, func(t *testing.T) {
			t.Parallel()
			f, address, service := newFake(t), addressOf(l.kind), l.kind.Short+"/app"
			steps, endpoints := []knownvalue.Check{}, map[string]knownvalue.Check{}
			for _, step := range l.steps {
				steps = append(steps, text(step))
			}
			for name, url := range l.endpoints {
				endpoints[name] = text(url)
			}
			config := func(image string) string {
				return hclOf(l.kind, `service_name = "app"`, `image = "`+image+`"`, `ports = { http = { container = 80, host = 21210 } }`)
			}
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: f.factories(),
				Steps: []resource.TestStep{{
					PreConfig: f.expect("create " + service), Config: config("i:1"),
					ConfigPlanChecks: plannedAt(address, plancheck.ResourceActionCreate,
						expectation{attribute("id"), text("orch/orch/" + l.kind.Short + "/app")}, expectation{attribute("steps"), knownvalue.ListExact(steps)},
						expectation{attribute("endpoints"), knownvalue.MapExact(endpoints)}, expectation{attribute("verification"), knownvalue.Null()},
						expectation{attribute("context_hash"), knownvalue.Null()}, expectation{containerAt(l.component, "image"), text("i:1")}),
					ConfigStateChecks: []statecheck.StateCheck{statecheck.ExpectKnownValue(address, attribute("message"), text(messageOf(l.kind)))},
				}, importedAt(address), {
					PreConfig: f.expect("update "+service, "delete "+service), Config: config("i:2"),
					ConfigPlanChecks: plannedAt(address, plancheck.ResourceActionUpdate,
						expectation{containerAt(l.component, "image"), text("i:2")}, expectation{containerAt(l.component, "state"), nil}),
				}, importedAt(address)},
			})
		})
	}
}

// The database holds the conversations: nothing that is changed of the application may touch it.
func TestChangeOfTheApplicationLeavesItsNeo4jAlone(t *testing.T) {
	t.Parallel()
	f, address := newFake(t), addressOf(contract.ChatService)
	config := func(env string) string {
		return hclOf(contract.ChatService, `service_name = "app"`, `image = "i:1"`, `env = { A = "`+env+`" }`)
	}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: f.factories(),
		Steps: []resource.TestStep{{
			PreConfig: f.expect("create chat/app"), Config: config("1"),
		}, {
			PreConfig: f.expect("update chat/app", "delete chat/app"), Config: config("2"),
			ConfigPlanChecks: plannedAt(address, plancheck.ResourceActionUpdate,
				expectation{containerAt("neo4j", "state"), text("running")}, expectation{containerAt("chat", "state"), nil}),
		}},
	})
}

// folder is a build context.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		put(t, filepath.Join(dir, name), content)
	}
	return dir
}

func put(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func built(dir string, more ...string) string {
	return hclOf(contract.ContainerService, append(more, `service_name = "app"`, fmt.Sprintf("build = { context = %q }", dir))...)
}

func TestChangedContextIsUnknownInThePlanAndTheWarningNamesTheFiles(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c, dir := newCLI(t, f), folder(t, map[string]string{"Dockerfile": "FROM scratch\n", "main.go": "package main", "old.txt": "old", ".dockerignore": "*.log\n"})
	c.write(built(dir))
	f.expect("create container/app")()
	out := c.apply("+ context_hash = (known after apply)")
	if strings.Contains(out, "Warning:") {
		t.Errorf("a create warns: %s", out)
	}
	if got := f.request.Input; !strings.Contains(string(got), dir) || !strings.Contains(string(got), `"hash":"`) {
		t.Errorf("the worker is told %s", got)
	}
	c.planEmpty()

	put(t, filepath.Join(dir, "debug.log"), "not part of it")
	c.planEmpty()

	put(t, filepath.Join(dir, "main.go"), "package other")
	put(t, filepath.Join(dir, "api/new.go"), "package api")
	if err := os.Remove(filepath.Join(dir, "old.txt")); err != nil {
		t.Fatal(err)
	}
	const changed = "Since the image was built: changed main.go; added api/, api/new.go; removed old.txt."
	c.planChanges(`The build context of container_service "app" has changed`, changed, "-> (known after apply)", "context_hash")
	f.expect("update container/app")()
	c.apply(changed)
	if out := c.planEmpty(); strings.Contains(out, "Warning:") {
		t.Errorf("an empty plan warns: %s", out)
	}

	// Another setting is changed: the image is not built anew, and the plan can say so.
	c.write(built(dir, `env = { A = "b" }`))
	if out := c.planChanges("env"); strings.Contains(out, "context_hash = ") || strings.Contains(out, "Warning:") {
		t.Errorf("nothing of the context has changed: %s", out)
	}
	f.expect("update container/app")()
	c.apply()
	c.planEmpty()

	// After an import it is not known from which files the image was built, but whether they are the same.
	c.want(0, []string{"state", "rm", "orch_container_service.app"}, nil)
	c.want(0, []string{"import", "-no-color", "orch_container_service.app", "app"}, nil)
	c.planEmpty()
	put(t, filepath.Join(dir, "main.go"), "package third")
	c.planChanges("Which files have changed is not known, because the service was imported")

	// With an image nothing is built.
	c.write(hclOf(contract.ContainerService, `service_name = "app"`, `image = "i:1"`))
	f.expect("update container/app")()
	c.apply(`context_hash = "`, "-> null")
	c.planEmpty()
	f.expect("delete container/app")()
	c.destroy()
}

// A failed update has built nothing that is in use, so the next plan must still know what is.
func TestFailedUpdateLeavesTheContextOfWhatRuns(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c, dir := newCLI(t, f), folder(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	c.write(built(dir))
	f.expect("create container/app")()
	c.apply()
	put(t, filepath.Join(dir, "Dockerfile"), "FROM nothing\n")
	f.expect("update container/app")()
	f.answer(portTaken(true))
	c.applyFails("changed Dockerfile")
	c.planChanges("changed Dockerfile")
	put(t, filepath.Join(dir, "Dockerfile"), "FROM scratch\n")
	c.planEmpty()
	f.expect("delete container/app")()
	c.destroy()
}

func TestContextThatCannotBeBuiltFromIsRefusedByThePlan(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	for reason, test := range map[string]struct{ build, says string }{
		"no folder":     {`context = "` + filepath.Join(dir, "none") + `"`, "does not exist"},
		"no Dockerfile": {`context = "` + t.TempDir() + `"`, "There is no Dockerfile at"},
		"another name":  {`context = "` + dir + `", dockerfile = "deploy/Dockerfile"`, "deploy/Dockerfile"},
		"a link out":    {`context = "` + dir + `"`, "out"},
		"a web page":    {`context = "https://example.com/app"`, "not of a Git repository"},
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			c := newCLI(t, newFake(t))
			c.write(hclOf(contract.ContainerService, `service_name = "app"`, `build = { `+test.build+` }`))
			c.want(1, []string{"plan", "-no-color"}, []string{"Invalid build.", test.says, "build = {"})
		})
	}
}

func TestBuildOfWhatIsNotKnownYet(t *testing.T) {
	t.Parallel()
	f, dir := newFake(t), folder(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	address := addressOf(contract.ContainerService)
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: f.factories(),
		Steps: []resource.TestStep{{
			PreConfig: f.expect("create container/app", "delete container/app"),
			Config: fmt.Sprintf("resource \"terraform_data\" \"later\" {\n  input = %q\n}\n", dir) +
				hclOf(contract.ContainerService, `service_name = "app"`, `build = { context = terraform_data.later.output, args = { DIR = terraform_data.later.output } }`,
					`env = { LATER = terraform_data.later.output }`, `ports = { http = { container = 80 } }`, `health = { http = { port = "http", path = terraform_data.later.output } }`),
			ConfigPlanChecks: plannedAt(address, plancheck.ResourceActionCreate, expectation{attribute("context_hash"), nil}, expectation{attribute("containers"), nil}),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(address, attribute("context_hash"), knownvalue.NotNull()),
			},
		}},
	})
}

func TestGapOfAnUpdateIsPrinted(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c := newCLI(t, f)
	config := func(image string) string {
		return hclOf(contract.ContainerService, `service_name = "app"`, `image = "`+image+`"`, `ports = { http = { container = 80, host = 21210 } }`)
	}
	c.write(config("i:1"))
	f.expect("create container/app")()
	c.apply()
	c.write(config("i:2"))
	f.expect("update container/app")()
	f.set(func() { f.after = func(r *contract.Result) { r.Components[0].GapMS = 1234 } })
	c.apply(`container_service "app" did not answer for 1.2 s`, "a fixed host port cannot be taken over without a gap")
	c.planEmpty()
	f.expect("delete container/app")()
	c.destroy()
}

func TestSecretsOfServicesAreNowhereOnDisk(t *testing.T) {
	t.Parallel()
	const value, password, token = "correct-horse-battery", "staple-of-a-password", "token-of-cloudflare"
	f := newFake(t)
	c := newCLI(t, f)
	c.env = append(c.env, "TF_VAR_value="+value, "TF_VAR_password="+password, "TF_VAR_token="+token)
	for version, operation := range []string{"create", "update"} {
		c.write(fmt.Sprintf("variable \"value\" {\n  ephemeral = true\n}\nvariable \"password\" {\n  ephemeral = true\n}\nvariable \"token\" {\n  ephemeral = true\n}\n"+
			"resource \"orch_chat_service\" \"app\" {\n  service_name = \"app\"\n  image = \"i:1\"\n"+
			"  secrets = { key = { value_wo = var.value, value_wo_version = %[1]d } }\n  neo4j = {\n    password_wo = var.password\n    password_wo_version = %[1]d\n  }\n"+
			"  cloudflare = {\n    token_wo = var.token\n    token_wo_version = %[1]d\n  }\n}\n", version))
		c.want(0, []string{"plan", "-no-color", "-out=plan.bin"}, nil)
		shown, _ := c.run("show", "-json", "plan.bin")
		f.expect(operation + " chat/app")()
		c.want(0, []string{"apply", "-no-color", "plan.bin"}, nil)
		want := map[string]string{"chat/key": value, "neo4j/password": password, contract.CloudflareToken: token}
		if fmt.Sprint(f.secrets) != fmt.Sprint(want) {
			t.Errorf("the worker received %v, want %v", f.secrets, want)
		}
		for _, secret := range want {
			if strings.Contains(shown, secret) || strings.Contains(c.state(), secret) || strings.Contains(string(f.request.Input), secret) {
				t.Errorf("%s stands in plan, state or input", secret)
			}
		}
		c.planEmpty()
	}
	f.expect("delete chat/app")()
	c.destroy()
}

func TestUnknownValuesOfServicesAreNotJudged(t *testing.T) {
	t.Parallel()
	type object = map[string]any
	for reason, config := range map[string]object{
		"image":             {"image": unknown{}},
		"build":             {"build": unknown{}},
		"context":           {"build": object{"context": unknown{}}},
		"environment":       {"image": "i:1", "env": unknown{}},
		"one variable":      {"image": "i:1", "env": object{"A": tftypes.UnknownValue}},
		"secret's value":    {"image": "i:1", "secrets": nestedMap{"a": object{"value_wo": unknown{}, "value_wo_version": 1}}},
		"service's id":      {"image": "i:1", "secrets": nestedMap{"a": object{"service": object{"id": unknown{}, "component": "c", "name": "n"}}}},
		"ports":             {"image": "i:1", "ports": unknown{}, "health": object{"http": object{"port": "http"}}},
		"port":              {"image": "i:1", "ports": nestedMap{"http": object{"container": unknown{}}}},
		"path of health":    {"image": "i:1", "ports": nestedMap{"http": object{"container": 80}}, "health": object{"http": object{"port": "http", "path": unknown{}}}},
		"networks":          {"image": "i:1", "networks": unknown{}},
		"pipeline's id":     {"image": "i:1", "neo4j": object{"pipeline_id": unknown{}}},
		"Cloudflare":        {"image": "i:1", "cloudflare": unknown{}},
		"Cloudflare's zone": {"image": "i:1", "cloudflare": object{"token": object{"env": "T"}, "zone": unknown{}, "record": "a.example.com"}},
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			config["service_name"] = "app"
			if found := validateOf(t, contract.ChatService, config); len(found) > 0 {
				t.Errorf("got %q", found)
			}
		})
	}
}
