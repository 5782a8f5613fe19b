package datasources

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/terraform"
)

// split sorts named payloads into an object of those that travelled in clear, one of those that were encrypted, and what
// cannot be read.
func split(values map[string]runner.Value) (open, secret types.Dynamic, problems []string) {
	fields := map[bool]map[string]any{false: {}, true: {}}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		v := values[name]
		decoded, err := any(nil), v.Problem
		if err == nil {
			decoded, err = terraform.Decode(v.JSON)
		}
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s: %v", name, err))
			continue
		}
		fields[v.Encrypted][name] = decoded
	}
	return types.DynamicValue(terraform.Value(fields[false])), types.DynamicValue(terraform.Value(fields[true])), problems
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
