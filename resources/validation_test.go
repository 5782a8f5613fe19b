package resources_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// unknown stands for a value that Terraform does not know yet.
type unknown struct{}

// configured is a value of that type: maps become objects with nulls for what is absent.
func configured(t *testing.T, typ tftypes.Type, value any) tftypes.Value {
	t.Helper()
	if _, ok := value.(unknown); ok {
		return tftypes.NewValue(typ, tftypes.UnknownValue)
	}
	values, isMap := value.(map[string]any)
	object, isObject := typ.(tftypes.Object)
	switch {
	case isObject && isMap:
		out := map[string]tftypes.Value{}
		for name, attribute := range object.AttributeTypes {
			out[name] = configured(t, attribute, values[name])
		}
		for name := range values {
			if _, ok := object.AttributeTypes[name]; !ok {
				t.Fatalf("no attribute %q", name)
			}
		}
		return tftypes.NewValue(typ, out)
	case isMap:
		out := map[string]tftypes.Value{}
		for name, v := range values {
			out[name] = tftypes.NewValue(tftypes.String, v)
		}
		return tftypes.NewValue(typ, out)
	default:
		return tftypes.NewValue(typ, value)
	}
}

// validate is what `terraform validate` is told of a configuration: attribute path and text, one line a diagnostic.
func validate(t *testing.T, config map[string]any) []string {
	t.Helper()
	server, err := newFake(t).factories()["orch"]()
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	schemas, err := server.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	typ := schemas.ResourceSchemas["orch_logs_pipeline"].ValueType()
	value, err := tfprotov6.NewDynamicValue(typ, configured(t, typ, config))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := server.ValidateResourceConfig(ctx, &tfprotov6.ValidateResourceConfigRequest{
		TypeName: "orch_logs_pipeline", Config: &value,
		ClientCapabilities: &tfprotov6.ValidateResourceConfigClientCapabilities{WriteOnlyAttributesAllowed: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, d := range resp.Diagnostics {
		path := strings.NewReplacer(`AttributeName("`, "", `")`, "").Replace(d.Attribute.String())
		found = append(found, fmt.Sprintf("%s: %s: %s", path, d.Summary, d.Detail))
	}
	return found
}

func TestBadValuesAreReportedOnTheirAttribute(t *testing.T) {
	t.Parallel()
	type object = map[string]any
	with := func(name string, value any) object { return object{"service_name": "app", name: value} }
	for reason, test := range map[string]struct {
		config object
		path   string
		says   string
	}{
		"empty name":              {object{"service_name": ""}, "service_name", "1 to 63 lower-case letters"},
		"upper-case name":         {object{"service_name": "App"}, "service_name", `"App" is not valid`},
		"name of 64 characters":   {object{"service_name": strings.Repeat("a", 64)}, "service_name", "is not valid"},
		"name with a slash":       {object{"service_name": "a/b"}, "service_name", "is not valid"},
		"name ending in a hyphen": {object{"service_name": "app-"}, "service_name", "ending with a letter or digit"},
		"port 0":                  {with("loki", object{"port": 0}), "loki", "Port 0 is not between 1 and 65535"},
		"port 70000":              {with("grafana", object{"port": 70000}), "grafana", "Port 70000 is not between 1 and 65535"},
		"negative port":           {with("collector", object{"grpc_port": -1}), "collector", "Port -1"},
		"same port twice":         {with("collector", object{"grpc_port": 4400, "http_port": 4400}), "collector", "already used by collector.grpc_port"},
		"default port of another": {with("grafana", object{"port": 3100}), "grafana", "already used by loki.port"},
		"memory below Docker's":   {with("loki", object{"memory_mb": 1}), "loki", "less than"},
		"negative cpus":           {with("loki", object{"cpus": -0.5}), "loki", "CPUs"},
		"empty image":             {with("loki", object{"image": ""}), "loki", "not an image reference"},
		"image with a space":      {with("loki", object{"image": "lo ki"}), "loki", "not an image reference"},
		"host name to bind to":    {with("bind_address", "localhost"), "bind_address", "not an IP address"},
		"unknown pull policy":     {with("pull_policy", "sometimes"), "pull_policy", "missing, always, never"},
		"label of orch's own":     {with("labels", object{"io.orch.kind": "x"}), "labels", "orch's own"},
		"retention in words":      {with("loki", object{"retention": "a week"}), "loki", "not a duration"},
		"retention below Loki's":  {with("loki", object{"retention": "12h"}), "loki", "less than 24h"},
		"unknown on_failure":      {with("on_failure", "panic"), "on_failure", "rollback"},
		"unknown on_interrupt":    {with("on_interrupt", "ignore"), "on_interrupt", "detach"},
		"timeout in words":        {with("timeouts", object{"create": "soon"}), "timeouts.create", "time units"},
		"short password": {
			with("grafana", object{"admin_password_wo": "admin", "admin_password_wo_version": 1}), "grafana.admin_password_wo", "at least 8",
		},
		"password without version": {with("grafana", object{"admin_password_wo": "correct-horse"}), "grafana.admin_password_wo", "admin_password_wo_version"},
		"version without password": {with("grafana", object{"admin_password_wo_version": 1}), "grafana.admin_password_wo_version", "admin_password_wo"},
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			found := validate(t, test.config)
			if len(found) != 1 || !strings.HasPrefix(found[0], test.path+": ") || !strings.Contains(found[0], test.says) {
				t.Errorf("got %q, want one diagnostic on %s that says %q", found, test.path, test.says)
			}
		})
	}
}

func TestUnknownValuesAreNotJudged(t *testing.T) {
	t.Parallel()
	type object = map[string]any
	for reason, config := range map[string]object{
		"everything absent":           {"service_name": "app"},
		"name unknown":                {"service_name": unknown{}},
		"block unknown":               {"service_name": "app", "loki": unknown{}},
		"port unknown, default taken": {"service_name": "app", "loki": object{"port": unknown{}}, "grafana": object{"port": 3100}},
		"password unknown":            {"service_name": "app", "grafana": object{"admin_password_wo": unknown{}, "admin_password_wo_version": 1}},
		"retention in days":           {"service_name": "app", "loki": object{"retention": "7d"}},
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			if found := validate(t, config); len(found) > 0 {
				t.Errorf("got %q", found)
			}
		})
	}
}

func TestValueThatBecomesKnownInThePlanIsJudgedThere(t *testing.T) {
	t.Parallel()
	c := newCLI(t, newFake(t))
	c.write("variable \"port\" {\n  default = 70000\n}\n" + hcl(`service_name = "app"`, `loki = {`, `  port = var.port`, `}`))
	c.want(1, []string{"plan", "-no-color"}, []string{"Invalid loki.port", "Port 70000 is not between 1 and 65535", "port = var.port"})
}
