package resources

import (
	"context"
	"encoding/pem"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// pemValidator wants PEM whose first block's type ends in these words. It never shows the value.
type pemValidator string

func (v pemValidator) Description(context.Context) string {
	return "PEM that begins with a " + strings.ToLower(string(v))
}

func (v pemValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v pemValidator) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	block, _ := pem.Decode([]byte(req.ConfigValue.ValueString()))
	if block == nil || !strings.HasSuffix(block.Type, string(v)) {
		resp.Diagnostics.AddAttributeError(req.Path, "Not in PEM", "The value must be "+v.Description(ctx)+", as a line such as -----BEGIN "+string(v)+"----- shows.")
	}
}
