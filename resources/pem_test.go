package resources

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/stretchr/testify/require"
)

func TestCertificatesAreCheckedAndNotShown(t *testing.T) {
	const certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
	const key = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"
	for _, c := range []struct {
		rule  pemValidator
		value string
		ok    bool
	}{
		{"CERTIFICATE", certificate, true}, {"PRIVATE KEY", key, true},
		{"CERTIFICATE", key, false}, {"PRIVATE KEY", certificate, false}, {"PRIVATE KEY", "hunter2", false}, {"CERTIFICATE", "", false},
	} {
		var resp validator.StringResponse
		c.rule.ValidateString(t.Context(), validator.StringRequest{ConfigValue: types.StringValue(c.value)}, &resp)
		require.Equal(t, c.ok, !resp.Diagnostics.HasError(), "%s of %q", c.rule, c.value)
		for _, d := range resp.Diagnostics {
			require.NotContains(t, d.Detail(), "hunter2")
		}
	}
}

func TestDifferenceOfConfigurations(t *testing.T) {
	require.Equal(t, []string{"line 2:", "- b", "+ x", "+ y"}, difference("a\nb\nc", "a\nx\ny\nc"))
	require.Equal(t, []string{"line 3:", "+ c"}, difference("a\nb", "a\nb\nc"))
}
