package terraform_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/terraform"
)

// What a workflow returns becomes a Terraform value, and the same JSON again when it is an input.
func TestJSONSurvivesTerraform(t *testing.T) {
	t.Parallel()
	for _, document := range []string{
		`"text"`, `""`, `true`, `0`, `-1.5`, `0.1`, `12345678901234567890`, `[]`, `{}`, `[1,"two",[null],{"a":null}]`,
		`{"a":{"b":[true,false]},"":"x","ü":"<&>"}`,
	} {
		value, err := terraform.FromJSON(json.RawMessage(document))
		require.NoError(t, err, document)
		back, err := terraform.ToJSON(t.Context(), value)
		require.NoError(t, err, document)
		require.JSONEq(t, document, string(back))
	}
	for _, nothing := range []json.RawMessage{nil, json.RawMessage(`null`)} {
		value, err := terraform.FromJSON(nothing)
		require.NoError(t, err)
		require.True(t, value.IsNull())
	}
}

func TestNumbersKeepTheirDigits(t *testing.T) {
	t.Parallel()
	for _, document := range []string{`12345678901234567890`, `0.1`, `-3`, `1e+300`} {
		value, err := terraform.FromJSON(json.RawMessage(document))
		require.NoError(t, err)
		back, err := terraform.ToJSON(t.Context(), value)
		require.NoError(t, err)
		require.Equal(t, document, string(back))
	}
}

// Beyond Terraform's numbers a result is text, in resources and in data sources alike.
func TestNumbersBeyondTerraformsStayText(t *testing.T) {
	t.Parallel()
	value, err := terraform.FromJSON(json.RawMessage(`{"size":1e999999999999}`))
	require.NoError(t, err)
	back, err := terraform.ToJSON(t.Context(), value)
	require.NoError(t, err)
	require.JSONEq(t, `{"size":"1e999999999999"}`, string(back))
}
