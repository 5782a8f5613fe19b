package resources

import (
	"context"
	"path/filepath"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
)

// sameFolder keeps how state writes a folder while the configuration means the same one: an import finds its absolute path.
type sameFolder struct{}

func (sameFolder) Description(context.Context) string {
	return "The same folder may be written in another way."
}

func (f sameFolder) MarkdownDescription(ctx context.Context) string { return f.Description(ctx) }

func (sameFolder) PlanModifyString(_ context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	if req.StateValue.IsNull() || req.PlanValue.IsNull() || req.PlanValue.IsUnknown() {
		return
	}
	was, wasErr := filepath.Abs(req.StateValue.ValueString())
	is, isErr := filepath.Abs(req.PlanValue.ValueString())
	if wasErr == nil && isErr == nil && was == is && req.PlanValue.ValueString() != "" {
		resp.PlanValue = req.StateValue
	}
}
