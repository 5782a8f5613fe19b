package datasources

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
)

// numberPrecision is what Terraform itself computes with, in bits.
const numberPrecision = 512

// fromJSON is a JSON document as a Terraform value: objects and tuples, as jsondecode makes them.
func fromJSON(ctx context.Context, data json.RawMessage) (types.Dynamic, error) {
	if len(data) == 0 {
		return types.DynamicNull(), nil
	}
	decoded, err := decode(data)
	if err != nil || decoded == nil {
		return types.DynamicNull(), err
	}
	return types.DynamicValue(terraformValue(ctx, decoded)), nil
}

func decode(data json.RawMessage) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber() // a float64 would round the digits of a large ID
	var decoded any
	if err := decoder.Decode(&decoded); err != nil {
		return nil, fmt.Errorf("read JSON: %w", err)
	}
	return decoded, nil
}

func terraformValue(ctx context.Context, decoded any) attr.Value {
	switch v := decoded.(type) {
	case bool:
		return types.BoolValue(v)
	case string:
		return types.StringValue(v)
	case json.Number:
		return number(v)
	case []any:
		elements, elementTypes := make([]attr.Value, len(v)), make([]attr.Type, len(v))
		for i, element := range v {
			elements[i] = terraformValue(ctx, element)
			elementTypes[i] = elements[i].Type(ctx)
		}
		return types.TupleValueMust(elementTypes, elements)
	case map[string]any:
		return objectValue(ctx, v)
	default:
		return types.DynamicNull()
	}
}

func objectValue(ctx context.Context, fields map[string]any) attr.Value {
	attributes, attributeTypes := make(map[string]attr.Value, len(fields)), make(map[string]attr.Type, len(fields))
	for name, field := range fields {
		attributes[name] = terraformValue(ctx, field)
		attributeTypes[name] = attributes[name].Type(ctx)
	}
	return types.ObjectValueMust(attributeTypes, attributes)
}

// number keeps every digit; what is beyond Terraform's numbers stays text.
func number(n json.Number) attr.Value {
	f, _, err := big.ParseFloat(n.String(), 10, numberPrecision, big.ToNearestEven)
	if err != nil || f.IsInf() {
		return types.StringValue(n.String())
	}
	return types.NumberValue(f)
}

// split sorts named payloads into an object of those that travelled in clear, one of those that were encrypted, and what
// cannot be read.
func split(ctx context.Context, values map[string]runner.Value) (open, secret types.Dynamic, problems []string) {
	fields := map[bool]map[string]any{false: {}, true: {}}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		v := values[name]
		decoded, err := any(nil), v.Problem
		if err == nil {
			decoded, err = decode(v.JSON)
		}
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s: %v", name, err))
			continue
		}
		fields[v.Encrypted][name] = decoded
	}
	return types.DynamicValue(objectValue(ctx, fields[false])), types.DynamicValue(objectValue(ctx, fields[true])), problems
}

// stamp is a time in RFC 3339, null when there is none.
func stamp(t time.Time) types.String {
	if t.IsZero() {
		return types.StringNull()
	}
	return types.StringValue(t.UTC().Format(time.RFC3339Nano))
}

// orNull is text, null when there is none.
func orNull(text string) types.String {
	if text == "" {
		return types.StringNull()
	}
	return types.StringValue(text)
}
