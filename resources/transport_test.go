package resources

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
)

// transported is what toInput reads: the attributes of a resource that are inputs, and the input's type.
func (l *lifecycle[M, In, PM]) transported() ([]string, reflect.Type) {
	return l.inputs, reflect.TypeFor[In]()
}

// withoutAttribute are the fields of inputs that nobody writes in HCL, by the input's type and the JSON name.
var withoutAttribute = map[string]string{
	"BuildInput.hash":                 "the digest of the context that the plan saw",
	"BuildInput.dir":                  "where the context is on this machine",
	"RenderRepository.source_hash":    "the tree of the folder that the plan saw",
	"ContainerLogsIngestInput.config": "computed: the rendered template, so that the worker runs what was reviewed",
	"OTLPIngestInput.config":          "computed: the rendered template, so that the worker runs what was reviewed",
	// One Grafana serves all kinds; each links to the signals that it does not hold itself.
	"GrafanaInput.logs_datasource_uid":   "only kinds whose signal links to logs",
	"GrafanaInput.traces_datasource_uid": "only kinds whose signal links to traces",
	"SecretSource.service":               "a secret of a service on the Docker Engine, which a cloud platform cannot read",
}

// A model, its schema and its input meet by name alone: a misspelt one would silently be left out.
func TestSchemasAndInputsHaveTheSameNames(t *testing.T) {
	for _, construct := range All() {
		r := construct()
		kind, ok := r.(interface {
			transported() ([]string, reflect.Type)
		})
		if !ok {
			require.IsType(t, newWorkflow(), r, "orch_workflow has no input of the catalog")
			continue
		}
		var described resource.SchemaResponse
		r.Schema(t.Context(), resource.SchemaRequest{}, &described)
		inputs, in := kind.transported()
		attributes := map[string]schema.Attribute{}
		for _, name := range inputs {
			attributes[name] = described.Schema.Attributes[name]
		}
		var named resource.MetadataResponse
		r.Metadata(t.Context(), resource.MetadataRequest{ProviderTypeName: "orch"}, &named)
		for _, difference := range differences(named.TypeName, attributes, in) {
			t.Error(difference)
		}
	}
}

func differences(at string, attributes map[string]schema.Attribute, in reflect.Type) []string {
	fields := map[string]reflect.Type{}
	eachField(reflect.New(in).Elem(), "json", func(name string, field reflect.Value) { fields[name] = field.Type() })
	var found []string
	for name, attribute := range attributes {
		field, ok := fields[name]
		if !ok {
			if !attribute.IsWriteOnly() {
				found = append(found, fmt.Sprintf("%s.%s is in the schema and not in catalog.%s", at, name, in.Name()))
			}
			continue
		}
		for field.Kind() == reflect.Pointer || field.Kind() == reflect.Slice || field.Kind() == reflect.Map {
			field = field.Elem()
		}
		if nested := nestedOf(attribute); nested != nil {
			found = append(found, differences(at+"."+name, nested, field)...)
		}
	}
	for name := range fields {
		if _, ok := attributes[name]; !ok && withoutAttribute[in.Name()+"."+name] == "" {
			found = append(found, fmt.Sprintf("catalog.%s has %s, and the schema of %s has not", in.Name(), name, at))
		}
	}
	slices.Sort(found)
	return found
}

func nestedOf(attribute schema.Attribute) map[string]schema.Attribute {
	switch a := attribute.(type) {
	case schema.SingleNestedAttribute:
		return a.Attributes
	case schema.MapNestedAttribute:
		return a.NestedObject.Attributes
	case schema.ListNestedAttribute:
		return a.NestedObject.Attributes
	case schema.SetNestedAttribute:
		return a.NestedObject.Attributes
	default:
		return nil
	}
}

func TestDifferencesOfNamesAreFound(t *testing.T) {
	attributes := map[string]schema.Attribute{
		"image":      schema.StringAttribute{},
		"prot":       schema.Int64Attribute{},
		"secret_wo":  schema.StringAttribute{WriteOnly: true},
		"memory_mb":  schema.Int64Attribute{},
		"cpus":       schema.NumberAttribute{},
		"retention":  schema.StringAttribute{},
		"volume":     schema.StringAttribute{},
		"max_memory": schema.SingleNestedAttribute{},
	}
	found := strings.Join(differences("orch_x.loki", attributes, reflect.TypeFor[catalog.LokiInput]()), "\n")
	require.Contains(t, found, "orch_x.loki.prot is in the schema and not in catalog.LokiInput")
	require.Contains(t, found, "catalog.LokiInput has port, and the schema of orch_x.loki has not")
	require.NotContains(t, found, "secret_wo")
}
