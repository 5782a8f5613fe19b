package resources

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/terraform"
)

// Transport between HCL and the catalog. A model, its schema and its input in the catalog have the same names: an attribute's name
// is the name of the input's JSON member. So one piece of code reads any model into any input and back, and a kind needs none of its
// own; a test names what a schema has and its input lacks, and the reverse. Write-only values are no part of an input: they travel
// as secrets.

// local is implemented by models whose input has something that the provider reads where it runs.
type local[In any] interface {
	complete(in *In, diags *diag.Diagnostics)
	took(in In)
}

// toInput reads m into an input. All that was written is known by then; what is unknown is computed and left out.
func toInput[In any](ctx context.Context, m any, diags *diag.Diagnostics) In {
	var in In
	plain := map[string]any{}
	for name, field := range fieldsOf[In](m) {
		value, ok := field.Interface().(attr.Value)
		if !ok || value.IsNull() || value.IsUnknown() {
			continue
		}
		raw, err := value.ToTerraformValue(ctx)
		if err == nil {
			plain[name], err = terraform.Plain(raw)
		}
		if err != nil {
			diags.AddAttributeError(path.Root(name), "The input cannot be read", Detail(err))
			return in
		}
		if list, ok := plain[name].([]any); ok && raw.Type().Is(tftypes.Set{}) {
			// The order of a set says nothing and must change nothing.
			slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		}
	}
	data, err := json.Marshal(plain)
	if err == nil {
		err = json.Unmarshal(data, &in)
	}
	if err != nil {
		diags.AddError("The input cannot be read", Detail(err))
	}
	if l, ok := m.(local[In]); ok {
		l.complete(&in, diags)
	}
	return in
}

// fromInput stores an input in m, for import.
func fromInput[In any](ctx context.Context, m any, in In, diags *diag.Diagnostics) {
	data, err := json.Marshal(in)
	var decoded any
	if err == nil {
		decoded, err = terraform.Decode(data)
	}
	plain, ok := decoded.(map[string]any)
	if err == nil && !ok {
		err = fmt.Errorf("it is not an object")
	}
	if err != nil {
		diags.AddError("The input cannot be shown", Detail(err))
		return
	}
	for name, field := range fieldsOf[In](m) {
		value, ok := field.Interface().(attr.Value)
		if !ok {
			continue
		}
		kind := value.Type(ctx)
		raw, err := terraform.Typed(kind.TerraformType(ctx), plain[name])
		var made attr.Value
		if err == nil {
			made, err = kind.ValueFromTerraform(ctx, raw)
		}
		if err != nil {
			diags.AddAttributeError(path.Root(name), "The input cannot be shown", Detail(err))
			continue
		}
		field.Set(reflect.ValueOf(made))
	}
	if l, ok := m.(local[In]); ok {
		l.took(in)
	}
}

// fieldsOf returns the fields of a model that an input has too, by name.
func fieldsOf[In any](m any) map[string]reflect.Value {
	names, fields := map[string]bool{}, map[string]reflect.Value{}
	eachField(reflect.New(reflect.TypeFor[In]()).Elem(), "json", func(name string, _ reflect.Value) { names[name] = true })
	eachField(reflect.ValueOf(m).Elem(), "tfsdk", func(name string, field reflect.Value) {
		if names[name] {
			fields[name] = field
		}
	})
	return fields
}

// eachField visits the fields of a struct, those of embedded ones included, by the name in their tag.
func eachField(of reflect.Value, tag string, visit func(name string, field reflect.Value)) {
	for i := range of.NumField() {
		field := of.Type().Field(i)
		name, _, _ := strings.Cut(field.Tag.Get(tag), ",")
		switch {
		case name != "" && name != "-":
			visit(name, of.Field(i))
		case field.Anonymous && field.Type.Kind() == reflect.Struct:
			eachField(of.Field(i), tag, visit)
		}
	}
}

// textOf is a text of a block, write-only values included; null where there is none.
func textOf(block types.Object, name string) types.String {
	value, _ := block.Attributes()[name].(types.String)
	return value
}

// truthOf is a boolean of a block; null where there is none.
func truthOf(block types.Object, name string) types.Bool {
	value, _ := block.Attributes()[name].(types.Bool)
	return value
}
