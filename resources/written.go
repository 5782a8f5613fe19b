package resources

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// A block in HCL and its input in the catalog have the same names: those of the schema's attributes and of the input's JSON. So
// no code of a kind's own stands between the two. Write-only values are no part of an input; see writeOnly.

func typed(kind tftypes.Type, plain any) (tftypes.Value, error) {
	if plain == nil {
		return tftypes.NewValue(kind, nil), nil
	}
	var element func(name string) tftypes.Type
	switch k := kind.(type) {
	case tftypes.Object:
		members, err := all(k.AttributeTypes, plain, func(name string) tftypes.Type { return k.AttributeTypes[name] })
		return tftypes.NewValue(kind, members), err
	case tftypes.Map:
		given, _ := plain.(map[string]any)
		members, err := all(given, plain, func(string) tftypes.Type { return k.ElementType })
		return tftypes.NewValue(kind, members), err
	case tftypes.List:
		element = func(string) tftypes.Type { return k.ElementType }
	case tftypes.Set:
		element = func(string) tftypes.Type { return k.ElementType }
	default:
		if number, ok := plain.(json.Number); ok {
			f, _, err := big.ParseFloat(number.String(), 10, 512, big.ToNearestEven)
			return tftypes.NewValue(kind, f), err
		}
		return tftypes.NewValue(kind, plain), nil
	}
	list, ok := plain.([]any)
	if !ok {
		return tftypes.Value{}, fmt.Errorf("%T is no list", plain)
	}
	values := make([]tftypes.Value, len(list))
	for i, each := range list {
		var err error
		if values[i], err = typed(element(""), each); err != nil {
			return tftypes.Value{}, err
		}
	}
	return tftypes.NewValue(kind, values), nil
}

func all[T any](names map[string]T, plain any, kind func(name string) tftypes.Type) (map[string]tftypes.Value, error) {
	given, _ := plain.(map[string]any)
	values := make(map[string]tftypes.Value, len(names))
	for name := range names {
		value, err := typed(kind(name), given[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		values[name] = value
	}
	return values, nil
}

// writeOnly is a write-only value of a block; null where there is none.
func writeOnly(block types.Object, name string) types.String {
	value, _ := block.Attributes()[name].(types.String)
	return value
}

// textOf is writeOnly by another name: a text of a block; null where there is none.
func textOf(block types.Object, name string) types.String { return writeOnly(block, name) }

// truthOf is a boolean of a block; null where there is none.
func truthOf(block types.Object, name string) types.Bool {
	value, _ := block.Attributes()[name].(types.Bool)
	return value
}

// local is implemented by models whose input has something that the provider reads where it runs.
type local[In any] interface {
	complete(in *In, diags *diag.Diagnostics)
	took(in In)
}

// toInput is the input that m writes down. It is only called when all that was written is known; what is not is computed.
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
			plain[name], err = plainOf(raw)
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

// fromInput is the inverse of toInput, for import.
func fromInput[In any](ctx context.Context, m any, in In, diags *diag.Diagnostics) {
	data, err := json.Marshal(in)
	plain := map[string]any{}
	if err == nil {
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.UseNumber()
		err = decoder.Decode(&plain)
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
		raw, err := typed(kind.TerraformType(ctx), plain[name])
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

// fieldsOf are the fields of a model whose attributes an input has.
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
