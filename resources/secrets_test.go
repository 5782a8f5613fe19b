package resources_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

func TestPasswordIsNowhereOnDisk(t *testing.T) {
	t.Parallel()
	const password = "correct-horse-battery"
	f := newFake(t)
	c := newCLI(t, f)
	apply := func(version string) {
		t.Helper()
		c.write("variable \"password\" {\n  ephemeral = true\n}\n" +
			hcl(`service_name = "app"`, `delete_volumes = true`, `grafana = {`, `  admin_password_wo = var.password`, `  admin_password_wo_version = `+version, `}`))
		c.env = append(c.env, "TF_VAR_password="+password+version)
		c.want(0, []string{"plan", "-no-color", "-out=plan.bin"}, nil)
		if shown, _ := c.run("show", "-json", "plan.bin"); strings.Contains(shown, password) {
			t.Error("the password stands in the plan")
		}
		c.want(0, []string{"apply", "-no-color", "plan.bin"}, nil)
		if got := f.secrets["grafana/admin_password"]; got != password+version {
			t.Errorf("the worker received %q", got)
		}
		c.planEmpty()
	}
	f.expect("create app")()
	apply("1")
	f.expect("update app")()
	apply("2")

	f.change("app", "loki", stop)
	f.expect("update app")()
	f.answer(portTaken(false))
	c.applyFails()
	if strings.Contains(c.state(), password) {
		t.Error("the password stands in the state")
	}
	f.expect("delete app")()
	c.destroy()
}

func TestSecretsOfDatabasesAreNowhereOnDisk(t *testing.T) {
	t.Parallel()
	const password, key = "correct-horse-battery", "staple-of-a-key"
	f := newFake(t)
	c := newCLI(t, f)
	config := func(version string) string {
		return "variable \"password\" {\n  ephemeral = true\n}\nvariable \"key\" {\n  ephemeral = true\n}\n" +
			hclOf(contract.DatabasePipeline, `service_name = "app"`, `neo4j = {`, `  password_wo = var.password`, `  password_wo_version = `+version, `}`,
				`qdrant = {`, `  api_key_wo = var.key`, `  api_key_wo_version = `+version, `}`)
	}
	c.env = append(c.env, "TF_VAR_password="+password, "TF_VAR_key="+key)
	for version, operation := range []string{"create", "update"} {
		c.write(config(strconv.Itoa(version)))
		f.expect(operation + " database/app")()
		c.want(0, []string{"plan", "-no-color", "-out=plan.bin"}, nil)
		shown, _ := c.run("show", "-json", "plan.bin")
		c.want(0, []string{"apply", "-no-color", "plan.bin"}, nil)
		if f.secrets["neo4j/password"] != password || f.secrets["qdrant/api_key"] != key || len(f.secrets) != 2 {
			t.Errorf("the worker received %q", f.secrets)
		}
		for _, secret := range []string{password, key} {
			if strings.Contains(shown, secret) || strings.Contains(c.state(), secret) {
				t.Errorf("%q stands in plan or state", secret)
			}
		}
		c.planEmpty()
	}
	f.expect("delete database/app")()
	c.destroy()
}
