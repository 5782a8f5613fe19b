package terraform

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// ToJSON is a known Terraform value of any type as JSON; nil stands for null.
func ToJSON(ctx context.Context, value attr.Value) (json.RawMessage, error) {
	raw, err := value.ToTerraformValue(ctx)
	if err != nil || raw.IsNull() {
		return nil, err
	}
	plain, err := Plain(raw)
	if err != nil {
		return nil, err
	}
	return json.Marshal(plain)
}

// Plain makes a known value of Go's maps, slices and scalars. Numbers keep their digits.
func Plain(value tftypes.Value) (any, error) {
	if value.IsNull() {
		return nil, nil
	}
	if !value.IsKnown() {
		return nil, errors.New("it holds a value that is not known yet")
	}
	var text string
	var truth bool
	number := new(big.Float)
	var members map[string]tftypes.Value
	var elements []tftypes.Value
	kind := value.Type()
	switch {
	case kind.Is(tftypes.String):
		err := value.As(&text)
		return text, err
	case kind.Is(tftypes.Bool):
		err := value.As(&truth)
		return truth, err
	case kind.Is(tftypes.Number):
		err := value.As(&number)
		return json.Number(digits(number)), err
	case kind.Is(tftypes.Map{}), kind.Is(tftypes.Object{}):
		if err := value.As(&members); err != nil {
			return nil, err
		}
		out := make(map[string]any, len(members))
		for name, member := range members {
			plain, err := Plain(member)
			if err != nil {
				return nil, err
			}
			out[name] = plain
		}
		return out, nil
	default: // list, set and tuple
		if err := value.As(&elements); err != nil {
			return nil, err
		}
		out := make([]any, 0, len(elements))
		for _, element := range elements {
			plain, err := Plain(element)
			if err != nil {
				return nil, err
			}
			out = append(out, plain)
		}
		return out, nil
	}
}

// digits is a number in the form of JSON, integers without an exponent.
func digits(number *big.Float) string {
	if number.IsInt() && number.MantExp(nil) < 256 {
		return number.Text('f', 0)
	}
	return number.Text('g', -1)
}

// FromJSON is the Terraform value of a JSON document, objects and tuples as jsondecode makes them. Nothing and null are null.
func FromJSON(document json.RawMessage) (types.Dynamic, error) {
	if len(document) == 0 {
		return types.DynamicNull(), nil
	}
	plain, err := Decode(document)
	if err != nil || plain == nil {
		return types.DynamicNull(), err
	}
	return types.DynamicValue(Value(plain)), nil
}

// Decode makes a JSON document of Go's maps, slices and scalars. Numbers keep their digits.
func Decode(document json.RawMessage) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber() // a float64 would round the digits of a large ID
	var plain any
	if err := decoder.Decode(&plain); err != nil {
		return nil, fmt.Errorf("decode JSON: %w", err)
	}
	return plain, nil
}

// Value is the Terraform value of what Decode returns: arrays are tuples and objects are objects, because their elements need
// not have one type.
func Value(plain any) attr.Value {
	ctx := context.Background()
	switch v := plain.(type) {
	case bool:
		return types.BoolValue(v)
	case string:
		return types.StringValue(v)
	case json.Number:
		return number(v)
	case []any:
		values, kinds := make([]attr.Value, len(v)), make([]attr.Type, len(v))
		for i, element := range v {
			values[i] = Value(element)
			kinds[i] = values[i].Type(ctx)
		}
		return types.TupleValueMust(kinds, values)
	case map[string]any:
		values, kinds := make(map[string]attr.Value, len(v)), make(map[string]attr.Type, len(v))
		for name, member := range v {
			values[name] = Value(member)
			kinds[name] = values[name].Type(ctx)
		}
		return types.ObjectValueMust(kinds, values)
	default:
		return types.DynamicNull()
	}
}

// precision is what Terraform itself computes with, in bits.
const precision = 512

// number keeps every digit; what is beyond Terraform's numbers stays text.
func number(n json.Number) attr.Value {
	f, _, err := big.ParseFloat(n.String(), 10, precision, big.ToNearestEven)
	if err != nil || f.IsInf() {
		return types.StringValue(n.String())
	}
	return types.NumberValue(f)
}

// Typed is what Decode returns as a value of that type. A member that is absent is null.
func Typed(kind tftypes.Type, plain any) (tftypes.Value, error) {
	if plain == nil {
		return tftypes.NewValue(kind, nil), nil
	}
	var element func(name string) tftypes.Type
	switch k := kind.(type) {
	case tftypes.Object:
		made, err := members(k.AttributeTypes, plain, func(name string) tftypes.Type { return k.AttributeTypes[name] })
		return tftypes.NewValue(kind, made), err
	case tftypes.Map:
		given, _ := plain.(map[string]any)
		made, err := members(given, plain, func(string) tftypes.Type { return k.ElementType })
		return tftypes.NewValue(kind, made), err
	case tftypes.List:
		element = func(string) tftypes.Type { return k.ElementType }
	case tftypes.Set:
		element = func(string) tftypes.Type { return k.ElementType }
	default:
		if number, ok := plain.(json.Number); ok {
			f, _, err := big.ParseFloat(number.String(), 10, precision, big.ToNearestEven)
			return tftypes.NewValue(kind, f), err
		}
		return tftypes.NewValue(kind, plain), nil
	}
	list, ok := plain.([]any)
	if !ok {
		return tftypes.Value{}, fmt.Errorf("%T is not a list", plain)
	}
	values := make([]tftypes.Value, len(list))
	for i, each := range list {
		var err error
		if values[i], err = Typed(element(""), each); err != nil {
			return tftypes.Value{}, err
		}
	}
	return tftypes.NewValue(kind, values), nil
}

func members[T any](names map[string]T, plain any, kind func(name string) tftypes.Type) (map[string]tftypes.Value, error) {
	given, _ := plain.(map[string]any)
	values := make(map[string]tftypes.Value, len(names))
	for name := range names {
		value, err := Typed(kind(name), given[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		values[name] = value
	}
	return values, nil
}
