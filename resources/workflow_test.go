package resources

import (
	"encoding/json"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/terraform"
)

// What cannot be sent is refused before anything is planned.
func TestSearchAttributesAreValidated(t *testing.T) {
	t.Parallel()
	for document, says := range map[string]string{
		`{"Team":"chat","Tags":["a"],"Size":3}`: "", `{"Tags":[1]}`: "a list holds strings only", `{"Nested":{}}`: "a search attribute is a string", `["a"]`: "",
	} {
		value, err := terraform.FromJSON(json.RawMessage(document))
		require.NoError(t, err)
		var resp validator.DynamicResponse
		searchAttributesValidator{}.ValidateDynamic(t.Context(), validator.DynamicRequest{ConfigValue: value}, &resp)
		if says == "" {
			require.Empty(t, resp.Diagnostics, document) // of another form than an object, objectValidator tells
			continue
		}
		require.Len(t, resp.Diagnostics, 1, document)
		require.Contains(t, resp.Diagnostics[0].Detail(), says)
	}
	unknown := types.DynamicValue(types.ObjectValueMust(map[string]attr.Type{"A": types.StringType}, map[string]attr.Value{"A": types.StringUnknown()}))
	var resp validator.DynamicResponse
	searchAttributesValidator{}.ValidateDynamic(t.Context(), validator.DynamicRequest{ConfigValue: unknown}, &resp)
	require.Empty(t, resp.Diagnostics)
}

// The same wish, written with another Terraform type, is no change.
func TestSameInputInAnotherType(t *testing.T) {
	t.Parallel()
	text := types.StringValue("a")
	list := types.DynamicValue(types.ListValueMust(types.StringType, []attr.Value{text}))
	tuple := types.DynamicValue(types.TupleValueMust([]attr.Type{types.StringType}, []attr.Value{text}))
	require.True(t, sameJSON(t.Context(), list, tuple))
	require.False(t, sameJSON(t.Context(), list, types.DynamicValue(text)))
	require.False(t, sameJSON(t.Context(), types.DynamicUnknown(), types.DynamicUnknown()), "what is not known may change")
}

func TestSearchAttributesByForm(t *testing.T) {
	t.Parallel()
	attributes, err := searchAttributes(json.RawMessage(`{"Team":"chat","Size":3,"Ratio":0.5,"Live":true,"Tags":["a","b"],"Nothing":null}`))
	require.NoError(t, err)
	require.Equal(t, 5, attributes.Size())
	for _, wrong := range []string{`{"Tags":[1]}`, `{"Nested":{}}`} {
		_, err := searchAttributes(json.RawMessage(wrong))
		require.Error(t, err, wrong)
	}
}
