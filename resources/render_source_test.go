package resources

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/stretchr/testify/require"
)

func rendered(t *testing.T, folder string, private types.Bool) *renderModel {
	t.Helper()
	text, flag := types.StringType, types.BoolType
	repository, diags := types.ObjectValue(
		map[string]attr.Type{"name": text, "branch": text, "create": flag, "private": flag, "source": text, "git_url": text},
		map[string]attr.Value{
			"name": types.StringValue("octo/shop"), "branch": types.StringNull(), "create": types.BoolValue(true), "private": private,
			"source": types.StringValue(folder), "git_url": types.StringNull(),
		})
	require.False(t, diags.HasError())
	return &renderModel{Repository: repository}
}

func TestAPlanWarnsOfFilesThatGoToThePublic(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"app.js", "Dockerfile"} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), nil, 0o600))
	}
	warnings := func(private types.Bool, prior any) (found []string) {
		var diags diag.Diagnostics
		require.Equal(t, prior == nil, rendered(t, folder, private).planSource(t.Context(), prior, &diags))
		require.False(t, diags.HasError(), diags)
		for _, d := range diags.Warnings() {
			found = append(found, d.Summary())
		}
		return found
	}
	require.Equal(t, []string{"2 files go to a PUBLIC repository"}, warnings(types.BoolValue(false), nil))
	require.Empty(t, warnings(types.BoolNull(), nil), "private is the default")
	require.Empty(t, warnings(types.BoolValue(true), nil))

	var diags diag.Diagnostics
	prior := rendered(t, folder, types.BoolValue(false))
	prior.SourceHash = types.StringUnknown()
	prior.resolveSource(t.Context(), &diags)
	require.Empty(t, diags)
	require.Empty(t, warnings(types.BoolValue(false), prior), "nothing is pushed")
}

func TestAPlanRefusesASourceWithSecrets(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, ".env"), []byte("KEY=x"), 0o600))
	var diags diag.Diagnostics
	rendered(t, folder, types.BoolNull()).planSource(t.Context(), nil, &diags)
	require.Len(t, diags.Errors(), 1)
	require.Contains(t, diags.Errors()[0].Detail(), ".env")
	require.Contains(t, diags.Errors()[0].Detail(), "!/.env")
}
