package resources

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/terraform"
)

// durationValidator accepts Go's durations above zero.
type durationValidator struct{}

func (durationValidator) Description(context.Context) string {
	return "a duration above zero, for example 90s or 1h30m"
}

func (v durationValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v durationValidator) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if d, err := time.ParseDuration(req.ConfigValue.ValueString()); err != nil || d <= 0 {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid duration", fmt.Sprintf("%q is not %s.", req.ConfigValue.ValueString(), v.Description(ctx)))
	}
}

// regexpValidator accepts regular expressions.
type regexpValidator struct{}

func (regexpValidator) Description(context.Context) string { return "a regular expression (RE2)" }

func (v regexpValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (regexpValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if _, err := regexp.Compile(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid regular expression", Sentence(err.Error()))
	}
}

// objectValidator accepts objects and maps whose names are not orch's.
type objectValidator struct{}

func (objectValidator) Description(context.Context) string {
	return "an object whose names do not begin with orch."
}

func (v objectValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (objectValidator) ValidateDynamic(ctx context.Context, req validator.DynamicRequest, resp *validator.DynamicResponse) {
	raw, err := req.ConfigValue.ToTerraformValue(ctx)
	if err != nil || raw.IsNull() || !raw.IsKnown() {
		return
	}
	if !isObject(raw) {
		resp.Diagnostics.AddAttributeError(req.Path, "Not an object", "It takes an object, for example { team = \"chat\" }.")
		return
	}
	for name := range attributesOf(raw) {
		if strings.HasPrefix(name, "orch.") {
			resp.Diagnostics.AddAttributeError(req.Path, "Name that is taken", fmt.Sprintf("%q: names that begin with orch. are orch's own.", name))
		}
	}
}

// searchAttributesValidator accepts objects whose values can be sent as search attributes.
type searchAttributesValidator struct{}

func (searchAttributesValidator) Description(context.Context) string {
	return "strings, numbers, truth values and lists of strings"
}

func (v searchAttributesValidator) MarkdownDescription(ctx context.Context) string {
	return v.Description(ctx)
}

func (searchAttributesValidator) ValidateDynamic(ctx context.Context, req validator.DynamicRequest, resp *validator.DynamicResponse) {
	raw, err := req.ConfigValue.ToTerraformValue(ctx)
	if err != nil || raw.IsNull() || !raw.IsFullyKnown() || !isObject(raw) {
		return
	}
	data, err := terraform.ToJSON(ctx, req.ConfigValue)
	if err == nil {
		_, err = searchAttributes(data)
	}
	if err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid search attributes", Sentence(err.Error()))
	}
}

// isObject reports whether a value has named members.
func isObject(raw tftypes.Value) bool {
	return raw.Type().Is(tftypes.Object{}) || raw.Type().Is(tftypes.Map{})
}
