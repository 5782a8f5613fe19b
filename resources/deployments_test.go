package resources_test

import (
	"context"
	"maps"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// planOf is what is planned for a resource of that kind: prior is its state, and change what the configuration says otherwise.
// The first result is the planned attributes, the second those that the resource is replaced for.
func planOf(t *testing.T, kind contract.Kind, prior, change map[string]any) (planned map[string]tftypes.Value, replaced []string) {
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
	encode := func(typ tftypes.Type, values map[string]any) *tfprotov6.DynamicValue {
		t.Helper()
		value, err := tfprotov6.NewDynamicValue(typ, configured(t, typ, values))
		if err != nil {
			t.Fatal(err)
		}
		return &value
	}
	if _, err := server.ConfigureProvider(ctx, &tfprotov6.ConfigureProviderRequest{Config: encode(schemas.Provider.ValueType(), map[string]any{})}); err != nil {
		t.Fatal(err)
	}
	typ, config := schemas.ResourceSchemas["orch_"+kind.Name].ValueType(), maps.Clone(prior)
	for _, computed := range []string{"id", "status"} {
		delete(config, computed)
	}
	maps.Copy(config, change)
	proposed := maps.Clone(prior)
	maps.Copy(proposed, change)
	resp, err := server.PlanResourceChange(ctx, &tfprotov6.PlanResourceChangeRequest{
		TypeName: "orch_" + kind.Name, PriorState: encode(typ, prior), Config: encode(typ, config), ProposedNewState: encode(typ, proposed),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range resp.Diagnostics {
		t.Errorf("%s: %s", d.Summary, d.Detail)
	}
	value, err := resp.PlannedState.Unmarshal(typ)
	if err != nil {
		t.Fatal(err)
	}
	if err := value.As(&planned); err != nil {
		t.Fatal(err)
	}
	for _, path := range resp.RequiresReplace {
		replaced = append(replaced, strings.NewReplacer(`AttributeName("`, "", `")`, "").Replace(path.String()))
	}
	return planned, replaced
}

// A person who writes out where something runs must not lose it.
func TestDefaultThatIsWrittenOutReplacesNothing(t *testing.T) {
	t.Parallel()
	type object = map[string]any
	flyio := object{"app_name": "app", "id": "orch/orch/flyio/app", "status": "ready", "image": "i:1"}
	render := object{"service_name": "app", "id": "orch/orch/render/app", "status": "ready", "image": "docker.io/library/i:1"}
	railway := object{"service_name": "app", "id": "orch/orch/railway/app", "status": "ready", "image": "i:1"}
	with := func(prior, more object) object {
		prior = maps.Clone(prior)
		maps.Copy(prior, more)
		return prior
	}
	for reason, test := range map[string]struct {
		kind          contract.Kind
		prior, change object
		replaced      string
	}{
		"organization written out":     {contract.FlyioDeployment, flyio, object{"org": "personal"}, ""},
		"organization left out again":  {contract.FlyioDeployment, with(flyio, object{"org": "personal"}), object{"org": nil}, ""},
		"another organization":         {contract.FlyioDeployment, flyio, object{"org": "acme"}, "org"},
		"organization not known yet":   {contract.FlyioDeployment, flyio, object{"org": unknown{}}, "org"},
		"back from another":            {contract.FlyioDeployment, with(flyio, object{"org": "acme"}), object{"org": nil}, "org"},
		"region of Render written out": {contract.RenderDeployment, render, object{"region": "oregon"}, ""},
		"project of the same name":     {contract.RailwayDeployment, railway, object{"project": "app"}, ""},
		"another project":              {contract.RailwayDeployment, railway, object{"project": "shop"}, "project"},
		"back to the own project":      {contract.RailwayDeployment, with(railway, object{"project": "shop"}), object{"project": nil}, "project"},
		"environment written out":      {contract.RailwayDeployment, railway, object{"environment": "production"}, ""},
		"another environment":          {contract.RailwayDeployment, railway, object{"environment": "staging"}, "environment"},
		"another region of Render":     {contract.RenderDeployment, render, object{"region": "frankfurt"}, "region"},
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			if _, replaced := planOf(t, test.kind, test.prior, test.change); strings.Join(replaced, ", ") != test.replaced {
				t.Errorf("replaced for %q, want %q", replaced, test.replaced)
			}
		})
	}
}

func TestURLIsKnownWhateverElseIsNot(t *testing.T) {
	t.Parallel()
	prior := map[string]any{"app_name": "app", "id": "orch/orch/flyio/app", "status": "ready", "image": "i:1", "url": "https://app.fly.dev"}
	planned, _ := planOf(t, contract.FlyioDeployment, prior, map[string]any{"image": unknown{}})
	if want := tftypes.NewValue(tftypes.String, "https://app.fly.dev"); !planned["url"].Equal(want) || planned["config"].IsKnown() {
		t.Errorf("url is planned as %v, and config as %v", planned["url"], planned["config"])
	}
	planned, _ = planOf(t, contract.FlyioDeployment, prior, map[string]any{"public_url": unknown{}})
	if planned["url"].IsKnown() {
		t.Errorf("url is planned as %v, and may be another", planned["url"])
	}
}
