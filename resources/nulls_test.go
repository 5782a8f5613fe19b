package resources_test

import (
	"context"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

func TestBadValuesOfWorkflowsAndIngestsAreReportedOnTheirAttribute(t *testing.T) {
	t.Parallel()
	type object = map[string]any
	type list = []any
	workflow := contract.Kind{Name: "workflow"}
	with := func(name string, value any) object {
		return object{"workflow_id": "w", "setup": object{"workflow": "W", "task_queue": "q"}, name: value}
	}
	retry := func(value object) object {
		return with("setup", object{"workflow": "W", "task_queue": "q", "retry": value})
	}
	for reason, test := range map[string]struct {
		kind   contract.Kind
		config object
		path   string
		says   string
	}{
		"trigger without a value":   {workflow, with("triggers", object{"sha": nil}), "triggers", "null"},
		"shrinking interval":        {workflow, retry(object{"backoff_coefficient": 0.5}), "setup.retry.backoff_coefficient", "at least 1"},
		"no attempt":                {workflow, retry(object{"maximum_attempts": 0}), "setup.retry.maximum_attempts", "between 1 and"},
		"more attempts than counts": {workflow, retry(object{"maximum_attempts": 1 << 40}), "setup.retry.maximum_attempts", "between 1 and"},
		"error type without a name": {workflow, retry(object{"non_retryable_error_types": list{nil}}), "setup.retry.non_retryable_error_types", "null"},
		"wait of nothing":           {workflow, with("setup", object{"workflow": "W", "task_queue": "q", "timeouts": object{"wait": "0s"}}), "setup.timeouts.wait", "above zero"},
		"pattern that is none":      {workflow, with("failure_pattern", "("), "failure_pattern", "missing closing"},

		"file without a name":      {contract.StdoutIngest, object{"service_name": "app", "files": object{"include": list{"/var/log/a.log", nil}}}, "files.include", "null"},
		"container without a name": {contract.StdoutIngest, object{"service_name": "app", "containers": object{"names": list{nil}}}, "containers.names", "null"},
		"label without a value":    {contract.LogsPipeline, object{"service_name": "app", "labels": object{"team": nil}}, "labels", "null"},
		"log path without a name":  {contract.ContainerLogsIngest, object{"service_name": "app", "log_paths": list{nil}}, "log_paths", "null"},
		"variable without a value": {contract.RenderDeployment, object{"image": "i:1", "env": object{"A": nil}}, "env", "null"},
		"version of secrets alone": {contract.FlyioDeployment, object{"image": "i:1", "secrets_wo_version": 1}, "secrets_wo_version", `"secrets_wo" must be specified`},
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			found := validateOf(t, test.kind, test.config)
			if len(found) != 1 || !strings.HasPrefix(found[0], test.path+": ") || !strings.Contains(strings.ToLower(found[0]), test.says) {
				t.Errorf("got %q, want one diagnostic on %s that says %q", found, test.path, test.says)
			}
		})
	}
}

// Expressions with a condition easily yield a null within a list or map. Each attribute says so itself, and the framework's
// error, which calls it a defect of the provider, does not appear.
func TestNullAmongElementsIsRefusedEverywhere(t *testing.T) {
	t.Parallel()
	server, err := newFake(t).factories()["orch"]()
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	schemas, err := server.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for name, schema := range schemas.ResourceSchemas {
		typ := schema.ValueType()
		for _, at := range collections(schema.Block.Attributes) {
			value, err := tfprotov6.NewDynamicValue(typ, holdingNull(t, typ, at))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := server.ValidateResourceConfig(ctx, &tfprotov6.ValidateResourceConfigRequest{
				TypeName: name, Config: &value, ClientCapabilities: &tfprotov6.ValidateResourceConfigClientCapabilities{WriteOnlyAttributesAllowed: true},
			})
			if err != nil {
				t.Fatal(err)
			}
			told := false
			for _, d := range resp.Diagnostics {
				told = told || strings.Contains(d.Detail, "contains a null value")
				if strings.Contains(d.Detail, "always an error in the provider") {
					t.Errorf("%s: a null in %s is called the provider's fault", name, strings.Join(at, "."))
				}
			}
			if !told {
				t.Errorf("%s: a null in %s is not refused: %v", name, strings.Join(at, "."), resp.Diagnostics)
			}
		}
	}
}

// collections are the lists, sets and maps that a configuration can set, but for those within others.
func collections(attributes []*tfprotov6.SchemaAttribute) (found [][]string) {
	for _, a := range attributes {
		_, isObject := a.ValueType().(tftypes.Object)
		switch {
		case !a.Optional && !a.Required || a.ValueType().Is(tftypes.DynamicPseudoType):
		case isObject && a.NestedType != nil:
			for _, inner := range collections(a.NestedType.Attributes) {
				found = append(found, append([]string{a.Name}, inner...))
			}
		case a.ValueType().Is(tftypes.List{}), a.ValueType().Is(tftypes.Set{}), a.ValueType().Is(tftypes.Map{}):
			found = append(found, []string{a.Name})
		}
	}
	return found
}

// holdingNull is a value of that type in which all is null but the collection at that place, which has a null in it.
func holdingNull(t *testing.T, typ tftypes.Type, at []string) tftypes.Value {
	t.Helper()
	switch typ := typ.(type) {
	case tftypes.List:
		return tftypes.NewValue(typ, []tftypes.Value{tftypes.NewValue(typ.ElementType, nil)})
	case tftypes.Set:
		return tftypes.NewValue(typ, []tftypes.Value{tftypes.NewValue(typ.ElementType, nil)})
	case tftypes.Map:
		return tftypes.NewValue(typ, map[string]tftypes.Value{"a": tftypes.NewValue(typ.ElementType, nil)})
	case tftypes.Object:
		values := map[string]tftypes.Value{}
		for name, attribute := range typ.AttributeTypes {
			values[name] = tftypes.NewValue(attribute, nil)
		}
		values[at[0]] = holdingNull(t, typ.AttributeTypes[at[0]], at[1:])
		return tftypes.NewValue(typ, values)
	default:
		t.Fatalf("%s is no collection", typ)
		return tftypes.Value{}
	}
}
