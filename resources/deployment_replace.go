package resources

import (
	"context"
	"path/filepath"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// replacing asks for a replacement where an attribute means something else than before. Absent means otherwise: to write a
// default out destroys nothing.
func replacing(otherwise string) planmodifier.String {
	return replacingBut(func(context.Context, planmodifier.StringRequest, *stringplanmodifier.RequiresReplaceIfFuncResponse) types.String {
		return types.StringValue(otherwise)
	})
}

// replacingLike is replacing where absent means the value of another attribute.
func replacingLike(attribute string) planmodifier.String {
	return replacingBut(func(ctx context.Context, req planmodifier.StringRequest, resp *stringplanmodifier.RequiresReplaceIfFuncResponse) types.String {
		var value types.String
		resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root(attribute), &value)...)
		return value
	})
}

func replacingBut(otherwise func(context.Context, planmodifier.StringRequest, *stringplanmodifier.RequiresReplaceIfFuncResponse) types.String) planmodifier.String {
	const description = "Another value is another deployment."
	return stringplanmodifier.RequiresReplaceIf(
		func(ctx context.Context, req planmodifier.StringRequest, resp *stringplanmodifier.RequiresReplaceIfFuncResponse) {
			meant := func(value types.String) types.String {
				if value.IsNull() {
					return otherwise(ctx, req, resp)
				}
				return value
			}
			resp.RequiresReplace = !meant(req.StateValue).Equal(meant(req.PlanValue))
		}, description, description)
}

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
