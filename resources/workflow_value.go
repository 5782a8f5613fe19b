package resources

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

// toJSON is a known Terraform value of any type as JSON; nil stands for null.
func toJSON(ctx context.Context, value attr.Value) (json.RawMessage, error) {
	raw, err := value.ToTerraformValue(ctx)
	if err != nil || raw.IsNull() {
		return nil, err
	}
	plain, err := plainOf(raw)
	if err != nil {
		return nil, err
	}
	return json.Marshal(plain)
}

// plainOf makes a value of Go's maps, slices and scalars. Numbers keep their digits.
func plainOf(value tftypes.Value) (any, error) {
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
			plain, err := plainOf(member)
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
			plain, err := plainOf(element)
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

// fromJSON is the Terraform value of a JSON document; nil is null.
func fromJSON(data json.RawMessage) (types.Dynamic, error) {
	if data == nil {
		return types.DynamicNull(), nil
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var plain any
	if err := decoder.Decode(&plain); err != nil {
		return types.DynamicNull(), fmt.Errorf("decode JSON: %w", err)
	}
	if plain == nil {
		return types.DynamicNull(), nil
	}
	value, err := valueOf(plain)
	return types.DynamicValue(value), err
}

// valueOf makes arrays tuples and objects objects, because their elements need not have one type.
func valueOf(plain any) (attr.Value, error) {
	switch v := plain.(type) {
	case nil:
		return types.DynamicNull(), nil
	case string:
		return types.StringValue(v), nil
	case bool:
		return types.BoolValue(v), nil
	case json.Number:
		number, _, err := big.ParseFloat(v.String(), 10, 512, big.ToNearestEven)
		if err != nil {
			return nil, fmt.Errorf("read number %s: %w", v, err)
		}
		return types.NumberValue(number), nil
	case []any:
		kinds, values := make([]attr.Type, 0, len(v)), make([]attr.Value, 0, len(v))
		for _, element := range v {
			value, err := valueOf(element)
			if err != nil {
				return nil, err
			}
			kinds, values = append(kinds, value.Type(context.Background())), append(values, value)
		}
		return types.TupleValueMust(kinds, values), nil
	case map[string]any:
		kinds, values := make(map[string]attr.Type, len(v)), make(map[string]attr.Value, len(v))
		for name, member := range v {
			value, err := valueOf(member)
			if err != nil {
				return nil, err
			}
			kinds[name], values[name] = value.Type(context.Background()), value
		}
		return types.ObjectValueMust(kinds, values), nil
	default:
		return nil, fmt.Errorf("no Terraform value for %T", plain)
	}
}

// sameJSON reports whether two values are known and the same to a worker, whatever their Terraform types.
func sameJSON(ctx context.Context, a, b attr.Value) bool {
	left, leftErr := toJSON(ctx, a)
	right, rightErr := toJSON(ctx, b)
	return leftErr == nil && rightErr == nil && bytes.Equal(left, right)
}
